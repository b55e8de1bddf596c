#!/usr/bin/env perl
#
# Random SQL conditions on a foreign table, against the same conditions on a
# local copy of its rows: as a plain scan, as a nearest-neighbour search with
# LIMIT and OFFSET, within a distance, as count(*), by groups with FILTER, as joins, with pushdown
# switched on and off, under both readings of $ne on a missing field and both settings of on_type_error.
#
#	test/random/conditions.pl [SEED [CONDITIONS [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nconditions = $ARGV[1] // 400;
my $nrecords = $ARGV[2] // 220;

my @texts = ('drama', 'Drama', '', '1', 'true', "o'clock", 'x y', 'null', "\xc3\xbcber");
my @ints = (-1, 0, 1, 2, 7, 2020, 2021, 100000);
my @floats = (-1.5, 0, 0.1, 0.30000000000000004, 1, 2.5, 1e10, 1e-7);
my @numerics = qw(-1.5 0 0.1 0.3 1 2.50 12345678901234567890 0.1000000000000000055 9007199254740993);
my @reals = qw(0 0.1 0.5 1.25 3 16777217);
my @bigs = qw(0 1 9007199254740992 9007199254740993 -9007199254740993 9223372036854775807);
my @dates = qw(2020-01-01 2020-06-15 2021-12-31 1999-02-28);
my @times = ('2020-01-01 00:00:00+00', '2020-06-15 12:30:45.5+00', '2021-12-31 23:59:59.999999+00', '1969-12-31 23:00:00+00');
my @uuids = qw(a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 00000000-0000-0000-0000-000000000001);
my @moods = qw(sad ok happy);
my @tags = qw(red green blue);

# SQL columns: type, values as SQL literals, how to write one as metadata
my %columns = (
	t => {type => 'text', values => [map { literal($_) } @texts]},
	v => {type => 'varchar(20)', values => [map { literal($_) } @texts]},
	i => {type => 'int', values => \@ints},
	big => {type => 'bigint', values => \@bigs},
	f => {type => 'float8', values => [@floats, "'NaN'::float8", "'Infinity'::float8"]},
	num => {type => 'numeric', values => [@numerics, "'NaN'::numeric"]},
	r => {type => 'real', values => [map { "$_\::real" } @reals]},
	b => {type => 'boolean', values => ['true', 'false']},
	d => {type => 'date', values => [map { "date '$_'" } @dates]},
	ts => {type => 'timestamptz', values => [map { "timestamptz '$_'" } @times]},
	u => {type => 'uuid', values => [map { "uuid '$_'" } @uuids]},
	mood => {type => 'mood', values => [map { "'$_'::mood" } @moods]},
	tags => {type => 'text[]', values => [map { "'$_'" } @tags]},
);
my @comparable = qw(t v i big f num r b d ts u mood);

sub value
{
	my ($column) = @_;
	return 'NULL::' . ($column eq 'tags' ? 'text' : $columns{$column}{type}) if rand() < 0.04;
	return pick($columns{$column}{values}->@*);
}

sub array_of
{
	my ($column) = @_;
	my $type = $columns{$column}{type} =~ s/\(.*|\[\]//r;
	return "ARRAY[" . join(', ', map { value($column) } 1 .. int rand 4) . "]::${type}[]";
}

sub leaf
{
	my $c = pick(@comparable);
	my $kind = int rand 15;

	return "$c " . pick('=', '<>', '<', '<=', '>', '>=') . ' ' . value($c) if $kind < 4;
	return value($c) . ' ' . pick('=', '<>', '<', '<=', '>', '>=') . " $c" if $kind == 4;
	return "$c BETWEEN " . value($c) . ' AND ' . value($c) if $kind == 5;
	return "$c " . pick('IN', 'NOT IN') . ' (' . join(', ', map { value($c) } 0 .. rand 3) . ')' if $kind == 6;
	return "$c " . pick('= ANY', '<> ALL') . ' (' . array_of($c) . ')' if $kind == 7;
	return pick($c, 'tags') . pick(' IS NULL', ' IS NOT NULL') if $kind == 8;
	return "$c IS " . pick('', 'NOT ') . 'DISTINCT FROM ' . value($c) if $kind == 9;
	return pick('b', 'b IS TRUE', 'b IS NOT TRUE', 'b IS FALSE', 'b IS NOT FALSE', 'b IS UNKNOWN', 'b = true') if $kind == 10;
	return "tags @> " . array_of('tags') if $kind == 11;
	return pick("tags && " . array_of('tags'), value('tags') . ' = ANY (tags)') if $kind == 12;
	return pick("metadata ->> 't' = " . literal(pick(@texts)), "metadata ->> 'i' = '" . pick(@ints) . "'",
		"metadata ->> 'b' = 'true'", "metadata ->> 't' IS NULL", "metadata ->> 't' IN ('drama', '1')",
		"metadata ->> 't' <> 'drama'", "metadata ->> 'tags' = '[\"red\"]'") if $kind == 13;
	return pick("metadata ? 't'", "metadata ?| '{t,i}'", "metadata ?& '{t,tags}'",
		"metadata @> '{\"t\": \"drama\"}'", "metadata @> '{\"tags\": [\"red\"]}'", "metadata @> '{\"i\": 2020, \"b\": true}'",
		"metadata @> '{\"tags\": \"red\"}'", "metadata @> '{}'",
		"pinecone_match(metadata, '{\"t\": {\"\$ne\": \"drama\"}}')",
		"pinecone_match(metadata, '{\"\$or\": [{\"i\": {\"\$gte\": 2}}, {\"tags\": {\"\$nin\": [\"red\"]}}]}')",
		"pinecone_match(metadata, '{\"t\": {\"\$exists\": false}}')");
}

sub condition
{
	my ($depth) = @_;
	return leaf() if $depth == 0 || rand() < 0.35;
	return 'NOT (' . condition($depth - 1) . ')' if rand() < 0.2;
	# now and then something that cannot be sent
	return '(' . condition($depth - 1) . ' ' . pick('AND', 'OR') . ' length(id) % 2 = ' . int(rand 2) . ')' if rand() < 0.1;
	return '(' . condition($depth - 1) . pick(' AND ', ' OR ') . condition($depth - 1) . ')';
}

# A record's metadata as JSON text; with $odd some values do not fit their columns.
sub metadata
{
	my ($odd) = @_;
	my %m = (
		rand() < 0.8 ? (t => '"' . pick(@texts) . '"') : (),
		rand() < 0.7 ? (v => '"' . pick(@texts) . '"') : (),
		rand() < 0.8 ? (i => pick(@ints)) : (),
		rand() < 0.7 ? (big => pick(0, 1, '9007199254740992', '-9007199254740992', '9007199254740994')) : (),
		rand() < 0.8 ? (f => pick(@floats)) : (),
		rand() < 0.7 ? (num => pick(qw(-1.5 0 0.1 0.3 1 2.5 12345678901234567000 9007199254740992))) : (),
		rand() < 0.7 ? (r => pick(qw(0 0.1 0.5 1.25 3 16777216 0.10000000149))) : (),
		rand() < 0.7 ? (b => pick('true', 'false')) : (),
		rand() < 0.7 ? (d => '"' . pick(@dates) . '"') : (),
		rand() < 0.7 ? (ts => pick(1577836800, 1592224245.5, 1640995199.999999, -3600, 1577836799.9999998)) : (),
		rand() < 0.7 ? (u => '"' . pick(@uuids, uc $uuids[0]) . '"') : (),
		rand() < 0.7 ? (mood => '"' . pick(@moods) . '"') : (),
		rand() < 0.8 ? (tags => '[' . join(', ', map { "\"$_\"" } grep { rand() < 0.5 } @tags) . ']') : (),
	);
	if ($odd)
	{
		for my $field (keys %m)
		{
			$m{$field} = pick('"odd"', '2.5', 'true', '["red", "drama"]', '1e30') if rand() < 0.1;
		}
	}
	return '{' . join(', ', map { "\"$_\": $m{$_}" } sort keys %m) . '}';
}

sub compare
{
	my ($reading, $on_type_error) = @_;
	my $t = Harness->new(pinecone => ['--ne-missing', $reading]);
	my @rows = map { {id => sprintf('r%04d', $_) . 'x' x ($_ % 3), x => $_, metadata => metadata($on_type_error eq 'null')} } 1 .. $nrecords;

	$t->server->create_index('random', dimension => 2, metric => 'euclidean');
	$t->server->upsert_json('random', '', [map { "{\"id\": \"$_->{id}\", \"values\": [$_->{x}, 1], \"metadata\": $_->{metadata}}" } @rows]);
	my $column_list = join ', ', map { "$_ $columns{$_}{type}" . ($_ eq 'ts' ? " OPTIONS (format 'epoch')" : '') } sort keys %columns;
	$t->sql(<<"END");
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('random')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ft (id text COLLATE "C", embedding real[], $column_list, metadata jsonb) SERVER s OPTIONS (on_type_error '$on_type_error');
SET pinecone_fdw.enable_filter = off;
CREATE TABLE lt AS SELECT * FROM ft;
RESET pinecone_fdw.enable_filter;
CREATE TABLE outer_rows AS SELECT id, t, i FROM lt WHERE i IS NOT NULL ORDER BY id LIMIT 7;
ANALYZE lt, outer_rows;
END
	create_ids($t);
	is($t->sql('SELECT count(*) FROM lt'), $nrecords, "all records are read ($reading, $on_type_error)");

	my %queries = (
		scan => 'SELECT id FROM %s WHERE (%s) ORDER BY id',
		search => 'SELECT id FROM %s WHERE (%s) ORDER BY embedding <-> \'{17.3,1}\' LIMIT 5',
		paged => 'SELECT id FROM %s WHERE (%s) ORDER BY embedding <-> \'{90.2,1}\' LIMIT 4 OFFSET 3',
		bounded => 'SELECT id FROM %s WHERE (%s) AND embedding <-> \'{50.4,1}\' < 12.05 ORDER BY id',
		count => 'SELECT count(*)::text AS id FROM %s WHERE (%s)',
		some => 'SELECT max(id) AS id FROM (SELECT id FROM %s WHERE (%s) ORDER BY id LIMIT 9) s',
		joined => 'SELECT o.id || m.id AS id FROM outer_rows o JOIN %s m ON m.t = o.t AND (m.%s) ORDER BY 1',
		grouped => 'SELECT coalesce(%3$s::text, \'-\') || \':\' || count(*) || \':\' || count(%3$s) AS id FROM %1$s WHERE (%2$s) GROUP BY %3$s ORDER BY 1',
		parted => 'SELECT coalesce(%3$s::text, \'-\') || \':\' || count(*) || \':\' || count(*) FILTER (WHERE %8$s) || \':\' || count(*) FILTER (WHERE i = 1) AS id FROM %1$s WHERE (%2$s) GROUP BY %3$s ORDER BY 1',
		page => 'SELECT id FROM (SELECT id, %3$s, t FROM %1$s WHERE (%2$s) ORDER BY id LIMIT %6$s OFFSET %7$s * 30) s ORDER BY id',
		last => 'SELECT id FROM (SELECT id, %3$s FROM %1$s WHERE (%2$s) ORDER BY id DESC LIMIT %6$s OFFSET %7$s) s ORDER BY id',
		different => 'SELECT DISTINCT coalesce(%3$s::text, \'-\') AS id FROM (SELECT DISTINCT %3$s FROM %1$s WHERE (%2$s)) s ORDER BY 1',
		differing => 'SELECT count(DISTINCT %3$s) || \'/\' || count(*) AS id FROM %1$s WHERE (%2$s)',
		ordered => 'SELECT id FROM %1$s WHERE (%2$s) ORDER BY %4$s %5$s, id LIMIT %6$s OFFSET %7$s',
		first => 'SELECT coalesce(%4$s::text, \'-\') AS id FROM (SELECT %4$s FROM %1$s WHERE (%2$s) ORDER BY %4$s %5$s LIMIT %6$s) s',
		extreme => 'SELECT coalesce(max(%4$s)::text, \'-\') || \'/\' || coalesce(min(%4$s)::text, \'-\') AS id FROM %1$s WHERE (%2$s)',
		existing => 'SELECT (EXISTS (SELECT FROM %1$s WHERE (%2$s)))::text AS id',
		lateral => 'SELECT o.id || m.id AS id FROM outer_rows o, LATERAL (SELECT id FROM %s WHERE (%s) AND i <> o.i ORDER BY embedding <-> ARRAY[o.i + 0.3, 1]::real[] LIMIT 2) m ORDER BY 1',
	);
	my @conditions = map {
		my $kind = pick(sort keys %queries);
		my $condition = condition(2);

		# qualified names only: one leaf
		$condition = pick('i ') . pick('=', '<', '>=') . ' ' . value('i') if $kind eq 'joined';
		[$kind, $condition]
	} 1 .. $nconditions;
	my @checks = map {
		my ($kind, $condition) = @$_;
		my @off = rand() < 0.15 ? pick(qw(filter knn limit fetch sort aggregate columns sweep sweep)) : ();
		my @more = (pick(@comparable), pick(qw(i big f num r ts)), pick('', 'DESC', 'NULLS FIRST', 'DESC NULLS LAST'), 1 + number(12), number(3), condition(1));
		# where rows are dear, values are looked for and counted, and orders are sliced
		my @dear = $kind =~ /group|part|diff|order|first|extreme|last/ && rand() < 0.8 ? ('cpu_tuple_cost = 100') : ();
		no warnings 'redundant';
		{
			foreign => sprintf($queries{$kind}, 'ft', $condition, @more),
			local => sprintf($queries{$kind}, 'lt', $condition, @more),
			settings => [@dear, (rand() < 0.5 ? 'pinecone_fdw.sweep_records = 0' : ()), map { "pinecone_fdw.enable_$_ = off" } @off]
		}
	} @conditions;
	my $differences = compare_queries($t, $seed, @checks);
	is($differences, 0, "$nconditions conditions x $nrecords records, \$ne on a missing field: $reading, on_type_error $on_type_error (seed $seed)");
}

srand $seed;
compare($_->[0], $_->[1]) for ['match', 'error'], ['skip', 'error'], ['match', 'null'], ['skip', 'null'];
done_testing;
