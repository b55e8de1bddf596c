#!/usr/bin/env perl
#
# Random joins of local tables with foreign ones, against the same joins with
# local copies, and with read-ahead off and on: lookups by id, filters and
# LATERAL searches on the inner side, below filters, aggregates, further joins
# and LIMIT, of one namespace, partitions or a table of several namespaces;
# INNER, LEFT, EXISTS, NOT EXISTS, IN; caches (Memoize), rescans, LIMIT above,
# cursors that go back and forth or outlive their transaction; outer rows with
# duplicates, NULLs and ids that no record has; with writes that are pending.
#
#	test/random/joins.pl [SEED [JOINS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $njoins = $ARGV[1] // 500;
my $nrecords = 400;
srand $seed;

sub maybe
{
	my ($share, $text) = @_;
	return rand() < $share ? $text : '';
}

sub component
{
	return sprintf '%.4f', rand 10;
}

# ---- Data ----

# Fields of further types, some of them missing
sub more_fields
{
	my %fields = (
		pad => 'x' x 400,
		tags => [map { 'c' . int rand 6 } 0 .. int rand 3],
		flag => pick(\1, \0),
		x => int(rand 8) / 4,
		day => '2024-02-0' . (1 + int rand 9),
	);

	return map { rand() < 0.9 ? ($_ => $fields{$_}) : () } sort keys %fields;
}
my $more = 'tags text[], flag bool, x float8, day date, meta jsonb, xr real, at timestamptz';
my $foreign = $more =~ s/meta jsonb/meta jsonb OPTIONS (role 'metadata')/r =~ s/xr real/xr real OPTIONS (field 'x')/r =~ s/at timestamptz/at timestamptz OPTIONS (field 'n', format 'epoch')/r;

my $t = Harness->new;
my $server = $t->server;
$server->create_index('joins', dimension => 2, metric => 'euclidean');
for my $namespace ('a', 'b')
{
	$server->upsert('joins', $namespace, [map {
		{
			id => "r$_",
			values => [component() + 0, component() + 0],
			metadata => {n => int rand 12, (rand() < 0.9 ? (cat => 'c' . int rand 6) : ()), more_fields()}
		}
	} 1 .. $nrecords]);
}
# a table in two partitions, by n
my @parts = ([], []);
push $parts[rand 2]->@*, $_ for 1 .. $nrecords;
for my $part (0, 1)
{
	$server->upsert('joins', "p$part", [map {
		{id => "r$_", values => [component() + 0, component() + 0], metadata => {n => $part * 6 + int rand 6, cat => 'c' . int rand 6, more_fields()}}
	} $parts[$part]->@*]);
}
my @outer = map {
	my $id = pick(("'r" . (1 + int rand 40) . "'") x 6, "'r" . (1 + int rand $nrecords) . "'", 'NULL', "'missing'", "''", "'\xc3\xbc'");
	my @ids = map { pick("'r" . (1 + int rand $nrecords) . "'", "'r" . (1 + int rand 10) . "'", 'NULL', "'gone'") } 0 .. int rand 4;
	my $vector = rand() < 0.07 ? 'NULL' : rand() < 0.3 ? 'ARRAY[' . (1 + int rand 3) . '.5, 2.5]' : 'ARRAY[' . component() . ', ' . component() . ']';
	"($_, $id, $vector\::real[], " . pick("'c" . int(rand 8) . "'", "'c1'", 'NULL') . ', ' . pick(int rand 12, int rand 12, 'NULL') . ', ' .
		pick('ARRAY[' . join(', ', @ids) . ']::text[]', 'NULL') . ', ' . pick("'a'", "'b'", "'b'", "'none'", 'NULL') . ')'
} 1 .. 60;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$server->where('joins')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE fa (id text COLLATE "C", embedding real[], cat text, n int, $foreign) SERVER s OPTIONS (namespace 'a');
CREATE FOREIGN TABLE fb (id text COLLATE "C", embedding real[], cat text, n int, $foreign) SERVER s OPTIONS (namespace 'b');
CREATE FOREIGN TABLE fn (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], cat text, n int, $foreign) SERVER s OPTIONS (namespaces 'a, b');
CREATE TABLE fp (id text COLLATE "C", embedding real[], cat text, n int, $more) PARTITION BY RANGE (n);
CREATE FOREIGN TABLE fp0 PARTITION OF fp FOR VALUES FROM (0) TO (6) SERVER s OPTIONS (namespace 'p0');
CREATE FOREIGN TABLE fp1 PARTITION OF fp FOR VALUES FROM (6) TO (12) SERVER s OPTIONS (namespace 'p1');
@{[map { "ALTER FOREIGN TABLE fp$_ ALTER meta OPTIONS (role 'metadata'), ALTER xr OPTIONS (field 'x'), ALTER at OPTIONS (field 'n', format 'epoch');" } 0, 1]}
CREATE TABLE ln AS SELECT * FROM fn;
CREATE TABLE lp AS SELECT * FROM fp;
CREATE TABLE la AS SELECT * FROM fa;
CREATE TABLE lb AS SELECT * FROM fb;
CREATE TABLE o (k int PRIMARY KEY, fid text, v real[], cat text, n int, ids text[], ns text);
CREATE TABLE small (cat text, w int);
INSERT INTO small VALUES ('c1', 1), ('c2', 2), ('c2', 3), (NULL, 4), ('c5', 5);
INSERT INTO o VALUES @{[join ",\n", @outer]};
ANALYZE la, lb, ln, lp, o, small;
-- what is written to columns is seen in the object
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
  NEW.xr := NEW.x;
  NEW.at := to_timestamp(NEW.n);
  NEW.meta := jsonb_strip_nulls(jsonb_build_object('n', NEW.n, 'cat', NEW.cat, 'tags', NEW.tags, 'flag', NEW.flag, 'x', NEW.x, 'day', NEW.day));
  RETURN NEW;
END \$\$;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON la FOR EACH ROW EXECUTE FUNCTION object();
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON ln FOR EACH ROW EXECUTE FUNCTION object();
END
is($t->sql('SELECT (SELECT count(*) FROM la), (SELECT count(*) FROM lb), (SELECT count(*) FROM ln), (SELECT count(*) FROM lp), (SELECT count(*) FROM o)'), join('|', $nrecords, $nrecords, 2 * $nrecords, $nrecords, 60), 'all records are read');

# answer() is the rows of a query, sorted; walk() what a cursor shows that goes
# back and forth; hold(), one that outlives its transaction.
$t->sql(<<'END');
CREATE TABLE result (ahead bool, text text);
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE 'SELECT string_agg(r::text, '' '' ORDER BY r::text COLLATE "C") FROM (' || query || ') r' INTO result;
  RETURN coalesce(result, '');
EXCEPTION WHEN others THEN
  RETURN 'error: ' || sqlerrm;
END $$;
CREATE FUNCTION walk(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text := '';
  c refcursor;
  r record;
  step text;
BEGIN
  OPEN c SCROLL FOR EXECUTE query;
  FOREACH step IN ARRAY string_to_array('next next next next next prior prior next next prior next last prior prior first next absolute_7 relative_-3 relative_2 last next prior', ' ')
  LOOP
    CASE step
      WHEN 'next' THEN FETCH NEXT FROM c INTO r;
      WHEN 'prior' THEN FETCH PRIOR FROM c INTO r;
      WHEN 'last' THEN FETCH LAST FROM c INTO r;
      WHEN 'first' THEN FETCH FIRST FROM c INTO r;
      WHEN 'absolute_7' THEN FETCH ABSOLUTE 7 FROM c INTO r;
      WHEN 'relative_-3' THEN FETCH RELATIVE -3 FROM c INTO r;
      WHEN 'relative_2' THEN FETCH RELATIVE 2 FROM c INTO r;
    END CASE;
    result := result || step || coalesce(r::text, '-') || ' ';
  END LOOP;
  CLOSE c;
  RETURN result;
END $$;
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    result := result || line || E'\n';
  END LOOP;
  RETURN result;
END $$;
CREATE FUNCTION check_join(kind text, f text, l text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE off text; "on" text; local text; on_plan text;
BEGIN
  PERFORM set_config('pinecone_fdw.enable_read_ahead', 'off', false);
  off := CASE kind WHEN 'walk' THEN walk(f) ELSE answer(f) END;
  PERFORM set_config('pinecone_fdw.enable_read_ahead', 'on', false);
  "on" := CASE kind WHEN 'walk' THEN walk(f) ELSE answer(f) END;
  on_plan := plan(f);
  local := CASE kind WHEN 'walk' THEN walk(l) ELSE answer(l) END;
  IF "on" = off AND "on" = local THEN
    RETURN 'same ' || CASE WHEN on_plan ~ 'Read Ahead' THEN 'ahead' ELSE 'plain' END ||
      CASE WHEN on_plan ~ 'Gathers' THEN ' gather' ELSE '' END ||
      CASE WHEN on_plan ~ 'Memoize' THEN ' memoize' ELSE '' END ||
      CASE WHEN "on" = '' THEN ' empty' ELSE '' END || CASE WHEN "on" ~ '^error' THEN ' error' ELSE '' END;
  END IF;
  RETURN E'different\non:    ' || "on" || E'\noff:   ' || off || E'\nlocal: ' || local || E'\n' || on_plan;
END $$;
END

# ---- Joins ----

# What an outer side may be; its columns are o's.
sub outer_side
{
	return pick(
		('o') x 6,
		'(SELECT * FROM o ORDER BY k LIMIT ' . (1 + int rand 60) . ')',
		'(SELECT o.* FROM o JOIN small USING (cat))',
		'(SELECT k, fid, v, cat, n, ids, ns FROM o WHERE n > 3 OFFSET 0)',
		'(SELECT max(k) AS k, fid, min(v) AS v, max(cat) AS cat, max(n) AS n, min(ids) AS ids, max(ns) AS ns FROM o GROUP BY fid)',
		'(SELECT o.k, o.fid, o.v, small.cat, o.n, o.ids, o.ns FROM o LEFT JOIN small ON small.w = o.n)',
		"(SELECT g AS k, 'r' || g % 7 AS fid, ARRAY[g % 7, 1.25]::real[] AS v, 'c' || g % 3 AS cat, g % 5 AS n, ARRAY['r' || g, 'r1'] AS ids, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END AS ns FROM generate_series(1, 30) g)");
}

# The tables of a join, without their first letter: a, p in partitions, n of
# several namespaces
my ($first, $second);

# A condition on m, and perhaps o.
sub residual
{
	return join '', map { " AND $_" } grep { rand() < 0.3 } 'm.n > 3', "m.cat <> 'c2'", 'm.n + o.n < 15', 'm.cat = o.cat', 'm.n % 2 = 0', 'o.n < 9', "m.id < 'r5'";
}

# A join condition that names ids, or a field.
sub link
{
	return pick('m.id = o.fid AND m.ns = o.ns', 'm.ns = o.ns AND m.cat = o.cat AND m.n < 5', 'm.id = ANY (o.ids) AND m.ns = o.ns') if $first eq 'n' && rand() < 0.5;
	return pick('m.id = o.fid AND m.n = o.n', 'm.n = o.n AND m.cat = o.cat') if $first eq 'p' && rand() < 0.3;
	return pick('m.n BETWEEN o.n AND o.n + 1', 'm.n > o.n AND m.n < 9', 'm.n < o.n AND m.n >= o.n - 2', 'm.xr = o.n / 4.0::real', 'm.at > to_timestamp(o.n)', 'm.at = to_timestamp(o.n) AND m.cat IS NOT NULL',
		'm.n <> o.n AND m.n < 2', 'm.n > o.n OR m.cat = o.cat', 'm.x >= o.n AND m.flag', 'm.meta @> jsonb_build_object(\'n\', o.n)', 'm.n NOT IN (o.n, 3) AND m.x < 0.5', 'm.at BETWEEN to_timestamp(o.n - 1) AND to_timestamp(o.n)') if rand() < 0.2;
	return pick(
		'm.cat = o.cat', 'm.n = o.n', 'm.cat = o.cat AND m.flag = (o.n > 5)', 'm.n IN (o.n, o.k) AND m.cat IS NOT NULL', "m.cat = ANY (ARRAY[o.cat, 'c4'])",
		'o.cat = ANY (m.tags)', 'm.tags && (o.ids || o.cat)', 'm.tags @> ARRAY[o.cat] AND m.n > 3', 'm.flag = (o.k % 2 = 0) AND m.n < 4', 'm.x = o.n / 4.0', 'm.x = o.n::numeric',
		"m.day = date '2024-02-01' + o.n", "m.meta ->> 'cat' = o.cat", "m.meta ->> 'n' = o.n::text", "m.meta ->> 'x' = (o.n / 4.0)::float8::text", "m.meta -> 'n' = to_jsonb(o.n)", "m.meta -> 'tags' ? o.cat",
		"m.meta ->> 'flag' = (o.n > 5)::text AND m.n = o.n", 'm.cat IS NOT DISTINCT FROM o.cat AND m.n = o.n', 'm.cat = o.cat AND m.n > o.n', 'm.n = o.n AND m.x > 0.5', 'm.x = o.n AND m.cat = o.cat AND m.flag') if rand() < 0.5;
	return pick(('m.id = o.fid') x 5, 'm.id = ANY (o.ids)', "m.id = 'r' || o.n", 'm.cat = o.cat AND m.n < 4', 'm.cat = o.cat AND m.n = o.n', 'm.id = coalesce(o.fid, o.ids[1])',
		"m.id IN (o.fid, 'r3')", 'o.fid = m.id AND o.cat = m.cat');
}

# A LATERAL subquery; %A and %B stand for the tables.
sub lateral
{
	my $k = 1 + int rand 5;
	my $where = maybe(0.4, pick("WHERE cat = 'c1'", 'WHERE cat = o.cat', 'WHERE n <> o.n', 'WHERE n % 3 = 1', 'WHERE n > o.n AND cat IS NOT NULL', 'WHERE id <> o.fid'));
	$where = 'WHERE ns = o.ns' if $first eq 'n' && rand() < 0.5;
	$where = pick('WHERE n = o.n', 'WHERE n < o.n') if $first eq 'p' && rand() < 0.5;
	my $search = "SELECT id, n, embedding FROM %A $where ORDER BY embedding <-> o.v, id, n LIMIT $k" . maybe(0.2, ' OFFSET 1');

	return pick(
		($search) x 4,
		"SELECT id, n FROM ($search) s WHERE n > 2",
		"SELECT max(id) AS id, count(*) AS n FROM ($search) s",
		"SELECT max(id) AS id, sum(n) AS n FROM %A WHERE id = ANY (o.ids)",
		"SELECT id, n FROM %A WHERE id = o.fid" . maybe(0.5, ' ORDER BY n LIMIT 1'),
		"SELECT cat AS id, count(*) AS n FROM %A WHERE cat = o.cat GROUP BY cat",
		"SELECT count(*)::text AS id, 1 AS n FROM %A WHERE cat = o.cat",
		"SELECT id, n FROM %A WHERE embedding <-> o.v < " . (1 + int rand 3),
		"SELECT s.id, w AS n FROM (SELECT id, cat FROM %A ORDER BY embedding <-> o.v, id, n LIMIT 6) s JOIN small USING (cat)",
		"SELECT a.id, b.n FROM (SELECT * FROM %A WHERE id = o.fid) a JOIN %B b ON b.id = a.id",
		"SELECT a.id, b.n FROM %A a JOIN %B b ON b.id = o.fid WHERE a.id = ANY (o.ids)",
		"SELECT a.id || b.id AS id, b.n FROM (SELECT id, embedding FROM %A ORDER BY embedding <-> o.v, id, n LIMIT 2) a, LATERAL (SELECT id, n FROM %B ORDER BY embedding <-> a.embedding, id, n LIMIT 2) b",
		"SELECT a.id || b.id AS id, b.n FROM (SELECT id, cat FROM %A WHERE id = ANY (o.ids)) a LEFT JOIN LATERAL (SELECT id, n FROM %B WHERE cat = a.cat ORDER BY embedding <-> o.v, id, n LIMIT 1) b ON true",
		"SELECT id, n FROM %A WHERE id = o.fid UNION ALL SELECT id, n FROM %B WHERE id = o.fid",
		"SELECT DISTINCT id, n FROM (SELECT id, n FROM %A WHERE id = o.fid UNION ALL SELECT id, n FROM %A WHERE id = ANY (o.ids)) s",
		"SELECT id, n FROM %A WHERE id LIKE o.fid || '%'",
		"SELECT id, row_number() OVER (ORDER BY id) AS n FROM ($search) s");
}

# SELECT o.k AS a, ... of one join; %f stands for f or l.
sub join_query
{
	($first, $second) = (pick('a', 'a', 'a', 'p', 'n'), pick('b', 'b', 'n', 'a'));
	my %tables = (A => "%f$first", B => "%f$second");
	return one_join() =~ s/%([AB])/$tables{$1}/gr;
}

sub one_join
{
	my $outer = outer_side();
	my $kind = rand();


	if ($kind < 0.3)
	{
		my $type = pick('JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN');
		return "SELECT o.k AS a, o.fid AS b, m.id AS c, m.n AS d FROM $outer o $type %A m ON " . &link() . residual() . maybe(0.3, ' WHERE o.k % 3 <> 1');
	}
	if ($kind < 0.45)
	{
		my $not = maybe(0.5, 'NOT ');
		return "SELECT o.k AS a, o.fid AS b, o.cat AS c, o.n AS d FROM $outer o WHERE ${not}EXISTS (SELECT FROM %A m WHERE " . &link() . residual() . ')' . maybe(0.2, ' AND o.n IS NOT NULL');
	}
	if ($kind < 0.53)
	{
		return "SELECT m.id AS a, m.cat AS b, m.n AS c, 1 AS d FROM %A m WHERE m.id IN (SELECT fid FROM $outer o" . maybe(0.5, ' WHERE o.n > 4') . ')' . maybe(0.3, ' AND m.n > 2');
	}
	if ($kind < 0.6)
	{
		return "SELECT o.k AS a, m.id AS b, m2.id AS c, m2.n AS d FROM $outer o JOIN %A m ON m.id = o.fid " . pick('JOIN', 'LEFT JOIN') . " %B m2 ON " . pick('m2.id = o.fid', 'm2.id = m.id', 'm2.id = ANY (o.ids)', 'm2.cat = m.cat AND m2.n = o.n');
	}
	my $join = pick('CROSS JOIN LATERAL (%s) m', 'CROSS JOIN LATERAL (%s) m', 'LEFT JOIN LATERAL (%s) m ON true', 'JOIN LATERAL (%s) m ON m.n < 8', 'LEFT JOIN LATERAL (%s) m ON m.n > o.n');
	return "SELECT o.k AS a, o.fid AS b, m.id AS c, m.n AS d FROM $outer o " . ($join =~ s/%s/lateral()/er);
}

# What stands above a join.
sub query
{
	my $query = join_query();
	my $kind = rand();

	return "$query ORDER BY 1, 2, 3, 4 LIMIT " . (1 + int rand 20) if $kind < 0.15;
	return "SELECT a, count(*), max(c) FROM ($query) q GROUP BY a" if $kind < 0.25;
	return "SELECT count(*), count(c), sum(a::text::int) FROM (SELECT * FROM ($query) q WHERE a::text ~ '^[0-9]+\$') q" if $kind < 0.3;
	return "SELECT DISTINCT c FROM ($query) q" if $kind < 0.35;
	return "SELECT g, a, b, c FROM generate_series(1, 3) g, LATERAL (SELECT * FROM ($query) q WHERE length(c::text) <> g OFFSET 0) q" if $kind < 0.4;
	return "SELECT w, (SELECT count(*) FROM ($query) q WHERE d >= w) FROM small" if $kind < 0.45;
	return "SELECT w FROM small WHERE EXISTS (SELECT FROM ($query) q WHERE d = w OFFSET 0)" if $kind < 0.48;
	return "SELECT count(*) FROM (SELECT FROM ($query) q LIMIT " . (1 + int rand 15) . ') q' if $kind < 0.55;
	return $query;
}

sub settings
{
	my @settings;

	push @settings, 'SET enable_hashjoin = off' if rand() < 0.85;
	push @settings, 'SET enable_mergejoin = off' if rand() < 0.9;
	push @settings, 'SET enable_memoize = off' if rand() < 0.5;
	push @settings, 'SET enable_material = off' if rand() < 0.4;
	push @settings, 'SET work_mem = 64' if rand() < 0.1;
	push @settings, 'SET pinecone_fdw.enable_fetch = off' if rand() < 0.03;
	push @settings, 'SET pinecone_fdw.prefetch = 64' if rand() < 0.2;
	push @settings, 'SET pinecone_fdw.enable_gather = off' if rand() < 0.1;
	push @settings, 'SET pinecone_fdw.sweep_records = 0' if rand() < 0.5;
	push @settings, 'SET pinecone_fdw.read_ahead = ' . pick(2, 3, 5, 8, 17, 1000);
	return join('; ', @settings) . ';';
}

my (%count, @checks);
for (1 .. $njoins)
{
	my $query = query();
	my $kind = 'answer';

	if (rand() < 0.1)
	{
		$query = join_query() . ' ORDER BY 1, 2, 3, 4';
		$kind = 'walk';
	}
	my $writes = '';
	if (rand() < 0.1)
	{
		my ($id, $other, $gone) = map { "'r" . (1 + int rand 40) . "'" } 1 .. 3;
		my $rows = "('missing', ARRAY[1.5, 2.5]::real[], 'c1', 5), ('gone', ARRAY[3.5, 3.5], 'c2', 7)";
		# namespace a is part of the table of several
		$writes = join ' ', map { <<"END" } ['fa', 'true'], ['la', 'true'], ['ln', "ns = 'a'"];
DELETE FROM $_->[0] WHERE id IN ($gone, 'r2') AND $_->[1]; UPDATE $_->[0] SET cat = 'c1', n = 3 WHERE id IN ($id, 'r3') AND $_->[1];
UPDATE $_->[0] SET embedding = ARRAY[2.5, 2.5] WHERE id = $other AND $_->[1];
INSERT INTO $_->[0] (id, embedding, cat, n) VALUES $rows;
END
		$writes =~ s/INSERT INTO ln [^;]*/INSERT INTO ln SELECT 'a', * FROM (VALUES $rows) v/;
	}
	push @checks, [$kind, map({ my $letter = $_; $query =~ s/%f/$letter/gr } 'f', 'l'), settings(), $writes];
}
while (my @some = splice @checks, 0, 8)
{
	my $sql = join "\n", map { "RESET ALL;\n$_->[3]\nBEGIN; $_->[4]\nSELECT check_join('$_->[0]', " . literal($_->[1]) . ', ' . literal($_->[2]) . ") || E'\\n===='; ROLLBACK;" } @some;
	my $result = $t->psql($sql, '-v', 'ON_ERROR_STOP=0');
	my @answers = split /====\n?/, $result->{out};

	diag "seed $seed: $result->{err}" if $result->{err};
	for my $i (0 .. $#some)
	{
		my $answer = $answers[$i] // 'none';

		diag "$some[$i][3] $some[$i][1] $answer" if $ENV{SHOW} && $answer =~ /$ENV{SHOW}/;
		# which neighbours an approximate index brings is up to it
		$answer = 'same open' . ($answer =~ /Read Ahead/ ? ' ahead' : '') . ($answer =~ /Gathers/ ? ' gather' : '') . ($answer =~ /Memoize/ ? ' memoize' : '') if approximate() && certainty($some[$i][1]) ne 'all' && $answer !~ /error:|^none/;
		$count{$_}++ for $answer =~ /^same/ ? split ' ', $answer : 'different';
		next if $answer =~ /^same/ || $count{different} > 5;
		$answer =~ s/^(.{1000}).*/$1 .../mg;
		diag "seed $seed: $some[$i][0] $some[$i][3] $some[$i][4]\n$some[$i][1]\n$answer";
	}
}
diag join ', ', map { "$_ $count{$_}" } sort keys %count;
is($count{same}, $njoins, "$njoins joins say the same with local tables, with read-ahead and without (seed $seed)");
cmp_ok($count{ahead}, '>', $njoins / 3, 'many of them read ahead');
cmp_ok($count{memoize}, '>', 0, 'some with a cache');
cmp_ok($count{gather}, '>', 0, 'some by filters that go together');
cmp_ok($count{empty} // 0, '<', $njoins / 4, 'few of them are empty');

# ---- Cursors that outlive their transaction ----

my $differences = 0;
for my $round (1 .. 12)
{
	my $query = join_query();
	my @answers;

	for my $setup ([l => 'on'], [f => 'off'], [f => 'on'])
	{
		my $q = $query =~ s/%f/$setup->[0]/gr;
		my $result = $t->psql(<<"END");
SET enable_hashjoin = off; SET enable_mergejoin = off; SET pinecone_fdw.enable_read_ahead = $setup->[1];
BEGIN;
DECLARE c CURSOR WITH HOLD FOR $q;
FETCH 3 FROM c;
COMMIT;
FETCH ALL FROM c;
CLOSE c;
BEGIN;
DECLARE d NO SCROLL CURSOR FOR $q;
FETCH 2 FROM d;
ROLLBACK;
END
		my @lines = split /\n/, $result->{out};
		# of the second cursor only the number of rows is certain
		push @answers, $result->{err} . join "\n", sort @lines[0 .. $#lines - ($#lines >= 2 ? 2 : 0)];
		push @answers, scalar @lines;
	}
	# rows of the first cursor come in any order, with the second's first ones left out
	next if approximate() && certainty($query) ne 'all' && "@answers" !~ /ERROR/;
	next if "$answers[2]" eq "$answers[4]" && $answers[1] == $answers[5] && $answers[3] == $answers[5];
	$differences++;
	diag "seed $seed: WITH HOLD $query\n" . join "\n", @answers;
}
is($differences, 0, "cursors WITH HOLD (seed $seed)");
done_testing;
