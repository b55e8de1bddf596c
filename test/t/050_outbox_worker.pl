# The workers that deliver from the outbox: they start by themselves, survive
# faults and crashes, and stand in nobody's way.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(conf => [
	q{shared_preload_libraries = 'pinecone_fdw'}, 'max_prepared_transactions = 5',
	'pinecone_fdw.outbox_naptime = 1', 'pinecone_fdw.outbox_workers = 2', 'wal_level = logical']);
my $server = $t->server;
my $host = $server->create_index('box', dimension => 2);

my $setup = <<"END";
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0', request_timeout '2s');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE box (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE FOREIGN TABLE stored (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb');
END
$t->sql($setup);
$t->sql('SET pinecone_fdw.unseen_time = 0; ALTER DATABASE postgres SET pinecone_fdw.unseen_time = 0');

sub stored { return $t->sql(q{SELECT coalesce(string_agg(id || '=' || coalesce(n::text, ''), ' ' ORDER BY id), '') FROM stored}); }

sub depth { return $t->sql('SELECT count(*) FROM pinecone_outbox'); }

sub worker { return $t->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pinecone_fdw outbox worker' AND datname = 'postgres'}); }

# once all has been delivered
sub quiet { return $t->wait_until(sub { depth() == 0 }, 20); }

is($t->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pinecone_fdw outbox launcher'}), 1, 'there is a launcher');

$t->sql(q{INSERT INTO box (id, embedding, n) SELECT 'a' || i, '{1,2}', i FROM generate_series(1, 5) i});
ok(quiet(), 'what is committed is delivered');
is(stored(), 'a1=1 a2=2 a3=3 a4=4 a5=5', 'as it was written');

# rolled back, and prepared
$t->sql(q{BEGIN; INSERT INTO box (id, embedding, n) VALUES ('never', '{1,2}', 1); ROLLBACK});
$t->sql(q{BEGIN; DELETE FROM box WHERE n > 1; PREPARE TRANSACTION 'p'});
is(stored(), 'a1=1 a2=2 a3=3 a4=4 a5=5', 'a prepared transaction delivers nothing');
$t->sql(q{COMMIT PREPARED 'p'});
ok(quiet(), 'COMMIT PREPARED has it delivered');
is(stored(), 'a1=1', 'and it is');

# a key that is refused, and one that is right again
$t->sql(q{ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'wrong')});
$t->sql(q{ALTER FOREIGN TABLE box OPTIONS (ADD verify_deletes 'false')});
$t->sql(q{DELETE FROM box WHERE id = 'a1'});
ok($t->wait_until(sub { $t->sql('SELECT count(*) FROM pinecone_outbox_status WHERE failures > 1') }), 'a refused key is tried again');
like($t->sql('SELECT last_error FROM pinecone_outbox_status'), qr/HTTP status 401/, 'and the error is shown');
is($t->sql('SELECT depth, dead FROM pinecone_outbox_status'), '1|0', 'nothing is lost');
$t->sql(q{ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'test-key')});
ok(quiet(), 'with the right one it goes on');
is(stored(), '', 'and deletes');

# killed, which restarts all of the cluster
$server->fault({kind => 'delay', delay_ms => 1500, path => '/vectors/upsert'});
$t->sql(q{INSERT INTO box (id, embedding, n) VALUES ('k', '{1,2}', 1)});
ok($t->wait_until(sub { worker() ne '' }), 'a worker is at it');
my $pid = worker();
ok($t->crash($pid), 'the cluster is back');
$server->clear_faults;
ok(quiet(), 'what a killed worker had begun is delivered');
is(stored(), 'k=1', 'all of it');

# told to end, it starts anew when it is needed
ok($t->wait_until(sub { worker() ne '' }), 'there is a worker again');
$pid = worker();
$t->sql("SELECT pg_terminate_backend($pid)");
$t->wait_until(sub { worker() ne $pid });
$t->sql(q{UPDATE box SET n = 2});
ok(quiet(), 'after a worker was ended');
is(stored(), 'k=2', 'there is another');

# no workers at all, while the server runs
$t->sql(q{ALTER SYSTEM SET pinecone_fdw.outbox_workers = 0});
$t->sql('SELECT pg_reload_conf()');
$t->wait_until(sub { $t->sql('SHOW pinecone_fdw.outbox_workers') eq '0' });
ok($t->wait_until(sub { worker() eq '' }), 'workers can be turned off');
$t->sql(q{UPDATE box SET n = 3});
is(depth(), 1, 'with none it waits');
is($t->sql('SELECT delivered FROM pinecone_deliver()'), '1', 'and is delivered by hand');
$t->sql(q{ALTER SYSTEM SET pinecone_fdw.outbox_workers = 2});
$t->sql('SELECT pg_reload_conf()');

# who has delivered many gives their space back
$t->sql(q{INSERT INTO box (id, embedding, n) SELECT 'v' || i, '{1,2}', i FROM generate_series(1, 1200) i; DELETE FROM box WHERE id LIKE 'v%'});
ok(quiet(), 'many are delivered');
ok($t->wait_until(sub { $t->sql(q{SELECT pg_relation_size('pinecone_outbox')}) == 0 }, 20), 'and their space is given back');
is(stored(), 'k=3', 'all of them');

# an error in a round is logged, and the worker goes on
$t->sql(q{ALTER TABLE pinecone_outbox_dead ADD CONSTRAINT nobody_may_fail CHECK (false)});
$t->sql(q{INSERT INTO pinecone_outbox (seq, foreign_table, writer, namespace, kind, queued_at) VALUES (nextval('pinecone_outbox_seq'), 'box', 'postgres', 'kb', '?', now())});
$t->sql(q{INSERT INTO box (id, embedding, n) VALUES ('behind', '{1,2}', 1)});
my $told = qr/ERROR:  .*"nobody_may_fail"/;
ok($t->wait_until(sub { $t->log =~ $told }, 20), 'a round that fails is told in the log');
$pid = worker();
is(depth(), 2, 'and leaves all of it');
$t->sql(q{ALTER TABLE pinecone_outbox_dead DROP CONSTRAINT nobody_may_fail});
ok(quiet(), 'when it can be carried out that is delivered');
is(worker(), $pid, 'by the same worker');
is(stored(), 'behind=1 k=3', 'as it was written');
like($t->sql(q{DELETE FROM pinecone_outbox_dead RETURNING reason}), qr/cannot be read/, 'and what nobody can read is a dead letter');
$t->sql(q{DELETE FROM box WHERE id = 'behind'});

# several databases, more than workers; one without the extension; all can be dropped
my %env = %{$t->{env}};
for my $name (qw(one two three))
{
	$t->sql("CREATE DATABASE $name");
	Harness::Session->new({%env, PGDATABASE => $name})->query("CREATE EXTENSION pinecone_fdw; $setup; INSERT INTO box (id, embedding, n) VALUES ('$name', '{1,2}', 1)");
}
ok($t->wait_until(sub { my $now = stored(); 3 == grep { $now =~ /\b$_=1/ } qw(one two three) }, 60), 'each of several databases is delivered from');
$t->sql('CREATE DATABASE bare');
for my $name (qw(one two three bare))
{
	is($t->error_of("DROP DATABASE $name"), '', "database $name can be dropped");
}
unlike($t->log, qr/PANIC|TRAP/, 'nothing has gone wrong');
is(() = $t->log =~ /terminated by signal/g, 1, 'nothing has died but what was killed');

# a dump has what waits, and a restored copy delivers it
$t->sql(q{ALTER SYSTEM SET pinecone_fdw.outbox_workers = 0});
$t->sql('SELECT pg_reload_conf()');
$t->wait_until(sub { $t->sql('SHOW pinecone_fdw.outbox_workers') eq '0' });
$t->wait_until(sub { worker() eq '' });
$t->sql(q{INSERT INTO box (id, embedding, n) VALUES ('dumped', '{1,2}', 1); SELECT pinecone_outbox_put('box', NULL, 'bad', '{1,2,3}')});
$t->sql(q{SELECT pinecone_outbox_put('box', NULL, 'sp', '{1,2}', '{"indices": [4294967295, 7], "values": [0.5, 1]}', '{"t": "ü \u00e9", "n": 7}')});
my $before = $t->sql('SELECT seq, foreign_table, writer, namespace, kind, id, dense, sparse_indices, sparse_values, metadata FROM pinecone_outbox ORDER BY seq');
$t->sql('CREATE DATABASE copy');
{
	local @ENV{keys %env} = values %env;
	is(system("pg_dump postgres | psql -qX -o /dev/null copy 2>&1 | grep ERROR"), 256, 'a dump is restored without an error');
}
my $copy = Harness::Session->new({%env, PGDATABASE => 'copy'});
is($copy->query('SELECT seq, foreign_table, writer, namespace, kind, id, dense, sparse_indices, sparse_values, metadata FROM pinecone_outbox ORDER BY seq')->{out}, $before, 'with all that waits');
is($copy->query('SELECT delivered, dead, waiting FROM pinecone_deliver()')->{out}, '2|1|0', 'which can be delivered there');
cmp_ok($copy->query(q{INSERT INTO box (id, embedding) VALUES ('z', '{1,2}'); SELECT max(seq) FROM pinecone_outbox})->{out}, '>', 3, 'and the numbers go on');
$copy->close;
like(stored(), qr/dumped=1 .*sp=7/, 'and it was');

done_testing;
