#!/usr/bin/env perl
#
# A hot standby: reads, catalogs and what waits in the primary's outbox are as on the
# primary; whatever would write is refused, before anything is sent; what the primary
# alters is known to sessions that are open; what replay has to lock, it gets.  Waiting
# for writes is 078's, deliveries after a promotion are 066's and random/outbox.pl's.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.outbox_workers = 0']);
my $server = $t->server;
my $host = $server->create_index('read', dimension => 2);
my $other = $server->create_index('moved', dimension => 2);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', control_host '$server->{url}');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, score float8) SERVER s OPTIONS (namespace 'kb', cache_ttl '1h');
CREATE FOREIGN TABLE at_once (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'once', write_mode 'immediate');
CREATE FOREIGN TABLE boxed (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'boxed', write_mode 'outbox');
CREATE FOREIGN TABLE of_items (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'items', consistency 'session');
CREATE TABLE items (id text PRIMARY KEY, embedding real[], n int);
CREATE VIEW v AS SELECT id, n FROM t WHERE n < 50 ORDER BY embedding <=> '{1,0}' LIMIT 5;
INSERT INTO t SELECT 'a' || i, ARRAY[cos(i), sin(i)]::real[], i FROM generate_series(1, 200) i;
INSERT INTO boxed VALUES ('b1', '{1,1}', 1), ('b2', '{1,1}', 2);
SELECT pinecone_deliver();
INSERT INTO boxed VALUES ('b3', '{1,1}', 3);
UPDATE boxed SET n = 9 WHERE id = 'b2';
DELETE FROM boxed WHERE id = 'b1';
INSERT INTO items VALUES ('i1', '{1,2}', 1);
SELECT pinecone_mirror('items', 'of_items');
CREATE MATERIALIZED VIEW kept AS SELECT * FROM v;
END

my $shell = 'source "$1" && CLUSTER_DIR=$2 && cluster_set_user && "${cluster_as[@]}" ';
is(system('bash', '-c', $shell . 'pg_basebackup -R -D "$2/standby" -c fast >/dev/null && "${cluster_as[@]}" pg_ctl -D "$2/standby" -l "$2/standby.log" ' .
	'-o "-c port=5434 -c max_standby_streaming_delay=0" -w start >/dev/null', 'bash', "$FindBin::Bin/../cluster.sh", $t->dir), 0, 'a standby runs')
	or BAIL_OUT(`cat "$ENV{CLUSTER_DIR}/standby.log"`);
my $standby = Harness::Session->new({%{$t->{env}}, PGPORT => 5434});

# Until the standby has replayed what the primary has done so far
sub replayed
{
	my $until = $t->sql('SELECT pg_current_wal_flush_lsn()');
	return $t->wait_until(sub { $standby->query("SELECT pg_last_wal_replay_lsn() >= '$until'")->{out} eq 't' }, 20);
}

# ---- Reads ----

ok(replayed(), 'it has what the primary has');
for my $query (
	'SELECT count(*), sum(n) FROM t',
	q{SELECT id, round(score::numeric, 5) FROM t ORDER BY embedding <=> '{1,0}' LIMIT 5},
	q{SELECT id FROM t WHERE n BETWEEN 5 AND 9 OR id IN ('a1', 'none') ORDER BY id},
	'TABLE v', 'TABLE kept',
	'SELECT count(*) FROM t JOIN items USING (n)',
	'SELECT * FROM boxed ORDER BY id',
	'SELECT server, depth, dead FROM pinecone_outbox_status',
	'SELECT foreign_table, source, state, waiting FROM pinecone_mirror_status',
	q{SELECT name, dimension FROM pinecone_indexes('s') ORDER BY name},
	q{SELECT namespace, records FROM pinecone_namespaces('s') ORDER BY 1},
	q{SELECT foreign_table_name, foreign_server_name FROM information_schema.foreign_tables ORDER BY 1},
	q{SELECT option_name FROM information_schema.foreign_table_options ORDER BY foreign_table_name, 1},
	'SELECT count(*) FROM pinecone_check()')
{
	my $primary = $t->psql($query);
	is($standby->query($query)->{out}, $primary->{out}, $query);
	isnt($primary->{out}, '', 'which is something') or diag($primary->{err});
}

# ---- Writes ----

$server->clear_requests;
for my $write (
	q{INSERT INTO t (id, embedding) VALUES ('x', '{1,1}')}, 'UPDATE t SET n = 1', 'DELETE FROM t', q{DELETE FROM t WHERE id = 'a1'}, 'TRUNCATE t',
	q{COPY t (id, embedding) FROM PROGRAM 'true'}, q{SELECT id FROM t WHERE id = 'a1' FOR UPDATE},
	q{INSERT INTO at_once VALUES ('x', '{1,1}')}, 'DELETE FROM at_once', 'TRUNCATE at_once',
	q{INSERT INTO boxed VALUES ('x', '{1,1}')}, 'DELETE FROM boxed', q{SELECT pinecone_outbox_put('boxed', 'boxed', 'z', '{1,1}', NULL, NULL)},
	'SELECT pinecone_deliver()', 'CALL pinecone_mirror_deliver()', q{SELECT pinecone_mirror('items', 't')},
	'ANALYZE t', 'REFRESH MATERIALIZED VIEW kept', 'IMPORT FOREIGN SCHEMA pinecone FROM SERVER s INTO public',
	q{SELECT pinecone_delete_namespace('s', 'kb')}, q{SELECT pinecone_create_namespace('s', 'new')})
{
	like($standby->query("\\set VERBOSITY sqlstate\n$write")->{err}, qr/^ERROR:  25006$/m, "refused: $write");
}
is(scalar(grep { !m{^(?:GET |POST /query|POST /describe_index_stats)} } $server->take_log), 0, 'nothing has been sent');
$standby->query('\set VERBOSITY default');

# ---- What the primary does ----

my $count = 'SELECT count(*) FROM at_once';
is($standby->query($count)->{out}, 0, 'no record');
$t->sql(q{INSERT INTO at_once VALUES ('o1', '{1,2}', 1)});
ok($t->wait_until(sub { $standby->query($count)->{out} eq '1' }, 10), 'a record more');
$t->sql("ALTER SERVER s OPTIONS (SET host '$other')");
ok(replayed(), 'the server is altered');
is($standby->query($count)->{out}, 0, 'which an open session knows');
$t->sql("ALTER SERVER s OPTIONS (SET host '$host')");
$t->sql(q{SELECT pinecone_deliver(); ALTER FOREIGN TABLE boxed RENAME TO emptied});
ok(replayed(), 'so it does of what has been delivered');
is($standby->query('SELECT * FROM emptied ORDER BY id')->{out}, "b2|9\nb3|3" =~ s/\|/|{1,1}|/gr, 'and of a new name');

$server->fault({kind => 'delay', delay_ms => 20000, path => '/query'});
$standby->send(q{SELECT id FROM at_once ORDER BY embedding <=> '{1,1}' LIMIT 1});
$t->wait_until(sub { grep { $_->{path} eq '/query' } $server->requests }, 10);
$t->sql('ALTER FOREIGN TABLE at_once ADD COLUMN more int');
my $ended = $standby->result(15);
like($ended->{err}, qr/canceling statement due to conflict with recovery/, 'replay is not held up by a search');
$server->clear_faults;
is($standby->query(q{SELECT id, more FROM at_once ORDER BY embedding <=> '{1,1}' LIMIT 1})->{out}, 'o1|', 'and the session goes on');
$standby->close;

done_testing;
