# Searches that bring fewer matches than were asked for, though there are more:
# answers are complete, in order, and have no row twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('short', dimension => 2, metric => 'euclidean');

sub record
{
	my ($n) = @_;
	return {id => sprintf('%06d', $n), values => [$n, 0], metadata => {n => $n, even => $n % 2 ? JSON::PP::false : JSON::PP::true}};
}

$server->upsert('short', $_->[0], [map { record($_) } 1 .. $_->[1]]) for ['big', 12_000], ['small', 300], ['other', 700];
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE big (id text COLLATE "C", embedding real[], n int, even bool) SERVER s OPTIONS (namespace 'big');
CREATE FOREIGN TABLE small (id text COLLATE "C", embedding real[], n int, even bool) SERVER s OPTIONS (namespace 'small');
CREATE FOREIGN TABLE two (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int, even bool) SERVER s OPTIONS (namespaces 'small, other');
CREATE TABLE o AS SELECT i AS k, ARRAY[i * 30, 0.5]::real[] AS v FROM generate_series(1, 8) i;
CREATE TABLE l AS SELECT lpad(i::text, 6, '0') AS id FROM generate_series(1, 12000, 3) i;
ANALYZE o, l;
-- A query's rows have a "key" and a "d": how many there are, how many of them
-- come twice, and how many are nearer than the one before
CREATE FUNCTION look(query text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE result text;
BEGIN
  EXECUTE 'SELECT count(*) || '' rows, '' || count(*) - count(DISTINCT key) || '' twice, '' || count(*) FILTER (WHERE d < before) || '' out of order''
    FROM (SELECT key, d, lag(d) OVER (ORDER BY number) AS before
      FROM (SELECT key, d, row_number() OVER () AS number FROM (' || query || ') q) r) s' INTO result;
  RETURN result;
END \$\$;
END

# Query by what it is about, and the rows that it has
my $d = q{embedding <-> '{100.25,0}'};
my @queries = (
	['LIMIT', "SELECT id AS key, $d AS d FROM big ORDER BY $d LIMIT 50", 50],
	['LIMIT and OFFSET', "SELECT id AS key, $d AS d FROM big ORDER BY $d LIMIT 50 OFFSET 70", 50],
	['LIMIT above what there is', "SELECT id AS key, $d AS d FROM small ORDER BY $d LIMIT 500", 300],
	['LIMIT of about what there is', "SELECT id AS key, $d AS d FROM small ORDER BY $d LIMIT 300", 300],
	['a local condition', "SELECT id AS key, $d AS d FROM big WHERE n % 3 = 1 ORDER BY $d LIMIT 200", 200],
	['a local condition that all of the few meet', "SELECT id AS key, $d AS d FROM small WHERE n % 25 = 0 ORDER BY $d LIMIT 12", 12],
	['a local condition that fewer meet than are wanted', "SELECT id AS key, $d AS d FROM small WHERE n % 25 = 0 ORDER BY $d LIMIT 20", 12],
	['a filter', "SELECT id AS key, $d AS d FROM big WHERE n > 11900 ORDER BY $d LIMIT 300", 100],
	['a filter, no LIMIT', "SELECT id AS key, $d AS d FROM big WHERE n BETWEEN 50 AND 149 ORDER BY $d", 100],
	['a filter that nothing meets', "SELECT id AS key, $d AS d FROM big WHERE n < 0 ORDER BY $d", 0],
	['no LIMIT', "SELECT id AS key, $d AS d FROM big ORDER BY $d", 12_000],
	['no LIMIT, few', "SELECT id AS key, $d AS d FROM small ORDER BY $d", 300],
	['vectors, too', "SELECT id AS key, $d AS d, embedding FROM small ORDER BY $d", 300],
	['a join', "SELECT b.id AS key, b.$d AS d FROM big b JOIN l USING (id) ORDER BY b.$d LIMIT 40", 40],
	['namespaces', "SELECT ns || id AS key, $d AS d FROM two ORDER BY $d LIMIT 80", 80],
	['namespaces, no LIMIT', "SELECT ns || id AS key, $d AS d FROM two ORDER BY $d", 1000],
	['namespaces, a local condition', "SELECT ns || id AS key, $d AS d FROM two WHERE n % 10 = 7 ORDER BY $d LIMIT 99", 99],
	['the vector of a record', "SELECT id AS key, embedding <-> (SELECT embedding FROM small WHERE id = '000040') AS d FROM small ORDER BY embedding <-> (SELECT embedding FROM small WHERE id = '000040') LIMIT 290", 290],
	['grouped', "SELECT n % 7 AS key, 0 AS d FROM (SELECT n FROM big WHERE even ORDER BY $d LIMIT 100) s GROUP BY 1", 7],
	['LATERAL', "SELECT k || m.id AS key, 0 AS d FROM o, LATERAL (SELECT id FROM small ORDER BY embedding <-> o.v LIMIT 10) m", 80],
	['LATERAL with a filter of the outer row', "SELECT k || m.id AS key, 0 AS d FROM o, LATERAL (SELECT id FROM small WHERE n <= o.k * 2 ORDER BY embedding <-> o.v LIMIT 10) m", 60],
	['within a distance', "SELECT id AS key, $d AS d FROM small WHERE $d < 1000 ORDER BY $d", 300],
);
for my $seed (0, 1 .. 6)
{
	$server->control('POST', '/_local/settings', {approximate => $seed});
	for my $cap ('off', 'on')
	{
		my $s = $t->session;

		$s->query("SET pinecone_fdw.enable_read_ahead = $cap; SET pinecone_fdw.stats_ttl = " . ($seed % 2 ? '0' : "'60s'"));
		for (@queries)
		{
			my ($what, $query, $rows) = @$_;
			my $result = $s->query('SELECT look($q$' . $query . '$q$)');

			is($result->{out} . $result->{err}, "$rows rows, 0 twice, 0 out of order", "$what, seed $seed, read-ahead $cap");
		}
	}
}

# everything is what it is: the set of a search of all
$server->control('POST', '/_local/settings', {approximate => 11});
is($t->sql("SELECT count(*) FROM (SELECT id FROM big ORDER BY $d) b FULL JOIN (SELECT lpad(i::text, 6, '0') AS id FROM generate_series(1, 12000) i) w USING (id) WHERE b.id IS NULL OR w.id IS NULL"), 0, 'all of them, and no others');
like($t->sql("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM small ORDER BY $d LIMIT 299"), qr/Short Searches: [1-9]/, 'EXPLAIN ANALYZE says how often');

# what an exact service answers costs at most one request more
$server->control('POST', '/_local/settings', {approximate => 0});
sub requests_of
{
	my ($query) = @_;
	my $session = $t->session;

	$session->query('SELECT id FROM small LIMIT 1; SET pinecone_fdw.stats_ttl = 0');
	$server->clear_requests;
	unlike($session->query("EXPLAIN (ANALYZE, COSTS OFF) $query")->{out}, qr/Short/, "not short: $query");
	return scalar $server->requests;
}

cmp_ok(requests_of("SELECT id FROM small ORDER BY $d LIMIT 400"), '<=', requests_of("SELECT id FROM small ORDER BY $d LIMIT 40") + 1, 'one request more');
cmp_ok(requests_of("SELECT id FROM small WHERE n < 30 ORDER BY $d LIMIT 40"), '<=', requests_of("SELECT id FROM small WHERE n < 30 ORDER BY $d LIMIT 9") + 1, 'one request more with a filter');

# a key that may not write: without a dry run a second search has to do
$server->control('POST', '/_local/settings', {approximate => 3});
$server->fault({kind => 'status', status => 403, path => '/vectors/update', count => -1, body => 'Forbidden'});
is($t->sql("SELECT look(\$q\$SELECT id AS key, $d AS d FROM big WHERE n > 11900 ORDER BY $d LIMIT 80\$q\$)"), '80 rows, 0 twice, 0 out of order', 'no dry run');
$server->clear_faults;

# searches that come empty, though the records can be fetched
$server->control('POST', '/_local/settings', {approximate => 0});
$server->fault({kind => 'status', status => 200, path => '/query', count => -1, body => {results => [], matches => [], namespace => 'small', usage => {readUnits => 1}}});
is($t->sql("SELECT look(\$q\$SELECT id AS key, $d AS d FROM small $_ ORDER BY $d LIMIT 40\$q\$)"), '40 rows, 0 twice, 0 out of order', "an index whose searches are empty $_")
	for '', 'WHERE n > 200';
$server->clear_faults;

# ---- A lower ceiling for topK, or for pages ----

$server->control('POST', '/_local/settings', {max_top_k => 60});
is($t->sql("SELECT look(\$q\$SELECT $_->[3]id AS key, $d AS d FROM $_->[0] ORDER BY $d LIMIT $_->[1]\$q\$)"), "$_->[2] rows, 0 twice, 0 out of order", "topK 60 at most: $_->[0] LIMIT $_->[1]")
	for ['small', 10, 10, ''], ['small', 60, 60, ''], ['small', 200, 200, ''], ['small', 999, 300, ''], ['two', 500, 500, 'ns || '];
my $s = $t->session;
$s->query("SELECT id FROM small ORDER BY $d LIMIT 100");
$server->clear_requests;
$s->query("SELECT id FROM small ORDER BY $d LIMIT 100");
is((grep { $_->{path} eq '/query' && $_->{status} == 400 } $server->requests), 0, 'the ceiling is remembered');
for my $text ('top_k must be at most 60', 'Request topK 100 exceeds the limit', 'Maximum allowed top k for this deployment: 60.')
{
	$server->fault({kind => 'status', status => 400, path => '/query', count => 1, body => {code => 3, message => $text, details => []}});
	is($t->sql("SELECT count(*) FROM (SELECT id FROM small ORDER BY $d LIMIT 100) s"), 100, $text);
}
$server->fault({kind => 'status', status => 400, path => '/query', count => 1, body => {code => 3, message => 'Vector dimension 2 does not match', details => []}});
like($t->error_of("SELECT id FROM small ORDER BY $d LIMIT 100"), qr/does not match/, 'another refusal is an error');
$server->control('POST', '/_local/settings', {max_top_k => 10000});
$server->fault({kind => 'status', status => 400, path => '/vectors/list', count => 1, body => {code => 3, message => 'limit must be between 1 and 50, got 100', details => []}});
is($t->sql('SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM small OFFSET 0) s'), '300|300', 'shorter pages of a list');
done_testing;
