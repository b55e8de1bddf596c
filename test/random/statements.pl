#!/usr/bin/env perl
#
# Random SELECT statements of every kind that SQL has, on columns of every type
# that a field can have, against the same on local tables whose rows were not
# read through the extension: expressions, subqueries, set operations, CTEs,
# window functions, grouping sets, DISTINCT ON, WITH TIES, set-returning
# functions, views with and without barriers, inlined functions, functions that
# scan the same table and fail, prepared statements, cursors; on one namespace,
# several, partitions, pgvector's type, values that fit no column; with pending
# writes; INSERT, UPDATE and DELETE in all forms, on conflict, with subqueries and
# joins, through views, in loops, what they count and return and what is there
# afterwards, in the transaction and when all is sent; of some tables with answers from memory; with the planner's switches and ours on and off; EXPLAIN in all formats.
#
#	test/random/statements.pl [SEED [STATEMENTS [RECORDS]]]
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/../t";
use Encode qw(decode_utf8 encode_utf8);
use Harness;
use RandomQueries qw(approximate certainty literal pick);
use Test::More;

my $seed = $ARGV[0] // 1;
my $nstatements = $ARGV[1] // 220;
my $nrecords = $ARGV[2] // 100;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

sub json_text
{
	my ($text) = @_;
	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return "\"$text\"";
}

# One of several texts, or of subroutines that make them
sub one_of
{
	my $chosen = pick(@_);
	return ref $chosen ? $chosen->() : $chosen;
}

sub maybe
{
	my ($chance, $text) = @_;
	return rand() < $chance ? $text : '';
}

# ---- Columns ----

my @texts = (
	'drama', 'Drama', 'DRAMA', '', ' ', 'drama ', '1', '01', 'true', 'null', "o'clock", 'x"y', 'back\\slash', "tab\there", "line\nfeed",
	"\x{1}ctl", 'über', 'Über', "u\x{308}ber", "\x{1F600}", "\x{1F600}\x{10FFFF}", "\x{FFFD}", 'a%b', 'a_b', '2020-01-01', '$eq', '{}',
	'straße', 'STRASSE', 'ǆ', "\x{7f}", "\x{feff}bom",
);
my @words = grep { length() <= 7 && !/[^\x20-\x7e]/ } @texts;
my @numbers = qw(-1.5 0 1 2 2.5 0.1 0.3 0.30000000000000004 1e10 1e-7 100 -1 1e-30 9007199254740992 1e+22 123456.789);
my @uuids = qw(a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 00000000-0000-0000-0000-000000000001 ffffffff-ffff-ffff-ffff-ffffffffffff);
my @dates = qw(2020-01-01 2020-02-29 2021-12-31 1999-02-28 0001-01-01 9999-12-31 1970-01-01 1969-12-31);
my %epoch = (
	'1970-01-01 00:00:00' => 0, '2020-01-01 00:00:00' => 1577836800, '1969-12-31 23:59:59.5' => -0.5,
	'2021-12-31 23:59:59.999' => 1640995199.999, '2262-04-11 00:00:00' => 9223286400,
);
my @times = sort keys %epoch;
# as an array in SQL, and in JSON
my %lists = (
	'{}' => '[]', '{red}' => '["red"]', '{red,green}' => '["red", "green"]', '{green,red}' => '["green", "red"]', '{red,red}' => '["red", "red"]',
	'{"",blue}' => '["", "blue"]', '{"NULL"}' => '["NULL"]', '{"a,b","c\\"d"}' => '["a,b", "c\\"d"]', "{\x{1F600}}" => "[\"\x{1F600}\"]",
	'{blue,green,red}' => '["blue", "green", "red"]',
);
my @lists = sort keys %lists;

sub as_text
{
	return [map { [literal($_), json_text($_)] } @_];
}

sub as_number
{
	return [map { ["'$_'", $_] } @_];
}

my $stored_lists = [map { [literal($_), $lists{$_}] } @lists];

# For each column what can be stored, in SQL and in JSON.  One shows the field
# of another with a type or collation of its own: "same".
my $odd_name = 'a.b "c\\ ü $x';
my %columns = (
	t => {type => 'text', class => 'text', stored => as_text(@texts)},
	q => {type => 'text', class => 'text', stored => as_text(@texts), name => '"Wört ""q"" Up"', field => $odd_name},
	ci => {type => 'text', class => 'text', collation => 'ci', same => 't'},
	icu => {type => 'text', class => 'text', collation => '"en-x-icu"', same => 't'},
	v => {type => 'varchar(7)', class => 'text', stored => as_text(@words)},
	c => {type => 'char(7)', class => 'char', same => 'v'},
	dt => {type => 'word', class => 'text', same => 'v'},
	i2 => {type => 'smallint', class => 'number', stored => as_number(-32768, -1, 0, 1, 2, 3, 32767)},
	i => {type => 'int', class => 'number', stored => as_number(-2147483648, -1, 0, 1, 2, 3, 2020, 2147483647)},
	i8 => {type => 'bigint', class => 'number', stored => as_number(qw(-9007199254740992 -1 0 1 2 9007199254740992 4611686018427387904 -9223372036854775808))},
	di => {type => 'small', class => 'number', stored => as_number(0 .. 5)},
	r => {type => 'real', class => 'number', stored => as_number(qw(-1.5 0 0.1 0.3 1 2.5 16777216 1e-45 3.4028235e+38 123.456))},
	f => {type => 'float8', class => 'number', stored => as_number(@numbers)},
	n => {type => 'numeric', class => 'number', same => 'f'},
	n2 => {type => 'numeric(8,2)', class => 'number', stored => as_number(qw(-1.5 0 0.01 0.3 1 2.25 999999.99 -999999.99))},
	b => {type => 'boolean', class => 'other', stored => [['true', 'true'], ['false', 'false']]},
	d => {type => 'date', class => 'other', stored => [map { ["'$_'", "\"$_\""] } @dates]},
	de => {type => 'date', class => 'other', format => 'epoch', stored => [["'1970-01-01'", 0], ["'2020-02-29'", 1582934400], ["'1969-12-31'", -86400]]},
	ts => {type => 'timestamptz', class => 'other', stored => [map { ["'$_+00'", '"' . s/ /T/r . 'Z"'] } @times]},
	te => {type => 'timestamptz', class => 'other', format => 'epoch', stored => [map { ["'$_+00'", $epoch{$_}] } @times]},
	tm => {type => 'timestamp', class => 'other', format => 'epoch_ms', stored => [map { ["'$_'", $epoch{$_} * 1000] } @times]},
	u => {type => 'uuid', class => 'other', stored => [map({ ["'$_'", "\"$_\""] } @uuids), ["'$uuids[0]'", '"' . uc($uuids[0]) . '"']]},
	e => {type => 'mood', class => 'other', stored => as_text('sad', 'ok', 'Happy "x"')},
	tags => {type => 'text[]', class => 'list', stored => $stored_lists},
	vt => {type => 'varchar(7)[]', class => 'list', same => 'tags'},
	lst => {type => 'tagset', class => 'list', same => 'tags'},
	j => {type => 'jsonb', class => 'json', stored => [map { [literal($_), $_] } '1', '2.5', '"drama"', '"1"', 'true', '["red", "green"]', '[]']},
);
my @names = sort keys %columns;
for my $name (@names)
{
	my $column = $columns{$name};
	my $owner = $column->{same} // $name;

	$column->{name} //= $name;
	$column->{field} //= $owner;
	$column->{stored} //= $columns{$owner}{stored};
	$column->{base} = $column->{type} =~ s/\(.*//r;
}
my @scalars = grep { $columns{$_}{class} !~ /list|json/ } @names;

# What fits no column of a field, by class
my %misfits = (
	text => ['1', 'true', '["drama"]', '[]'],
	list => ['"red"', '1', 'true'],
	number => ['"1"', 'true', '["1"]'],
	other => ['"2020-13-01"', '"other"', '["true"]', '1.5e300', '"sad "', '""'],
);

# Other values that conditions ask for, by base type
my %others = (
	text => [map { literal($_) } 'other', 'dram', "\x{e000}", 'a.b'],
	word => [map { literal($_) } 'other', 'dram'],
	varchar => [map { literal($_) } 'other', 'dramatically long'],
	char => [map { literal($_) } 'other', 'drama     '],
	smallint => ['4', '1000'],
	int => ['4', '1999'],
	small => ['7'],
	bigint => [map { "'$_'" } qw(9007199254740993 9223372036854775807 -9007199254740993 4611686018427387905)],
	real => [map { "'$_'" } qw(NaN Infinity -Infinity -0 16777217 0.1000000015)],
	float8 => [map { "'$_'" } qw(NaN Infinity -Infinity -0 9007199254740993 4e-324 0.1000000015)],
	numeric => [map { "'$_'" } qw(NaN Infinity -Infinity 1e400 -1e400 1e-400 9007199254740993 9007199254740992.0 4611686018427388000 2.50000 1.8e308),
		qw(0.30000000000000004440892098500626 0.1000000000000000055511151231257827 1.797693134862315708e308)],
	date => [map { "'$_'" } 'infinity', '-infinity', '2020-03-01', '0044-03-15 BC', '10000-01-01'],
	timestamptz => [map { "'$_'" } 'infinity', '-infinity', '2020-01-01 00:00:00.000001+00', '0044-03-15 BC'],
	timestamp => [map { "'$_'" } 'infinity', '-infinity', '2020-01-01 00:00:00.000001', '0044-03-15 BC'],
	uuid => ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"],
	jsonb => [map { "'$_'" } '2.5', 'null', '{}', '["red"]'],
);

# ---- The statement at hand ----

# %T stands for the table, which is of a kind
my @kinds = qw(euclidean cosine dotproduct null vector halfvec many parts);
my %metric = (null => 'euclidean', vector => 'cosine', halfvec => 'euclidean', many => 'euclidean', parts => 'cosine');
my %operator = (euclidean => '<->', cosine => '<=>', dotproduct => '<#>');
my ($kind, $operator, $vector_type);
my ($use_params, @params);    # [literal, type]

# ---- Values ----

# A value of a type: a literal with a cast, or a parameter
sub as_value
{
	my ($literal, $type) = @_;

	return "$literal\::$type" unless $use_params && @params < 8 && rand() < 0.4;
	push @params, [$literal, $type];
	return '$' . @params;
}

sub raw_value
{
	my ($column) = @_;
	my $others = $others{$columns{$column}{base}};

	return 'NULL' if rand() < 0.04;
	return pick(@$others) if $others && rand() < 0.2;
	return pick($columns{$column}{stored}->@*)->[0];
}

# A value to compare a column with, not always of its type
sub value
{
	my ($column) = @_;
	my ($type, $class, $base) = $columns{$column}->@{qw(type class base)};
	my $raw = raw_value($column);

	return as_value(pick(map { literal($_) } @lists, '{NULL}', '{red,NULL}', '{{red},{green}}'), 'text[]') if $class eq 'list';
	return as_value($raw, pick($type, $base, 'text')) if $class eq 'text';
	return as_value($raw, $type) if $class ne 'number';
	if (rand() < 0.2)
	{
		my $other = pick('numeric', 'float8');
		return as_value(pick($others{$other}->@*), $other);
	}
	return as_value($raw, $base eq 'small' ? 'int' : $base) if $base !~ /int/ || rand() < 0.7;
	return as_value($raw, pick('numeric', 'float8', 'bigint'));
}

# ---- Expressions of the columns of a table with an alias ----

sub column
{
	my ($alias, $column) = @_;
	return "$alias.$columns{$column}{name}";
}

sub number_of
{
	my ($a, $depth) = @_;
	my $c = column($a, pick('i2', 'di', 'n2', 'i', 'r'));

	return $c if $depth <= 0 || rand() < 0.4;
	return one_of(
		"COALESCE($c, 3)", "NULLIF($c, 1)", "GREATEST($c, $a.di)", "LEAST($a.i2, $a.n2, 2)", "CASE $a.di WHEN 1 THEN $c WHEN 2 THEN -1 END",
		sub { 'CASE WHEN ' . condition($a, $depth - 1) . " THEN $c ELSE $a.i2 END" },
		"($c\::numeric + 1)", "-($c\::float8)", "abs($c\::numeric)", "length($a.t)", "length($a.v)", "cardinality($a.tags)",
		"extract(year FROM $a.d)", "extract(year FROM $a.ts)", "($c\::numeric % 3)", "round($c\::numeric)");
}

sub text_of
{
	my ($a, $depth) = @_;
	my $c = column($a, pick('t', 'v', 'q', 'dt', 'icu', 'ci'));

	return $c if $depth <= 0 || rand() < 0.4;
	return one_of(
		"upper($c COLLATE \"C\")", "coalesce($c, 'none')", "nullif($c, 'drama')", "$c || '!'", "left($c, 3)", "md5($c)", "$a.id",
		"$a.i::text", "$a.f::text", "$a.d::text", "$a.u::text", "$a.e::text", "$a.j::text", "$a.c::text", "$a.b::text", "$a.tags::text",
		"$a.tags[1]", "array_to_string($a.vt, ',')", "$a.metadata ->> 't'", "$a.metadata ->> 'i'", "$a.metadata -> 'tags' ->> 0",
		"concat_ws('/', $c, $a.i)", "(SELECT $c || max(o.k) FROM o WHERE o.k = $a.di)",
		sub { 'CASE WHEN ' . condition($a, $depth - 1) . " THEN $c ELSE 'else' END" });
}

my @comparisons = ('=', '=', '<>', '<', '<=', '>', '>=');

# A row of two columns, with others or with values
sub row_condition
{
	my ($a) = @_;
	my @pair = map { pick('i2', 'i', 'i8', 'di', 't', 'v', 'b', 'd') } 1 .. 2;
	my $row = '(' . join(', ', map { column($a, $_) } @pair) . ')';
	my $values = sub { '(' . join(', ', map { value($_) } @pair) . ')' };

	return one_of(
		sub { "$row " . pick('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM') . ' ' . $values->() },
		sub { "$row " . maybe(0.3, 'NOT ') . 'IN (' . join(', ', map { $values->() } 0 .. rand 3) . ')' },
		"ROW$row IS " . maybe(0.5, 'NOT ') . 'NULL');
}

sub list_condition
{
	my ($a) = @_;
	my $column = column($a, pick('tags', 'tags', 'vt', 'lst'));
	my $list = "$column\::text[]";
	my $element = one_of("'red'", "'blue'", "''", 'NULL', "'NULL'", "$a.t", sub { value('t') });

	return one_of(
		(map { my $op = $_; sub { "$list $op " . value('tags') } } '@>', '@>', '&&', '&&', '<@', '=', '<>', '<'),
		sub { value('tags') . " <\@ $list" }, sub { value('tags') . " && $list" }, "cardinality($list) = 2",
		"$element = ANY ($column)", "$element = ANY ($column)", "$element <> ALL ($column)", "NOT $element = ANY ($column)", "$column\[1] = $element", "$element < ANY ($column)");
}

sub subquery_condition
{
	my ($a) = @_;
	my $number = column($a, pick('di', 'i2', 'i', 'i8', 'n'));

	return one_of(
		pick('EXISTS', 'NOT EXISTS') . " (SELECT FROM o WHERE o.k = $number" . maybe(0.4, " AND o.t <> $a.t") . ')',
		"$number " . pick('IN', 'NOT IN', '= ANY', '< ALL', '> ANY', '<> ALL') . ' (SELECT k FROM o' . maybe(0.5, ' WHERE k IS NOT NULL') . ')',
		column($a, pick('t', 'v', 'q', 'icu')) . ' ' . pick('IN', 'NOT IN') . ' (SELECT t FROM o WHERE t IS NOT NULL)',
		"$number " . pick(@comparisons) . ' (SELECT ' . pick('max', 'min') . '(k) FROM o' . maybe(0.4, " WHERE o.t = $a.t") . ')',
		"$number = ANY (ARRAY(SELECT k FROM o WHERE k > 1))", "$number IN (VALUES (1), (2), (NULL))");
}

sub id_condition
{
	my ($a) = @_;
	my $id = "$a.id";
	my $some = "'" . id(int rand $nrecords * 1.1) . "'";

	return pick(
		"$id = $some", "$id IN ($some, 'gone', NULL)", "$id = $some OR $a.di = 1", "$id <> $some", "$id > $some", "$id NOT IN ('r1', 'r2')", "$id BETWEEN 'r1' AND 'r2'",
		"$id " . pick('LIKE', 'NOT LIKE') . ' ' . literal(pick('r%', 'r1%', 'r_2%', 'r10', 'r1%2', 'r1\\%', 'r\\1%', '%3', '%', '')),
		"$id ^\@ 'r1'", "starts_with($id, 'r2')", "$id ~ '^r3'", "$id ILIKE 'R1%'", "$id SIMILAR TO 'r(1|2)%'", "$id IS NULL", "$id IS NOT NULL", "$id = 'ü'", "$id = ''",
		"$id = (SELECT t FROM o WHERE k = 5)", "$id IN (SELECT 'r' || k FROM o)", "$id = ANY ((SELECT array_agg('r' || k) FROM o)::text[])");
}

sub metadata_condition
{
	my ($a) = @_;
	my $m = "$a.metadata";
	my $text = literal(pick(@texts));

	return pick(
		"$m ->> 't' = $text", "$m ->> 't' <> $text", "$m ->> 't' < $text", "$m -> 'i' = '2020'", "$m ->> 'i' IN ('1', '2020')", "$m ->> 'b' = 'true'",
		"CASE WHEN jsonb_typeof($m -> 'i') = 'number' THEN ($m ->> 'i')::numeric > 1 END", "$m ->> 't' IS NULL", "$m ->> 't' IS NOT NULL", "$m -> 'tags' IS NULL",
		"$m ? " . literal(pick('t', 'tags', '', 'none', $odd_name)), "$m ?| '{t,i}'", "$m ?& '{t,tags}'", "$m ?| '{}'", "$m ?& '{}'", "$m ?| '{NULL}'",
		(map { "$m \@> " . literal($_) } '{"i": 1}', '{"t": "drama"}', '{"tags": ["red"]}', '{"tags": []}', '{"tags": "red"}', '{}', '[]', '{"f": 0.1}', '{"f": 1e10}',
			'{"t": null}', '{"t": {}}', '{"b": true, "i2": 1}', '{"i8": 9007199254740993}', '{"f": 1e400}'),
		"$m <\@ '{\"t\": \"drama\"}'", "$m -> 'tags' ? 'red'", "$m #>> '{tags,0}' = 'red'", "$m \@? '\$.i ? (\@ > 1)'", "$m = '{}'",
		(map { "pinecone_match($m, " . literal($_) . ')' } '{"t": {"$ne": "drama"}}', '{"i": {"$gte": 2}, "tags": {"$in": ["red"]}}'), "NOT pinecone_match($m, '{\"i\": 1}')");
}

# Two columns
sub pair_condition
{
	my ($a) = @_;
	my ($x, $y) = pick([qw(i i8)], [qw(i2 n)], [qw(f n)], [qw(f r)], [qw(t q)], [qw(v t)], [qw(icu q)], [qw(de d)], [qw(d ts)], [qw(te ts)], [qw(tm d)], [qw(tags lst)],
		[qw(di i)], [qw(ts tm)], [qw(c v)])->@*;
	my $collation = $columns{$x}{class} =~ /text|char/ ? ' COLLATE "C"' : '';

	return column($a, $x) . $collation . ' ' . pick(@comparisons) . ' ' . column($a, $y) . $collation;
}

# = ANY and its like, of an array of the column's type
sub array_condition
{
	my ($a, $column) = @_;
	my $type = {small => 'int', word => 'text'}->{$columns{$column}{base}} // $columns{$column}{base};

	return column($a, $column) . ' ' . pick('= ANY', '= ANY', '<> ALL', '<> ALL', '= ALL', '<> ANY', '< ANY', '>= ALL') .
		' (' . as_value('ARRAY[' . join(', ', map { raw_value($column) } 1 .. rand 4) . ']', "${type}[]") . ')';
}

sub tenant_condition
{
	my ($a) = @_;
	my $letter = substr $kind, 0, 1;
	return "$a.tenant " . pick(
		"= '${letter}1'", "IN ('${letter}0', '${letter}2', 'none', NULL)", "<> '${letter}1'", "LIKE '%1'", "= (SELECT '${letter}2')",
		"= ANY ('{${letter}0,${letter}1}')", 'IS NULL', "> '${letter}0'", "= 'none'", "= $a.t");
}

sub leaf
{
	my ($a) = @_;
	my $column = pick(@scalars);
	my $c = column($a, $column);

	return tenant_condition($a) if $kind =~ /many|parts/ && rand() < 0.15;
	return one_of(
		(sub { "$c " . pick(@comparisons) . ' ' . value($column) }) x 4,
		sub { value($column) . ' ' . pick(@comparisons) . " $c" },
		sub { "$c " . maybe(0.3, 'NOT ') . 'BETWEEN ' . maybe(0.2, 'SYMMETRIC ') . value($column) . ' AND ' . value($column) },
		sub { "$c " . maybe(0.5, 'NOT ') . 'IN (' . join(', ', map { value($column) } 0 .. rand 4) . ')' },
		sub { array_condition($a, $column) },
		"$c IS " . maybe(0.5, 'NOT ') . 'NULL',
		sub { "$c IS " . maybe(0.5, 'NOT ') . 'DISTINCT FROM ' . value($column) },
		maybe(0.5, 'NOT ') . "$a.b" . pick('', ' IS TRUE', ' IS NOT TRUE', ' IS FALSE', ' IS NOT FALSE', ' IS UNKNOWN', ' IS NOT UNKNOWN', ' = true', ' <> false', ' > false', ' IS DISTINCT FROM true'),
		(sub { list_condition($a) }) x 2,
		sub { column($a, pick('t', 'q', 'v', 'dt', 'ci', 'icu')) . ' = ' . literal(pick(@texts)) . ' COLLATE ' . pick('ci', '"C"', '"en-x-icu"') },
		sub { row_condition($a) },
		sub { number_of($a, 1) . ' ' . pick(@comparisons) . ' ' . number_of($a, 1) },
		sub { number_of($a, 1) . ' ' . pick(@comparisons) . ' ' . value('n') },
		sub { '(' . text_of($a, 1) . ')::text COLLATE "C" ' . pick(@comparisons) . ' (' . text_of($a, 1) . ')::text COLLATE "C"' },
		sub { subquery_condition($a) },
		sub { id_condition($a) },
		(sub { metadata_condition($a) }) x 2,
		sub { "$a.j " . pick('=', '<>', '@>', '<@', '>') . ' ' . value('j') },
		sub { pick('COALESCE', 'NULLIF', 'GREATEST', 'LEAST') . "($c, " . value($column) . ') ' . pick(@comparisons) . ' ' . value($column) },
		sub { pair_condition($a) },
		'true', 'false', 'NULL::boolean', '1 = 2', "now() > '2000-01-01'", "leaky($a.t)", "is_small($a.di)");
}

sub condition
{
	my ($a, $depth) = @_;
	my $deeper = sub { condition($a, $depth - 1) };
	my $form = rand();

	return leaf($a) if $depth <= 0 || rand() < 0.4;
	return 'NOT (' . $deeper->() . ')' if $form < 0.15;
	return '(' . $deeper->() . ') IS ' . maybe(0.5, 'NOT ') . pick('TRUE', 'FALSE', 'UNKNOWN') if $form < 0.25;
	return 'CASE WHEN ' . $deeper->() . ' THEN ' . $deeper->() . ' ELSE ' . $deeper->() . ' END' if $form < 0.32;
	return 'COALESCE(' . $deeper->() . ', ' . $deeper->() . ')' if $form < 0.36;
	return '(' . $deeper->() . pick(' AND ', ' AND ', ' OR ') . $deeper->() . ')';
}

# ---- Statements ----

sub id
{
	my ($n) = @_;
	return "r$n" . 'x' x ($n % 3);
}

# Of numbers that halfvec keeps
sub vector
{
	return '{' . join(',', map { pick(-1, 1) * (1 + int rand 511) / 512 } 1 .. 3) . '}';
}

# What searches ask for: vectors of o, others, and those of the first records.  To none of
# these are two rows of a table as near, but to the three of o that are never rounded,
# and whose rows are sorted by id besides.
my $nlooked_up = 6;
my @outer = ('{0.509765625,0.4921875,-0.1015625}', '{-1,-1,0.302734375}', '{0.103515625,0.201171875,0.298828125}',
	'{0.697265625,-0.201171875,0.404296875}', '{0.302734375,0.294921875,0.900390625}');
my (%asked_for, %taken);

sub distance_between
{
	my ($metric, $x, $y) = @_;
	my ($u, $v) = map { [/[^{},]+/g] } $x, $y;
	my $dot = sub { $_[0][0] * $_[1][0] + $_[0][1] * $_[1][1] + $_[0][2] * $_[1][2] };

	return -$dot->($u, $v) if $metric eq 'dotproduct';
	return 1 - $dot->($u, $v) / sqrt($dot->($u, $u) * $dot->($v, $v)) if $metric eq 'cosine';
	return sqrt($dot->($u, $u) + $dot->($v, $v) - 2 * $dot->($u, $v));
}

sub asked_for
{
	my ($kind) = @_;
	return ($asked_for{$kind} //= [(map { vector() } 1 .. $nlooked_up + 24), @outer])->@*;
}

# A vector for a row of a table of a kind; $n: the record's number, if it is a new one
sub fresh_vector
{
	my ($kind, $n) = @_;
	my @queries = asked_for($kind);

	while (1)
	{
		my $is_looked_up = $n && $n <= $nlooked_up;
		my $vector = $is_looked_up ? $queries[$n - 1] : vector();
		# a step is more than a float32 of a score can be wrong by
		my @steps = map { int 2e5 * (4 + distance_between($metric{$kind} // $kind, $_, $vector)) } @queries;

		next if !$is_looked_up && grep { my $i = $_; grep { $taken{"$kind $i " . ($steps[$i] + $_)} } -1, 0, 1 } 0 .. $#queries;
		$taken{"$kind $_ $steps[$_]"} = 1 for 0 .. $#queries;
		return $vector;
	}
}

sub vector_literal
{
	my ($vector, $kind) = @_;
	return literal($kind =~ /vec/ ? $vector =~ tr/{}/[]/r : $vector);
}

sub distance
{
	my ($a) = @_;
	my $vector = one_of(
		(sub { as_value(vector_literal(pick(asked_for($kind)), $kind), $vector_type) }) x 12,
		"(SELECT v::$vector_type FROM o WHERE k = 3)",
		"(SELECT embedding FROM %T WHERE id = '" . id(1 + int rand $nlooked_up) . "')");

	my $column = "$a.embedding" . ($kind eq 'vector' && rand() < 0.3 ? '::halfvec' : '');
	return rand() < 0.8 ? "$column $operator $vector" : "$vector $operator $column";
}

# The table, or what shows all or some of its rows
sub table
{
	return one_of(
		('%T') x 8, '%T_view', '%T_barrier', '%T_function(2)', '%T_all', '(SELECT * FROM %T OFFSET 0)',
		'(SELECT * FROM %T WHERE di > 1 UNION ALL SELECT * FROM %T WHERE di <= 1)', sub { '(SELECT * FROM %T WHERE ' . condition('%T', 1) . ')' });
}

# What is shown of a row, the id first
sub target
{
	my ($a) = @_;
	return "$a.id" . one_of(
		('') x 3, sub { join '', map { ', ' . column($a, pick(@names)) } 0 .. rand 4 }, sub { ', ' . text_of($a, 2) }, sub { ', ' . number_of($a, 2) }, sub { ', ' . condition($a, 1) . ' AS yes' },
		", ($a).i, ($a).t", ", $a.metadata", ", $a.*", ", $a", ", to_jsonb($a)", ", $a.embedding", ", array_length($a.embedding::real[], 1), $a.v");
}

sub limit
{
	return one_of(
		'', '', sub { 'LIMIT ' . int rand 20 }, sub { 'LIMIT ' . int(rand 20) . ' OFFSET ' . int rand 30 }, sub { 'OFFSET ' . int rand 200 }, 'LIMIT ALL', 'LIMIT NULL OFFSET 3', 'LIMIT 0',
		'LIMIT (SELECT max(k) FROM o)', 'LIMIT 2.6', "LIMIT length('abc')", 'FETCH FIRST 4 ROWS ONLY', 'OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY',
		sub { 'LIMIT ' . as_value(int rand 9, 'bigint') }, sub { 'LIMIT ' . as_value(int rand 9, 'int') . ' OFFSET ' . as_value(int rand 9, 'int') . ' + 1' });
}

# A search: rows in the order of distance.  $columns, if given, are shown alone.
sub search
{
	my ($where, $columns) = @_;
	my $d = distance('a');
	my $order = pick(($d) x 4, "$d, a.id", "$d ASC NULLS LAST", "$d DESC", "$d NULLS FIRST", "round(($d)::numeric, 5), a.id", "($d) + 0", "-($d) DESC", "1 - ($d) DESC", "($d)::numeric", "2 * ($d)");
	my $bound = maybe(0.3, " AND $d " . pick('<', '<=', '<', '<', '>') . ' ' . as_value(pick("'0.5'", "'0.8'", "'1.3'", "'NaN'", "'Infinity'", "'-0.4'", 'NULL'), 'float8'));
	my $from = rand() < 0.75 ? '%T' : table();

	$columns //= one_of("a.id, round(($d)::numeric, 2) AS distance, 0 * ($d) + 1 AS one", 'a.id, a.embedding', 'a.id, a', (sub { target('a') }) x 3);
	return "SELECT $columns FROM $from a WHERE $where$bound ORDER BY $order " . (rand() < 0.1 ? 'FETCH FIRST 5 ROWS WITH TIES' : limit());
}

sub aggregate
{
	my ($from, $x, $y) = @_;
	my $having = maybe(0.4, ' HAVING count(*) > ' . int rand 4);

	return one_of(
		sub {
			"SELECT $x, $y, count(*), " . one_of('count(a.id)', 'sum(a.i2)', 'max(a.v)', 'count(DISTINCT a.t)', sub { 'count(*) FILTER (WHERE ' . condition('a', 1) . ')' },
				'array_agg(a.id ORDER BY a.id)', 'bool_or(a.b)', 'min(a.d)', 'avg(a.n2)') .
				" FROM $from GROUP BY " . pick("$x, $y", "$x, $y", "ROLLUP ($x, $y)", "CUBE ($x, $y)", "GROUPING SETS (($x), ($y), ())") . $having;
		},
		'SELECT ' . pick('count(*)', 'count(*), count(a.id)', 'count(a)', 'count(a.t), sum(a.i), max(a.id)', 'count(*) FILTER (WHERE a.b)', "count(*) + 1, 'x' || count(*)", 'max(a.id)',
			"string_agg(a.id, ',' ORDER BY a.id)", 'count(DISTINCT a.id)', '1') . " FROM $from$having");
}

sub joined
{
	my ($from, $where) = @_;
	my $inner = condition('b', 1);

	return one_of(
		"SELECT a.id, b.id AS bid FROM $from " . pick('JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN') . ' ' . table() . ' b ON ' .
			pick('a.id = b.id', 'a.di = b.i2', 'a.t = b.t', 'a.v = b.dt', 'a.i = b.i8', 'a.d = b.d', 'a.u = b.u AND a.di = b.di', 'a.tags = b.lst') . " WHERE ($where)" . maybe(0.5, ' AND coalesce(b.di, 1) < 3'),
		"SELECT a.id FROM $from WHERE ($where) AND " . maybe(0.5, 'NOT ') . 'EXISTS (SELECT FROM %T b WHERE ' . pick('a.id = b.id', 'a.di = b.i2', 'b.v = a.t', 'a.i = b.i8', 'b.n2 = a.n') . " AND $inner)",
		"SELECT a.id FROM $from WHERE " . column('a', pick('di', 'i2', 'i', 'n')) . ' ' . pick('IN', 'NOT IN', '= ANY') . " (SELECT b.di FROM %T b WHERE $inner) AND ($where)",
		"WITH c AS " . pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ') . "(SELECT * FROM $from WHERE $where) SELECT p.id, q.id AS qid FROM c p JOIN c q ON " .
			pick('p.id = q.id', 'p.di = q.i2', 'p.t = q.t AND p.id < q.id', 'p.v = q.dt', 'p.i = q.i8 AND p.b = q.b', 'p.n = q.f AND q.di = 1', 'p.e = q.e AND p.di = 2'),
		"WITH RECURSIVE w AS (SELECT a.id, 0 AS n FROM $from WHERE $where UNION " . maybe(0.5, 'ALL ') . 'SELECT m.id, w.n + 1 FROM w JOIN %T m ON ' .
			pick('m.di = w.n AND m.id > w.id', "m.id = w.id || 'x'", 'm.i2 = w.n AND m.b') . ' WHERE w.n < 3) SELECT n, count(*), max(id) FROM w GROUP BY n');
}

# For each row of o
sub correlated
{
	my ($where) = @_;
	my $link = pick('l.id = o.t', 'l.di = o.k', 'l.i2 < o.k', 'l.t = o.t', 'l.v IS NOT DISTINCT FROM o.t', 'o.t = ANY (l.tags)', 'l.tags @> ARRAY[o.t]', 'l.n <= o.k', 'l.r > o.k',
		"l.metadata ->> 't' = o.t", 'l.b = (o.k > 2)', 'l.id LIKE o.t', "l.id ^\@ ('r' || o.k)", 'l.i8 = o.k OR l.di = o.k', 'l.i8 IN (o.k, o.k + 1)', "l.d > date '2020-01-01' + o.k",
		'l.i = (SELECT max(p.k) FROM o p WHERE p.t = o.t)', 'l.i2 = ANY (ARRAY(SELECT p.k FROM o p WHERE p.k >= o.k))');
	my $order = pick("l.embedding $operator o.v::$vector_type, l.id", "o.v::$vector_type $operator l.embedding, l.id", 'l.id');
	my $limit = pick(1, 2, 3, 4, '(SELECT o.k)');

	return one_of(
		sub {
			my $lateral = "SELECT l.* FROM %T l WHERE $link" . maybe(0.5, ' AND (' . condition('l', 1) . ')') . " ORDER BY $order LIMIT $limit";
			return 'SELECT o.k, l.id FROM o ' . pick("CROSS JOIN LATERAL ($lateral) l", "LEFT JOIN LATERAL ($lateral) l ON true", "JOIN LATERAL ($lateral) l ON l.di >= o.k");
		},
		'SELECT o.k, (SELECT ' . pick('count(*)', 'max(l.id)', 'min(l.i2)', "string_agg(l.id, ',' ORDER BY l.id)") . ' FROM %T l WHERE ' . $link . ' AND (' . condition('l', 1) . ')) FROM o');
}

# [statement, whether the order of its rows counts]
sub statement
{
	my $from = table() . ' a';
	my $where = rand() < 0.15 ? 'true' : condition('a', 2) . maybe(0.04, ' AND %T_count(a.di) > 15');
	my $rows = "$from WHERE $where";
	my ($x, $y) = map { column('a', pick('i2', 'di', 'v', 'b', 'e', 'd', 'n2', 'icu', 'tags', 'dt', 'c', 'te')) } 1, 2;

	return pick(
		(sub { ['SELECT ' . target('a') . " FROM $rows", 0] }) x 5,
		(sub { ['SELECT ' . target('a') . " FROM $rows ORDER BY " . pick('a.id', 'a.id COLLATE "C" DESC', "$x, a.id", "$x DESC NULLS LAST, $y, a.id", 'a.id COLLATE "en-x-icu"') . ' ' . limit(), 1] }) x 2,
		(sub { [search($where), 1] }) x 4,
		sub { ['SELECT ' . pick('unnest(a.tags)', 'generate_series(1, a.di)', 'generate_series(1, 2)', "regexp_split_to_table(a.t, 'a')") . ' AS u, ' . (search($where) =~ s/^SELECT //r), 1] },
		(sub { [aggregate($rows, $x, $y), 0] }) x 2,
		sub { ["SELECT DISTINCT ON ($x) $x, a.id, a.t FROM $rows ORDER BY $x, a.id " . maybe(0.3, 'LIMIT 3'), 1] },
		sub { ["SELECT DISTINCT $x, $y FROM $rows", 0] },
		sub { ["SELECT a.id, row_number() OVER (PARTITION BY $x ORDER BY a.id), " . pick('sum(a.i2) OVER (ORDER BY a.id ROWS 2 PRECEDING)', 'lag(a.t) OVER (ORDER BY a.id)', 'count(*) OVER ()', "rank() OVER (ORDER BY $y, a.id)") . " FROM $rows" . maybe(0.4, ' ORDER BY a.id LIMIT 7'), 0] },
		sub { ["SELECT a.id, $x AS x FROM $rows " . pick('UNION', 'UNION ALL', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT', 'INTERSECT ALL') . ' SELECT b.id, ' . ($x =~ s/^a\./b./r) . ' FROM %T b WHERE ' . condition('b', 1) . maybe(0.4, ' ORDER BY 1, 2 LIMIT 9'), 0] },
		(sub { [joined($from, $where), 0] }) x 3,
		(sub { [correlated($where), 0] }) x 3,
		sub { ['(' . search($where, 'a.id') . ') UNION ALL (SELECT b.id FROM %T b WHERE ' . condition('b', 1) . ' ORDER BY b.id LIMIT 3)', 0] },
		sub { ['SELECT s.id FROM (' . search($where, 'a.id') . ') s JOIN %T m ON m.id = s.id WHERE ' . condition('m', 1), 0] },
		sub { ["SELECT a.id, a.tableoid = 0 AS none, a.t FROM $rows", 0] },
		sub { ["SELECT a.id, b.id AS bid FROM %T a, %T b WHERE a.id < b.id AND b.i2 = 1 AND a.embedding $operator b.embedding < 1.5 AND $where ORDER BY a.embedding $operator b.embedding LIMIT 5", 1] })->();
}

my @switches = (map({ "pinecone_fdw.enable_$_" } qw(filter knn limit fetch prefix sort aggregate columns read_ahead prune spellings sweep metadata_pages groups order gather direct_modify)),
	map({ "enable_$_" } qw(hashjoin mergejoin nestloop sort incremental_sort hashagg material memoize seqscan async_append)));
my $force_parallel;

sub settings
{
	my @settings = map { pick(@switches) . ' = off' } 1 .. pick(0, 0, 1, 2, 3);
	my @groups = (
		['work_mem = 64'], ['pinecone_fdw.prefetch = 64'], ['pinecone_fdw.read_ahead = 2'], ['from_collapse_limit = 1', 'join_collapse_limit = 1'], ['geqo_threshold = 2'],
		["$force_parallel = on", 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0'], ['constraint_exclusion = on'],
		['enable_partitionwise_join = on', 'enable_partitionwise_aggregate = on'], ['cursor_tuple_fraction = 0.01'], ['transform_null_equals = on'],
		['cpu_tuple_cost = 100'], ['pinecone_fdw.wide_listing_records = 0'], ['enable_hashjoin = off', 'enable_mergejoin = off', 'enable_material = off'],
		['extra_float_digits = -9'], ["DateStyle = 'SQL, DMY'"], ["TimeZone = 'Pacific/Chatham'"],
	);

	push @settings, pick(@groups)->@* while rand() < 0.4;
	push @settings, 'pinecone_fdw.sweep_records = 0' if rand() < 0.4;
	push @settings, 'plan_cache_mode = ' . pick('force_generic_plan', 'force_custom_plan') if rand() < 0.6;
	return @settings;
}

# ---- Records ----

# A record of a table of a kind: its id, namespace and vector, its metadata as
# JSON, its other columns in SQL.  Of kind "null" some values fit no column.
sub record
{
	my ($n, $kind, $new) = @_;
	# numbers are shown in their shortest form
	my %shortest = ('-9223372036854775808' => '-9223372036854776000', '4611686018427387904' => '4611686018427388000');
	my (%metadata, %row);

	for my $name (grep { !$columns{$_}{same} } @names)
	{
		my $column = $columns{$name};
		my $misfits = $misfits{$column->{class}};
		next if rand() < 0.25;
		my ($sql, $json) = pick($column->{stored}->@*)->@*;

		($sql, $json) = ('NULL', pick(@$misfits)) if $kind eq 'null' && $misfits && rand() < 0.15;
		$metadata{$column->{field}} = $shortest{$json} // $json;
		$row{$name} = $sql;
	}
	return {
		id => id($n),
		namespace => {many => 'm' . int rand 3, parts => 'p' . int rand 4}->{$kind} // $kind,
		vector => fresh_vector($kind, $new && $n),
		metadata => '{' . join(', ', map { json_text($_) . ": $metadata{$_}" } sort keys %metadata) . '}',
		columns => join(', ', map { $row{$columns{$_}{same} // $_} // 'NULL' } @names),
	};
}

# Statements that insert a record, whole, or as what Pinecone knows of it
sub insert
{
	my ($table, $record, $kind, $whole) = @_;
	my $tenant = $kind =~ /many|parts/;

	return "INSERT INTO $table (id, embedding, metadata" . ($tenant ? ', tenant' : '') . ($whole ? join '', map { ", $columns{$_}{name}" } @names : '') .
		") VALUES ('$record->{id}', " . vector_literal($record->{vector}, $kind) . ', ' . literal($record->{metadata}) . ($tenant ? ", '$record->{namespace}'" : '') .
		($whole ? ", $record->{columns}" : '') . ')';
}

# Statements that write the same to the foreign and the local table
sub writes
{
	my $letter = substr $kind, 0, 1;
	my @writes;

	for (0 .. rand 3)
	{
		my $n = 1 + int rand $nrecords * 1.1;
		my $record = record($n, $kind);
		my $moved = vector_literal(fresh_vector($kind), $kind);
		my $some = pick("id IN ('" . id(1 + int rand $nrecords) . "', '" . id(1 + int rand $nrecords) . "')", 'di = 1 AND i > 0', "t = 'drama'", 'i8 IS NULL AND b', 'length(id) = 3 AND i2 > 0');

		push @writes, map { "DELETE FROM ${_}_$letter WHERE $some" } 'f', 'l' if rand() < 0.5;
		push @writes, map { ("DELETE FROM ${_}_$letter WHERE id = '$record->{id}'", insert("${_}_$letter", $record, $kind, $_ eq 'l')) } 'f', 'l' if rand() < 0.8;
		push @writes, map { "UPDATE ${_}_$letter SET embedding = $moved WHERE id = '" . id($n + 1) . "'" } 'f', 'l' if rand() < 0.3;
	}
	return @writes;
}

# ---- Modifications: %T is the table, %L a copy that stays as it is ----

# Columns that are set, with a value that depends on the row
my %changed = (
	t => "a.t || 'z'", v => 'left(a.t, 5)', i2 => 'a.di', di => '(a.di + 1) % 6', b => 'NOT a.b', f => 'a.i2 + 0.5', tags => "a.tags || 'new'::text", d => 'a.d',
	e => 'a.e', i => 'a.i2 * 2', i8 => 'a.i8 / 2', n2 => 'a.di / 4.0', q => 'a.v');
my @changed = sort keys %changed;
my $fresh = 0;

sub assignments
{
	my @columns = grep { rand() < 0.2 } @changed;

	@columns = pick(@changed) if !@columns;
	return join ', ', map {
		"$columns{$_}{name} = " . one_of('NULL', (sub { pick($columns{$_}{stored}->@*)->[0] . "::$columns{$_}{type}" }) x 4, $changed{$_}, $changed{$_})
	} @columns;
}

# A vector of an id's own, so that no two are as near
sub vector_of
{
	my ($id) = @_;
	my $n = ++$fresh;
	return "ARRAY[(hashtext($id || '$n') % 256 + 256) / 512.0, hashtext($id || 'y$n') % 511 / 512.0, hashtext($id || 'z$n') % 511 / 512.0]::real[]::$vector_type";
}

sub insertion
{
	my ($where) = @_;
	my $key = $kind eq 'many' ? 'tenant, id' : 'id';
	my $tenant = $kind =~ /many|parts/ ? ', tenant' : '';
	my @columns = map { $columns{$_}{name} } grep { rand() < 0.5 } @changed;
	my @some = grep { rand() < 0.6 } @columns;
	my $conflict = $kind eq 'parts' ? '' : one_of('', '', 'ON CONFLICT DO NOTHING', "ON CONFLICT ($key) DO NOTHING", @some ? "ON CONFLICT ($key) DO UPDATE SET " . join(', ', map { "$_ = EXCLUDED.$_" } @some) : '');
	my $id = 'a.id || ' . ($conflict ? 'CASE WHEN a.di > 2 THEN \'n' . ++$fresh . '\' ELSE \'\' END' : '\'n' . ++$fresh . '\'');

	return 'INSERT INTO %T (' . join(', ', 'id', 'embedding', @columns) . "$tenant) SELECT " . join(', ', $id, vector_of('a.id'), map { "a.$_" } @columns) . ($tenant ? ', a.tenant' : '') .
		' FROM ' . pick('%T', '%L') . " a WHERE $where $conflict" . ($conflict =~ /UPDATE/ ? '' : maybe(0.3, ' RETURNING id'));
}

sub modification
{
	my $where = condition('a', pick(0, 0, 1, 2));
	my $set = assignments();
	my $returning = maybe(0.3, ' RETURNING ' . pick('a.id', 'a.id, a.t, a.di', 'a.*', 'a.id, a.metadata', 'a.id, a.i8 / 2, a.tags'));
	my ($x, $y) = pick([qw(t di)], [qw(i2 v)], [qw(b d)], [qw(tags i8)], [qw(n2 f)], [qw(e t)])->@*;
	my $other = condition('x', 1);
	my $moved = vector_of('a.id');

	return "DELETE FROM %T a WHERE $where$returning" if $kind eq 'null' || rand() < 0.15;
	return insertion($where) if rand() < 0.2;
	return one_of(
		("UPDATE %T a SET $set WHERE $where$returning") x 4,
		"UPDATE %T a SET embedding = $moved, $set WHERE $where$returning",
		"UPDATE %T a SET $set FROM %L x WHERE x.id = a.id AND $other AND $where$returning",
		"UPDATE %T a SET ($x, $y) = (SELECT x.$x, x.$y FROM %L x WHERE x.id = a.id AND $other) WHERE $where$returning",
		"UPDATE %T a SET ($x, $y) = (NULL, DEFAULT) WHERE $where",
		"UPDATE %T a SET $x = (SELECT x.$x FROM %T x WHERE x.id = a.id || 'x' OR x.id || 'x' = a.id ORDER BY x.id LIMIT 1) WHERE $where",
		"UPDATE %T a SET di = (SELECT count(*) FROM %L x WHERE x.di = a.di AND $other) % 7 WHERE $where",
		"UPDATE %T_" . pick('view', 'barrier') . " a SET $set WHERE $where",
		"DELETE FROM %T_" . pick('view', 'barrier') . " a WHERE $where$returning",
		"DELETE FROM %T a USING %L x WHERE a.id = x.id AND x.di = 2 AND $other AND $where",
		"DELETE FROM %T a WHERE a.id IN (SELECT x.id FROM %T x WHERE $other" . maybe(0.5, ' ORDER BY x.id LIMIT 5') . ")$returning",
		"WITH w AS (DELETE FROM %T a WHERE a.di = 2 AND $where RETURNING a.*) UPDATE %T a SET t = w.v FROM w WHERE a.id = w.id || 'x' AND a.di <> 2 RETURNING a.id",
		$kind eq 'parts' ? () : "UPDATE %T a SET id = a.id || 'u" . ++$fresh . "' WHERE a.i2 = 1 AND $where",
		$kind eq 'many' ? "UPDATE %T a SET tenant = 'm" . int(rand 3) . "', $set WHERE $where" : (),
		# plans that are made once, and writes that a caught error takes back
		"DO \$d\$ DECLARE val int := 3; BEGIN FOR num IN 0 .. 7 LOOP UPDATE %T a SET di = val, t = NULLIF('t' || num, 't4') WHERE a.i2 = num; val := num % 5; END LOOP; END \$d\$",
		"DO \$d\$ DECLARE r record; BEGIN FOR r IN SELECT a.id, a.di FROM %T a WHERE $where ORDER BY a.id LOOP UPDATE %T SET i2 = r.di, t = 'seen' WHERE id = r.id; IF r.di = 2 THEN DELETE FROM %T WHERE id IN (r.id, r.id || 'x'); END IF; END LOOP; END \$d\$",
		"DO \$d\$ BEGIN UPDATE %T a SET $set WHERE $where; BEGIN DELETE FROM %T x WHERE $other; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN UPDATE %T x SET b = NOT x.b WHERE $other; END; END \$d\$");
}

# ---- Tables: f_X is foreign, l_X local, X the first letter of the kind ----

srand $seed;
my $t = Harness->new;
sub sql
{
	return $t->sql(encode_utf8(join ";\n", @_));
}

$force_parallel = $t->sql('SHOW server_version_num') >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';
sql(<<'END');
CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy "x"');
CREATE DOMAIN word AS text CHECK (length(VALUE) < 8);
CREATE DOMAIN small AS int CHECK (VALUE BETWEEN -10 AND 10);
CREATE DOMAIN tagset AS text[];
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE o (k int, t text, v real[]);
CREATE FUNCTION leaky(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RETURN $1 < 'n' COLLATE "C"; END $$;
CREATE FUNCTION is_small(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 < 3';
CREATE FUNCTION o_has(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM o WHERE t = $1)';
-- The rows of a query, as a cursor, a prepared statement or a subquery gives them
CREATE FUNCTION answer(query text, ordered bool, how text, types text, params text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text[] := '{}';
  r record;
  c refcursor;
BEGIN
  IF how = 'cursor' THEN
    OPEN c SCROLL FOR EXECUTE query;
    FETCH FORWARD FROM c INTO r;
    FETCH FORWARD FROM c INTO r;
    MOVE BACKWARD ALL FROM c;
    LOOP
      FETCH c INTO r;
      EXIT WHEN NOT FOUND;
      result := result || r::text;
    END LOOP;
    CLOSE c;
  ELSIF how = 'prepared' THEN
    EXECUTE 'PREPARE p' || types || ' AS ' || query;
    FOR i IN 1 .. 2 LOOP
      result := '{}';
      FOR r IN EXECUTE 'EXECUTE p' || params LOOP
        result := result || r::text;
      END LOOP;
    END LOOP;
    DEALLOCATE p;
  ELSIF how = 'wrapped' THEN
    EXECUTE 'SELECT array_agg(r::text) FROM (' || query || ') r' INTO result;
  ELSE
    FOR r IN EXECUTE query LOOP
      result := result || r::text;
    END LOOP;
  END IF;
  IF NOT ordered THEN
    SELECT array_agg(x ORDER BY x COLLATE "C") INTO result FROM unnest(result) x;
  END IF;
  RETURN coalesce(cardinality(result), 0) || E' rows\n' || coalesce(array_to_string(result, E'\n', '<null>'), '');
EXCEPTION WHEN others THEN
  IF how = 'prepared' THEN
    DEALLOCATE ALL;
  END IF;
  RETURN 'error: ' || sqlerrm;
END $$;
-- What modifications count and return, and then the query's row; all is undone if it is not to be kept
CREATE FUNCTION modified(statements text[], query text, keep bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text := ''; statement text; returned text[]; r record; n bigint;
BEGIN
  FOREACH statement IN ARRAY statements LOOP
    IF statement ~ 'RETURNING' AND statement !~ '^DO' THEN
      returned := '{}';
      FOR r IN EXECUTE statement LOOP
        returned := returned || r::text;
      END LOOP;
      SELECT result || count(*) || E' returned\n' || coalesce(string_agg(x, E'\n' ORDER BY x COLLATE "C"), '') INTO result FROM unnest(returned) x;
    ELSE
      EXECUTE statement;
      GET DIAGNOSTICS n = ROW_COUNT;
      result := result || n || E' rows\n';
    END IF;
  END LOOP;
  EXECUTE query INTO statement;
  result := result || coalesce(statement, '');
  IF keep THEN
    RETURN result;
  END IF;
  RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
  RETURN result;
WHEN others THEN
  RETURN 'error: ' || sqlerrm;
END $$;
-- What EXPLAIN shows: nothing if it is well-formed
CREATE FUNCTION explained(query text, options text, format text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (%s, FORMAT %s) %s', options, format, query) LOOP
    result := result || line || E'\n';
  END LOOP;
  IF (CASE format WHEN 'json' THEN jsonb_typeof(result::jsonb) = 'array' WHEN 'xml' THEN XMLPARSE(DOCUMENT result) IS NOT NULL ELSE length(result) > 20 END) THEN
    RETURN '';
  END IF;
  RETURN result;
EXCEPTION WHEN others THEN
  RETURN 'error: ' || sqlerrm;
END $$;
END
sql("INSERT INTO o VALUES (0, 'drama', '{1,0,0}'), (1, 'red', '{0,1,0}'), (2, 'r2xx', '$outer[0]'), (3, NULL, '$outer[1]'), (NULL, 'Drama', '$outer[2]'),
  (5, 'r12', '{1,1,1}'), (2, 'r7x', '$outer[3]'), (1, '', '$outer[4]')");
# Not every PostgreSQL is built with libxml
my $has_xml = $t->psql("SELECT XMLPARSE(DOCUMENT '<a/>')")->{err} eq '';
$t->server->create_index($_, dimension => 3, metric => $_) for sort keys %operator;

my %local = map { $_ => "$columns{$_}{name} $columns{$_}{type}" . ($columns{$_}{collation} ? " COLLATE $columns{$_}{collation}" : '') } @names;
my %foreign = map {
	my $column = $columns{$_};
	my @options = ("field " . literal($column->{field}), $column->{format} ? "format '$column->{format}'" : ());
	$_ => "$column->{name} $column->{type} OPTIONS (" . join(', ', @options) . ')' . ($column->{collation} ? " COLLATE $column->{collation}" : '')
} @names;

my %cached;
my %asked;

# Local tables show what is set in the other columns of a field and in the metadata, as foreign ones do
sub prepare_modifications
{
	my ($kind, $letter) = @_;
	my $key = $kind eq 'many' ? 'tenant, id' : 'id';
	my %json = (i8 => 'NEW.i8::float8::text::numeric', n2 => 'trim_scale(NEW.n2)');
	my $body = '';

	for my $column (@changed)
	{
		my ($new, $field) = ("NEW.$columns{$column}{name}", literal($columns{$column}{field}));
		my $shown = join ' ', map { "NEW.$columns{$_}{name} := $new" . ($_ eq 'n' ? '::text::numeric' : '') . ';' } grep { ($columns{$_}{same} // '') eq $column } @names;
		$body .= "IF TG_OP = 'INSERT' OR $new IS DISTINCT FROM " . ($new =~ s/NEW/OLD/r) . " THEN NEW.metadata := NEW.metadata - $field || CASE WHEN $new IS NULL THEN '{}' ELSE jsonb_build_object($field, " . ($json{$column} // $new) . ") END; $shown END IF;\n";
	}
	sql("CREATE TABLE s_$letter AS SELECT * FROM l_$letter", "ANALYZE s_$letter", $kind eq 'parts' ? 'SELECT' : "ALTER TABLE l_$letter ADD PRIMARY KEY ($key)");
	return if $kind eq 'null';    # nothing is set there
	for my $table ("l_$letter", $kind eq 'parts' ? 'f_p3' : ())
	{
		sql("CREATE FUNCTION show_$table() RETURNS trigger LANGUAGE plpgsql SET extra_float_digits = 1 AS \$\$ BEGIN NEW.metadata := coalesce(NEW.metadata, '{}'); $body RETURN NEW; END \$\$",
			"CREATE TRIGGER show BEFORE INSERT OR UPDATE ON $table FOR EACH ROW EXECUTE FUNCTION show_$table()");
	}
}

sub make_tables
{
	my ($kind) = @_;
	my $letter = substr $kind, 0, 1;
	my $index = $metric{$kind} // $kind;
	local $ENV{PINECONE_LOCAL_CACHE} = 1 if $cached{$kind};
	my $vector = $kind =~ /vec/ ? "$kind(3)" : 'real[]';
	my $host = $t->server->host($index);
	my @records = map { record($_, $kind, 1) } 1 .. $nrecords;
	my $tenant = $kind =~ /many|parts/ ? ', tenant text COLLATE "C"' : '';
	my $local = "id text COLLATE \"C\", embedding $vector, " . join(', ', map { $local{$_} } @names) . "$tenant, metadata jsonb";
	my %namespaces;

	push $namespaces{$_->{namespace}}->@*, "{\"id\": \"$_->{id}\", \"values\": [" . substr($_->{vector}, 1, -1) . "], \"metadata\": $_->{metadata}}" for @records;
	for my $namespace (sort keys %namespaces)
	{
		$t->server->upsert_json($index, $namespace, [map { encode_utf8($_) } $namespaces{$namespace}->@*]);
	}
	sql("CREATE SERVER s_$kind FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where($index)]})", "CREATE USER MAPPING FOR CURRENT_USER SERVER s_$kind OPTIONS (api_key 'test-key')",
		"CREATE TABLE l_$letter ($local)", map { insert("l_$letter", $_, $kind, 1) } @records);
	if ($kind eq 'parts')
	{
		# the columns of each partition are in another order; one is local
		sql("CREATE TABLE f_p ($local) PARTITION BY LIST (tenant)", 'CREATE TABLE f_p3 PARTITION OF f_p FOR VALUES IN (\'p3\')',
			map { insert('f_p', $_, $kind, 1) } grep { $_->{namespace} eq 'p3' } @records);
		for my $n (0 .. 2)
		{
			my @columns = ('id text COLLATE "C"', 'embedding real[]', 'tenant text OPTIONS (role \'namespace\') COLLATE "C"', 'metadata jsonb', 'gone int', map { $foreign{$_} } @names);
			@columns = map { splice @columns, rand @columns, 1 } 1 .. @columns;
			sql("CREATE FOREIGN TABLE f_p$n (" . join(', ', @columns) . ") SERVER s_$kind OPTIONS (namespaces 'p$n')", "ALTER FOREIGN TABLE f_p$n DROP COLUMN gone",
				"ALTER TABLE f_p ATTACH PARTITION f_p$n FOR VALUES IN ('p$n')");
		}
	}
	else
	{
		# columns that are gone, and one that was added later
		my $role = $tenant =~ s/text/text OPTIONS (role 'namespace')/r;
		my $options = ($tenant ? "namespaces 'm0, m1, m2'" : "namespace '$kind'") . ($kind eq 'null' ? ", on_type_error 'null'" : '');
		sql("CREATE FOREIGN TABLE f_$letter (gone int, id text COLLATE \"C\", embedding $vector, gone_too text, " . join(', ', map { $foreign{$_} } @names) . "$role) SERVER s_$kind OPTIONS ($options)",
			"ALTER FOREIGN TABLE f_$letter DROP COLUMN gone, DROP COLUMN gone_too, ADD metadata jsonb");
	}
	for my $table ("f_$letter", "l_$letter")
	{
		sql("CREATE VIEW ${table}_view AS SELECT * FROM $table WHERE di IS DISTINCT FROM 4",
			"CREATE VIEW ${table}_barrier WITH (security_barrier) AS SELECT * FROM $table WHERE b IS NOT FALSE AND t <> 'Drama'",
			"CREATE VIEW ${table}_all AS SELECT * FROM $table WHERE b UNION ALL SELECT * FROM $table WHERE NOT b UNION ALL SELECT * FROM $table WHERE b IS NULL",
			"CREATE FUNCTION ${table}_function(int) RETURNS SETOF $table LANGUAGE sql STABLE AS 'SELECT * FROM $table WHERE di >= \$1'",
			# scans while another scan runs, and fails
			"CREATE FUNCTION ${table}_count(int) RETURNS bigint LANGUAGE plpgsql STABLE COST 100000 AS 'DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM $table WHERE di = \$1;
				BEGIN SELECT sum(1 / (di - di)) INTO n FROM $table WHERE i2 = \$1 AND length(id) > 2; EXCEPTION WHEN division_by_zero THEN n := n + 100; END; RETURN n; END'",
			"ANALYZE $table");
	}
	is($t->sql("SELECT count(*) FROM f_$letter"), $nrecords, "all records are read ($kind)");
	prepare_modifications($kind, $letter);
}

# with answers from memory; what was asked before is asked again there, with other writes pending
%cached = map { $_ => rand() < 0.4 } @kinds;
make_tables($_) for @kinds;

# ---- The comparison ----

# SQL that compares a random statement on both tables, and what to say of it
sub check
{
	my $how = pick('plain', 'plain', 'wrapped', 'cursor', 'prepared', 'prepared');

	$kind = pick(@kinds);
	$operator = $operator{$metric{$kind} // $kind};
	$vector_type = $kind =~ /vec/ ? $kind : 'real[]';
	$use_params = $how eq 'prepared';
	@params = ();
	my ($statement, $ordered) = statement()->@*;
	if ($cached{$kind})
	{
		push $asked{$kind}->@*, [$statement, $ordered, [@params], $how];
		($statement, $ordered, my $params, $how) = pick($asked{$kind}->@*)->@*;
		@params = @$params;
	}
	my @before = ("SET LOCAL statement_timeout = '30s'", map({ "SET LOCAL $_" } settings()), rand() < 0.15 && $kind ne 'parts' ? writes() : ());
	my ($types, $values) = map { my $n = $_; @params ? '(' . join(', ', map { $_->[$n] } @params) . ')' : '' } 1, 0;
	my ($foreign, $local) = map { literal($statement =~ s/%T/"${_}_" . substr $kind, 0, 1/ger) } 'f', 'l';
	my $certainty = approximate() ? certainty($statement, $how eq 'cursor') : 'all';
	my $as = ($ordered && $certainty ne 'rows' ? 'true' : 'false') . ", '$how', " . literal($types) . ', ' . literal($values);
	# near a record that has been deleted every row is as near: which of them there are is not told
	my $missing = join ' OR ', map { "NOT EXISTS (SELECT FROM l_" . substr($kind, 0, 1) . " WHERE id = '$_')" } $statement =~ /\(SELECT embedding FROM %T WHERE id = '(\w+)'\)/g;
	my $as_many = $missing ? " OR ($missing) AND x = '' AND split_part(f, E'\\n', 1) = split_part(l, E'\\n', 1)" : '';
	# control characters are no XML
	my $format = pick('json', 'yaml', 'text', $has_xml && $statement !~ /[\x01-\x08]/ ? 'xml' : ());
	my $explained = @params ? "''" : "explained($foreign, '" . pick('COSTS OFF', 'VERBOSE', 'VERBOSE, ANALYZE', 'ANALYZE, BUFFERS', 'SETTINGS') . "', '$format')";

	return {
		sql => join('', map { "$_;\n" } 'BEGIN', @before) . "SELECT CASE WHEN f = l AND x = '' OR f ~ '^error' AND l ~ '^error'$as_many THEN 'same ' || (f ~ '^error')::int ELSE concat_ws(E'\\n', 'foreign', f, 'local', l, 'explain', x) END || E'\\n===='" .
			" FROM (SELECT answer($foreign, $as) AS f, answer($local, $as) AS l, $explained AS x OFFSET 0) s;\nROLLBACK;\n",
		about => join("\n", join('; ', @before), "$how: $statement", $values, "table of $kind"),
		is_open => $certainty eq 'some' || $certainty eq 'open',
	};
}

# A query for all that a table holds
sub digest
{
	my ($table) = @_;
	my $tenant = $table =~ /_[mp]$/ ? 'tenant, ' : '';
	return "SELECT count(*) || E' stored\\n' || string_agg(r::text, E'\\n' ORDER BY r::text COLLATE \"C\") FROM (SELECT id, embedding, $tenant" . join(', ', map { $columns{$_}{name} } @names) . ", metadata FROM $table) r";
}

# SQL that compares what modifications do to both tables
sub check_modifications
{
	$kind = pick(@kinds);
	$operator = $operator{$metric{$kind} // $kind};
	$vector_type = $kind =~ /vec/ ? $kind : 'real[]';
	$use_params = 0;
	my $letter = substr $kind, 0, 1;
	my @modifications = map { modification() } 0 .. rand 3;
	my $keep = rand() < 0.5 ? 'true' : 'false';
	my @before = ("SET LOCAL statement_timeout = '30s'", map { "SET LOCAL $_" } settings());
	my ($foreign, $local) = map {
		my $table = $_;
		'modified(ARRAY[' . join(', ', map { literal(s/%T/$table/gr =~ s/%L/s_$letter/gr) } @modifications) . '], ' . literal(digest($table)) . ", $keep)"
	} "f_$letter", "l_$letter";

	return {
		sql => "LOAD 'pinecone_fdw';\n" . join('', map { "$_;\n" } 'BEGIN', @before) .
			"SELECT CASE WHEN f = l OR f ~ '^error' AND l ~ '^error' THEN 'same ' || (f ~ '^error')::int ELSE concat_ws(E'\\n', 'foreign', f, 'local', l, 'explain', '') END || E'\\n===='" .
			" FROM (SELECT $foreign AS f, $local AS l OFFSET 0) s;\nCOMMIT;\n",
		about => join("\n", join('; ', @before), @modifications, "kept: $keep, table of $kind"),
	};
}

# The first lines that only one of two answers has
sub differing_lines
{
	my ($answer) = @_;
	my ($foreign, $local, $explained) = $answer =~ /^foreign\n(.*)^local\n(.*)^explain\n(.*)/ms or return $answer;
	my (@differing, %count);

	$count{$_}++ for split /\n/, $foreign;
	$count{$_}-- for split /\n/, $local;
	@differing = map { ($count{$_} > 0 ? 'foreign: ' : 'local:   ') . substr $_, 0, 300 } grep { $count{$_} } sort { ($b =~ /^error/) - ($a =~ /^error/) || $a cmp $b } keys %count;
	if (!@differing && $foreign ne $local)
	{
		my ($f, $l) = map { [split /\n/] } $foreign, $local;

		@differing = ('in another order', map { ("foreign $_: " . substr($f->[$_], 0, 300), "local $_:   " . substr $l->[$_], 0, 300) } grep { $f->[$_] ne $l->[$_] } 0 .. $#$f);
	}
	return join "\n", @differing[0 .. ($#differing < 11 ? $#differing : 11)], substr $explained, 0, 300;
}

my %count = (same => 0, different => 0, error => 0);
my @checks = map { rand() < 0.2 ? check_modifications() : check() } 1 .. $nstatements;
# few at a time: what is sent and what comes back each fit a pipe
while (my @some = splice @checks, 0, 8)
{
	my $result = $t->psql(encode_utf8(join '', map { $_->{sql} } @some), '-v', 'ON_ERROR_STOP=0');
	my @answers = split /====\n?/, decode_utf8($result->{out});

	diag "seed $seed: $result->{err}" if $result->{err};
	for my $i (0 .. $#some)
	{
		my $answer = $answers[$i] // 'no answer';

		# which neighbours an approximate index brings is up to it
		$answer = 'same open' if $some[$i]{is_open} && $answer !~ /^foreign\nerror|^no answer/;
		$count{$answer =~ /^same/ ? 'same' : 'different'}++;
		$count{error}++ if $answer =~ /^same 1/;
		next if $answer =~ /^same/ || $count{different} > 5;
		diag "seed $seed: $some[$i]{about}\n" . differing_lines($answer);
	}
}
is($count{same}, $nstatements, "$nstatements statements say the same with local tables (seed $seed)");
cmp_ok($count{error}, '<', 5 + $nstatements / 20, 'few of them are errors');
for (map { substr $_, 0, 1 } @kinds)
{
	is(sql(digest("f_$_")), sql(digest("l_$_")), "what is stored in the end is the same (f_$_)");
}
done_testing;
