#!/usr/bin/env perl
#
# Random searches in a transaction that has written: rows moved, replaced,
# deleted, added, metadata changed, by id and by filter; in one namespace, several
# and partitions; with LIMIT, OFFSET, bounds and without, conditions that are sent
# and ones that are not.  Against the same on a local copy.  With small limits
# (test/small.sh) most of them are beyond what a search can bring.
#
#	test/random/pending.pl [SEED [ROUNDS [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $rounds = $ARGV[1] // 150;
my $nrecords = $ARGV[2] // 60;

# Each place once: those of two records at one would be in any order
my %taken;
sub place
{
	my $place;

	do
	{
		$place = sprintf '%.3f', rand 1000;
	} while $taken{$place}++;
	return $place;
}

# One of the ids, now and then a new one, those near the query more often
sub some_id
{
	return "'r" . number(rand() < 0.5 ? 8 : $nrecords * 1.1) . "'";
}

sub condition
{
	return pick('true', 'true', 'n > ' . number(12), 'n < ' . number(12), 'n = ' . number(12), 'n IS NULL', 'length(id) % 2 = ' . number(2),
		'n % 3 = ' . number(3), 'n > ' . number(12) . ' AND length(id) = 3', 'id > ' . some_id());
}

sub write_
{
	my $ids = join ', ', map { some_id() } 0 .. number(5);

	return pick(
		"UPDATE %T SET embedding = ARRAY[" . place() . ", 0]::real[] WHERE id = " . some_id(),
		"UPDATE %T SET embedding = ARRAY[" . place() . ", 0]::real[] WHERE id = " . some_id(),
		"UPDATE %T SET n = " . number(12) . " WHERE id IN ($ids)",
		"UPDATE %T SET n = " . number(12) . " WHERE n = " . number(12),
		"UPDATE %T SET n = n + 1 WHERE n % 4 = 1",
		"DELETE FROM %T WHERE id IN ($ids)",
		"DELETE FROM %T WHERE n = " . number(12),
		"INSERT INTO %T (id, embedding, n) VALUES ('new" . number(1000) . "', ARRAY[" . place() . ", 0]::real[], " . number(12) . ')');
}

sub query
{
	my $at = place() . '4'; # in the middle of no two places
	my $d = "embedding <-> '{$at,0}'";
	my $some = 1 + number(12);

	return pick(
		"SELECT id FROM %T WHERE %C ORDER BY $d",
		"SELECT id FROM %T WHERE %C ORDER BY $d LIMIT $some",
		"SELECT id FROM %T WHERE %C ORDER BY $d LIMIT $some OFFSET " . number(9),
		"SELECT id || coalesce(n, -1) AS id FROM %T WHERE %C ORDER BY $d LIMIT 40",
		"SELECT id FROM %T WHERE (%C) AND $d < " . number(500) . " ORDER BY $d",
		"SELECT count(*) || '/' || count(DISTINCT id) AS id FROM (SELECT id FROM %T WHERE %C ORDER BY $d) s",
		"SELECT count(*)::text AS id FROM %T WHERE %C",
		"SELECT id FROM %T WHERE %C ORDER BY n " . pick('', 'DESC', 'NULLS FIRST', 'DESC NULLS LAST') . ", id LIMIT $some",
		"SELECT max(n) || '/' || min(n) AS id FROM %T WHERE %C",
		"SELECT coalesce(n, -1) || ':' || count(*) AS id FROM %T WHERE %C GROUP BY n ORDER BY 1",
		"SELECT id FROM %T WHERE %C ORDER BY id");
}

srand $seed;
my $t = Harness->new;
my $host = $t->server->create_index('pending', dimension => 2, metric => 'euclidean');
my (%records, @rows);
for my $i (0 .. $nrecords - 1)
{
	my ($ns, $x, $n) = (pick('a', 'b'), place(), rand() < 0.9 ? number(12) : undef);

	push $records{$ns}->@*, {id => "r$i", values => [$x + 0, 0], metadata => {part => $ns, defined $n ? (n => $n) : ()}};
	push @rows, "('$ns', 'r$i', '{$x,0}', " . ($n // 'NULL') . ')';
}
$t->server->upsert('pending', $_, $records{$_}) for keys %records;
$t->server->upsert('pending', 'one', [map { @$_ } values %records]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('pending')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE one (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'one');
CREATE FOREIGN TABLE several (part text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespaces 'a, b');
CREATE TABLE parts (part text COLLATE "C", id text COLLATE "C", embedding real[], n int) PARTITION BY LIST (part);
CREATE FOREIGN TABLE part_a PARTITION OF parts FOR VALUES IN ('a') SERVER s OPTIONS (namespace 'a');
CREATE FOREIGN TABLE part_b PARTITION OF parts FOR VALUES IN ('b') SERVER s OPTIONS (namespace 'b');
CREATE TABLE copy (part text COLLATE "C", id text COLLATE "C", embedding real[], n int);
INSERT INTO copy VALUES @{[join ', ', @rows]};
END
create_ids($t);

my $differences = 0;
my $compared = 0;
for my $round (1 .. $rounds)
{
	my $table = pick('one', 'one', 'several', 'parts');
	my @writes = grep { $table eq 'one' || !/^INSERT/ } map { write_() } 0 .. number(4);
	my @queries = map { my $c = condition(); query() =~ s/%C/$c/r } 1 .. 4;
	# so that searches go on beyond what they can bring, where sorting would be cheaper
	my $s = join "\n", 'BEGIN;', (rand() < 0.7 ? 'SET LOCAL enable_sort = off;' : ()), (rand() < 0.3 ? 'SET LOCAL cpu_tuple_cost = 100;' : ()), (rand() < 0.5 ? 'SET LOCAL pinecone_fdw.sweep_records = 0;' : ()), (rand() < 0.3 ? "SET LOCAL pinecone_fdw.enable_" . pick('filter', 'knn', 'limit', 'aggregate') . ' = off;' : ()),
		map({ my $w = $_; map { $w =~ s/%T/$_/gr . ';' } $table, 'copy' } @writes),
		map({ my $q = $_; my ($f, $l) = map { literal($q =~ s/%T/$_/gr) } $table, 'copy'; "SELECT f = l, f, l FROM (SELECT ids($f) AS f, ids($l) AS l) s;" } @queries), 'ROLLBACK;';
	my $result = $t->psql($s, '-v', 'ON_ERROR_STOP=0');
	my @lines = grep { /^[tf]\|/ } split /\n/, $result->{out};

	$compared += @lines;
	diag "seed $seed: $result->{err}" if $result->{err} && ++$differences <= 5;
	for my $n (0 .. $#lines)
	{
		my ($same, $foreign, $local) = split /\|/, $lines[$n], -1;

		next if $same eq 't' || ++$differences > 5;
		diag "seed $seed: " . join('; ', @writes) . "\n$queries[$n] on $table\n  foreign: $foreign\n  local:   $local";
	}
}
is($compared, 4 * $rounds, 'every comparison was made');
is($differences, 0, "$rounds transactions on $nrecords records (seed $seed)");
done_testing;
