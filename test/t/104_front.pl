#!/usr/bin/env perl
#
# postgres_fdw in front: tables that are imported from here answer as local copies that are
# imported beside them, searches go with their LIMIT as one request, and writes, those by
# ctid too, do the same to both.  (Transactions over both, and scores: 030.)
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
plan skip_all => 'there is no postgres_fdw' if $t->sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0';
my $server = $t->server;
$server->create_index('front', dimension => 3);
my $where = $server->where('front');
my $columns = 'id text COLLATE "C" NOT NULL, embedding real[], n int, title text, tags text[], at timestamptz';

$t->sql('CREATE DATABASE behind');
my $behind = Harness::Session->new({%{$t->{env}}, PGDATABASE => 'behind'});
my $made = $behind->query(<<"END");
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where);
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SCHEMA shown;
CREATE FOREIGN TABLE shown.there ($columns) SERVER s OPTIONS (namespace 'there');
CREATE TABLE shown.here ($columns);
CREATE TABLE shown.other (id text COLLATE "C", k int);
INSERT INTO shown.here SELECT 'r' || lpad(i::text, 4, '0'), ARRAY[cos(i), sin(i), cos(i * 7.3)]::real[], i % 50, 'title ' || i % 7, ARRAY['t' || i % 3], '2026-01-01'::timestamptz + i * interval '1 h' FROM generate_series(1, 1200) i;
INSERT INTO shown.there SELECT * FROM shown.here;
INSERT INTO shown.other SELECT 'r' || lpad((i * 13)::text, 4, '0'), i FROM generate_series(1, 40) i;
END
is($made->{err}, '', 'a database behind');
$t->sql(<<"END");
CREATE EXTENSION postgres_fdw;
CREATE SERVER behind FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$t->{env}{PGHOST}', port '$t->{env}{PGPORT}', dbname 'behind', extensions 'pinecone_fdw');
CREATE USER MAPPING FOR CURRENT_USER SERVER behind OPTIONS (user '$t->{env}{PGUSER}');
IMPORT FOREIGN SCHEMA shown FROM SERVER behind INTO public;
END
is($t->sql(q{SELECT string_agg(foreign_table_name, ' ' ORDER BY 1) FROM information_schema.foreign_tables}), 'here other there', 'is imported, foreign tables too');

# ---- Reads ----

# TAB is either table
my $session = $t->session('-v', 'VERBOSITY=terse');
$session->query('SET client_min_messages = error; SELECT count(*) FROM there');
sub same
{
	my ($name, $sql, $requests) = @_;
	my %answer;
	for my $table ('here', 'there')
	{
		$server->clear_requests;
		my $result = $session->query(($sql =~ s/\bTAB\b/$table/gr) . '; DEALLOCATE ALL; RESET plan_cache_mode; DROP TABLE IF EXISTS gone');
		$answer{$table} = $result->{out} . $result->{err};
	}
	is($answer{there}, $answer{here}, $name);
	isnt($answer{here}, '', 'which is something');
	is(scalar(grep { !/describe_index_stats/ } $server->take_log), $requests, 'and so many requests') if defined $requests;
}
my $remote = q{'{0.3,-0.8,0.2}'};
for my $estimate ('false', 'true')
{
	$t->sql("ALTER SERVER behind OPTIONS (ADD use_remote_estimate '$estimate')");
	same('a search', "SELECT id FROM TAB ORDER BY embedding <=> $remote LIMIT 7", 1);
	same('with a filter', "SELECT id, n FROM TAB WHERE n BETWEEN 3 AND 20 ORDER BY embedding <=> $remote LIMIT 7", 1);
	same('with its vector bound', "PREPARE q (real[], int) AS SELECT id FROM TAB WHERE n > \$2 ORDER BY embedding <=> \$1 LIMIT 7; SET plan_cache_mode = force_generic_plan; EXECUTE q ($remote, 5)", 1);
	same('a distance within bounds', "SELECT count(*) FROM TAB WHERE embedding <=> $remote < 0.1");
	same('by id', q{SELECT * FROM TAB WHERE id IN ('r0001', 'r0777', 'none') ORDER BY id});
	same('a filter', q{SELECT id, title FROM TAB WHERE n = 7 AND title = 'title 1' ORDER BY id}, 1);
	same('count(*)', 'SELECT count(*) FROM TAB WHERE n = 7', 1);
	same('a join there', 'SELECT o.k, t.title FROM other o JOIN TAB t USING (id) WHERE o.k < 20 ORDER BY o.k');
	same('DISTINCT', 'SELECT DISTINCT title FROM TAB ORDER BY title');
	same('pages', q{SELECT id FROM TAB WHERE id > 'r0100' ORDER BY id LIMIT 100});
	like($t->sql("EXPLAIN (VERBOSE) SELECT id FROM there WHERE n < 9 ORDER BY embedding <=> $remote LIMIT 3"), qr/Remote SQL: .* WHERE .* ORDER BY .*<=>.* LIMIT 3/, "all of it goes along, remote estimates $estimate");
	$t->sql('ALTER SERVER behind OPTIONS (DROP use_remote_estimate)');
}
same('a cursor, in part', 'BEGIN; DECLARE c CURSOR FOR SELECT id FROM TAB ORDER BY id; FETCH 120 FROM c; COMMIT');
$t->sql('ANALYZE there');
is($t->sql(q{SELECT reltuples FROM pg_class WHERE relname = 'there'}), 1200, 'ANALYZE has its rows');

# ---- Writes ----

sub does_same
{
	my ($name, $sql, $pattern) = @_;
	same($name, $sql);
	is($behind->query('SELECT count(*) FROM (TABLE shown.here EXCEPT ALL TABLE shown.there) x')->{out} . '|' . $behind->query('SELECT count(*) FROM shown.here')->{out},
		'0|' . $behind->query('SELECT count(*) FROM shown.there')->{out}, 'and does the same');
}
my $count = 'SELECT count(*) FROM TAB';
does_same('INSERT', q{INSERT INTO TAB SELECT 'x' || i, ARRAY[i, 1, 5], i FROM generate_series(1, 30) i RETURNING id});
does_same('COPY', "COPY TAB (id, embedding) FROM PROGRAM 'printf \"c1\\t{1,1,1}\\nc2\\t{1,2,1}\\n\"'; $count");
does_same('an UPDATE that is sent', q{UPDATE TAB SET title = 'sent' WHERE n = 8 RETURNING id, title} =~ s/ RETURNING.*//r . "; $count WHERE title = 'sent'");
does_same('an UPDATE by ctid', q{UPDATE TAB SET title = 'by ctid', n = n + 1 WHERE id LIKE 'r00%' AND random() >= 0; } . "$count WHERE title = 'by ctid'");
does_same('of the id', q{UPDATE TAB SET id = 'renamed' WHERE id = 'r0500' AND random() >= 0 RETURNING id});
does_same('a DELETE by ctid', q{DELETE FROM TAB WHERE id LIKE 'r01%' AND random() >= 0; } . $count);
does_same('with what is here', q{CREATE TEMP TABLE gone AS SELECT 'r0' || i AS id FROM generate_series(200, 220) i; DELETE FROM TAB t USING gone WHERE gone.id = t.id; } . $count);
does_same('SELECT FOR UPDATE', q{BEGIN; SELECT id FROM TAB WHERE id = 'r0300' FOR UPDATE; UPDATE TAB SET n = 3 WHERE id = 'r0300'; COMMIT});
does_same('savepoints', qq{BEGIN; DELETE FROM TAB WHERE id = 'r0301'; SAVEPOINT a; DELETE FROM TAB WHERE n = 9; UPDATE TAB SET title = 'x' WHERE random() >= 0; $count; ROLLBACK TO a; $count; COMMIT});
does_same('ROLLBACK', "BEGIN; TRUNCATE TAB; $count; ROLLBACK; $count");
does_same('batch_size', "ALTER FOREIGN TABLE TAB OPTIONS (ADD batch_size '100'); INSERT INTO TAB SELECT 'y' || i, ARRAY[i, 2, 7], i FROM generate_series(1, 300) i; $count; ALTER FOREIGN TABLE TAB OPTIONS (DROP batch_size)");
$server->clear_requests;
$t->sql(q{DELETE FROM there WHERE id = 'r0302'});
is(scalar(grep { m{^POST /vectors/delete} } $server->take_log), 1, 'a DELETE by id is one request of ours, too');
$server->clear_requests;
is($t->sql(q{WITH d AS (DELETE FROM there WHERE id LIKE 'r04%' AND random() >= 0 RETURNING 1) SELECT count(*) FROM d}), 100, 'a DELETE of many by ctid');
cmp_ok(scalar(grep { m{^GET /vectors/list} } $server->take_log), '<=', 2, 'looks them up, and lists nothing for each');
$behind->query(q{DELETE FROM shown.here WHERE id LIKE 'r04%'});
for my $bad (
	[q{INSERT INTO there VALUES ('bad', '{1,2}')}, qr/ERROR:  cannot store record "bad" in foreign table "there": expected 3 dimensions, not 2\nCONTEXT:  remote SQL command/],
	[q{INSERT INTO there (id) VALUES ('bad')}, qr/ERROR:  cannot store record "bad".*needs a vector/],
	[q{SELECT id FROM there ORDER BY embedding <=> '{1,2}' LIMIT 1}, qr/ERROR:  .*dimension/])
{
	like($t->error_of($bad->[0]), $bad->[1], "an error says why: $bad->[0]");
}
my $reader = $t->session;
$server->clear_requests;
my $pid = $reader->pid;
$server->fault({kind => 'delay', delay_ms => 30000, path => '/query'});
$reader->send("SELECT id FROM there ORDER BY embedding <=> $remote LIMIT 1");
ok($t->wait_until(sub { grep { $_->{path} eq '/query' } $server->requests }, 20), 'a slow search');
kill INT => $pid;
like($reader->result(15)->{err}, qr/canceling statement due to user request/, 'is cancelled in front');
$server->clear_faults;
$behind->close;

done_testing;
