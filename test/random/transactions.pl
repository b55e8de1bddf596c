#!/usr/bin/env perl
#
# Random transactions that search between their own writes, against the same on
# local tables: by dense vectors, sparse ones, both, and words, in one namespace,
# several and partitions; with savepoints that are released or rolled back to, and
# cursors that were opened before later writes and outlive some of them, or the
# transaction.  Many commit; where the service lags the next ones begin before it
# shows what was written.  Some meet latency and rate limits; some tables have answers
# from memory.
#
#	test/random/transactions.pl [SEED [TRANSACTIONS [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use JSON::PP;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $rounds = $ARGV[1] // 24;
my $nrecords = $ARGV[2] // 60;
my $terms = 10;
my $small_limits = ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--small-limits/;
my @words = map { "w$_" } 1 .. 6;
my $json = JSON::PP->new->canonical;
my ($kind, $fresh) = ('', 0);

# ---- Values ----

# Sums of products of sixteenths are exact, wherever they are made
sub dense
{
	return [map({ (number(63) - 31) / 16 } 1, 2), pick(-1, 1)];
}

sub sparse
{
	my %values = map { number($terms) => (1 + number(40)) / 16 } 0 .. number(4);
	my @indices = sort { $a <=> $b } keys %values;
	return {indices => \@indices, values => [map { $values{$_} } @indices]};
}

sub body
{
	return join ' ', map { pick(@words) } 0 .. number(3);
}

sub dense_sql
{
	return "'{" . join(',', dense()->@*) . "}'::real[]";
}

sub sparse_sql
{
	return "'" . $json->encode(sparse()) . "'::jsonb";
}

# The columns that a kind of index has besides id and n, each with its values in SQL
my %columns = (
	dense => {embedding => \&dense_sql},
	sparse => {sparse_values => \&sparse_sql},
	hybrid => {embedding => \&dense_sql, sparse_values => \&sparse_sql},
	documents => {embedding => \&dense_sql, sparse_values => \&sparse_sql, body => sub { literal(body()) }},
);

# ---- Statements: %T is the table, %P and %p "part, " and its value where there are parts ----

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
	my ($stays) = @_;
	my $ids = join ', ', map { some_id() } 0 .. number(5);
	my @columns = sort keys $columns{$kind}->%*;
	my $column = pick(@columns);
	my $value = $columns{$kind}{$column}->();
	# of vectors one has to stay
	my $none = $kind eq 'documents' || $kind eq 'hybrid' && $column eq 'sparse_values' ? 'NULL' : $value;
	my @rows = map { '(%p' . join(', ', "'new" . ++$fresh . "'", number(12), map { $columns{$kind}{$_}->() } @columns) . ')' } 0 .. number(4);

	return pick(
		"UPDATE %T SET $column = $value WHERE id = " . some_id(),
		"UPDATE %T SET $column = $value, n = " . number(12) . ' WHERE id IN (' . some_id() . ', ' . some_id() . ')',
		"UPDATE %T SET $column = $none WHERE id = " . some_id(),
		"UPDATE %T SET n = " . number(12) . " WHERE id IN ($ids)",
		"UPDATE %T SET n = " . number(12) . " WHERE n = " . number(12),
		"UPDATE %T SET n = n + 1 WHERE n % 4 = 1",
		"DELETE FROM %T WHERE id IN ($ids)",
		$stays ? () : "DELETE FROM %T WHERE n = " . number(12),
		("INSERT INTO %T (%Pid, n, " . join(', ', @columns) . ') VALUES ' . join(', ', @rows)) x 3);
}

# What is searched by, as SQL
sub distance
{
	my @ways = (
		$kind ne 'sparse' ? 'embedding <#> ' . dense_sql() : (),
		$kind ne 'dense' ? ('sparse_values <#> ' . sparse_sql()) x 2 : (),
		$columns{$kind}{sparse_values} && $kind ne 'sparse' ? ('pinecone_hybrid_distance(embedding <#> ' . dense_sql() . ', sparse_values <#> ' . sparse_sql() . ', ' . pick(0, 0.25, 0.5, 1) . ')') x 2 : ());
	return pick(@ways);
}

# Rows in an order; who shares a distance with others is not told
sub search
{
	my ($d, $c) = (distance(), condition());
	my $shown = "coalesce(round(($d)::numeric, 5)::text, '-') AS id";
	my $some = 1 + number(15);

	return pick(
		"SELECT $shown FROM %T WHERE $c ORDER BY $d",
		("SELECT $shown FROM %T WHERE $c ORDER BY $d LIMIT $some") x 2,
		"SELECT $shown FROM %T WHERE $c ORDER BY $d LIMIT $some OFFSET " . number(9),
		"SELECT $shown FROM %T WHERE ($c) AND $d < " . pick(0, -0.5, -3) . " ORDER BY $d LIMIT $some");
}

sub query
{
	my ($d, $c) = (distance(), condition());

	return search() if rand() < 0.6;
	return pick(
		"SELECT id FROM %T WHERE ($c) AND $d < " . pick(0.03125, -0.53125, -3.03125) . ' ORDER BY id',
		"SELECT count(*) || '/' || count(DISTINCT id) AS id FROM (SELECT id FROM %T WHERE $c ORDER BY $d) s",
		"SELECT id || coalesce(n, -1) AS id FROM %T WHERE $c ORDER BY n, id LIMIT 9",
		"SELECT count(*)::text AS id FROM %T WHERE $c", "SELECT count(*)::text AS id FROM %T", "SELECT id FROM %T WHERE $c ORDER BY id",
		"SELECT id || ':' || (" . pick(sort keys $columns{$kind}->%*) . ' IS NULL) AS id FROM %T WHERE id IN (' . some_id() . ', ' . some_id() . ') ORDER BY id',
		"SELECT coalesce(n, -1) || ':' || count(*) AS id FROM %T WHERE $c GROUP BY n ORDER BY 1");
}

# A search by words, for the foreign table and for the local one
sub text_query
{
	my ($word, $other) = (pick(@words), pick(@words));
	my $c = pick('true', 'n > ' . number(12), 'n % 3 = ' . number(3), 'length(id) % 2 = ' . number(2));
	my $d = 'embedding <#> ' . dense_sql();
	my ($foreign, $local) = pick(
		["body @@@ '$word'", "body ~ '\\m$word\\M'"],
		["(body @@@ '$word' OR body @@@ '$other')", "body ~ '\\m($word|$other)\\M'"],
		["body @@@ '$word' AND pinecone_match_all(body, '$word $other')", "body ~ '\\m$word\\M' AND body ~ '\\m$other\\M'"])->@*;

	return pick(
		map({ my $s = $_; [map { $s =~ s/%W/$_/r } $foreign, $local] } "SELECT id FROM %T WHERE %W AND ($c) ORDER BY id", "SELECT count(*)::text AS id FROM %T WHERE %W AND ($c)"),
		[map { "SELECT coalesce(round(($d)::numeric, 5)::text, '-') AS id FROM %T WHERE $_ AND ($c) ORDER BY $d LIMIT 5" } "pinecone_match_any(body, '$word')", "body ~ '\\m$word\\M'"]);
}

# ---- Transactions ----

# A table's name and its model's in place of the marks
sub for_table
{
	my ($text, $table, $name) = @_;
	my $part = $table eq 'one' ? ['', ''] : ['part, ', "'" . pick('a', 'b') . "', "];
	return map { my $t = $_; $text =~ s/%T/$t/gr =~ s/%P/$part->[0]/gr =~ s/%p/$part->[1]/gr } $name, $table eq 'one' ? 'one_copy' : 'ab_copy';
}

my $compared = 0;

sub compared
{
	my ($function, $foreign, $local, $same) = @_;
	my ($f, $l) = map { "$function(" . join(', ', map { literal($_) } @$_) . ')' } $foreign, $local;
	return 'SELECT ' . $compared++ . ', ' . ($same // 'f = l') . ", f, l FROM (SELECT $f AS f, " . ($l =~ s/^text_ids/ids/r) . ' AS l OFFSET 0) s';
}

# The statements of one transaction
sub transaction
{
	my ($table) = @_;
	my $commits = rand() < 0.5;
	my (@statements, @savepoints, %cursors, @written);

	push @statements, 'BEGIN';
	push @statements, 'SET LOCAL enable_sort = off' if rand() < 0.5;
	push @statements, 'SET LOCAL pinecone_fdw.sweep_records = 0' if rand() < 0.5;
	push @statements, 'SET LOCAL pinecone_fdw.write_buffer = 64' if rand() < 0.3;
	push @statements, 'SET LOCAL pinecone_fdw.enable_' . pick('knn', 'limit', 'aggregate', $kind eq 'documents' ? () : 'filter') . ' = off' if rand() < 0.15;
	for my $now (1 .. pick(3, 8, 16))
	{
		my $step = rand;

		if ($step < 0.36)
		{
			push @statements, for_table(write_($commits), $table, $table);
			push @written, $now;
		}
		elsif ($step < 0.56)
		{
			my @text = $kind eq 'documents' && rand() < 0.4 ? text_query()->@* : ();
			my ($foreign, $local) = @text ? ((for_table($text[0], $table, $table))[0], (for_table($text[1], $table, $table))[1]) : for_table(query(), $table, $table);
			# nobody can search for words that are not sent; what has been taken back is not to be sent
			my @instead = @text ? (@written ? "'not sent'" : (), $small_limits ? "'too many'" : ()) : ();
			push @statements, compared(@text ? 'text_ids' : 'ids', [$foreign], [$local], join ' OR ', 'f = l', map { "f = $_" } @instead);
		}
		elsif ($step < 0.68)
		{
			my $how = pick('', 'SCROLL ', 'NO SCROLL ');
			my ($foreign, $local) = for_table(search(), $table, $table);
			push @statements, "DECLARE f$now ${how}CURSOR WITH" . ($commits ? '' : 'OUT') . " HOLD FOR $foreign", "DECLARE l$now ${how}CURSOR WITH" . ($commits ? '' : 'OUT') . " HOLD FOR $local";
			$cursors{$now} = $how;
		}
		elsif ($step < 0.8 && %cursors)
		{
			my $n = pick(sort keys %cursors);
			push @statements, "MOVE BACKWARD ALL FROM f$n", "MOVE BACKWARD ALL FROM l$n" if $cursors{$n} eq 'SCROLL ' && rand() < 0.3;
			my $rows = pick(1, 3, 100);
			push @statements, compared('take', map { ["$_$n", $rows] } 'f', 'l');
		}
		elsif ($step < 0.88)
		{
			push @savepoints, $now;
			push @statements, "SAVEPOINT s$now";
		}
		elsif ($step < 0.96 && @savepoints)
		{
			my $i = number(scalar @savepoints);
			push @statements, "ROLLBACK TO s$savepoints[$i]";
			$#savepoints = $i;
			delete @cursors{grep { $_ > $savepoints[$i] } keys %cursors};
			@written = grep { $_ < $savepoints[$i] } @written;
		}
		elsif (@savepoints)
		{
			my $i = number(scalar @savepoints);
			push @statements, "RELEASE s$savepoints[$i]";
			$#savepoints = $i - 1;
		}
	}
	push @statements, $commits ? 'COMMIT' : 'ROLLBACK';
	push @statements, map({ compared('take', ["f$_", 100], ["l$_", 100]) } sort keys %cursors) if $commits;
	push @statements, 'CLOSE ALL', compared('ids', map { [$_] } for_table(query(), $table, $table));
	return @statements;
}

# ---- Tables: "one" of one namespace, "several" and "parts" of two ----

sub create_tables
{
	my ($t) = @_;
	my $server = $t->server;
	my %types = (embedding => 'real[]', sparse_values => 'jsonb', body => 'text');
	my $columns = join ', ', 'id text COLLATE "C"', 'n int', map { "$_ $types{$_}" } sort keys $columns{$kind}->%*;
	my %records;

	if ($kind eq 'documents')
	{
		$server->create_document_index('transactions', {
			embedding => {type => 'dense_vector', dimension => 3, metric => 'dotproduct'}, sparse_values => {type => 'sparse_vector'},
			body => {type => 'string', full_text_search => {}}});
	}
	else
	{
		$server->create_index('transactions', $kind eq 'sparse' ? () : (dimension => 3, metric => 'dotproduct'));
	}
	for my $i (0 .. $nrecords - 1)
	{
		my @n = rand() < 0.9 ? (n => number(12)) : ();
		my %record = $kind eq 'documents' ?
			(_id => "r$i", @n, body => body(), rand() < 0.9 ? (embedding => dense()) : (), rand() < 0.8 ? (sparse_values => sparse()) : ()) :
			(id => "r$i", metadata => {@n}, $kind ne 'sparse' ? (values => dense()) : (), $kind eq 'sparse' || $kind eq 'hybrid' && rand() < 0.8 ? (sparseValues => sparse()) : ());

		push $records{$_}->@*, \%record for 'one', pick('a', 'b');
	}
	for my $namespace (sort keys %records)
	{
		$kind eq 'documents' ? $server->upsert_documents('transactions', $namespace, $records{$namespace}) : $server->upsert('transactions', $namespace, $records{$namespace});
	}
	# words are searched for by the service, which is waited for
	my $options = $kind eq 'documents' ? ", consistency 'session'" : '';
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'transactions', control_host '$server->{url}'@{[$ENV{PINECONE_LOCAL_CACHE} ? ", cache_ttl '1h'" : '']});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE one ($columns) SERVER s OPTIONS (namespace 'one'$options);
CREATE FOREIGN TABLE several (part text OPTIONS (role 'namespace') COLLATE "C", $columns) SERVER s OPTIONS (namespaces 'a, b'$options);
CREATE TABLE parts (part text COLLATE "C", $columns) PARTITION BY LIST (part);
CREATE FOREIGN TABLE part_a PARTITION OF parts FOR VALUES IN ('a') SERVER s OPTIONS (namespaces 'a'$options);
CREATE FOREIGN TABLE part_b PARTITION OF parts FOR VALUES IN ('b') SERVER s OPTIONS (namespaces 'b'$options);
ALTER FOREIGN TABLE part_a ALTER part OPTIONS (role 'namespace');
ALTER FOREIGN TABLE part_b ALTER part OPTIONS (role 'namespace');
CREATE TABLE one_copy AS SELECT * FROM one;
CREATE TABLE ab_copy AS SELECT * FROM several;
-- the next rows of a cursor
CREATE FUNCTION take(c refcursor, n int) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE r record; result text := '';
BEGIN
  FOR i IN 1 .. n LOOP
    FETCH c INTO r;
    EXIT WHEN NOT FOUND;
    result := result || r.id || ' ';
  END LOOP;
  RETURN result;
END \$\$;
END
	create_ids($t);
	$t->sql(<<'END');
CREATE FUNCTION text_ids(q text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN ids(q);
EXCEPTION WHEN feature_not_supported THEN
  IF sqlerrm <> 'texts cannot be searched in a transaction that has written to them' THEN
    RAISE;
  END IF;
  RETURN 'not sent';
WHEN program_limit_exceeded THEN
  RETURN 'too many';
END $$;
END
	is($t->sql('SELECT (SELECT count(*) FROM one_copy), (SELECT count(*) FROM ab_copy)'), "$nrecords|$nrecords", "all records are read ($kind)");
}

# What one session has written is to be found by the words that another searches for.
sub wait_for_writes
{
	my ($writer, $reader) = @_;

	for my $table (qw(one several))
	{
		my $write = $writer->query("SELECT pinecone_last_write('$table')")->{out};
		$reader->query("SELECT pinecone_wait_for('$table', '$write')") if $write;
	}
}

sub compare
{
	# as it is, behind its writes, or far away and busy
	my ($how, %settings) = pick(['at once'], ['lag 400 ms', lag => 400], ['lag 400 ms', lag => 400], ['latency 50 ms, with rate limits', latency => 50, rate_limits => 1])->@*;
	local $ENV{PINECONE_LOCAL_CACHE} = 1 if rand() < 0.3;
	local $ENV{PINECONE_LOCAL_KIND};
	my $t = Harness->new(conf => rand() < 0.5 ? ["shared_preload_libraries = 'pinecone_fdw'"] : []);
	my ($differences, $done) = (0, 0);
	my (@sessions, $session);

	create_tables($t);
	$t->server->control('POST', '/_local/settings', \%settings) if %settings;
	@sessions = map { $t->session('-v', 'ON_ERROR_STOP=0') } 1 .. pick(1, 2);
	$compared = 0;
	for (1 .. ($settings{latency} ? $rounds / 3 : $rounds))
	{
		my @statements = transaction(pick('one', 'one', 'several', 'parts'));
		my $last = $session;
		$session = pick(@sessions);
		wait_for_writes($last, $session) if $kind eq 'documents' && $last && $last != $session;
		my $result = $session->query(join '', map { "$_;\n" } @statements);
		my @lines = grep { /^\d+\|[tf]?\|/ } split /\n/, $result->{out};
		my @wrong = grep { !/^\d+\|t\|/ } @lines;

		$done += @lines;
		next unless $result->{err} =~ /ERROR|WARNING|FATAL/ || @wrong;
		diag "seed $seed: $kind, $how\n" . join("\n", map { substr $_, 0, 400 } @statements) . "\n$result->{err}" . join "\n", @wrong if ++$differences <= 3;
		# where they differ once they would go on to
		last;
	}
	is($differences, 0, "transactions on $nrecords records, $kind, $how, @{[scalar @sessions]} sessions" . ($ENV{PINECONE_LOCAL_CACHE} ? ', with a cache' : '') . " (seed $seed)");
	is($done, $compared, 'every comparison was made') if !$differences;
	$_->close for @sessions;
}

srand $seed;
for (qw(dense sparse hybrid documents))
{
	$kind = $_;
	compare();
}
done_testing;
