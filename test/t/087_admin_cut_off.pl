# Administration that is cut off, by a cancel, a timeout or a lost reply, says what is known, and is safe to repeat.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# A cancel may take so long, in seconds
my $most = 0.3;

my $t = Harness->new;
my $server = $t->server;
my $url = $server->{url};
$server->create_index('films', dimension => 3);
$server->upsert('films', 'kb', [{id => 'a', values => [1, 1, 1]}]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
END
my $s = $t->session;
my $pid = $s->pid;
my $create = "SELECT name, state FROM pinecone_create_index('s', 'made', 3";

sub setting
{
	my (%settings) = @_;
	$server->request('POST', "$url/_local/settings", \%settings);
}

sub count_of
{
	my ($method, $path) = @_;
	return scalar grep { $_->{method} eq $method && $_->{path} eq $path } $server->requests;
}

# Cancel when so many requests have come; the error and how long it took
sub cancel
{
	my ($statement, $method, $path, $n) = @_;

	$server->clear_requests;
	$s->send($statement);
	die "it does not get there\n" unless $t->wait_until(sub { count_of($method, $path) >= $n });
	my $start = time;
	kill INT => $pid;
	my $r = $s->result(10);
	cmp_ok(time - $start, '<', $most, "cancelled at once: $method $path");
	return $r->{err};
}

# ---- Waiting for an index ----

setting(ready_delay => 3000);
my $err = cancel("$create)", 'GET', '/indexes/made', 2);
like($err, qr/NOTICE:  creation of index "made": Initializing\n/, 'what its state is');
like($err, qr/ERROR:  canceling statement due to user request\nCONTEXT:  creation of index "made": Pinecone has accepted it, and it goes on there \(Initializing\); .*if_not_exists => true/,
	'cancelled while it is made: it goes on');
my $r = $s->query("$create, timeout => '100 ms', if_not_exists => true)");
like($r->{err}, qr/ERROR:  index "made" is not ready after 0\.1 s\nHINT:.*"timeout".*\nCONTEXT:.*accepted/s, 'a wait that is too short');
like($s->query("SET statement_timeout = '300ms'; $create, if_not_exists => true)")->{err}, qr/statement timeout\nCONTEXT:.*accepted/s, 'a statement timeout');
$s->query('RESET statement_timeout');
is($s->query("$create, if_not_exists => true)")->{out}, 'made|Ready', 'repeated, it waits for what is being made');
is(scalar(grep { $_->{method} eq 'POST' && $_->{path} eq '/indexes' && $_->{status} == 201 } $server->requests), 1, 'which was made once');
$s->query("SELECT pinecone_delete_index('s', 'made')");
is($s->query("SELECT state FROM pinecone_create_index('s', 'made', 3, wait => false)")->{out}, 'Initializing', 'without waiting');
$s->query("SELECT pinecone_delete_index('s', 'made')");
setting(ready_delay => 0);

# one that will not get ready
$server->fault({path => '/indexes/made', method => 'GET', status => 200, count => -1,
	body => {name => 'made', dimension => 3, metric => 'cosine', status => {ready => JSON::PP::false, state => 'InitializationFailed'}}});
setting(ready_delay => 1000);
like($s->query("$create)")->{err}, qr/index "made" will not get ready: its state is InitializationFailed/, 'a creation that has failed');
$server->clear_faults;
setting(ready_delay => 0);
$s->query("SELECT pinecone_delete_index('s', 'made')");

# ---- On the wire ----

$server->fault({path => '/indexes', method => 'POST', delay_ms => 5000, count => 1});
$err = cancel("$create)", 'POST', '/indexes', 1);
like($err, qr/CONTEXT:  creation of index "made": it has been asked for, and is not known to be done or not; /, 'cancelled before the answer');
$server->clear_faults;
like($s->query("$create, if_not_exists => true)")->{out}, qr/made\|Ready/, 'repeated');
$s->query("SELECT pinecone_delete_index('s', 'made')");

# replies that are lost after it has been done: the repeat finds that
for my $kind ('close_after', 'truncate', 'garbage')
{
	$server->fault({path => '/indexes', method => 'POST', kind => $kind, count => 1});
	$server->clear_requests;
	$r = $s->query("$create)");
	is("$r->{out}$r->{err}", 'made|Ready', "create, $kind: done");
	is(count_of('POST', '/indexes'), 2, 'asked for twice');
	$server->fault({path => '/indexes/made', method => 'PATCH', kind => $kind, count => 1});
	is($s->query("SELECT tags FROM pinecone_configure_index('s', 'made', tags => '{\"a\": \"$kind\"}')")->{out}, "{\"a\": \"$kind\"}", 'configure');
	$server->fault({path => '/indexes/made', method => 'DELETE', kind => $kind, count => 1});
	$r = $s->query("SELECT pinecone_delete_index('s', 'made')");
	is("$r->{out}$r->{err}", 't', 'delete');
	$server->fault({path => '/namespaces', method => 'POST', kind => $kind, count => 1});
	$r = $s->query("SELECT pinecone_create_namespace('s', 'n')");
	is("$r->{out}$r->{err}", 't', 'create namespace');
	$server->fault({path => '/namespace-aliases', method => 'POST', kind => $kind, count => 1});
	$r = $s->query("SELECT pinecone_create_alias('s', 'a', 'kb')");
	is("$r->{out}$r->{err}", 't', 'create alias');
	$server->fault({path => '/namespace-aliases/a', method => 'PATCH', kind => $kind, count => 1});
	is($s->query("SELECT pinecone_repoint_alias('s', 'a', 'n')")->{err}, '', 'repoint alias');
	is($s->query("SELECT namespace FROM pinecone_aliases('s')")->{out}, 'n', 'which it does');
	$server->fault({path => '/namespace-aliases/a', method => 'DELETE', kind => $kind, count => 1});
	$r = $s->query("SELECT pinecone_delete_alias('s', 'a')");
	is("$r->{out}$r->{err}", 't', 'delete alias');
	$server->fault({path => '/namespaces/n', method => 'DELETE', kind => $kind, count => 1});
	$r = $s->query("SELECT pinecone_delete_namespace('s', 'n')");
	is("$r->{out}$r->{err}", 't', 'delete namespace');
}

# somebody else's index of that name is not taken for ours, though the first attempt was lost
$server->create_index('made', dimension => 2);
$server->fault({path => '/indexes', method => 'POST', kind => 'close', count => 1});
like($s->query("$create)")->{err}, qr/index "made" already exists, and is another one\nDETAIL:  Its dimension is 2/, 'another one');

# no answer at all: what is not known is said
$s->query("ALTER SERVER s OPTIONS (ADD max_retries '0')");
$server->drop_index('made');
$server->fault({path => '/indexes', method => 'POST', kind => 'close_after', count => 1});
like($s->query("$create)")->{err}, qr/ERROR:  lost the connection to Pinecone\nDETAIL:.*It is not known whether the write was applied\.\nRepeat it with if_not_exists => true/s, 'not known');
is($s->query("$create, if_not_exists => true)")->{out}, 'made|Ready', 'repeated, it is there');
$server->fault({path => '/indexes/made', method => 'DELETE', kind => 'close_after', count => 1});
like($s->query("SELECT pinecone_delete_index('s', 'made')")->{err}, qr/It is not known.*It is safe to repeat, with if_exists => true/s, 'a deletion');
is($s->query("SELECT pinecone_delete_index('s', 'made', if_exists => true)")->{out}, 'f', 'repeated');
$s->query("ALTER SERVER s OPTIONS (DROP max_retries)");

# no answer in time
$s->query("ALTER SERVER s OPTIONS (ADD request_timeout '300ms')");
$server->fault({path => '/indexes', method => 'POST', delay_ms => 1000, count => 1});
like($s->query("$create)")->{err}, qr/ERROR:  request to Pinecone timed out after 300 ms\nDETAIL:.*It is not known whether the write was applied\.\nRepeat it with if_not_exists => true/s, 'a timeout');
$s->query("ALTER SERVER s OPTIONS (DROP request_timeout)");
is($s->query("$create, if_not_exists => true)")->{out}, 'made|Ready', 'repeated, it is there');
$s->query("SELECT pinecone_delete_index('s', 'made')");

# a rate limit is waited for, and nothing but it
$server->fault({path => '/indexes', method => 'POST', status => 429, count => 2, body => {error => {code => 'RESOURCE_EXHAUSTED', message => 'slow down'}, status => 429}});
is($s->query("$create)")->{out}, 'made|Ready', 'asked again after a refusal');
$server->fault({path => '/indexes/made', method => 'DELETE', status => 403, count => 1, body => {error => {code => 'FORBIDDEN', message => 'not you'}, status => 403}});
like($s->query("SELECT pinecone_delete_index('s', 'made')")->{err}, qr/could not delete index "made".*not you.*HINT:  Check what the user mapping's API key may do/s, 'a right that is missing is not taken for a protection');

# ---- Aliases that reads do not follow at once ----

setting(alias_delay => 1500);
$s->query("SELECT pinecone_create_namespace('s', 'next'), pinecone_create_alias('s', 'live', 'kb')");
$server->clear_requests;
$err = cancel("SELECT pinecone_repoint_alias('s', 'live', 'next')", 'GET', '/vectors/list', 2);
like($err, qr/CONTEXT:  repointing of alias "live": Pinecone has accepted it.*safe to repeat/, 'cancelled while reads do not follow');
like($s->query("SELECT pinecone_repoint_alias('s', 'live', 'kb', timeout => '0')")->{err}, qr/reads through alias "live" do not come from namespace "kb" after 0\.0 s/, 'a wait that is too short');
$t->sql("CREATE FOREIGN TABLE live (id text, embedding real[]) SERVER s OPTIONS (namespace 'live')");
is($s->query("SELECT pinecone_repoint_alias('s', 'live', 'next')")->{out}, '', 'repeated');
is($s->query('SELECT count(embedding) FROM live')->{out}, 0, 'and then reads follow');

# ---- A deletion that takes a while, and one of a capacity that changes ----

sub described
{
	my ($state, %more) = @_;
	return {name => 'made', dimension => 3, metric => 'cosine', host => $server->host('films'), deletion_protection => 'disabled',
		status => {ready => $state eq 'Ready' ? JSON::PP::true : JSON::PP::false, state => $state}, spec => {serverless => {cloud => 'aws', region => 'us-east-1', %more}}};
}

$server->create_index('made', dimension => 3);
$server->fault({path => '/indexes/made', method => 'GET', status => 200, skip => 1, count => 2, body => described('Terminating')});
$server->clear_requests;
$r = $s->query("SELECT pinecone_delete_index('s', 'made')");
is("$r->{out} $r->{err}", "t NOTICE:  deletion of index \"made\": Terminating\n", 'a deletion is waited for');
is(count_of('GET', '/indexes/made'), 4, 'until the index is not there');
$server->create_index('made', dimension => 3);
$server->fault({path => '/indexes/made', method => 'GET', status => 200, skip => 1, count => -1, body => described('Terminating')});
# the one in front of the deletion, one that has told the state, and the next
$err = cancel("SELECT pinecone_delete_index('s', 'made')", 'GET', '/indexes/made', 3);
like($err, qr/CONTEXT:  deletion of index "made": Pinecone has accepted it, and it goes on there \(Terminating\); .*if_exists => true/, 'cancelled meanwhile');
$server->clear_faults;
is($s->query("SELECT pinecone_delete_index('s', 'made', if_exists => true)")->{out}, 'f', 'repeated');

# before the first answer has told a state
$server->create_index('made', dimension => 3);
$server->fault({path => '/indexes/made', method => 'GET', skip => 1, count => 1, delay_ms => 1000});
$err = cancel("SELECT pinecone_delete_index('s', 'made')", 'GET', '/indexes/made', 2);
like($err, qr/ERROR:  canceling.*\nCONTEXT:  deletion of index "made": Pinecone has accepted it; .*if_exists => true/, 'cancelled before a state is known');
$server->clear_faults;
setting(ready_delay => 3000);
$server->fault({path => '/indexes/made', method => 'GET', count => 1, delay_ms => 1000});
$err = cancel("$create)", 'GET', '/indexes/made', 1);
like($err, qr/ERROR:  canceling.*\nCONTEXT:  creation of index "made": Pinecone has accepted it; .*if_not_exists => true/, 'nor that of a creation');
setting(ready_delay => 0);
$server->clear_faults;
$server->fault({path => '/vectors/list', method => 'GET', count => 1, delay_ms => 1000});
$err = cancel("SELECT pinecone_repoint_alias('s', 'live', 'kb')", 'GET', '/vectors/list', 1);
like($err, qr/ERROR:  canceling.*\nCONTEXT:  repointing of alias "live": Pinecone has accepted it; it is safe to repeat/, 'nor whether reads follow');
$server->clear_faults;
$t->wait_until(sub { $s->query("SELECT pinecone_delete_index('s', 'made')")->{err} eq '' });

$server->create_index('made', dimension => 3);
my $capacity = {mode => 'Dedicated', dedicated => {node_type => 'b1'}};
$server->fault({path => '/indexes/made', method => 'PATCH', status => 202, count => 1, body => described('Ready', read_capacity => {%$capacity, status => {state => 'Scaling'}})});
$server->fault({path => '/indexes/made', method => 'GET', status => 200, count => 1, body => described('Ready', read_capacity => {%$capacity, status => {state => 'Scaling'}})});
$server->fault({path => '/indexes/made', method => 'GET', status => 200, count => 1, body => described('Ready', read_capacity => {%$capacity, status => {state => 'Ready'}})});
$r = $s->query("SELECT state FROM pinecone_configure_index('s', 'made', read_capacity => '{\"mode\": \"Dedicated\", \"dedicated\": {\"node_type\": \"b1\"}}')");
is("$r->{out} $r->{err}", "Ready NOTICE:  configuration of index \"made\": read capacity Scaling\n", 'a read capacity is waited for');

# ---- Replies that make no sense ----

$s->query("ALTER SERVER s OPTIONS (ADD max_retries '1')");
for (['/indexes/made', 'GET', "SELECT * FROM pinecone_describe_index('s', 'made')"], ['/indexes', 'GET', "SELECT * FROM pinecone_indexes('s')"],
	['/namespaces', 'GET', "SELECT * FROM pinecone_namespaces('s')"], ['/namespace-aliases', 'GET', "SELECT * FROM pinecone_aliases('s')"],
	['/describe_index_stats', 'POST', "SELECT * FROM pinecone_index_stats('s')"], ['/backups', 'GET', "SELECT * FROM pinecone_backups('s')"],
	['/restore-jobs/x', 'GET', "SELECT * FROM pinecone_describe_restore_job('s', 'x')"])
{
	my ($path, $method, $statement) = @$_;

	for my $body ('', '[]', '{}', '7', '{"name": 5}', '{"name": "made"', '{"name": "\ud800"}', '{"namespaces": 3, "data": 3, "namespace_aliases": {}}', '{"a":' x 2000 . '1' . '}' x 2000)
	{
		next if $path eq '/describe_index_stats' && $body =~ /namespaces/;
		$server->fault({path => $path, method => $method, status => 200, count => -1, body => $body});
		like($s->query($statement)->{err}, qr/ERROR:  (invalid response from Pinecone|could not read)/, "$path: " . substr($body, 0, 20));
		$server->clear_faults;
	}
}
# pages that come round
$server->fault({path => '/namespaces', method => 'GET', status => 200, count => -1, body => {namespaces => [{name => 'n', record_count => '1'}], pagination => {next => 'again'}}});
like($s->query("SELECT * FROM pinecone_namespaces('s')")->{err}, qr/come round/, 'pages that come round');
$server->clear_faults;
# what is odd in a description is NULL
$server->fault({path => '/indexes/made', method => 'GET', status => 200, count => 1,
	body => '{"name": "made", "dimension": 1e300, "metric": 7, "status": "x", "tags": null, "spec": [], "schema": {"fields": {"a": 1, "b": {"type": "novel"}}}}'});
is($s->query("SELECT name, kind, dimension, metric, ready, state, tags FROM pinecone_describe_index('s', 'made')")->{out}, 'made||||f|unknown|', 'a description that says little');
done_testing;
