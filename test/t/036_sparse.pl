#!/usr/bin/env perl
#
# Searches by sparse vectors, where SQL alone does not show it: a service that shows
# writes late, searches that bring too few, faults at every request of a search that
# goes on to read what it did not bring, partitions, a statement that is cancelled.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;

$server->create_index($_) for 'terms', 'other';
for my $name ('terms', 'other')
{
	$t->sql("CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$name', control_host '$server->{url}', max_retries '1');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key')");
}
my $columns = 'id text COLLATE "C", sparse_values jsonb, n int';
$t->sql(<<"END");
CREATE FOREIGN TABLE term ($columns) SERVER terms;
CREATE TABLE term_copy ($columns);
CREATE FUNCTION fill(lo int, hi int) RETURNS TABLE (id text, sparse_values jsonb, n int) LANGUAGE sql AS \$\$
  SELECT 'r' || lpad(i::text, 4, '0'), pinecone_sparse(ARRAY[i % 5, 5 + i % 7], ARRAY[1 + i % 16 / 16.0, CASE WHEN i % 11 = 0 THEN -0.5 ELSE 0.5 END]), i FROM generate_series(lo, hi) i \$\$;
INSERT INTO term SELECT * FROM fill(1, 300);
INSERT INTO term_copy SELECT * FROM fill(1, 300);
END

my $d = q(sparse_values <#> '{"indices": [2, 6, 9], "values": [1, 0.5, -0.25]}');

# The distances of a query, in order, of both; what is "T" stands for the table
sub same
{
	my ($session, $query, $name) = @_;
	my ($foreign, $local) = map { my $table = $_; $session->query($query =~ s/\bT\b/$table/gr =~ s/\bD\b/$d/gr) } 'term', 'term_copy';
	is($foreign->{out} . $foreign->{err}, $local->{out}, $name);
}

my $session = $t->session;
my @queries = map { "SELECT round(($d)::numeric, 6) FROM T $_" } "ORDER BY D LIMIT 20", "ORDER BY D LIMIT 290", "ORDER BY D",
	"WHERE n % 2 = 0 ORDER BY D LIMIT 140", "WHERE n < 100 ORDER BY D LIMIT 90", "WHERE D < -0.5 ORDER BY D";
same($session, $_, "the same as locally: $_") for @queries;

# ---- Writes that are not shown yet ----

$server->control('POST', '/_local/settings', {lag => 2000});
for my $table ('term', 'term_copy')
{
	$session->query("INSERT INTO $table SELECT * FROM fill(301, 320)");
	$session->query("UPDATE $table SET sparse_values = pinecone_sparse('{2}', '{4}') WHERE id = 'r0007'");
	$session->query("DELETE FROM $table WHERE id IN ('r0002', 'r0012', 'r0022')");
}
same($session, $_, "what was written a moment ago: $_") for @queries;
$server->control('POST', '/_local/settings', {lag => 0});

# ---- Searches that bring too few ----

$server->control('POST', '/_local/settings', {approximate => 7});
$session->query('SET pinecone_fdw.unseen_time = 0');
same($session, $_, "searches that bring too few: $_") for grep { !/LIMIT (?:20|90|140)$|< -0.5/ } @queries;
is($session->query("SELECT count(*) FROM (SELECT id FROM term ORDER BY $d LIMIT 200) x")->{out}, 200, 'as many as LIMIT says');
is($session->query("SELECT count(DISTINCT id) FROM (SELECT id FROM term ORDER BY $d LIMIT 200) x")->{out}, 200, 'and none twice');
$server->control('POST', '/_local/settings', {approximate => 0});

# ---- Faults ----

my $wanted = $t->sql("SELECT string_agg(round(d::numeric, 6)::text, ',') FROM (SELECT $d AS d FROM term_copy ORDER BY $d LIMIT 250) x");
for my $path ('/query', '/vectors/list', '/vectors/fetch')
{
	for my $fault ({kind => 'status', status => 400}, {kind => 'truncate'}, {kind => 'status', status => 503})
	{
		my $result;

		$server->fault({%$fault, path => $path, count => 3, skip => $path eq '/query' ? 1 : 0});
		$result = $session->query("SELECT string_agg(round(d::numeric, 6)::text, ',') FROM (SELECT $d AS d FROM term ORDER BY $d LIMIT 250) x");
		ok($result->{err} ne '' || $result->{out} eq $wanted, "a fault of $path: an error or all of it");
		$server->clear_faults;
	}
}
is($session->query("SELECT string_agg(round(d::numeric, 6)::text, ',') FROM (SELECT $d AS d FROM term ORDER BY $d LIMIT 250) x")->{out}, $wanted, 'the session works on');

# ---- Cancelled while records without overlap are read ----

$server->fault({kind => 'delay', delay_ms => 20_000, path => '/vectors/list', count => -1});
like($session->query("SET statement_timeout = 500; SELECT id FROM term ORDER BY $d LIMIT 290; RESET statement_timeout")->{err}, qr/statement timeout/, 'cancelled');
$server->clear_faults;
$session->query('RESET statement_timeout');
same($session, $queries[1], 'and asked again');

# ---- Partitions ----

$t->sql(<<"END");
CREATE TABLE parts ($columns);
CREATE FOREIGN TABLE part_b () INHERITS (parts) SERVER other;
ALTER FOREIGN TABLE term INHERIT parts;
INSERT INTO part_b SELECT * FROM fill(401, 430);
INSERT INTO term_copy SELECT * FROM fill(401, 430);
END
like($t->sql("EXPLAIN (COSTS OFF) SELECT id FROM parts ORDER BY $d LIMIT 5"), qr/(?:Foreign Scan.*?operation: query.*?){2}/is, 'partitions are searched');
for my $n (5, 320)
{
	my ($foreign, $local) = map { $t->sql("SELECT string_agg(round(d::numeric, 6)::text, ',') FROM (SELECT $d AS d FROM $_ ORDER BY $d LIMIT $n) x") } 'parts', 'term_copy';
	is($foreign, $local, "the nearest $n of both");
}
done_testing;
