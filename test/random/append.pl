#!/usr/bin/env perl
#
# Random queries on partitions, inheritance children and UNION ALL of foreign
# tables of two indexes, mixed with local ones, against the same on a local copy
# of all rows: scans, searches with LIMIT and OFFSET, lookups, aggregates, joins
# and LATERAL subqueries that run the same scans again, with the planner's
# switches and ours on and off.
#
#	test/random/append.pl [SEED [QUERIES [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nqueries = $ARGV[1] // 500;
my $nrecords = $ARGV[2] // 600;
my $ntenants = 6;

sub tenants
{
	return join ', ', map { number($ntenants + 1) } 0 .. rand 3;
}

sub some_id
{
	return "'r" . number($nrecords * 1.1) . "'";
}

sub leaf
{
	return pick(
		'tenant = ' . number($ntenants + 1), 'tenant IN (' . tenants() . ')', 'tenant ' . pick('<', '>=', '<>') . ' ' . number($ntenants),
		'tenant = (SELECT k FROM outside WHERE k < ' . number(7) . ' ORDER BY k DESC LIMIT 1)', 'tenant = ANY (ARRAY(SELECT k FROM outside WHERE k > ' . number(5) . '))',
		'n ' . pick('=', '<>', '<', '>=') . ' ' . number(12), "t = '" . pick('p', 'q', 'r') . "'", 't IS NULL', "t <> 'p'",
		'id = ' . some_id(), 'id IN (' . join(', ', map { some_id() } 0 .. number(5)) . ')', "id LIKE 'r1%%'",
		'length(id) % 2 = ' . number(2), 'n = tenant', 'n % 5 = 1 AND length(id) > 2', 'false', 'true');
}

sub condition
{
	my ($depth) = @_;
	return leaf() if $depth == 0 || rand() < 0.35;
	return 'NOT (' . condition($depth - 1) . ')' if rand() < 0.1;
	return '(' . condition($depth - 1) . pick(' AND ', ' AND ', ' OR ') . condition($depth - 1) . ')';
}

# Queries of one text column "id", with %s for the table and the condition
sub query
{
	my $at = number(20000) + 0.25;    # so that distances differ
	my $distance = "embedding <-> '{$at,1}'";
	my $few = 1 + number(40);

	return pick(
		'SELECT id FROM %1$s WHERE %2$s ORDER BY id',
		"SELECT tenant || id || coalesce(t, '-') || n AS id FROM %1\$s WHERE %2\$s ORDER BY id",
		"SELECT id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT $few",
		"SELECT id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT $few OFFSET " . number(60),
		"SELECT id || t AS id FROM %1\$s WHERE %2\$s ORDER BY $distance, id LIMIT $few",
		"SELECT id || round($distance) AS id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT (SELECT k FROM outside WHERE k = " . number(9) . ')',
		"SELECT id FROM %1\$s WHERE (%2\$s) AND $distance < " . number(8000) . ' ORDER BY id',
		"SELECT id FROM %1\$s WHERE %2\$s ORDER BY $distance",
		"SELECT id FROM (SELECT * FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT $few) s WHERE n > 3 ORDER BY id",
		"SELECT DISTINCT t AS id FROM (SELECT * FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT $few) s ORDER BY t",
		"SELECT id FROM %1\$s WHERE %2\$s ORDER BY id COLLATE \"C\" LIMIT $few OFFSET " . number(9),
		'SELECT count(*)::text AS id FROM (SELECT FROM %1$s WHERE %2$s LIMIT ' . number(99) . ') s',
		'SELECT count(*)::text AS id FROM %1$s WHERE %2$s',
		"SELECT count(*) || '/' || count(id) || '/' || coalesce(sum(n), 0) AS id FROM %1\$s WHERE %2\$s",
		'SELECT tenant || \':\' || count(*) AS id FROM %1$s WHERE %2$s GROUP BY tenant ORDER BY tenant',
		'SELECT t || sum(n) AS id FROM %1$s WHERE %2$s GROUP BY t HAVING count(*) > ' . number(9) . ' ORDER BY t',
		"SELECT id FROM ((SELECT id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT $few) UNION ALL (SELECT id FROM %1\$s WHERE tenant = 1 ORDER BY $distance LIMIT 3)) u ORDER BY id",
		"SELECT id FROM ((SELECT id, $distance AS d FROM %1\$s WHERE %2\$s) UNION ALL (SELECT id, ($distance) + 30000 FROM %1\$s WHERE tenant = 2)) u ORDER BY d LIMIT $few",
		"SELECT id FROM ((SELECT id, n FROM %1\$s WHERE %2\$s) UNION (SELECT id, n FROM %1\$s WHERE n = 2)) u ORDER BY id LIMIT $few",
		'SELECT o.k || m.id AS id FROM outside o JOIN %1$s m ON m.tenant = o.k WHERE %2$s ORDER BY 1',
		"SELECT o.k || coalesce(m.t, '-') AS id FROM outside o LEFT JOIN %1\$s m ON m.id = o.key ORDER BY 1",
		'SELECT m.id FROM %1$s m WHERE (%2$s) AND EXISTS (SELECT FROM outside o WHERE o.k = m.n) ORDER BY 1',
		'SELECT m.id FROM %1$s m WHERE (%2$s) AND m.id NOT IN (SELECT key FROM outside) ORDER BY 1',
		'SELECT a.id || b.id AS id FROM %1$s a JOIN %1$s b ON a.tenant = b.tenant AND a.n = b.n AND a.id < b.id WHERE a.t = \'p\' AND b.n < 4 ORDER BY 1 LIMIT 50',
		"SELECT o.k || m.id AS id FROM outside o, LATERAL (SELECT * FROM %1\$s WHERE %2\$s ORDER BY embedding <-> ARRAY[o.k * 2900 + 0.25, 1]::real[] LIMIT 3) m ORDER BY 1",
		"SELECT o.k || m.id AS id FROM outside o, LATERAL (SELECT * FROM %1\$s WHERE tenant <> o.k AND n > 2 ORDER BY embedding <-> ARRAY[o.k * 2900 + 0.25, 1]::real[] LIMIT 3) m ORDER BY 1",
		"SELECT o.k || m.id AS id FROM outside o, LATERAL (SELECT * FROM %1\$s WHERE tenant = o.k ORDER BY embedding <-> ARRAY[o.k * 2900 + 0.25, 1]::real[] LIMIT 3) m ORDER BY 1",
		"SELECT o.k || coalesce((SELECT id FROM %1\$s WHERE tenant >= o.k AND (%2\$s) ORDER BY $distance LIMIT 1), '-') AS id FROM outside o ORDER BY 1",
		"SELECT o.k || coalesce((SELECT t FROM %1\$s m WHERE m.id = o.key LIMIT 1), '-') AS id FROM outside o ORDER BY 1",
		'SELECT o.k || \':\' || count(m) AS id FROM outside o, LATERAL (SELECT id FROM %1$s WHERE n < o.k LIMIT ' . number(30) . ') m GROUP BY o.k ORDER BY 1',
	);
}

srand $seed;
my $t = Harness->new;
my @hosts = map { $t->server->create_index($_, dimension => 2, metric => 'euclidean') } 'one', 'two';
my $columns = 'tenant int, id text COLLATE "C", embedding real[], n int, t text';

my (%records, %taken, @rows);
for my $i (1 .. $nrecords)
{
	my ($tenant, $n, $x) = (number($ntenants), number(12));

	do { $x = number(20000) } while $taken{$x}++;
	my $t = rand() < 0.7 ? pick('p', 'q', 'r') : undef;
	push $records{$tenant}->@*, {id => "r$i", values => [$x, 1], metadata => {tenant => $tenant, n => $n, defined $t ? (t => $t) : ()}};
	push @rows, "($tenant, 'r$i', '{$x,1}', $n, " . (defined $t ? "'$t'" : 'NULL') . ')';
}
for my $tenant (0 .. $ntenants - 1)
{
	$t->server->upsert($tenant % 2 ? 'two' : 'one', "t$tenant", $records{$tenant} // []);
}
for my $i (0, 1)
{
	$t->sql("CREATE SERVER s$i FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where(('one', 'two')[$i])]});
		CREATE USER MAPPING FOR CURRENT_USER SERVER s$i OPTIONS (api_key 'test-key')");
}
# the second index again, but one request at a time
$t->sql("CREATE SERVER slow FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('two')]}, max_concurrency '1');
	CREATE USER MAPPING FOR CURRENT_USER SERVER slow OPTIONS (api_key 'test-key')");
$t->sql("CREATE TABLE copy ($columns); INSERT INTO copy VALUES " . join(', ', @rows));
$t->sql(<<"END");
CREATE TABLE parts ($columns) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE p0 PARTITION OF parts FOR VALUES IN (0) SERVER s0 OPTIONS (namespace 't0');
CREATE FOREIGN TABLE p1 PARTITION OF parts FOR VALUES IN (1) SERVER slow OPTIONS (namespace 't1');
CREATE FOREIGN TABLE p2 PARTITION OF parts FOR VALUES IN (2) SERVER s0 OPTIONS (namespace 't2', async_capable 'false');
CREATE TABLE p345 PARTITION OF parts FOR VALUES IN (3, 4, 5) PARTITION BY RANGE (tenant);
CREATE FOREIGN TABLE p3 PARTITION OF p345 FOR VALUES FROM (3) TO (4) SERVER slow OPTIONS (namespace 't3');
CREATE FOREIGN TABLE p4 PARTITION OF p345 FOR VALUES FROM (4) TO (5) SERVER s0 OPTIONS (namespace 't4');
CREATE TABLE p5 PARTITION OF p345 FOR VALUES FROM (5) TO (9);
INSERT INTO p5 SELECT * FROM copy WHERE tenant = 5;
CREATE TABLE kids ($columns);
CREATE FOREIGN TABLE k0 () INHERITS (kids) SERVER s0 OPTIONS (namespace 't0');
CREATE FOREIGN TABLE k1 () INHERITS (kids) SERVER s1 OPTIONS (namespace 't1');
CREATE FOREIGN TABLE k3 () INHERITS (kids) SERVER s1 OPTIONS (namespace 't3');
INSERT INTO kids SELECT * FROM copy WHERE tenant IN (2, 4);
CREATE TABLE k5 () INHERITS (kids);
INSERT INTO k5 SELECT * FROM copy WHERE tenant = 5;
CREATE FOREIGN TABLE u2 ($columns) SERVER s0 OPTIONS (namespace 't2');
CREATE FOREIGN TABLE u4 ($columns) SERVER s0 OPTIONS (namespace 't4');
CREATE VIEW unions AS SELECT * FROM k0 UNION ALL SELECT * FROM k1 UNION ALL SELECT * FROM u2 UNION ALL SELECT * FROM k3
	UNION ALL SELECT tenant, id, embedding, n, t FROM u4 WHERE tenant = 4 UNION ALL SELECT * FROM k5;
CREATE TABLE outside AS SELECT i AS k, 'r' || i * 7 AS key FROM generate_series(0, 7) i;
ANALYZE copy, outside, kids, p5, k5;
CREATE FUNCTION ids_one_by_one(q text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE result text := ''; c refcursor; one text;
BEGIN
  OPEN c FOR EXECUTE q;
  LOOP
    FETCH c INTO one;
    EXIT WHEN NOT FOUND;
    result := result || coalesce(one || ' ', '');
  END LOOP;
  RETURN rtrim(result);
END \$\$;
END
create_ids($t);
is($t->sql("SELECT count(*) FROM $_"), $nrecords, "all records are read from $_") for 'copy', 'parts', 'kids', 'unions';

my @switches = (map({ "pinecone_fdw.enable_$_" } qw(filter knn limit fetch prefix sort aggregate columns read_ahead sweep)),
	map({ "enable_$_" } qw(async_append hashjoin mergejoin nestloop sort incremental_sort hashagg material memoize partition_pruning)));
my @queries = map { [query(), condition(2), pick('parts', 'parts', 'kids', 'unions')] } 1 .. $nqueries;
my @checks = map {
	my ($query, $condition, $table) = @$_;
	my $function = pick('ids', 'ids', 'ids_one_by_one');
	my @settings = map { pick(@switches) . ' = off' } 1 .. pick(0, 0, 1, 2);
	push @settings, 'enable_partitionwise_join = on', 'enable_partitionwise_aggregate = on' if rand() < 0.5;
	push @settings, 'pinecone_fdw.prefetch = 64' if rand() < 0.3;
	push @settings, 'pinecone_fdw.sweep_records = 0' if rand() < 0.5;
	$condition =~ s/%%/%/g;
	{foreign => sprintf($query, $table, $condition), local => sprintf($query, 'copy', $condition), function => $function, settings => \@settings}
} @queries;
my $differences = compare_queries($t, $seed, @checks);
is($differences, 0, "$nqueries queries on $nrecords records below Appends (seed $seed)");
done_testing;
