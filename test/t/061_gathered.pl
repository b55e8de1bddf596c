# Joins on a field: the values of many rows go as one filter, within the service's
# limits; what turns out to be more than fits the memory is asked for in parts;
# errors, cancel and LIMIT half way leave nothing behind.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new(conf => ['jit = off']);
my $server = $t->server;
my $host = $server->create_index('gathered', dimension => 4);

for my $namespace ('a', 'b')
{
	for my $from (0 .. 3)
	{
		# one value of "much" has half of the records
		$server->upsert('gathered', $namespace, [map { +{id => "r$_", values => [$_, $_ % 7, 1, 0],
			metadata => {key => "k$_", n => $_ % 50, much => $_ % 2 ? 0 : $_, tags => ["k$_", 'k' . ($_ + 2000)], pad => 'x' x 500}} } $from * 1000 + 1 .. $from * 1000 + 1000]);
	}
}
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE f (id text COLLATE "C", key text, n int, much int, tags text[]) SERVER s OPTIONS (namespace 'a');
CREATE FOREIGN TABLE both_f (ns text OPTIONS (role 'namespace'), id text COLLATE "C", key text, n int, much int) SERVER s;
CREATE TABLE l AS SELECT * FROM f;
CREATE TABLE o AS SELECT i AS k, 'k' || i AS key, i % 60 AS n, i % 11 AS much FROM generate_series(1, 2500) i;
ANALYZE l, o;
ANALYZE f;
END
my $s = $t->session;
$s->query('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off');
my $pid = $s->pid;

sub requests
{
	return scalar grep { m{/vectors/fetch_by_metadata} } $server->take_log;
}

# ---- Requests ----

my $join = 'SELECT count(*), sum(f.n) FROM o JOIN %s f ON f.key = o.key';
like($s->query('EXPLAIN ' . sprintf $join, 'f')->{out}, qr/Gathers: filters/, 'filters are gathered');
$server->clear_requests;
is($s->query(sprintf $join, 'f')->{out}, $s->query(sprintf $join, 'l')->{out}, '2,500 values');
cmp_ok(requests(), '<=', 25, '... take few requests');
is($s->query('SET pinecone_fdw.read_ahead = 10000; ' . sprintf $join, 'f')->{out}, $s->query(sprintf $join, 'l')->{out}, 'all at once');
is(requests(), 3, '... take one for each thousand');
$s->query('RESET pinecone_fdw.read_ahead');

# lists of values: more than an operator takes would be
my $lists = 'SELECT o.k, count(*), sum(f.n) FROM (SELECT k, ARRAY(SELECT k || \'x\' || i FROM generate_series(1, 3000) i) || key AS keys FROM o WHERE k <= 9 OFFSET 0) o JOIN %s f ON f.key = ANY (o.keys) GROUP BY o.k ORDER BY 1';
$server->clear_requests;
is($s->query(sprintf $lists, 'f')->{out}, $s->query(sprintf $lists, 'l')->{out}, 'lists of 3,000 values');
is(requests(), 9, '... go by themselves');
my $huge = 'SELECT count(*), sum(f.n) FROM (SELECT ARRAY(SELECT \'x\' || i FROM generate_series(1, 15000) i) || key AS keys FROM o WHERE k <= 2 OFFSET 0) o JOIN %s f ON f.key = ANY (o.keys)';
is($s->query(sprintf $huge, 'f')->{out}, $s->query(sprintf $huge, 'l')->{out}, 'more than an operator takes');

# of a record's list of values each belongs to the rows that have it
my $listed = 'SELECT count(*), sum(f.n), sum(o.k) FROM o JOIN %s f ON o.key = ANY (f.tags) WHERE o.k > 1800';
like($s->query('EXPLAIN ' . sprintf $listed, 'f')->{out}, qr/Gathers: filters/, 'filters of lists are gathered');
$server->clear_requests;
is($s->query(sprintf $listed, 'f')->{out}, $s->query(sprintf $listed, 'l')->{out}, '... and their records found');
cmp_ok(requests(), '<=', 12, '... by few requests');

my $overlapping = q{SELECT count(*), sum(f.n), sum(o.k) FROM o JOIN %s f ON f.tags && ARRAY[o.key, 'k' || (o.k + 2000)] WHERE o.k <= 300};
like($s->query('EXPLAIN ' . sprintf $overlapping, 'f')->{out}, qr/Gathers: filters/, 'filters of several values in a list are gathered');
is($s->query(sprintf $overlapping, 'f')->{out}, $s->query(sprintf $overlapping, 'l')->{out}, '... and a record that has two of them found once');

# several namespaces
$server->clear_requests;
is($s->query(sprintf $join, 'both_f')->{out}, $s->query(sprintf($join, 'l') =~ s/count\(\*\), sum\(f.n\)/2 * count(*), 2 * sum(f.n)/r)->{out}, 'of two namespaces');
cmp_ok(requests(), '<=', 50, '... takes few requests of each');

# a namespace that the row names
$server->clear_requests;
is($s->query("SELECT f.ns, count(*), sum(f.n) FROM o JOIN both_f f ON f.ns = (ARRAY['a', 'b'])[1 + o.k % 2] AND f.key = o.key WHERE o.k <= 200 GROUP BY 1 ORDER BY 1")->{out},
	$s->query("SELECT (ARRAY['a', 'b'])[1 + o.k % 2], count(*), sum(f.n) FROM o JOIN l f ON f.key = o.key WHERE o.k <= 200 GROUP BY 1 ORDER BY 1")->{out}, 'of the namespace that each row names');
is(requests(), 2, '... takes one request of each');

# ---- More than fits ----

my $much = 'SELECT o.k, count(*), sum(f.n) FROM (SELECT * FROM o WHERE k <= 25 ORDER BY k DESC OFFSET 0) o JOIN %s f ON f.much = o.much GROUP BY o.k ORDER BY 1';
for my $prefetch (64, 512, 16384)
{
	$s->query("SET pinecone_fdw.prefetch = $prefetch");
	is($s->query(sprintf $much, 'f')->{out}, $s->query(sprintf $much, 'l')->{out}, "values with many records, prefetch = $prefetch");
	is($s->query(sprintf $much, 'both_f')->{out}, $s->query(sprintf($much, 'l') =~ s/count\(\*\), sum\(f.n\)/2 * count(*), 2 * sum(f.n)/r)->{out}, '... in two namespaces');
}
$s->query('RESET pinecone_fdw.prefetch');

# ---- LIMIT ----

$server->clear_requests;
is($s->query((sprintf $join, 'f') =~ s/count\(\*\), sum\(f.n\)/f.id/r . ' LIMIT 2')->{out}, "r1\nr2", 'LIMIT within the first rows');
is(requests(), 1, '... takes one request');

# ---- Errors and cancel ----

for my $fault ({kind => 'status', status => 400, count => 1}, {kind => 'truncate', count => 1}, {kind => 'close', count => -1})
{
	$server->fault({%$fault, path => '/vectors/fetch_by_metadata', skip => 2});
	isnt($s->query('SET pinecone_fdw.read_ahead = 100; ' . sprintf $join, 'f')->{err}, '', "$fault->{kind} half way");
	$server->clear_faults;
	is($s->query(sprintf $join, 'f')->{out}, $s->query(sprintf $join, 'l')->{out}, '... and all is well again');
}
$t->sql(<<'END');
CREATE FUNCTION fail(query text, times int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE failures int := 0;
BEGIN
  FOR i IN 1..times LOOP
    BEGIN
      EXECUTE query;
    EXCEPTION WHEN OTHERS THEN
      failures := failures + 1;
    END;
  END LOOP;
  RETURN failures;
END $$;
END
$server->fault({kind => 'status', status => 400, path => '/vectors/fetch_by_metadata', skip => 1, count => -1});
my $failing = sprintf $join, 'f';
is($s->query("SELECT fail('$failing', 40)")->{out}, 40, 'failures, caught');
my $memory = $t->memory($pid);
is($s->query("SELECT fail('$failing', 160)")->{out}, 160, 'many of them');
cmp_ok($t->memory($pid) - $memory, '<', 2048, '... leave no memory behind');
$server->clear_faults;

$server->fault({kind => 'delay', delay_ms => 5000, path => '/vectors/fetch_by_metadata', skip => 1, count => -1});
$s->send(sprintf $join, 'f');
sleep 0.3;
$t->sql("SELECT pg_cancel_backend($pid)");
like($s->result(10)->{err}, qr/canceling statement due to user request/, 'cancel half way');
$server->clear_faults;
is($s->query(sprintf $join, 'f')->{out}, $s->query(sprintf $join, 'l')->{out}, '... and all is well again');

# ---- A cursor that is left half way ----

$s->query('BEGIN; DECLARE c CURSOR FOR ' . (sprintf $much, 'f') =~ s/SELECT o.k, count\(\*\), sum\(f.n\)/SELECT f.id/r =~ s/ GROUP BY.*//r);
isnt($s->query('FETCH 5 FROM c')->{out}, '', 'a cursor');
is($s->query('CLOSE c; COMMIT')->{err}, '', '... is closed half way');
done_testing;
