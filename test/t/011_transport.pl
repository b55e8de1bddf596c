# What the transport makes of servers that move, contradict themselves or mean
# harm, and of sessions that change under it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use FakeServer;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new;
my $host = $t->server->create_index('real', dimension => 2);
$t->server->upsert('real', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 250]);

# A server, a user mapping and a table of one name; more columns go behind.
sub make
{
	my ($name, $options, %more) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (@{[$more{mapping} // "api_key 'test-key'"]});
CREATE FOREIGN TABLE $name (id text, embedding real[], n int, metadata jsonb) SERVER $name;
END
}

sub write_file
{
	my ($name, $text) = @_;

	open my $file, '>', $name or die $!;
	print $file $text;
	close $file;
	chmod 0644, $name;
}

# An index of endless records, by pages of 100 after the path's handler.
sub records
{
	my ($request, $prefix, $pages, %more) = @_;

	return FakeServer::stats(2, 1000) if $request->{path} eq '/describe_index_stats';
	if ($request->{path} eq '/vectors/list')
	{
		my $page = $request->{query} =~ /paginationToken=t(\d+)/ ? $1 : 1;
		return FakeServer::list([map { sprintf '%s%05d', $prefix, $page * 100 + $_ } 0 .. 99], $page < $pages ? 't' . ($page + 1) : undef);
	}
	return {%{FakeServer::fetched(FakeServer::ids($request))}, %more};
}

# A port that nobody listens on.
sub dead_port
{
	my $socket = IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1') or die $!;
	return $socket->sockport;
}

# ---- Where the index is ----

{
	my $control = FakeServer->new(sub {
		return FakeServer::reply($_[0]{n} <= 2 ? {name => 'x', host => undef, status => {ready => JSON::PP::false, state => 'Initializing'}}
			: {name => 'x', host => $host});
	});
	make('early', "index 'x', control_host '" . $control->url . "'");
	my $s = $t->session;
	like($s->query('SELECT count(*) FROM early')->{err}, qr/index "x" is not ready: Initializing/, 'an index that is not ready');
	is($s->query('SELECT count(*) FROM early')->{out}, 250, 'the next statement asks again');
}
{
	my $dead = 'http://127.0.0.1:' . dead_port();
	my $key_file = $t->dir . '/key';
	my $control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => $_[0]{n} <= 2 ? $dead : $host}) });

	write_file($key_file, 'test-key');
	make('lost', "index 'x', control_host '" . $control->url . "', max_retries '5'", mapping => "api_key_file '$key_file'");
	my $s = $t->session;
	$s->query("SET statement_timeout = '10s'");
	$s->query('EXPLAIN SELECT id FROM lost');
	sleep 1.1;
	# asked where the index is while there is no key
	$s->send('SELECT count(n) FROM lost');
	sleep 0.05;
	unlink $key_file;
	like($s->result->{err}, qr/could not (?:read|open) API key file|could not reach/, 'a key file that vanishes is an error');
	write_file($key_file, 'test-key');
	is($s->query('SELECT count(n) FROM lost')->{out}, 250, 'and no more than that');
}
{
	my $old = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 250) if $request->{path} =~ /stats/ && $request->{n} == 1;
		return {status => 404, body => 'not found'};
	});
	my $control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => $_[0]{n} == 1 ? $old->url : $host}) });
	make('moved', "index 'x', control_host '" . $control->url . "'");
	my $s = $t->session;
	$s->query('EXPLAIN SELECT id FROM moved');
	sleep 1.1;
	is($s->query('SELECT count(*) FROM moved')->{out}, 250, 'an old host that answers 404: the index is found where it is now');
	is($control->count('/indexes/x'), 2, 'after asking for it once');
}
{
	my $gone = FakeServer->new(sub { return $_[0]{path} =~ /stats/ ? FakeServer::stats(2, 250) : {status => 404, body => 'not found'} });
	my $control;
	$control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => $gone->url}) });
	make('gone', "index 'x', control_host '" . $control->url . "'");
	my $s = $t->session;
	$s->query('EXPLAIN SELECT id FROM gone');
	sleep 1.1;
	like($s->query('SELECT id FROM gone')->{err}, qr/Pinecone index "x" does not exist/, 'an index that is nowhere else');
	is($gone->count('/vectors/list'), 2, 'is asked for twice');
}
for (['http://localhost:80@127.0.0.2:%d', 'userinfo'], ['http://127.0.0.1:1#@127.0.0.2:%d', 'a fragment'], ['127.0.0.2:%d/x.pinecone.io', 'a path'],
	['127.0.0.2:%d?.pinecone.io', 'a query'], ["127.0.0.2:%d\r\nX: .pinecone.io", 'a line break'], ['127.0.0.2:%d\\.pinecone.io', 'a backslash'])
{
	my ($pattern, $name) = @$_;
	my $thief = FakeServer->new(sub { return FakeServer::stats(2, 1) }, address => '127.0.0.2');
	my $control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => sprintf $pattern, $thief->port}) });
	make('trick', "index 'x', control_host '" . $control->url . "'");
	like($t->error_of('SELECT count(*) FROM trick'), qr/invalid response from Pinecone.*\n.*invalid host/, "a host with $name is refused");
	is(scalar($thief->requests), 0, 'and not asked');
	$t->sql('DROP SERVER trick CASCADE');
}

# An index that is made anew elsewhere while it is read
{
	for (['SELECT id, n FROM replaced', 'a scan', 3], ['SELECT id FROM replaced', 'a list', 3])
	{
		my ($statement, $name) = @$_;
		my $new = FakeServer->new(sub { return records($_[0], 'b', 9) });
		my $old = FakeServer->new(sub {
			my ($request) = @_;
			return $request->{path} =~ m{/list} && $request->{n} > 2 ? {status => 404, body => 'gone'} : records($request, 'a', 9);
		});
		my $control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => $_[0]{n} == 1 ? $old->url : $new->url}) });

		make('replaced', "index 'x', control_host '" . $control->url . "'");
		my $s = $t->session;
		$s->query('EXPLAIN SELECT id FROM replaced');
		sleep 1.1;
		like($s->query($statement)->{err}, qr/Pinecone index "x" was replaced while it was read/, "$name does not mix two indexes");
		my @ids = split /\n/, $s->query($statement)->{out};
		is(scalar(grep { /^b/ } @ids), 900, "$name: repeated, it reads the new one");
		$t->sql('DROP SERVER replaced CASCADE');
	}
}
for (['euclidean', qr/was replaced/, ''], ['cosine', qr/^$/, "new|0.5\n"])
{
	my ($metric, $error, $out) = @$_;
	my $match = '{"matches":[{"id":"%s","score":0.5,"values":[],"metadata":{"n":1}}],"namespace":""}';
	my $new = FakeServer->new(sub {
		return $_[0]{path} =~ /stats/ ? FakeServer::stats(2, 9, metric => $metric) : FakeServer::reply(sprintf $match, 'new');
	});
	my $old = FakeServer->new(sub {
		return $_[0]{path} =~ /stats/ ? FakeServer::stats(2, 9) : {status => 404, body => 'gone'};
	});
	my $control = FakeServer->new(sub { return FakeServer::reply({name => 'x', host => $_[0]{n} == 1 ? $old->url : $new->url}) });

	make('other', "index 'x', control_host '" . $control->url . "'");
	my $s = $t->session;
	$s->query('EXPLAIN SELECT id FROM other');
	sleep 1.1;
	my $result = $s->query("SELECT id, embedding <=> '{1,1}' FROM other ORDER BY embedding <=> '{1,1}' LIMIT 1");
	like($result->{err}, $error, "a search of an index that is made anew, $metric now");
	is($result->{out}, $out =~ s/\n//r, "has no distances by another metric, $metric");
	$t->sql('DROP SERVER other CASCADE');
}

# ---- Pages ----

for ([1, 'one token'], [2, 'two tokens'], [7, 'seven tokens'])
{
	my ($period, $name) = @$_;
	for (['/vectors/list', 'SELECT id || 1 FROM circle'], ['/vectors/fetch_by_metadata', 'SELECT id FROM circle WHERE n = 1'])
	{
		my ($path, $statement) = @$_;
		my $circle = FakeServer->new(sub {
			my ($request) = @_;
			my $token = 'token' . ($request->{n} % $period);
			return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
			return FakeServer::list([], $token) if $request->{path} =~ /list/;
			return FakeServer::reply({vectors => {a => {id => 'a', metadata => {n => 1}}}, pagination => {next => $token}});
		});

		make('circle', "host '" . $circle->url . "'");
		like($t->error_of("SET statement_timeout = '5s'; $statement"), qr/invalid response from Pinecone\n.*come round/, "$path: $name for ever");
		cmp_ok($circle->count($path), '<=', 3 * $period + 1, "$path: $name: noticed soon");
		$t->sql('DROP SERVER circle CASCADE');
	}
}
{
	my @pages = ([['a', 'b'], 't1'], [[], 't2'], [['b', 'c', 'c'], 't3'], [[], 't4'], [['d']]);
	my $lister = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		return FakeServer::fetched(grep { $_ ne 'c' } FakeServer::ids($request)) if $request->{path} =~ /fetch/;
		return FakeServer::list(@{$pages[$request->{query} =~ /=t(\d)/ ? $1 : 0]});
	});
	make('lister', "host '" . $lister->url . "'");
	is($t->sql('SELECT string_agg(id, NULL) FROM (SELECT id FROM lister OFFSET 0) s'), 'abcd', 'ids listed twice, and empty pages between');
	is($t->sql('SELECT string_agg(id, NULL), count(n) FROM (SELECT id, n FROM lister OFFSET 0) s'), 'abd|3', 'a record that is gone when it is fetched');
}
{
	my $lister = FakeServer->new(sub { return $_[0]{path} =~ /stats/ ? FakeServer::stats(2, 4) : FakeServer::list(['b', 'a', 'c']) });
	make('disorder', "host '" . $lister->url . "'");
	is($t->sql('SELECT count(id || 1) FROM disorder'), 3, 'ids in disorder, when order does not matter');
	like($t->error_of('SELECT id FROM disorder ORDER BY id COLLATE "C"'), qr/Ids are not listed in order: "a" comes after "b"/, 'and when it does');
}

# ---- Sessions that change ----

{
	my $slow = FakeServer->new(sub { return records($_[0], 'a', 10, delay => 0.2) });
	make('altered', "host '" . $slow->url . "'");
	my $s = $t->session;
	$s->query('BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM altered; FETCH 1 FROM c');
	$s->query("ALTER SERVER altered OPTIONS (SET host '$host')");
	is($s->query('SELECT min(id) FROM altered')->{out}, 'r1', 'after ALTER SERVER a new statement goes to the new host, whatever is under way');
	my @ids = split /\n/, $s->query('FETCH ALL FROM c')->{out};
	is(scalar(@ids), 999, 'an open cursor reads on');
	is(scalar(grep { !/^a/ } @ids), 0, 'where it began');
	$s->query('COMMIT');
	is($s->query('SELECT count(n) FROM altered')->{out}, 250, 'the session works on');
}
for my $delay (0, 0.3)
{
	my $slow = FakeServer->new(sub { return records($_[0], 'a', 5, delay => $delay) });
	make('idle', "host '" . $slow->url . "', request_timeout '1s', max_retries '0'");
	my $s = $t->session;
	$s->query('BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM idle; FETCH 1 FROM c');
	sleep 1.5;
	my $result = $s->query('FETCH ALL FROM c');
	is(() = $result->{out} =~ /\n/g, 498, "a cursor that was left alone longer than the request timeout, delay $delay");
	is($result->{err}, '', 'has no error');
	$s->query('COMMIT');
	$t->sql('DROP SERVER idle CASCADE');
}
{
	my $key_file = $t->dir . '/key';
	my $server = FakeServer->new(sub {
		my ($request) = @_;
		return {status => 401, body => 'Invalid API Key', delay => 0.5} if $request->{headers}{'api-key'} ne 'new-key' && $request->{path} !~ /stats/;
		return records($request, 'a', 1);
	});

	write_file($key_file, 'old-key');
	make('rotated', "host '" . $server->url . "'", mapping => "api_key_file '$key_file'");
	my $s = $t->session;
	$s->send('SELECT count(n) FROM rotated');
	sleep 0.2;
	write_file($key_file, 'new-key');
	is($s->result->{out}, 100, 'a key that is replaced while a request is under way');

	write_file($key_file, 'bad-key');
	$s->send('SELECT count(n) FROM rotated');
	sleep 0.2;
	write_file($key_file, 'worse-key');
	like($s->result->{err}, qr/Pinecone rejected the API key/, 'one that is replaced by another bad one');
}

# ---- Keys ----

{
	my $key = 'SECRET-SECRET-SECRET';
	my $server = FakeServer->new(sub {
		my ($request) = @_;
		my $given = $request->{headers}{'api-key'};
		return FakeServer::stats(2, 1) if $request->{path} =~ /stats/;
		return {status => 400, body => ('x' x 490) . $given, headers => {'X-Pinecone-Request-Id' => $given}};
	});
	make('chatty', "host '" . $server->url . "'", mapping => "api_key '$key'");
	my $error = $t->error_of('SELECT id FROM chatty');
	like($error, qr/Pinecone rejected the request/, 'a server that repeats the key');
	unlike($error, qr/SEC/, 'shows no part of it');
}

done_testing;
