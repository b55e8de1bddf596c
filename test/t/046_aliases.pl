# Aliases that are pointed elsewhere while they are read, hosts that do not know
# the calls about them, and names that only seem to be one.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ['jit = off']);
my $server = $t->server;
my $host = $server->create_index('docs', dimension => 2, metric => 'euclidean');

for my $version (1, 2)
{
	$server->upsert('docs', "v$version", [map { +{id => sprintf('v%d-%05d', $version, $_), values => [$_, $version], metadata => {n => $_, of => "v$version"}} } 1 .. 7000 + 1000 * $version]);
}
$t->sql(<<"END");
CREATE SERVER docs FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_concurrency '1', max_retries '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER docs OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE prod (id text COLLATE "C", embedding real[], n int, of text) SERVER docs OPTIONS (namespace 'prod');
CREATE FOREIGN TABLE v1 (id text COLLATE "C", embedding real[], n int, of text) SERVER docs OPTIONS (namespace 'v1');
CREATE FOREIGN TABLE spanning (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int, of text) SERVER docs;
END

sub point
{
	my ($target) = @_;
	$server->alias($host, 'prod', $target);
}

sub asked
{
	my ($pattern) = @_;
	my $n = grep { "$_->{method} $_->{path}" =~ $pattern } $server->requests;
	$server->clear_requests;
	return $n;
}

# All that a session says to a statement
sub said
{
	my ($session, $sql) = @_;
	my $result = $session->query($sql, 60);
	return $result->{out} . $result->{err};
}

# ---- Pointed elsewhere in the middle ----

my $moved = qr/alias "prod" was pointed at another namespace while it was read.*from namespace "v1" first, and from "v2" then/s;

for (
	['SELECT id FROM prod ORDER BY id', 'listed'],
	['SELECT id, n FROM prod', 'listed and fetched'],
	[q{SELECT id FROM prod WHERE n % 50 = 7 ORDER BY embedding <-> '{1,1}'}, 'a search, and fetches of its records'],
	[q{SELECT id, n FROM spanning WHERE ns = 'prod'}, 'named by a condition'],
	[q{SELECT p.id FROM generate_series(1, 3000) g, LATERAL (SELECT id FROM prod ORDER BY embedding <-> ARRAY[g, 1]::real[] LIMIT 1) p}, 'searches of a join'],
	[q{SELECT p.id FROM generate_series(1, 3000) g, prod p WHERE p.id = 'v1-' || lpad(g::text, 5, '0')}, 'lookups of a join'],
	[q{SELECT id FROM prod WHERE n = 1 UNION ALL SELECT v1.id FROM v1, pg_sleep(0) UNION ALL SELECT id FROM prod WHERE n = 2}, 'two scans of one statement'],
  )
{
	my ($query, $what) = @$_;
	my $s = $t->session;

	point('v1');
	$s->query("SET pinecone_fdw.prefetch = 64; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_async_append = off; SET pinecone_fdw.read_ahead = 10; BEGIN; DECLARE c CURSOR FOR $query; SELECT 1");
	like(said($s, 'FETCH 1 FROM c'), qr/^v1-/, "$what: begins in the first");
	point('v2');
	like(said($s, 'MOVE ALL FROM c'), $moved, "$what: ends when it is pointed elsewhere");
	$s->close;
	is($t->sql('SELECT min(of), max(of), count(*) FROM prod WHERE n > 0'), 'v2|v2|9000', "$what: what begins then reads the second");
}

# deleted: the rest of the pages are empty, which is no end
{
	my $s = $t->session;

	point('v1');
	$s->query('SET pinecone_fdw.prefetch = 64; BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM prod; FETCH 1 FROM c');
	$server->request('DELETE', "$host/namespace-aliases/prod");
	like(said($s, 'MOVE ALL FROM c'), qr/was pointed at another namespace.*from namespace "v1" first, and from "prod" then/s, 'deleted while it was read');
	$s->close;
	is($t->sql('SELECT count(*) FROM prod'), 0, 'and then it is nothing');
}

# ---- Hosts that do not know the calls ----

point('v1');
for my $fault (
	{status => 404, body => 'not here'},
	{status => 404, body => {code => 5, message => 'Not Found', details => []}},
	{status => 403, body => 'Forbidden'},
	{status => 501, body => {code => 12, message => 'not enabled', details => []}},
	{status => 405})
{
	my $what = "$fault->{status} " . (ref $fault->{body} ? 'in JSON' : '');

	$server->fault({path => '/namespace-aliases*', count => -1, kind => 'status', %$fault});
	is($t->sql('SELECT count(*), min(of) FROM prod WHERE n <= 10; SELECT count(*) FROM prod; SELECT count(*) FROM prod WHERE n < 3'), "10|v1\n8000\n2", "reading on a host that answers $what");
	$server->clear_requests;
	like($t->error_of(q{INSERT INTO prod (id, embedding) VALUES ('x', '{1,1}')}), qr/cannot write through an alias of a namespace.*Write to the namespace that it stands for/s,
		"writing on a host that answers $what");
	like($t->error_of(q{DELETE FROM prod WHERE n < 3}), qr/cannot write through an alias|cannot write to "prod"/, "deleting on a host that answers $what");
	$server->clear_faults;
}
is($t->sql('SELECT count(*) FROM v1'), 8000, 'nothing was written');

# an error of the moment is not an answer: it is asked again
$server->fault({path => '/namespace-aliases*', count => 1, kind => 'status', status => 503});
is($t->sql('SELECT count(*), min(of) FROM prod WHERE n <= 10'), '10|v1', 'after an error of the moment');

# ---- Names that are none ----

# a namespace whose replies name another one is not an alias because of that
$server->fault({path => '/vectors/fetch', count => -1, kind => 'status', status => 200, body => '{"vectors":{"a":{"id":"a","values":[1,1]}},"namespace":"v2"}'});
like($t->error_of(q{SELECT n FROM v1 WHERE id = 'a'}), qr/the reply is of another namespace/, 'a false reply is one, still');
$server->clear_faults;

# a namespace that is new, and in no listing yet
$server->control('POST', '/_local/settings', {lag => 2000});
$server->upsert('docs', 'new', [{id => 'a', values => [1, 1]}]);
$t->sql(q{CREATE FOREIGN TABLE new (id text, embedding real[]) SERVER docs OPTIONS (namespace 'new')});
$server->clear_requests;
is($t->sql(q{INSERT INTO new VALUES ('b', '{2,2}'); INSERT INTO new VALUES ('c', '{2,2}'); SELECT 'done'}), 'done', 'new namespaces can be written to');
is(asked(qr{GET /namespace-aliases}), 1, 'after one question');
$server->control('POST', '/_local/settings', {lag => 0});
is($t->sql('SELECT count(*) FROM new'), 3, 'all are there');

# very many of them: a list rather than a question each
$server->clear_requests;
$t->sql(q{INSERT INTO spanning (ns, id, embedding) SELECT 'many' || i, 'a', '{1,1}' FROM generate_series(1, 500) i});
cmp_ok(asked(qr{GET /namespace-aliases}), '<=', 5, 'few questions for many new namespaces');
is($t->sql(q{SELECT count(*) FROM spanning WHERE ns LIKE 'many%'}), 500, 'they are written');

# made an alias behind the session's back: the service says no
{
	my $s = $t->session;

	$s->query(q{INSERT INTO spanning (ns, id, embedding) VALUES ('later', 'a', '{1,1}'); DELETE FROM spanning WHERE ns = 'later'});
	$server->request('DELETE', "$host/namespaces/later");
	$server->alias($host, 'later', 'v1');
	like(said($s, q{INSERT INTO spanning (ns, id, embedding) VALUES ('later', 'b', '{1,1}')}), qr/cannot write through an alias of a namespace/, 'made an alias meanwhile');
	$s->close;
}
is($t->sql('SELECT count(*) FROM v1'), 8000, 'nothing was written there');

done_testing();
