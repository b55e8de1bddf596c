# pinecone_ping(): the first step that fails is the one that is wrong, and has a hint.
use strict;
use warnings;

use File::Temp;
use FindBin;
use lib $FindBin::Bin;
use Harness;
use IO::Socket::INET;
use JSON::PP;
use Test::More;

my $dir = File::Temp->newdir;
chmod 0755, $dir;
my $fields = {body => {type => 'string', full_text_search => {}}, v => {type => 'dense_vector', dimension => 3, metric => 'cosine'}};

my $t = Harness->new(pinecone => ['--read-only-key', 'reader', '--data-key', 'writer']);
my $server = $t->server;
my $url = $server->{url};
my ($port) = $url =~ /:(\d+)$/;
my $host = $server->create_index('films', dimension => 3, metric => 'euclidean');
$server->upsert('films', '', [{id => 'a', values => [1, 1, 1]}]);
my $documents = $server->create_document_index('essays', $fields);

# a port that nobody listens on
my $closed = do { my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1'); $s->sockport };

my $s = $t->session;

# The steps of a ping of a server with these options: "dns:t connect:f ..."; the hint of the first that fails.
sub ping
{
	my ($options, $key) = @_;

	$s->query("SET client_min_messages = error; DROP SERVER IF EXISTS p CASCADE; CREATE SERVER p FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);"
		. "CREATE USER MAPPING FOR CURRENT_USER SERVER p OPTIONS (api_key '" . ($key // 'test-key') . "')");
	my $rows = $s->query("SELECT step, coalesce(ok::text, '-'), coalesce(detail, ''), coalesce(hint, '') FROM pinecone_ping('p')");
	die $rows->{err} if $rows->{err} =~ /ERROR/;
	my @rows = map { [split /\|/, $_, -1] } split /\n/, $rows->{out};
	my %ok = map { $_->[0] => $_->[1] } @rows;
	my ($first) = grep { $_->[1] eq 'false' } @rows;
	return {%ok, first => $first ? $first->[0] : 'none', hint => $first ? $first->[3] : '', detail => {map { $_->[0] => $_->[2] } @rows},
		steps => join(' ', map { $_->[0] } @rows)};
}

my $r = ping("index 'films', control_host '$url'");
is($r->{steps}, 'dns connect tls key index host kind metric dimension read write latency', 'twelve steps');
is($r->{first}, 'none', 'an index by its name: nothing fails');
is(join(',', @{$r->{detail}}{qw(kind metric dimension)}), 'dense,euclidean,3', 'and it is told what it is');
like($r->{detail}{latency}, qr/^[\d.]+ ms/, 'latency');
$r = ping("host '$host'");
is($r->{first}, 'none', 'an index by its host');
is(join(',', @{$r->{detail}}{qw(kind metric dimension)}), 'dense,euclidean,3', 'by its statistics');

# the way there
$s->query("SET pinecone_fdw.allowed_hosts = '*'");
for my $option ('control_host', 'host')
{
	my $index = $option eq 'host' ? '' : "index 'films', ";

	$r = ping("$index $option 'nothing.invalid', connect_timeout '3s'");
	is($r->{first}, 'dns', "$option: a name that there is not");
	like($r->{hint}, qr/"$option" option/, 'names the option');
	is(join(',', @$r{qw(connect key index read write latency)}), '-,-,-,-,-,-', 'nothing after it is told');
	$r = ping("$index $option 'http://127.0.0.1:$closed'");
	is("$r->{dns} $r->{first}", 'true connect', "$option: a closed port");
	$r = ping("$index $option '127.0.0.1:$port'");
	is("$r->{dns} $r->{connect} $r->{first}", 'true true tls', "$option: plain text on a port for TLS");
	like($r->{hint}, qr{"http://"}, 'says what to write');
	$r = ping("$index $option '" . ($option eq 'host' ? $host : $url) . "'", 'wrong');
	is("$r->{tls} $r->{first}", 'true key', "$option: a key that is not known");
	like($r->{hint}, qr/key/i, 'says so');
}
$s->query("SET pinecone_fdw.allowed_hosts = 'api.example.org'");
$r = ping("index 'films', control_host 'evil.example.org'");
is($r->{first}, 'dns', 'a host that must not be sent a key');
like("$r->{detail}{dns} $r->{hint}", qr/may not be sent an API key.*allowed_hosts/, 'names the setting');
$s->query('RESET pinecone_fdw.allowed_hosts');

# somebody else answers
$server->fault({path => '/indexes/films', status => 404, body => '<html>not here</html>', content_type => 'text/html', count => 1});
$r = ping("index 'films', control_host '$url'");
is($r->{first}, 'key', 'a server that is not Pinecone\'s is not believed that there is no index');
$server->fault({path => '/indexes/films', status => 503, count => 1});
$r = ping("index 'films', control_host '$url'");
is($r->{first}, 'key', 'a service that is down');
like($r->{hint}, qr/later/, 'is asked again later');

# the index
$r = ping("index 'filsm', control_host '$url'");
is("$r->{key} $r->{first}", 'true index', 'an index that there is not');
like($r->{hint}, qr/pinecone_indexes/, 'says where to look');
$server->request('POST', "$url/_local/settings", {ready_delay => 60000});
$server->control('POST', '/indexes', {name => 'later', dimension => 3, spec => {serverless => {cloud => 'aws', region => 'us-east-1'}}});
$server->request('POST', "$url/_local/settings", {ready_delay => 0});
$r = ping("index 'later', control_host '$url'");
is("$r->{first} $r->{read}", 'index -', 'one that is not ready');
like($r->{detail}{index}, qr/not ready: Initializing/, 'and what its state is');
$server->fault({path => '/indexes/films', status => 200, body => {name => 'films', host => "127.0.0.1:$closed", status => {ready => JSON::PP::true, state => 'Ready'}, dimension => 3, metric => 'cosine'}, count => -1});
$r = ping("index 'films', control_host '$url'");
is("$r->{index} $r->{first}", 'true host', 'the host of the index is not reached');
$server->clear_faults;

# what it is
my $wrong = encode_json({fields => {body => $fields->{body}, v => {%{$fields->{v}}, metric => 'dotproduct'}}});
$r = ping("index 'essays', control_host '$url'");
is("$r->{first} $r->{detail}{kind} $r->{detail}{metric} $r->{detail}{dimension}", 'none document cosine 3', 'documents');
$r = ping("index 'essays', control_host '$url', schema '$wrong'");
is($r->{first}, 'metric', 'options that say another metric');
like("$r->{detail}{metric} $r->{hint}", qr/cosine, and not dotproduct.*"schema" option/, 'and both');
is("$r->{dimension} $r->{read}", 'true true', 'the rest is told all the same');
$r = ping("index 'films', control_host '$url', schema '$wrong'");
is($r->{first}, 'kind', 'options that say another kind');

# what the key may do
for my $index ('films', 'essays')
{
	$r = ping("index '$index', control_host '$url'", 'reader');
	is("$r->{read} $r->{first} $r->{latency}", 'true write true', "$index: a key that may only read");
	like($r->{hint}, qr/may only read/, 'says so');
}
$r = ping("index 'films', control_host '$url'", 'writer');
is($r->{first}, 'key', 'a key that may not describe indexes');
like($r->{hint}, qr/"host" option in place/, 'and what to do');
$r = ping("host '$host'", 'writer');
is("$r->{first} $r->{write}", 'none true', 'which does');
$server->fault({path => '/vectors/list', status => 403, body => 'Forbidden', count => 1});
$r = ping("index 'films', control_host '$url'");
is("$r->{first} $r->{write}", 'read true', 'a key that may not read');
$r = ping("index 'films', control_host '$url', write_cluster 'production'");
is($r->{first}, 'write', 'a cluster that may not write');
is($server->request('POST', "$host/describe_index_stats", {})->{totalVectorCount}, 1, 'nothing has been changed');

# and what happens to one that may not
$server->alias($host, 'live', '__default__');
$server->clear_requests;
ping("index 'films', control_host '$url'", 'reader');
for ("pinecone_create_index('p', 'new', 3)", "pinecone_configure_index('p', 'films', true)", "pinecone_delete_index('p', 'films')", "pinecone_create_namespace('p', 'n')",
	"pinecone_delete_namespace('p', '')", "pinecone_create_alias('p', 'a', '')", "pinecone_repoint_alias('p', 'live', '')", "pinecone_delete_alias('p', 'live')",
	"pinecone_create_backup('p', 'films', 'b')", "pinecone_delete_backup('p', 'x')", "pinecone_create_index_from_backup('p', 'x', 'y')")
{
	like($s->query("SELECT $_")->{err}, qr/ERROR:  could not .*HTTP status 403.*HINT:  Check what the user mapping's API key may do/s, "a key that only reads: $_");
}
is($s->query("SELECT count(*) FROM pinecone_indexes('p'), pinecone_namespaces('p'), pinecone_aliases('p'), pinecone_index_stats('p')")->{out}, 3, 'and reads');

# a service that takes its time: it ends with the timeout, and at once when cancelled
$server->fault({path => '/indexes/films', delay_ms => 20000, count => -1});
$r = ping("index 'films', control_host '$url', request_timeout '300ms'");
is("$r->{tls} $r->{first}", 'true key', 'no answer in time');
$s->query("ALTER SERVER p OPTIONS (SET request_timeout '60s')");
my $pid = $s->pid;
$server->clear_requests;
$s->send("SELECT * FROM pinecone_ping('p')");
ok($t->wait_until(sub { grep { $_->{path} eq '/indexes/films' } $server->requests }), 'it is waiting');
kill INT => $pid;
like($s->result(5)->{err}, qr/canceling statement due to user request/, 'cancelled');

# a certificate of nobody's
system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $dir/key -out $dir/cert 2>/dev/null && chmod 644 $dir/key $dir/cert") == 0
	or die "no certificate\n";
my $tls = Harness->new(pinecone => ['--tls-cert', "$dir/cert", '--tls-key', "$dir/key"], ca_file => "$dir/cert");
$tls->server->create_index('films', dimension => 3);
$s = $tls->session;
my $secure = 'localhost:' . $tls->port;
$r = ping("index 'films', control_host '$secure'");
is("$r->{connect} $r->{first}", 'true tls', 'a certificate that is not trusted');
like($r->{hint}, qr/ca_file/, 'says how it would be');
$r = ping("index 'films', control_host '$secure', ca_file '$dir/cert'");
is($r->{first}, 'none', 'and it is');
done_testing;
