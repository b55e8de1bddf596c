#!/usr/bin/env perl
#
# Random queries on a foreign table that spans namespaces, against the same on a
# local copy of its rows: scans, searches with LIMIT and OFFSET, id lookups,
# counts and groups, joins that name the namespace, with pushdown switched on and
# off and with little memory, so that searches of many namespaces have to grow.
#
#	test/random/namespaces.pl [SEED [QUERIES [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nqueries = $ARGV[1] // 500;
my $nrecords = $ARGV[2] // 400;

my @namespaces = ('', 'a', 'b', 'big corp', 'it, too', 'x"y', 'z');
my @listed = ('', 'b', 'it, too', 'x"y', 'nobody');
# not __default__, which is the default namespace there and nothing here
my @named = (@namespaces, 'nobody', 'A', "\xc3\xbcber");

sub name
{
	return rand() < 0.05 ? 'NULL::text' : literal(pick(@named));
}

sub names
{
	return 'ARRAY[' . join(', ', map { name() } 1 .. int rand 5) . ']::text[]';
}

sub namespace_leaf
{
	my $kind = int rand 12;

	return 'ns = ' . name() if $kind < 3;
	return name() . ' = ns' if $kind == 3;
	return 'ns IN (' . join(', ', map { name() } 0 .. rand 3) . ')' if $kind < 6;
	return 'ns = ANY (' . names() . ')' if $kind == 6;
	return '(ns = ' . name() . ' OR ns = ' . pick(name(), 'ANY (' . names() . ')') . ')' if $kind == 7;
	return 'ns ' . pick('<>', '<', '>=') . ' ' . name() if $kind == 8;
	return 'ns ' . pick('NOT IN', 'IN') . ' (' . name() . ', ' . name() . ')' if $kind == 9;
	return pick('ns LIKE ' . literal(pick('%%', '', 'b%%', '%%,%%')), 'ns IS NULL', 'ns IS NOT NULL', 'ns IS DISTINCT FROM ' . name(), 'length(ns) > 1') if $kind == 10;
	return 'ns = (SELECT ' . pick('max', 'min') . '(ns) FROM tenants WHERE ns < ' . name() . ')';
}

sub leaf
{
	return namespace_leaf() if rand() < 0.5;
	return pick('n ' . pick('=', '<>', '<', '>=') . ' ' . int rand 12, "t = '" . pick('p', 'q', 'r') . "'", 't IS NULL',
		"id = 'r" . int(rand $nrecords / 7) . "'", "id IN ('r1', 'r2', 'r" . int(rand $nrecords / 7) . "')", "id LIKE 'r1%%'",
		'length(id) % 2 = ' . int rand 2, 'n = length(ns)');
}

# A condition that is an argument of the query's format, not part of it
sub condition_text
{
	return condition(@_) =~ s/%%/%/gr;
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
	my $at = int(rand 20000) + 0.25;    # so that distances differ
	my $distance = "embedding <-> '{$at,1}'";

	return pick(
		'SELECT ns || id AS id FROM %1$s WHERE %2$s ORDER BY ns, id',
		"SELECT ns || id || coalesce(t, '-') || n AS id FROM %1\$s WHERE %2\$s ORDER BY ns, id",
		"SELECT ns || id AS id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT " . (1 + number(40)),
		"SELECT ns || id AS id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT " . (1 + number(20)) . ' OFFSET ' . number(60),
		"SELECT ns || id || t AS id FROM %1\$s WHERE %2\$s ORDER BY $distance LIMIT " . (1 + number(90)),
		"SELECT ns || id AS id FROM %1\$s WHERE (%2\$s) AND $distance < " . number(8000) . ' ORDER BY ns, id',
		"SELECT ns || id AS id FROM (SELECT ns, id FROM %1\$s WHERE %2\$s ORDER BY $distance OFFSET 0) s",
		'SELECT id FROM %1$s WHERE %2$s ORDER BY id LIMIT ' . (1 + number(30)),
		'SELECT ns || id AS id FROM %1$s WHERE %2$s ORDER BY id, ns LIMIT ' . (1 + number(30)) . ' OFFSET ' . number(9),
		'SELECT count(*)::text AS id FROM (SELECT FROM %1$s WHERE %2$s LIMIT ' . number(99) . ') s',
		'SELECT count(*)::text AS id FROM %1$s WHERE %2$s',
		'SELECT ns || count(*) AS id FROM %1$s WHERE %2$s GROUP BY ns ORDER BY ns',
		'SELECT ns || count(*) AS id FROM %1$s WHERE ns = ANY (' . names() . ') GROUP BY ns ORDER BY ns',
		'SELECT count(ns) || ns AS id FROM %1$s GROUP BY ns HAVING count(*) > ' . number(90) . ' ORDER BY 1',
		'SELECT DISTINCT ns AS id FROM %1$s WHERE ' . namespace_leaf() . ' ORDER BY ns',
		'SELECT DISTINCT ns AS id FROM %1$s ORDER BY ns',
		'SELECT ns || coalesce(t, \'-\') || count(*) AS id FROM %1$s WHERE %2$s GROUP BY ns, t ORDER BY 1',
		'SELECT n || \'/\' || count(*) AS id FROM %1$s WHERE %2$s GROUP BY n ORDER BY n',
		'SELECT DISTINCT t AS id FROM %1$s WHERE %2$s ORDER BY t',
		'SELECT count(DISTINCT n) || \'/\' || count(*) AS id FROM %1$s WHERE %2$s',
		'SELECT o.k || ns || m.id AS id FROM (SELECT k, ns FROM tenants) o JOIN %1$s m USING (ns) WHERE %2$s ORDER BY 1',
		'SELECT o.k || ns || m.id AS id FROM tenants o JOIN %1$s m USING (ns, id) WHERE %2$s ORDER BY 1',
		"SELECT o.k || coalesce(m.id, '-') AS id FROM tenants o LEFT JOIN %1\$s m ON m.ns = o.ns AND m.id = 'r5' ORDER BY 1",
		'SELECT o.k || m.ns || m.id AS id FROM tenants o, LATERAL (SELECT * FROM %1$s WHERE ns = o.ns AND (%2$s) ORDER BY embedding <-> ARRAY[o.k + 0.2, 1]::real[] LIMIT 3) m ORDER BY 1',
		'SELECT o.k || m.ns || m.id AS id FROM tenants o, LATERAL (SELECT * FROM %1$s WHERE (ns = o.ns OR ns = \'b\') AND n > 2 ORDER BY embedding <-> ARRAY[o.k + 0.2, 1]::real[] LIMIT 3) m ORDER BY 1',
	);
}

srand $seed;
my $t = Harness->new;
$t->server->create_index('random', dimension => 2, metric => 'euclidean');

my (%records, %taken);
for my $i (1 .. $nrecords)
{
	my $ns = pick(@namespaces);
	my $x;

	do { $x = int rand 20000 } while $taken{$x}++;
	my $t = rand() < 0.7 ? ', "t": "' . pick('p', 'q', 'r') . '"' : '';
	my $id = 'r' . int rand $nrecords / 7;
	$records{$ns}{$id} = "{\"id\": \"$id\", \"values\": [$x, 1], \"metadata\": {\"n\": " . int(rand 12) . "$t}}";
}
my $total = 0;
for my $ns (sort keys %records)
{
	$total += values $records{$ns}->%*;
	$t->server->upsert_json('random', $ns, [map { $records{$ns}{$_} } sort keys $records{$ns}->%*]);
}
my $columns = 'ns text OPTIONS (role \'namespace\') COLLATE "C", id text COLLATE "C", embedding real[], n int, t text';
my $listed = literal(join ', ', map { '"' . s/"/""/gr . '"' } @listed);
my $in_listed = join ', ', map { literal($_) } @listed;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('random')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE every ($columns) SERVER s;
CREATE FOREIGN TABLE listed ($columns) SERVER s OPTIONS (namespaces $listed);
CREATE TABLE every_copy AS SELECT * FROM every;
CREATE TABLE listed_copy AS SELECT * FROM every_copy WHERE ns IN ($in_listed);
CREATE TABLE tenants AS SELECT (row_number() OVER () * 1970)::int AS k, ns, 'r' || row_number() OVER () AS id FROM unnest(ARRAY['', 'b', 'b', 'z', 'nobody', NULL]) ns;
ANALYZE every_copy, listed_copy, tenants;
END
create_ids($t);
is($t->sql('SELECT count(*) FROM every_copy'), $total, 'all records are read');
is($t->sql('SELECT count(*) FROM listed'), $t->sql('SELECT count(*) FROM listed_copy'), 'those of the namespaces in the list');

my @queries = map { [query(), condition_text(2), pick('every', 'every', 'listed')] } 1 .. $nqueries;
my @checks = map {
	my ($query, $condition, $table) = @$_;
	my $off = rand() < 0.2 ? 'pinecone_fdw.enable_' . pick(qw(prune filter knn limit fetch sort aggregate columns sweep)) :
		rand() < 0.2 ? pick(qw(enable_hashjoin enable_sort)) : '';
	# where rows are dear, values are looked for and counted
	my $dear = $query =~ /GROUP BY|DISTINCT/ && rand() < 0.8;
	my @settings = ($dear ? 'cpu_tuple_cost = 100' : (), $off ? "$off = off" : (), rand() < 0.5 ? 'pinecone_fdw.prefetch = 64' : (),
		rand() < 0.5 ? 'pinecone_fdw.sweep_records = 0' : ());
	{foreign => sprintf($query, $table, $condition), local => sprintf($query, "${table}_copy", $condition), settings => \@settings}
} @queries;
my $differences = compare_queries($t, $seed, @checks);
is($differences, 0, "$nqueries queries on $total records in " . @namespaces . " namespaces (seed $seed)");
done_testing;
