# Mirrors: beside open transactions and other deliveries, interrupted, on a service
# that lags and a server that has forgotten what it wrote, restored from a dump, fed
# by logical replication, and on a standby that is promoted.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(
	conf => ["shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.outbox_workers = 0', 'wal_level = logical', 'max_wal_senders = 4', 'max_replication_slots = 4', "listen_addresses = ''"],
	pinecone => ['--lag', 700]);
my $server = $t->server;
my $host = $server->create_index('mirrored', dimension => 2);
my $setup = <<"END";
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE there (id text, embedding real[], n int) SERVER s;
CREATE TABLE items (id int PRIMARY KEY, embedding real[], n int);
END
$t->sql($setup . q{INSERT INTO items SELECT i, ARRAY[1, i], i FROM generate_series(1, 100) i});

my $diff = q{SELECT * FROM pinecone_diff('there', pinecone_mirror_source('there'), true, true)};
my $deliver = q{CALL pinecone_mirror_deliver('there')};

# once the service shows everything, without what this cluster knows of its own writes
sub is_mirrored
{
	my ($name, $cluster) = @_;
	ok($t->wait_until(sub { ($cluster // $t)->query("SET pinecone_fdw.unseen_time = 0; $diff")->{out} eq '' }, 20), $name);
}

# A transaction that was open when the mirror was made is part of it
my $writer = $t->session;
$writer->query(q{BEGIN; INSERT INTO items VALUES (200, '{1,2}', 200); UPDATE items SET n = -1 WHERE id = 1});
my $s = $t->session;
$s->pid;
$s->send(q{SELECT pinecone_mirror('items', 'there')});
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'relation'}) }), 'pinecone_mirror() waits for writers that were there before');
$writer->query('COMMIT');
is($s->result->{err}, '', 'and goes on');

# Writers do not wait for what is under way, and one delivery at a time
$server->fault({path => '/vectors/upsert', kind => 'delay', delay_ms => 1200});
$s->send($deliver);
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM pg_locks WHERE relation = 'pinecone_mirrors'::regclass AND mode = 'RowShareLock'}) }), 'a delivery is under way');
$t->sql(q{SET lock_timeout = '1s'; UPDATE items SET n = 0 WHERE id = 2; DELETE FROM items WHERE id = 3; UPDATE items SET id = 300 WHERE id = 4});
is($t->sql($deliver), '0|0|4', 'another one leaves it to the first');
like($s->result->{out}, qr/^\d+\|0\|0$/, 'which delivers what has come meanwhile');
is($t->sql($diff), '', 'all is there at once');

# A mirror is ended while its delivery has begun, and has yet to read the source
$t->sql(q{CREATE TABLE ended (id int PRIMARY KEY, embedding real[]); CREATE FOREIGN TABLE of_ended (id text, embedding real[]) SERVER s OPTIONS (namespace 'ended')});
$t->sql(q{SELECT pinecone_mirror('ended', 'of_ended', fill => false); INSERT INTO ended VALUES (1, '{1,2}')});
$writer->query('BEGIN; LOCK TABLE pinecone_mirror_changes IN ACCESS EXCLUSIVE MODE');
$s->send(q{CALL pinecone_mirror_deliver('of_ended')});
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM pg_locks WHERE relation = 'pinecone_mirror_changes'::regclass AND NOT granted}) }), 'a delivery has begun');
my $ending = $t->session;
$ending->pid;
$ending->send(q{SELECT pinecone_unmirror('of_ended')});
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted}) }), 'its mirror is to end');
$writer->query('COMMIT');
is($s->result->{out}, '1|0|0', 'it is delivered');
is($ending->result->{out}, '0', 'and then ended');
$ending->close;

# Interrupted, refused: nothing is lost
$t->sql('UPDATE items SET n = n + 1');
$server->fault({path => '/vectors/upsert', kind => 'delay', delay_ms => 5000});
$s->send($deliver);
$t->wait_until(sub { $t->sql(q{SELECT count(*) FROM pg_locks WHERE relation = 'pinecone_mirrors'::regclass AND mode = 'RowShareLock'}) });
kill INT => $s->pid;
like($s->result(5)->{err}, qr/canceling statement due to user request/, 'a delivery can be cancelled');
$server->clear_faults;
is($s->query('SELECT waiting, dead FROM pinecone_mirror_status')->{out}, '100|0', 'what it had begun waits');
$server->fault({path => '/vectors/upsert', status => 401});
is($s->query($deliver)->{out}, '0|0|100', 'a key that is refused puts nothing aside');
like($t->sql('SELECT state, attempts, last_error FROM pinecone_mirror_status'), qr/^retrying\|1\|Pinecone rejected the API key/, 'and is shown');
is($s->query($deliver)->{out}, '100|0|0', 'the same session delivers it');
$server->fault({path => '/vectors/upsert', status => 400, contains => '"id":"50"', count => -1, body => '{"error":{"code":"INVALID_ARGUMENT","message":"no such thing"},"status":400}'});
$t->sql('UPDATE items SET n = n + 1');
is($s->query($deliver)->{out}, '99|1|0', 'what Pinecone rejects is found among others');
like($t->sql('SELECT id, reason FROM pinecone_mirror_dead_rows'), qr/^50\|Pinecone rejected the request: .*no such thing/s, 'with the reason');
$server->clear_faults;
$t->sql(q{SELECT pinecone_mirror_retry('there')});
is($s->query($deliver)->{out}, '1|0|0', 'and can be tried again');
is_mirrored('all is as in the table', $s);

# A deletion arrives though the service does not show the record, and nobody knows of it any more
$t->sql(q{INSERT INTO items VALUES (500, '{1,5}', 5)});
$t->sql($deliver);
my ($postmaster) = split /\n/, $t->sql(q{SELECT pg_read_file('postmaster.pid')});
my $checkpointer = $t->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'});
ok($t->crash($checkpointer), 'the server comes back after a crash');
$t->sql('DELETE FROM items WHERE id = 500');
is($t->sql($deliver), '1|0|0', 'the deletion is sent');
$s = $t->session;
is_mirrored('and arrives', $s);

# A dump has the mirror and what waits
my %env = %{$t->{env}};
$t->sql(q{INSERT INTO items VALUES (600, '{1,6}', 6); UPDATE items SET n = 77 WHERE id = 1});
$t->sql('CREATE DATABASE copy');
{
	local @ENV{keys %env} = values %env;
	is(system("pg_dump postgres | psql -qX -o /dev/null copy 2>&1 | grep ERROR"), 256, 'a dump is restored without an error');
}
my $copy = Harness::Session->new({%env, PGDATABASE => 'copy'});
is($copy->query('SELECT foreign_table, source, owner, state, waiting FROM pinecone_mirror_status')->{out}, 'there|items|postgres|live|2', 'the mirror is there');
$copy->query('DELETE FROM items WHERE id = 601; UPDATE items SET n = 2 WHERE id = 1; INSERT INTO items VALUES (602, NULL, 1)');
is($copy->query($deliver)->{out}, '3|0|0', 'with its triggers, and delivers');
is($copy->query("SELECT n FROM there WHERE id = '1'")->{out}, 2, 'to the same index');
$copy->close;
$t->sql($deliver);
$t->sql('DROP DATABASE copy');

# A subscriber's table
$t->sql('CREATE DATABASE publisher');
my $publisher = Harness::Session->new({%env, PGDATABASE => 'publisher'});
$publisher->query(q{CREATE TABLE items (id int PRIMARY KEY, embedding real[], n int); CREATE PUBLICATION p FOR TABLE items; SELECT pg_create_logical_replication_slot('s', 'pgoutput')});
is($t->error_of("CREATE SUBSCRIPTION s CONNECTION 'host=$env{PGHOST} port=$env{PGPORT} dbname=publisher user=$env{PGUSER}' PUBLICATION p WITH (slot_name = 's', create_slot = false, copy_data = false)") =~ /ERROR/ ? 1 : 0, 0, 'the table subscribes');
$publisher->query(q{INSERT INTO items SELECT i, ARRAY[2, i], i FROM generate_series(700, 710) i; UPDATE items SET id = 750 WHERE id = 700; DELETE FROM items WHERE id = 701});
ok($t->wait_until(sub { $t->sql('SELECT count(*) FROM items WHERE id >= 700') == 10 }, 20), 'rows are replicated');
is($t->sql($deliver), '12|0|0', 'and mirrored');
is($t->sql($diff), '', 'as they are');
$publisher->query('TRUNCATE items');
ok($t->wait_until(sub { $t->sql('SELECT count(*) FROM items') == 0 }, 20), 'TRUNCATE is replicated');
is($t->sql($deliver), '0|0|0', 'and mirrored');
is($t->sql('SELECT count(*) FROM there'), 0, 'nothing is left');
$publisher->query('INSERT INTO items SELECT i, ARRAY[3, i], i FROM generate_series(1, 20) i');
$t->wait_until(sub { $t->sql('SELECT count(*) FROM items') == 20 }, 20);
$publisher->close;
$t->sql(q{ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s; SELECT pg_drop_replication_slot('s')});

# A standby that is promoted goes on, with its own worker
my $standby = $t->dir . '/standby';
my @as = $> == 0 ? ('setpriv', '--reuid=' . (stat $t->dir . '/data')[4], '--regid=' . (stat _)[5], '--clear-groups') : ();
{
	local @ENV{keys %env} = values %env;
	is(system(@as, 'env', '-C', $t->dir, 'pg_basebackup', '-D', $standby, '-R', '-X', 'stream', '-c', 'fast', '-d', "host=$env{PGHOST} port=$env{PGPORT} user=$env{PGUSER}"), 0, 'a standby is made');
	open my $conf, '>>', "$standby/postgresql.auto.conf" or die;
	print $conf "port = 5433\nprimary_slot_name = ''\n";
	close $conf;
	is(system(@as, 'env', '-C', $t->dir, 'pg_ctl', '-s', '-w', '-D', $standby, '-l', "$standby/log", 'start'), 0, 'and started');
}
my $other = Harness::Session->new({%env, PGPORT => 5433});
$t->sql(q{INSERT INTO items VALUES (800, '{1,8}', 8); DELETE FROM items WHERE id = 1});
ok($t->wait_until(sub { $other->query('SELECT count(*) FROM pinecone_mirror_changes')->{out} == 22 }, 20), 'changes reach the standby');
like($other->query($deliver)->{err}, qr/read-only transaction/, 'which does not deliver');
$t->sql($deliver);    # the primary has, and dies before the standby hears of it
kill QUIT => $postmaster;
$other->query('SELECT pg_promote()');
$t->wait_until(sub { $other->query('SELECT pg_is_in_recovery()')->{out} eq 'f' }, 20);
$other->query(q{INSERT INTO items VALUES (801, '{1,9}', 9); UPDATE items SET n = 0 WHERE id = 2});
like($other->query($deliver)->{out}, qr/^\d+\|0\|0$/, 'promoted, it does');
is_mirrored('and all is as in its table', $other);
$other->close;
{
	local @ENV{keys %env} = values %env;
	system(@as, 'env', '-C', $t->dir, 'pg_ctl', '-s', '-w', '-m', 'immediate', '-D', $standby, 'stop');
}

done_testing;
