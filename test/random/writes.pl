#!/usr/bin/env perl
#
# Random writes to foreign tables against the same writes to a model of local
# tables, in the same transactions: INSERT, COPY, UPDATE, DELETE and TRUNCATE
# with savepoints, rollbacks, PL/pgSQL exception blocks, errors and open
# cursors.  What every SELECT and RETURNING shows, how many rows were affected,
# and after each transaction what is stored must be the same.  Some of the
# transactions meet faults that pass; under write_mode 'immediate' nothing is
# rolled back.  In some runs the service lags, to each kind of request by another
# time, and two sessions take turns; in some, tables have answers from memory.
#
#	test/random/writes.pl [SEED [STATEMENTS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nstatements = $ARGV[1] // 1500;
my $verbose = $ENV{VERBOSE};

# Foreign tables and their models: "ft" shows whole metadata too, "ff" is the same
# namespace, "gt" another one.
my %model = (ft => 'mt', ff => 'mf', gt => 'mg');
my %base = (ft => 'base_a', ff => 'base_a', gt => 'base_g');

my @fields = qw(t n f b tags ts);
my %values = (
	t => ["'drama'", "'Drama'", "''", "'o''clock'", "'1'", "U&'\\00fcber'", "'a\"b\\c'"],
	n => [-1, 0, 1, 2, 7, 2020, 100000],
	f => [-1.5, 0, 0.1, 1, 2.5, '1e-7', 12345.678],
	b => ['true', 'false'],
	tags => ["'{}'::text[]", "'{red}'::text[]", "'{red,green}'::text[]", "'{blue,\"o c\"}'::text[]"],
	ts => ["timestamptz '2020-01-01 00:00:00+00'", "timestamptz '2020-06-15 12:30:45.5+00'"],
);

# ---- Setup ----

sub setup
{
	my ($t, $config) = @_;
	my $dimension = 3;

	$t->server->create_index('writes', dimension => $dimension, metric => $config->{metric});
	my $host = $t->server->host('writes');
	my $options = "write_mode '$config->{mode}', batch_size '$config->{batch_size}', write_concurrency '$config->{concurrency}'";
	my $columns = 'id text COLLATE "C", embedding real[], t text, n int, f float8, b boolean, tags text[], ts timestamptz';
	my $fields = join ', ', map { "'$_', v.$_" } @fields;

	$t->sql(<<"END");
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('writes')]}, max_retries '8');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ft ($columns, metadata jsonb) SERVER s OPTIONS (namespace 'a', $options);
CREATE FOREIGN TABLE ff ($columns) SERVER s OPTIONS (namespace 'a', $options);
CREATE FOREIGN TABLE gt ($columns, metadata jsonb) SERVER s OPTIONS (namespace 'g', $options);
CREATE TABLE loc AS SELECT 'k' || lpad(i::text, 2, '0') COLLATE "C" AS id, i AS x, ARRAY[i, 3, -2]::real[] AS v,
	'word ' || i AS w FROM generate_series(0, 57, 3) i;
CREATE TABLE base_a (id text COLLATE "C" PRIMARY KEY, embedding real[], metadata jsonb);
CREATE TABLE base_g (LIKE base_a INCLUDING ALL);
END
	for my $name (sort keys %model)
	{
		my $view = $model{$name};
		my $whole = $name ne 'ff' ? ', metadata' : '';
		my $new_metadata = $name ne 'ff' ? "jsonb_strip_nulls(coalesce(NEW.metadata, '{}'))" : "'{}'::jsonb";
		my $changed = $name ne 'ff' ? 'NEW.metadata IS DISTINCT FROM OLD.metadata' : 'false';
		my $sets = join "\n", map {
			"    IF NEW.$_ IS DISTINCT FROM OLD.$_ THEN m := m - '$_'; IF NEW.$_ IS NOT NULL THEN m := m || jsonb_build_object('$_', NEW.$_); END IF; END IF;"
		} @fields;
		my $fields_object = join ', ', map { "'$_', NEW.$_" } @fields;
		my $show = ($whole ? 'NEW.metadata := m;' : '') . join ' ', map {
			my %cast = (t => "m ->> 't'", n => "(m ->> 'n')::int", f => "(m ->> 'f')::float8", b => "(m ->> 'b')::boolean",
				tags => 'list(m)', ts => "(m ->> 'ts')::timestamptz");
			"NEW.$_ := $cast{$_};"
		} @fields;

		$t->sql(<<"END");
CREATE OR REPLACE FUNCTION list(m jsonb) RETURNS text[] LANGUAGE sql STABLE AS
	\$\$ SELECT CASE WHEN m ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(m -> 'tags')) END \$\$;
CREATE VIEW $view AS SELECT id, embedding, metadata ->> 't' AS t, (metadata ->> 'n')::int AS n, (metadata ->> 'f')::float8 AS f,
	(metadata ->> 'b')::boolean AS b, list(metadata) AS tags, (metadata ->> 'ts')::timestamptz AS ts$whole FROM $base{$name};
CREATE FUNCTION write_$view() RETURNS trigger LANGUAGE plpgsql AS \$\$
DECLARE m jsonb;
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM $base{$name} WHERE id = OLD.id;
    IF NOT FOUND THEN RETURN NULL; END IF;
    RETURN OLD;
  END IF;
  IF TG_OP = 'INSERT' THEN
    m := $new_metadata || jsonb_strip_nulls(jsonb_build_object($fields_object));
  ELSE
    SELECT metadata INTO m FROM $base{$name} WHERE id = OLD.id;
    IF $changed THEN m := $new_metadata; END IF;
$sets
    IF NEW.id <> OLD.id THEN DELETE FROM $base{$name} WHERE id = OLD.id; END IF;
  END IF;
  INSERT INTO $base{$name} VALUES (NEW.id, NEW.embedding, m)
    ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, metadata = excluded.metadata;
  $show
  RETURN NEW;
END \$\$;
CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON $view FOR EACH ROW EXECUTE FUNCTION write_$view();
END
	}
	# Ids change all at once: out of the way first, and then into place
	$t->sql(<<'END');
CREATE FUNCTION rename(base text, ids text[], suffix text, n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE rows base_a[]; r base_a;
BEGIN
  EXECUTE format('WITH d AS (DELETE FROM %I WHERE id = ANY ($1) RETURNING *) SELECT array_agg(row(d.*)::base_a) FROM d', base) INTO rows USING ids;
  IF rows IS NULL THEN RETURN 0; END IF;
  FOREACH r IN ARRAY rows LOOP
    r.id := CASE WHEN suffix <> '' THEN r.id || suffix ELSE 'k' || lpad(((substr(r.id, 2, 2)::int + n) % 60)::text, 2, '0') || substr(r.id, 4) END;
    EXECUTE format('INSERT INTO %I VALUES ($1.*) ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, metadata = excluded.metadata', base) USING r;
  END LOOP;
  RETURN array_length(rows, 1);
END $$;
END
}

# ---- Pieces of statements ----

sub chance
{
	return rand() < $_[0];
}

sub id
{
	return sprintf 'k%02d', rand 60;
}

sub ids
{
	return join ', ', map { "'" . id() . "'" } 0 .. rand 5;
}

sub vector
{
	return "'{" . join(',', map { int(rand 16384) / 1024 - 8 || 0.5 } 1 .. 3) . "}'::real[]";
}

sub value
{
	my ($field) = @_;
	return chance(0.12) ? 'NULL' : pick($values{$field}->@*);
}

sub metadata
{
	my @parts = (
		chance(0.5) ? '"t": "' . pick('drama', 'x', 'Drama') . '"' : (),
		chance(0.5) ? '"n": ' . pick(1, 2, 7, 2020) : (),
		chance(0.3) ? '"tags": ["red", "x"]' : (),
		chance(0.5) ? '"extra": ' . pick('"x"', 1.5, 'true', '["p", "q"]') : (),
		chance(0.02) ? '"pad": "' . 'x' x 15000 . '"' : (),
	);
	return "'{" . join(', ', @parts) . "}'::jsonb";
}

sub leaf
{
	my $kind = int rand 13;

	return "t " . pick('=', '<>', '<', '>=') . ' ' . pick($values{t}->@*) if $kind == 0;
	return "n " . pick('=', '<>', '<', '<=', '>', '>=') . ' ' . pick($values{n}->@*) if $kind <= 3;
	return "f " . pick('<', '>=', '=') . ' ' . pick($values{f}->@*) if $kind == 4;
	return pick('b', 'NOT b', 'b IS NOT TRUE', 'b IS NULL') if $kind == 5;
	return pick("tags @> '{red}'", "'blue' = ANY (tags)", "tags && '{green,blue}'") if $kind == 6;
	return pick(@fields) . pick(' IS NULL', ' IS NOT NULL') if $kind == 7;
	return 'n IN (' . join(', ', map { pick($values{n}->@*) } 0 .. 2) . ')' if $kind == 8;
	return "id IN (" . ids() . ")" if $kind == 9;
	return "id = ANY (ARRAY[" . ids() . "])" if $kind == 10;
	return pick("id LIKE 'k" . int(rand 6) . "%'", "id >= '" . id() . "'", "id < '" . id() . "'") if $kind == 11;
	return 'length(coalesce(t, id)) % 3 = ' . int rand 3;
}

sub condition
{
	return leaf() if chance(0.7);
	return 'NOT (' . leaf() . ')' if chance(0.2);
	return '(' . leaf() . pick(' AND ', ' OR ') . leaf() . ')';
}

sub columns_of
{
	my ($table) = @_;
	return 'id, embedding, t, n, f, b, tags, ts' . ($table ne 'ff' ? ", metadata - 'ts' - 'pad' AS metadata" : '');
}

# " RETURNING ...", at times
sub returning
{
	my ($table, $alias) = @_;
	return '' if chance(0.6);
	my $list = pick('id', 'id, n, t', columns_of($table));
	$list =~ s/(?<!['"]|AS )\b(id|embedding|t|n|f|b|tags|ts|metadata)\b(?!')/$alias.$1/g if $alias;
	return " RETURNING $list";
}

# ---- Statements: texts in which %T is the table ----

# {sql, model: when it is another text, order: are the rows in a given order?,
# knn: is the first column a distance?}
sub query
{
	my ($table) = @_;
	my $query = new_query($table);

	return $query unless $main::cached;
	# what has been asked before may be answered from memory, whatever was written since
	push $main::asked{$table}->@*, {%$query} if !$main::asked{$table} || $main::asked{$table}->@* < 8;
	return {%{pick($main::asked{$table}->@*)}};
}

sub new_query
{
	my ($table) = @_;
	my $kind = int rand 18;
	my $columns = columns_of($table);
	my $where = condition();
	my $op = $main::operator;

	return {sql => "SELECT $columns FROM %T ORDER BY id", order => 1} if $kind == 0;
	return {sql => "SELECT $columns FROM %T WHERE $where ORDER BY id", order => 1} if $kind <= 2;
	return {sql => "SELECT id, n FROM %T WHERE $where"} if $kind <= 4;
	return {sql => 'SELECT count(*) FROM %T'} if $kind == 5;
	return {sql => "SELECT count(*) FROM %T WHERE $where"} if $kind <= 7;
	return {sql => "SELECT $columns FROM %T WHERE id = '" . id() . "'"} if $kind == 8;
	return {sql => "SELECT id, t, embedding FROM %T WHERE id IN (" . ids() . ")"} if $kind == 9;
	return {sql => "SELECT id FROM %T ORDER BY id LIMIT " . int(rand 20) . ' OFFSET ' . int(rand 10), order => 1} if $kind == 10;
	return {sql => "SELECT embedding $op " . vector() . " AS d, id FROM %T" . (chance(0.5) ? " WHERE $where" : '') .
		' ORDER BY 1 LIMIT ' . (1 + int rand 12), order => 1, knn => 1} if $kind <= 13;
	return {sql => "SELECT l.id, m.t, m.n FROM loc l JOIN %T m ON m.id = l.id WHERE l.x % 2 = " . int(rand 2)} if $kind == 14;
	return {sql => "SELECT l.id, d.id FROM loc l, LATERAL (SELECT id FROM %T WHERE n = l.x % 3 ORDER BY id LIMIT 2) d"} if $kind == 15;
	return {sql => "SELECT sum(n), min(f), max(t COLLATE \"C\"), count(b) FROM %T WHERE $where"} if $kind == 16;
	return {sql => "SELECT id FROM loc l WHERE " . pick('', 'NOT ') . "EXISTS (SELECT 1 FROM %T m WHERE m.id = l.id)"};
}

sub insert
{
	my ($table) = @_;
	my $kind = int rand 10;
	my $returning = returning($table);

	# more than a batch, a buffer or memory holds
	return "INSERT INTO %T (id, embedding, n) SELECT 'm' || lpad(i::text, 3, '0'), ARRAY[i, 2, 1.5]::real[], i % 5 FROM generate_series(1, 900) i$returning" if chance(0.015);
	return "INSERT INTO %T (id, embedding, metadata) SELECT 'k' || lpad(i::text, 2, '0'), ARRAY[i, 2, 1.5]::real[], jsonb_build_object('n', i, 'pad', repeat('x', 9000)) FROM generate_series(1, 40) i$returning"
		if $table ne 'ff' && chance(0.05);
	if ($kind <= 4)
	{
		my @columns = grep { chance(0.6) } @fields;
		my $whole = $table ne 'ff' && chance(0.4);
		my @rows = map { my $s = $_; '(' . join(', ', "'" . id() . "'", vector(), (map { chance(0.08) ? 'DEFAULT' : value($_) } @columns), $whole ? metadata() : ()) . ')' }
			1 .. pick(1, 1, 2, 5, 30);
		return "INSERT INTO %T (" . join(', ', 'id', 'embedding', @columns, $whole ? 'metadata' : ()) . ') VALUES ' . join(', ', @rows) . $returning;
	}
	return "INSERT INTO %T (id, embedding, t, n) SELECT 'k' || lpad((i % " . pick(7, 60, 60) . ")::text, 2, '0'), ARRAY[i, 1, 2.5]::real[], 'g' || i, i FROM generate_series(1, " .
		pick(3, 20, 150) . ") i$returning" if $kind <= 6;
	return "INSERT INTO %T (id, embedding, t, n, b) SELECT id || '" . pick('x', 'y') . "', embedding, t, n + 1, NOT b FROM %T WHERE length(id) < 5 AND " . condition() . $returning if $kind == 7;
	return "INSERT INTO %T (id, embedding, f, n) SELECT id, embedding, f, n + 1 FROM %T WHERE " . condition() . $returning if $kind == 8;
	return "INSERT INTO %T (id, embedding, t) SELECT l.id, l.v, l.w FROM loc l WHERE NOT EXISTS (SELECT 1 FROM %T m WHERE m.id = l.id)$returning";
}

sub copy
{
	my @rows = map { join("\t", id(), '{' . join(',', map { int(rand 100) + 1 } 1 .. 3) . '}', pick('\N', 'drama', 'x y'), pick('\N', 1, 2, 2020)) } 0 .. pick(0, 3, 40);
	return "COPY %T (id, embedding, t, n) FROM stdin;\n" . join("\n", @rows) . "\n\\.\n";
}

sub assignment
{
	my ($field) = @_;
	return 'n = n + 1' if $field eq 'n' && chance(0.4);
	return "t = t || '!'" if $field eq 't' && chance(0.3);
	return "b = NOT b" if $field eq 'b' && chance(0.3);
	return "$field = " . value($field);
}

my $counter = 0;

sub update
{
	my ($table) = @_;
	my $kind = int rand 14;
	my @some = grep { chance(0.35) } @fields;
	my @set = map { assignment($_) } @some ? @some : pick(@fields);
	my $set = join ', ', @set;
	my $where = condition();
	my $returning = returning($table);

	return "UPDATE %T SET $set WHERE id = '" . id() . "'$returning" if $kind <= 1;
	return "UPDATE %T SET $set WHERE $where$returning" if $kind <= 4;
	# one request, when all are constants
	return "UPDATE %T SET t = 'all " . ++$counter . "', n = " . pick(1, 2, 3) . " WHERE " . pick("n > 1", "t = 'drama'", "b", "n < 2020 AND f >= 0") if $kind <= 6;
	return "UPDATE %T SET embedding = " . pick(vector(), 'ARRAY[embedding[2], embedding[1], 1.5]') . (chance(0.3) ? ", $set" : '') . " WHERE $where$returning" if $kind == 7;
	return "UPDATE %T SET metadata = " . pick("metadata || '{\"extra\": 8, \"n\": 2}'", "metadata || '{\"t\": \"laid over\", \"tags\": [\"x\"]}'", "jsonb_set(metadata, '{extra}', '\"set\"')", "metadata || '{\"extra\": null}'") .
		pick('', ' WHERE n > 1', " WHERE t = 'drama'", ' WHERE b', ' WHERE b IS NULL') if $kind == 8 && $table ne 'ff' && chance(0.5);
	return "UPDATE %T SET metadata = " . pick(metadata(), "metadata - 'extra'", "metadata || '{\"extra\": 7}'") . " WHERE $where$returning" if $kind == 8 && $table ne 'ff';
	return "UPDATE %T SET $set" . (chance(0.5) ? ', t = NULL' x ($set !~ /\bt = /) : '') . $returning if $kind == 9;
	return "UPDATE %T AS u SET n = l.x, t = l.w FROM loc l WHERE u.id = l.id AND l.x % 2 = " . int(rand 2) . returning($table, 'u') if $kind == 10;
	return "UPDATE %T AS u SET embedding = l.v, b = NULL FROM loc l WHERE u.id = l.id AND u.n >= " . pick(0, 2) . returning($table, 'u') if $kind == 11;
	return "UPDATE %T AS u SET n = (SELECT count(*) FROM loc l WHERE l.id < u.id), t = (SELECT max(m.id) FROM %T m WHERE m.n = u.n) WHERE u.n < 10";
}

# An UPDATE of the id: a shift may move records onto each other's ids
sub rename_ids
{
	my ($table) = @_;
	my $where = condition();
	my ($suffix, $n) = chance(0.4) ? (pick('z', 'w'), 0) : ('', pick(1, 7, 30));
	my $expression = $suffix ? "id || '$suffix'" : "'k' || lpad(((substr(id, 2, 2)::int + $n) % 60)::text, 2, '0') || substr(id, 4)";

	$where = "length(id) < 7 AND id LIKE 'k%' AND $where";
	return {
		sql => "UPDATE %T SET id = $expression WHERE $where", uncounted => 1,
		model => "SELECT rename('$base{$table}', (SELECT array_agg(id) FROM $model{$table} WHERE $where), '$suffix', $n)",
	};
}

sub delete_rows
{
	my ($table) = @_;
	my $kind = int rand 6;
	my $where = condition();
	my $returning = returning($table);

	return "DELETE FROM %T WHERE id = '" . id() . "'$returning" if $kind == 0;
	return "DELETE FROM %T WHERE id IN (" . ids() . ")$returning" if $kind == 1;
	return "DELETE FROM %T WHERE $where AND n > 1$returning" if $kind == 2;
	return "DELETE FROM %T WHERE " . pick("n = 2", "t = 'drama'", "b", "n < 2 AND f >= 0", "tags @> '{red}'") if $kind == 3;
	return "DELETE FROM %T AS d USING loc l WHERE d.id = l.id AND l.x % 4 = " . int(rand 4) . returning($table, 'd') if $kind == 4;
	return "DELETE FROM %T WHERE id LIKE 'm%'$returning" if chance(0.3);
	return chance(0.2) ? "DELETE FROM %T$returning" : "DELETE FROM %T WHERE id LIKE 'k" . int(rand 6) . "%' AND $where$returning";
}

sub write_text
{
	my ($table) = @_;
	my $kind = rand;

	return insert($table) if $kind < 0.4;
	return update($table) if $kind < 0.8;
	return delete_rows($table);
}

# A write and a read in one statement: the read sees what was before.
sub with_write
{
	my ($table) = @_;
	my $write = write_text($table);

	$write =~ s/ RETURNING .*//s;
	my $id = $write =~ /UPDATE %T AS u/ ? 'u.id' : $write =~ /DELETE FROM %T AS d/ ? 'd.id' : 'id';
	return "WITH w AS ($write RETURNING $id) SELECT (SELECT count(*) FROM w), (SELECT string_agg(id || coalesce(t, '-'), ' ' ORDER BY id) FROM %T WHERE " . condition() . ')';
}

sub write_statement
{
	my ($table) = @_;
	my $kind = rand;

	return {sql => "TRUNCATE %T", model => "TRUNCATE $base{$table}", uncounted => 1} if $kind < 0.015;
	return {sql => copy()} if $kind < 0.08;
	return rename_ids($table) if $kind < 0.13;
	return {sql => with_write($table)} if $kind < 0.18 && $main::rollbacks;
	return exception_block($table) if $kind < 0.26 && $main::rollbacks;
	return {sql => write_text($table)};
}

# What is refused before it is sent, after good rows that must go with it
sub bad_text
{
	my $id = id();
	return pick(
		"INSERT INTO %T (id, embedding) VALUES ('$id', '{1,2,3}'), ('" . id() . "', '{1,2}')",
		"INSERT INTO %T (id, embedding) VALUES ('$id', '{1,2,3}'), ('', '{1,2,3}')",
		"INSERT INTO %T (id, embedding) SELECT 'k' || i, ARRAY[i, 1, 1] / (i - 40) FROM generate_series(10, 50) i",
		"INSERT INTO %T (id, embedding, f) VALUES ('$id', '{1,2,3}', 1), ('" . id() . "', '{1,2,3}', 'NaN')",
		"UPDATE %T SET n = 1 / (n - 2) WHERE n <= 2",
		"DELETE FROM %T WHERE 1 / (coalesce(n, 5) - coalesce(n, 5)) = 1");
}

sub exception_block
{
	my ($table) = @_;
	my @inner = map { write_text($table) } 0 .. rand 3;
	my @outer = map { write_text($table) } 1 .. rand 3;
	my $fails = chance(0.6);

	s/ RETURNING .*//s for @inner, @outer;
	my $body = join ' ', map { "$_;" } @inner;
	my $nested = chance(0.4) ? 'BEGIN ' . write_plain($table) . '; RAISE EXCEPTION $m$no$m$; EXCEPTION WHEN raise_exception THEN ' . write_plain($table) . '; END;' : '';
	$body .= $nested;
	$body .= ' RAISE EXCEPTION $m$no$m$;' if $fails;
	return {sql => 'DO $do$ BEGIN BEGIN ' . $body . ' EXCEPTION WHEN raise_exception THEN NULL; END; ' . join(' ', map { "$_;" } @outer) . ' END $do$', uncounted => 1};
}

sub write_plain
{
	my $text = write_text(@_);
	$text =~ s/ RETURNING .*//s;
	return $text;
}

# ---- Transactions ----

# A list of statements that open, fill and end one transaction.
sub transaction
{
	my @statements;
	my @savepoints;    # [name, when]
	my %cursors;       # name => when it was opened
	my $now = 0;
	my $failed = 0;
	my $length = pick(1, 3, 8, 15, 30);

	push @statements, {both => 'BEGIN'};
	push @statements, {both => 'SET LOCAL pinecone_fdw.write_buffer = ' . pick(64, 64, 1000)} if chance(0.5);
	push @statements, {both => 'SET LOCAL pinecone_fdw.enable_' . pick(qw(filter knn limit fetch prefix sort aggregate columns direct_modify)) . ' = off'} if chance(0.25);
	while ($now < $length || $failed)
	{
		my $kind = rand;
		my $table = pick(qw(ft ft ft ff ff gt));

		$now++;
		if ($failed)
		{
			last unless @savepoints;
			$kind = 0.96;
		}
		if ($kind < 0.34)
		{
			push @statements, {table => $table, %{query($table)}};
		}
		elsif ($kind < 0.74)
		{
			my $write = write_statement($table);
			next if %cursors && $write->{sql} =~ /^TRUNCATE/;
			push @statements, {table => $table, %$write};
		}
		elsif ($kind < 0.78)
		{
			my $name = "c$now";
			my $query = query($table);
			$query->{order} = 1 if $query->{sql} =~ s/(SELECT id, n FROM %T.*)/$1 ORDER BY id/;
			next unless $query->{order} && !$query->{knn} && $main::rollbacks;
			push @statements, {table => $table, sql => "DECLARE $name CURSOR FOR $query->{sql}", model => "DECLARE m$name CURSOR FOR " . $query->{sql} =~ s/%T/$model{$table}/gr};
			$cursors{$name} = $now;
		}
		elsif ($kind < 0.86)
		{
			next unless %cursors;
			my $name = pick(sort keys %cursors);
			my $n = pick(1, 3, 10, 'ALL');
			push @statements, {sql => "FETCH $n FROM $name", model => "FETCH $n FROM m$name", order => 1};
		}
		elsif ($kind < 0.91)
		{
			push @savepoints, ["s$now", $now];
			push @statements, {both => "SAVEPOINT s$now"};
		}
		elsif ($kind < 0.93)
		{
			next unless @savepoints;
			my $i = int rand @savepoints;
			push @statements, {both => "RELEASE $savepoints[$i][0]"};
			$#savepoints = $i - 1;
		}
		elsif ($kind < 0.98)
		{
			next unless @savepoints && $main::rollbacks;
			my $i = int rand @savepoints;
			push @statements, {both => "ROLLBACK TO $savepoints[$i][0]"};
			$#savepoints = $i;
			delete @cursors{grep { $cursors{$_} > $savepoints[$i][1] } keys %cursors};
			$failed = 0;
		}
		elsif ($main::rollbacks)
		{
			push @statements, {table => $table, sql => bad_text(), bad => 1};
			$failed = 1;
		}
	}
	push @statements, {both => $failed || $main::rollbacks && chance(0.15) ? 'ROLLBACK' : 'COMMIT'};
	return @statements;
}

# Faults that pass by: what goes on must not show it
sub order_faults
{
	my ($t) = @_;
	for (0 .. rand 3)
	{
		my $fault = pick({kind => 'status', status => 429}, {kind => 'status', status => 500}, {kind => 'status', status => 503},
			{kind => 'close'}, {kind => 'close_after'}, {kind => 'truncate'}, {kind => 'garbage'});
		$t->server->fault({%$fault, count => 1, skip => int rand 6, path => pick('/vectors/*', '/vectors/upsert', '/vectors/delete', '/vectors/update', '/vectors/fetch', '/query')});
	}
}

# ---- Comparing ----

my ($differences, $done, $compared) = (0, 0, 0);

# Rows of distances and ids: neighbours at (nearly) equal distances come in any order.
sub same_neighbours
{
	my ($foreign, $model) = @_;
	return 0 if @$foreign != @$model;
	for my $i (0 .. $#$model)
	{
		my ($d, $id) = split /\|/, $foreign->[$i];
		my ($e, $jd) = split /\|/, $model->[$i];
		return 0 if abs($d - $e) > 2e-3;
		next if $i == $#$model || abs($e - (split /\|/, $model->[$i + 1])[0]) < 5e-3;
		next if $i > 0 && abs($e - (split /\|/, $model->[$i - 1])[0]) < 5e-3;
		return 0 if $id ne $jd;
	}
	return 1;
}

sub check
{
	my ($statement, $foreign, $model, $history) = @_;
	my $problem;

	$compared++;
	if ($statement->{bad})
	{
		# rows that are not there cannot be divided by zero
		return;
	}
	if ($foreign->{state} ne $model->{state})
	{
		$problem = "SQLSTATE $foreign->{state}, model $model->{state}";
	}
	elsif ($foreign->{state} ne '00000')
	{
		$problem = "both fail";
	}
	elsif (!$statement->{uncounted})
	{
		my @foreign = $foreign->{rows}->@*;
		my @model = $model->{rows}->@*;

		@foreign = sort @foreign and @model = sort @model if !$statement->{order};
		$problem = "row counts $foreign->{count}, model $model->{count}" if $foreign->{count} ne $model->{count};
		if ($statement->{knn})
		{
			$problem .= "\nneighbours differ" if !same_neighbours(\@foreign, \@model);
		}
		elsif ("@foreign" ne "@model")
		{
			$problem .= "\nrows differ";
		}
		if ($problem)
		{
			my %in_model = map { $_ => 1 } @model;
			my %in_foreign = map { $_ => 1 } @foreign;
			$problem .= "\nforeign only: " . join("\n   ", grep { !$in_model{$_} } @foreign);
			$problem .= "\nmodel only:   " . join("\n   ", grep { !$in_foreign{$_} } @model);
		}
	}
	return if !$problem;
	$differences++;
	my @before = map { "$_;" } @$history;
	diag "seed $seed: $problem\n" . join("\n", map { length > 600 ? substr($_, 0, 600) . '...' : $_ } @before) . "\n$foreign->{err}$model->{err}" if $differences <= 3;
}

my $marks = 0;

# Run one text: {rows, count, state, err}
sub run
{
	my ($session, $sql) = @_;
	my $mark = '#' . ++$marks . ' ';
	$sql .= ';' unless $sql =~ /\\\.\n\z/;
	# psql takes a lone semicolon after COPY for another COPY
	my $result = $session->query("$sql\n\\echo $mark :ROW_COUNT :SQLSTATE\nSELECT WHERE false", 60);
	my @lines = split /\n/, $result->{out}, -1;
	my $last = pop(@lines) // '';
	my ($count, $state) = $last =~ /^#\d+\s+(\d+) (\w+)$/ or die "lost the session after:\n$sql\n$result->{out}\n$result->{err}\n";

	return {rows => \@lines, count => $count, state => $state, err => $result->{err}};
}

sub for_table
{
	my ($sql, $table) = @_;
	$sql =~ s/%T/$table/g if $table;
	return $sql;
}

sub run_transaction
{
	my ($t, $session, $other, $mode) = @_;
	my @history;
	my $failed = 0;
	my $end;

	for my $statement (transaction())
	{
		if ($statement->{both})
		{
			push @history, $statement->{both};
			diag $history[-1] if $verbose;
			my $result = run($session, $statement->{both});
			$end = $statement->{both};
			if ($result->{state} ne '00000')
			{
				$differences++;
				diag "seed $seed: $result->{err}" . join("\n", map { substr $_, 0, 600 } @history) . "\n" if $differences <= 3;
				run($session, 'ROLLBACK');
				return;
			}
			next;
		}
		my $table = $statement->{table};
		my $sql = for_table($statement->{sql}, $table);
		push @history, $sql;
		diag $sql if $verbose;
		my $foreign = run($session, $sql);
		$done++;
		if ($statement->{bad})
		{
			# it must fail in the model's eyes too, so that both are rolled back
			run($session, 'SELECT 1 / 0');
			next;
		}
		my $model = run($session, for_table($statement->{model} // $statement->{sql}, $table && $model{$table}));
		my $before = $differences;
		check($statement, $foreign, $model, \@history);
		if ($differences > $before)
		{
			run($session, 'ROLLBACK');
			repair($session);
			return;
		}
	}
	for my $name ('ft', 'gt')
	{
		my $columns = columns_of($name);
		my $foreign = run($other, "SELECT $columns FROM $name ORDER BY id");
		my $model = run($other, "SELECT $columns FROM $model{$name} ORDER BY id");
		my $before = $differences;

		check({order => 1}, $foreign, $model, [@history, "-- what is stored in $name"]);
		repair($session) if $differences > $before;
	}
}

# The model follows what is stored, so that one difference is not many
sub repair
{
	my ($session) = @_;
	run($session, "BEGIN; TRUNCATE base_a, base_g; INSERT INTO base_a SELECT id, embedding, metadata FROM ft; INSERT INTO base_g SELECT id, embedding, metadata FROM gt; COMMIT");
}

# How long the service takes to show a write, and how long it is kept for that
sub random_lag
{
	my $most = pick(400, 1500);
	my %lag = map { $_ => pick(0, 100, $most) } qw(lag_search lag_list lag_fetch lag_stats);

	return {
		settings => {%lag, lsn_headers => pick(qw(never queries everywhere))},
		conf => ["pinecone_fdw.unseen_time = '" . ($most + 600) . "ms'",
			"pinecone_fdw.unseen_writes = '" . pick('256kB', '4MB', '16MB') . "'",
			chance(0.5) ? "shared_preload_libraries = 'pinecone_fdw'" : ()],
		sessions => pick(1, 2),
	};
}

sub compare
{
	my ($mode, $faults, $n, $lag) = @_;
	my %config = (
		mode => $mode, metric => pick(qw(euclidean cosine dotproduct)),
		batch_size => pick(1, 3, 20, 1000), concurrency => pick(1, 2, 4),
	);
	my %operators = (euclidean => '<->', cosine => '<=>', dotproduct => '<#>');
	my $t = Harness->new(conf => ["log_min_messages = 'warning'", $lag ? $lag->{conf}->@* : ()]);
	our $cached = $ENV{PINECONE_LOCAL_CACHE} || chance(0.4);
	local $ENV{PINECONE_LOCAL_CACHE} = 1 if $cached;
	my $name = join ', ', (map { "$_ $config{$_}" } sort keys %config), $cached ? 'with a cache' : ();
	my $why = $lag ? ', with lag ' . join(' ', map { "$_ $lag->{settings}{$_}" } sort keys $lag->{settings}->%*) . ", $lag->{sessions} sessions, " . join(', ', $lag->{conf}->@*) : '';

	our $operator = $operators{$config{metric}};
	our $rollbacks = $mode eq 'transactional';
	our %asked;
	($differences, $done, $compared) = (0, 0, 0);
	setup($t, \%config);
	my $session = $t->session;
	my $other = $t->session;
	my @turn = $lag && $lag->{sessions} == 2 ? ($session, $t->session) : ($session);
	$t->server->control('POST', '/_local/settings', $lag->{settings}) if $lag;
	if (chance(0.6))
	{
		run($_, 'SET pinecone_fdw.sweep_records = 0') for $other, @turn;
	}
	while ($done < $n && $differences < 5)
	{
		push @turn, $session = shift @turn;
		order_faults($t) if $faults && chance(0.5);
		run_transaction($t, $session, $other, $mode);
		$t->server->clear_faults if $faults;
	}
	if ($lag && $differences == 0)
	{
		# what is there in the end, without anything laid over it
		$t->server->control('POST', '/_local/settings', {lag => 0});
		run($other, 'SET pinecone_fdw.unseen_time = 0');
		for my $name ('ft', 'gt')
		{
			my $columns = columns_of($name);
			check({order => 1}, run($other, "SELECT $columns FROM $name ORDER BY id"),
				run($other, "SELECT $columns FROM $model{$name} ORDER BY id"), ["-- what the service has of $name in the end"]);
		}
	}
	is($differences, 0, "$done statements, $compared comparisons, $name" . ($faults ? ', with faults' : '') . "$why (seed $seed)");
	my @remote = $t->server->data('writes', 'POST', '/describe_index_stats', {});
	my $held = ($remote[0]{namespaces}{a}{vectorCount} // 0) . ' ' . ($remote[0]{namespaces}{g}{vectorCount} // 0);
	is($t->sql("SELECT (SELECT count(*) FROM base_a) || ' ' || (SELECT count(*) FROM base_g)"), $held, 'Pinecone holds as many records') if $differences == 0;
	unlike($t->log, qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
}

srand $seed;
compare('transactional', 0, int $nstatements * 0.4);
compare('transactional', 1, int $nstatements * 0.15);
compare('immediate', 0, int $nstatements * 0.1);
compare('immediate', 1, int $nstatements * 0.05);
compare('transactional', 0, int $nstatements * 0.06, random_lag()) for 1 .. 4;
compare('transactional', 1, int $nstatements * 0.03, random_lag());
compare('immediate', chance(0.3), int $nstatements * 0.03, random_lag());
done_testing;
