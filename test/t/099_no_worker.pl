# All of max_worker_processes are taken: the launcher says so in the log, once, and
# delivers as soon as there is room, without waiting for its next look at all
# databases.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

# The launchers of logical replication and of the outbox have two
my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", 'max_worker_processes = 3', "pinecone_fdw.outbox_naptime = '1h'"]);
my $host = $t->server->create_index('m', dimension => 2);
my $parallel = $t->sql("SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR postgres SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE n (id text, embedding real[]) SERVER s OPTIONS (namespace 'n', write_mode 'outbox');
END
my $busy = $t->session;
my $pid = $busy->pid;
my $taken = sub { $t->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'") eq '1' };
$busy->query("SET $parallel = on");
# one that has a look at a database, as when the server starts, may be there first
for (1 .. 20)
{
	$busy->send('SELECT pg_sleep(600)');
	last if $t->wait_until($taken, 3);
	kill INT => $pid;
	$busy->result;
}
ok($taken->(), 'the third is taken');

my $said = sub { scalar(() = $t->log =~ /no background worker is left to deliver from the outbox/g) };
$t->sql("INSERT INTO n VALUES ('a', '{1,1}')");
ok($t->wait_until(sub { $said->() == 1 }), 'the log says why nothing is delivered');
like($t->log, qr/All that "max_worker_processes" allows, 3, are taken/, 'and what to change');
$t->sql("INSERT INTO n VALUES ('b', '{1,1}')");
is($t->sql('SELECT depth FROM pinecone_outbox_status'), '2', 'both wait');

kill INT => $pid;
$busy->result;
ok($t->wait_until(sub { $t->sql('SELECT coalesce(sum(depth), 0) FROM pinecone_outbox_status') eq '0' }, 60), 'then they are delivered');
is($said->(), 1, 'it was said once');
is($t->sql('SELECT count(*) FROM n'), '2', 'and are there');

done_testing;
