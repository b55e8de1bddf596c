# What the transport makes of servers that move, contradict themselves or mean
# harm, and of sessions that change under it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use FakeServer;
use POSIX qw(strftime);
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

# ---- Users ----

{
	# The server says whose key it got
	my $server = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1) if $request->{path} =~ /stats/;
		return FakeServer::list([$request->{headers}{'api-key'}]);
	});
	my $url = $server->url;
	$t->sql(<<"END");
CREATE ROLE alice;
CREATE ROLE bob;
CREATE ROLE carol;
CREATE SERVER whose FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER whose OPTIONS (api_key 'super');
CREATE USER MAPPING FOR alice SERVER whose OPTIONS (api_key 'alice');
CREATE USER MAPPING FOR PUBLIC SERVER whose OPTIONS (api_key 'public');
CREATE FOREIGN TABLE whose (id text) SERVER whose;
GRANT SELECT ON whose TO alice, bob, carol;
CREATE VIEW of_alice AS SELECT id FROM whose;
ALTER VIEW of_alice OWNER TO alice;
GRANT SELECT ON of_alice TO bob;
CREATE FUNCTION as_owner() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN QUERY SELECT id FROM whose; END';
ALTER FUNCTION as_owner() OWNER TO alice;
END
	my $s = $t->session;
	is($s->query('SELECT id FROM whose')->{out}, 'super', "the user's own key");
	is($s->query('SELECT id FROM of_alice')->{out}, 'alice', "a view's owner's key");
	is($s->query('SELECT a.id, b.id FROM whose a, of_alice b')->{out}, 'super|alice', 'both in one statement');
	$s->query('SET ROLE bob');
	is($s->query('SELECT id FROM whose')->{out}, 'public', "everybody's key");
	is($s->query('SELECT id FROM of_alice')->{out}, 'alice', "a view's owner's key");
	is($s->query('SELECT * FROM as_owner()')->{out}, 'alice', "a function's owner's key");
	is($s->query('SELECT count(*), min(id) FROM of_alice')->{out}, '1|alice', "and for an aggregate");
	$s->query('PREPARE p AS SELECT id FROM whose');
	is($s->query('EXECUTE p')->{out}, 'public', 'a prepared statement');
	$s->query('SET ROLE alice');
	is($s->query('EXECUTE p')->{out}, 'alice', 'goes by who executes it');
	$s->query('RESET ROLE');
	$t->sql("CREATE USER MAPPING FOR carol SERVER whose OPTIONS (api_key 'carol')");
	$s->query('SET ROLE carol');
	is($s->query('SELECT id FROM whose')->{out}, 'carol', 'a new mapping is used at once');
	$t->sql('DROP USER MAPPING FOR carol SERVER whose');
	is($s->query('SELECT id FROM whose')->{out}, 'public', 'and no more when it is dropped');
	$s->query('RESET ROLE');
	$t->sql("ALTER USER MAPPING FOR CURRENT_USER SERVER whose OPTIONS (SET api_key 'other')");
	is($s->query('SELECT id FROM whose')->{out}, 'other', 'an altered one, too');
	$s->query('BEGIN; DECLARE c CURSOR FOR SELECT id FROM whose');
	$t->sql('DROP USER MAPPING FOR CURRENT_USER SERVER whose');
	like($s->query('FETCH ALL FROM c')->{out}, qr/^(other|public|)$/, 'a mapping dropped under a cursor');
	$s->query('ROLLBACK');
	is($s->query('SELECT id FROM whose')->{out}, 'public', 'the session works on');
}

# ---- Errors with calls under way ----

{
	my $slow = FakeServer->new(sub { return records($_[0], 'a', 10, delay => 0.1) });
	make('many', "host '" . $slow->url . "'");
	$t->sql(<<'SQL');
CREATE FUNCTION interrupted() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	r record;
	seen int := 0;
BEGIN
	FOR i IN 1 .. 5 LOOP
		BEGIN
			FOR r IN SELECT id, n FROM many LOOP
				seen := seen + 1;
				IF seen % 50 = 0 THEN
					PERFORM 1 / 0;
				END IF;
			END LOOP;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
	RETURN seen;
END
$$;
SQL
	my $s = $t->session;
	is($s->query('SELECT interrupted()')->{out}, 250, 'scans that exception blocks end');
	is($s->query('SELECT interrupted()')->{out}, 250, 'again');
	$s->query('BEGIN; DECLARE a CURSOR FOR SELECT id, n FROM many; DECLARE b CURSOR FOR SELECT id, n FROM many; FETCH 3 FROM a; SAVEPOINT x; FETCH 5 FROM b; DECLARE c CURSOR FOR SELECT id FROM many; FETCH 1 FROM c');
	$s->query('SELECT 1/0');
	$s->query('ROLLBACK TO x');
	is($s->query('SELECT count(*) FROM (SELECT id, n FROM many LIMIT 10) s')->{out}, 10, 'a savepoint with cursors under way');
	is(() = $s->query('FETCH ALL FROM a')->{out} =~ /\n/g, 996, 'a cursor opened before it reads on');
	$s->query('COMMIT');
	is($t->connections($s->pid, $slow->port) <= 32, 1, 'no more connections than calls');
}
{
	my $server = FakeServer->new(sub { return records($_[0], 'a', 3) });
	make('planned', "host '" . $server->url . "'");
	my $s = $t->session;
	$s->query('PREPARE p AS SELECT count(id || 1) FROM planned');
	is($s->query('EXECUTE p')->{out}, 300, 'a prepared statement');
	$t->sql("ALTER FOREIGN TABLE planned OPTIONS (namespace 'other')");
	is($s->query('EXECUTE p')->{out}, 300, 'after ALTER FOREIGN TABLE');
	like(($server->requests)[-1]{query}, qr/namespace=other/, 'asks for the other namespace');
	$t->sql("ALTER SERVER planned OPTIONS (SET host '$host')");
	is($s->query('EXECUTE p')->{out}, 0, 'after ALTER SERVER it asks the other host');
	$s->query('BEGIN; DECLARE c CURSOR FOR SELECT id FROM planned');
	like($s->query('DROP SERVER planned CASCADE')->{err}, qr/being used by active queries/, 'a server with an open cursor is not dropped');
	$s->query('ROLLBACK');
}

# ---- Replies ----

# A table of an index that answers everything with the same
sub answers
{
	my ($path, $reply, $statement, %more) = @_;
	my $server = FakeServer->new(sub { return $_[0]{path} =~ m{$path} ? $reply : records($_[0], 'a', 1) });

	make('answer', "host '" . $server->url . "', max_retries '1'");
	my $result = $t->psql("SET statement_timeout = '5s'; $statement");
	$t->sql('DROP SERVER answer CASCADE');
	return $result->{out} . $result->{err};
}

my $search = "SELECT id, embedding <=> '{1,1}' FROM answer ORDER BY embedding <=> '{1,1}' LIMIT 1";
for (['{"matches":[{"id":"a","score":1e400}]}', qr/a score is not a finite number/],
	['{"matches":[{"id":"a","score":null}]}', qr/a number was expected/],
	['{"matches":[{"id":"a","score":-0}]}', qr/^a\|1$/],
	['{"matches":[{"id":"b","id":"a","score":0.25,"score":0.5}]}', qr/^a\|0.5$/],
	['{"matches":[{"id":"\u0000","score":0.5}]}', qr/holds \\u0000/],
	['{"matches":[{"id":"\ud800","score":0.5}]}', qr/holds \\u0000 or half of a surrogate pair/],
	["{\"matches\":[{\"id\":\"a\x00b\",\"score\":0.5}]}", qr/not valid UTF-8/],
	["{\"matches\":[{\"id\":\"a\xFFb\",\"score\":0.5}]}", qr/not valid UTF-8/],
	['{"matches":[{"id":"","score":0.5}]}', qr/the id of a record is empty/],
	['{"matches":[{"score":0.5}]}', qr/a record has no id/],
	['{"matches":[]}', qr/^a00100\|0$/], # which is no end: the records are read
	 ['{"matches":null}', qr/an array of records was expected/], ['{}', qr/the reply holds no records/],
	['{"matches":[]} x', qr/something follows the reply's end/], ['', qr/the reply is cut short/],
	['{"x":' . '[' x 10000, qr/nested too deep/], ['[]', qr/the reply is not a JSON object/])
{
	my ($body, $wanted) = @$_;
	like(answers('/query', {body => $body}, $search), $wanted, 'a reply ' . (substr($body, 0, 60) =~ s/[^ -~]/?/gr));
}
{
	for (['{"vectors":[{"id":"a"}]}', {'X-Pinecone-Request-Id' => 'x' x 50000, map { ("X-$_" => 'y' x 1000) } 1 .. 100}, qr/^a$/, '150 kB of headers'],
		['{"vectors":[{"id":"a"}]}', {'X-Big' => 'x' x 2000000}, qr/out of memory|lost the connection/, '2 MB of headers'],
		["\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", {'Content-Encoding' => 'gzip'}, qr/not valid UTF-8/, 'a compression nobody asked for'])
	{
		my ($reply, $headers, $wanted, $name) = @$_;
		like(answers('/vectors/list', {body => $reply, headers => $headers}, 'SELECT id FROM answer'), $wanted, $name);
	}
}
for (['{"dimension":1e300,"metric":"cosine","totalVectorCount":1e300,"namespaces":{"":{"vectorCount":1e300}}}', qr/have something else for a number/],
	['{"dimension":NaN,"metric":"cosine","namespaces":{"":{"vectorCount":NaN}}}', qr/have something else for a number/],
	['{"dimension":-1,"metric":"cosine","namespaces":{"":{"vectorCount":-7}}}', qr/have something else for a number/],
	['{"dimension":2,"metric":"cosine","namespaces":{"":{"vectorCount":3},"__default__":{"vectorCount":4}}}', qr/^7$/],
	['{"dimension":2,"namespaces":{"x":null,"":{"vectorCount":"12"}}}', qr/^12$/],
	['{"dimension":2,"namespaces":{"":{"vectorCount":1e300}}}', qr/number of a namespace's records is not one/],
	['{"dimension":2}', qr/^100$/], # unknown, so it is listed
	['{"namespaces":[]}', qr/hold no namespaces/])
{
	my ($body, $count) = @$_;
	like(answers('stats', {body => $body}, 'SELECT count(*) FROM answer'), $count, "statistics $body");
}
for (['{"namespaces":[{"name":"a","indexed_fields":{"fields":[null,5,"x"]}}]}', qr/^$/], ['{"namespaces":[null,5,{"name":null}]}', qr/^$/],
	['{"namespaces":[{"name":"a","schema":{"fields":[1]}}]}', qr/^$/], ['{"namespaces":[],"pagination":{"next":"x"}}', qr/pages of namespaces come round/])
{
	my ($body, $wanted) = @$_;
	like(answers('/namespaces', {body => $body}, 'SET client_min_messages = warning; BEGIN; CREATE SCHEMA i; IMPORT FOREIGN SCHEMA pinecone FROM SERVER answer INTO i; ROLLBACK'), $wanted, "namespaces $body");
}
for my $status (301, 302, 303, 307, 308)
{
	my $thief = FakeServer->new(sub { return FakeServer::stats(2, 1) });
	like(answers('.', {status => $status, headers => {Location => $thief->url . '/x'}}, 'SELECT id FROM answer'), qr/HTTP status $status/, "a redirection, $status, is an error");
	is(scalar($thief->requests), 0, 'and not followed');
}

# ---- Retry-After ----

{
	my $date = sub { strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + $_[0])) };
	for ([sub { $date->(2) }, qr/^a$/, 0.9, 2.5, 'a date'], [sub { $date->(-1000) }, qr/^a$/, 0, 1, 'a date in the past'],
		[sub { '1' }, qr/^a$/, 0.9, 2, 'seconds'], [sub { 'soon' }, qr/^a$/, 0, 1, 'no time at all'], [sub { '-5' }, qr/^a$/, 0, 1, 'a negative time'],
		[sub { '99999999999999999999' }, qr/^a$|rate limit reached/, 0, 1, 'more than a number holds'],
		[sub { '86400' }, qr/rate limit reached\n.*to be asked again after \d+ s/, 0, 1, 'a day'])
	{
		my ($value, $wanted, $least, $most, $name) = @$_;
		my $server = FakeServer->new(sub {
			my ($request) = @_;
			return FakeServer::stats(2, 1) if $request->{path} =~ /stats/;
			return $request->{n} == 1 ? {status => 429, headers => {'Retry-After' => $value->()}} : FakeServer::list(['a']);
		});
		make('later', "host '" . $server->url . "'");
		my $result = $t->psql("SET statement_timeout = '5s'; SELECT id FROM later");
		like($result->{out} . $result->{err}, $wanted, "Retry-After: $name");
		cmp_ok($result->{seconds}, '>=', $least, 'waits');
		cmp_ok($result->{seconds}, '<', $most, 'not for longer');
		$t->sql('DROP SERVER later CASCADE');
	}
}

# ---- Hosts ----

for my $name ('pinecone.io.evil.example', 'x.pinecone.io.', 'evilpinecone.io', '.pinecone.io', 'pinecone.io', '127.0.0.1.evil.example',
	'127.-1.2.3', '127.1', '127.0.0.256', '0x7f000001', '2130706433', '0.0.0.0', 'localhost.evil.example', '[::2]', '[::ffff:127.0.0.1]')
{
	make('elsewhere', "host '$name', max_retries '0'");
	like($t->error_of('SELECT id FROM elsewhere'), qr/may not be sent an API key/, "$name gets no key");
	$t->sql('DROP SERVER elsewhere CASCADE');
}
{
	my $server = eval { FakeServer->new(sub { return records($_[0], 'a', 1) }, address => '::1') };
	SKIP:
	{
		skip 'no IPv6 here', 1 unless $server;
		make('six', "host '" . $server->url . "'");
		is($t->sql('SELECT count(id || 1) FROM six'), 100, 'a host with an IPv6 address');
	}
}

{
	my @ids = ("it's", '"quoted"', 'a b', 'a%2Fb', 'x&ids=y', 'a/b', 'q?#;', 'back\\slash', '+', '{}', "tab\tline\n", '%', "\x01");
	$t->server->create_index('odd', dimension => 2);
	$t->server->upsert('odd', '', [map { +{id => $_, values => [1, 1], metadata => {n => length $_}} } @ids]);
	make('odd', "index 'odd', control_host '$t->{server}{url}'");
	my $array = 'ARRAY[' . join(',', map { "E'" . s/(['\\])/\\$1/gr . "'" } @ids) . ']';
	is($t->sql("SELECT count(*) FROM odd WHERE id = ANY ($array) AND n = length(id)"), scalar(@ids), 'ids of any characters, fetched');
	is($t->sql('SELECT count(*) FROM odd WHERE n = length(id)'), scalar(@ids), 'listed and fetched');
	is($t->sql("SELECT count(*) FROM unnest($array) i(id), LATERAL (SELECT count(*) FROM odd WHERE odd.id = i.id) s(n) WHERE s.n = 1"), scalar(@ids), 'one by one');
	is($t->sql("SELECT count(*) FROM unnest($array) i(id), LATERAL (SELECT id FROM odd WHERE odd.id ^@ left(i.id, 1) OFFSET 0) s WHERE s.id = i.id"), scalar(@ids), 'by prefix');
	is($t->sql("SELECT count(*) FROM (SELECT id FROM odd ORDER BY embedding <=> '{1,1}' LIMIT 99) s WHERE id = ANY ($array)"), scalar(@ids), 'searched');
}

# ---- TLS, proxies ----

{
	# breaks off every handshake
	my $listener = IO::Socket::IP->new(Listen => 8, LocalHost => '127.0.0.1') or die $!;
	my $port = $listener->sockport;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		while (my $socket = $listener->accept)
		{
			sysread $socket, my $hello, 1000;
			close $socket;
		}
	}
	make('broken', "host 'https://127.0.0.1:$port', max_retries '2'");
	like($t->error_of('SELECT id FROM broken'), qr/could not reach Pinecone host .*\n.*3 attempts/, 'a TLS handshake that breaks off is tried again');
	kill KILL => $pid;
	waitpid $pid, 0;
}
{
	my $proxy = FakeServer->new(sub { return {status => 403, close => 0} });
	local @ENV{qw(http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY)} = ($proxy->url) x 5;
	my $p = Harness->new(pinecone => 0);
	$p->sql(<<"SQL");
CREATE SERVER near FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE near (id text) SERVER near;
CREATE SERVER far FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://kb.pinecone.io', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (api_key 'secret-key');
CREATE FOREIGN TABLE far (id text) SERVER far;
SQL
	is($p->sql('SELECT count(*) FROM near'), 250, 'a proxy in the environment');
	is(scalar($proxy->requests), 0, 'is not asked for what goes without TLS');
	like($p->error_of('SELECT id FROM far'), qr/lost the connection|could not reach/, 'a proxy that refuses');
	my @requests = $proxy->requests;
	is(join(' ', sort keys %{{map { $_->{method} => 1 } @requests}}), 'CONNECT', 'is only asked for a tunnel');
	is(scalar(grep { exists $_->{headers}{'api-key'} } @requests), 0, 'and gets no key');
}

# ---- Long sessions ----

{
	my $s = $t->session;
	my $n = 300;
	is($s->query(<<"SQL")->{err}, '', "a session that uses $n servers");
SET client_min_messages = warning;
DO \$\$
BEGIN
	FOR i IN 1 .. $n LOOP
		EXECUTE 'CREATE SERVER passing FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host ''$host'')';
		EXECUTE 'CREATE USER MAPPING FOR CURRENT_USER SERVER passing OPTIONS (api_key ''test-key'')';
		EXECUTE 'CREATE FOREIGN TABLE passing (id text, n int) SERVER passing';
		PERFORM count(n) FROM passing WHERE id = 'r1';
		EXECUTE 'DROP SERVER passing CASCADE';
		COMMIT;
	END LOOP;
END
\$\$
SQL
	SKIP:
	{
		skip 'PostgreSQL 14 shows memory contexts', 1 if $s->query('SHOW server_version_num')->{out} < 140000;
		cmp_ok($s->query("SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'pinecone session'")->{out}, '<', 5, 'forgets those that are gone');
	}
	# Not always one: a request beside a slow one opens another.
	cmp_ok($t->connections($s->pid), '<=', 4, 'and has no connection for each');
}

done_testing;
