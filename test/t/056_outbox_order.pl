# The outbox of several users and servers: whose writes wait for whose, and what
# no delivery is to be made from here.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ['pinecone_fdw.unseen_time = 0', q{shared_preload_libraries = 'pinecone_fdw'}, 'pinecone_fdw.outbox_workers = 0']);
my $server = $t->server;
my $host = $server->create_index('box', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE SERVER gone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://127.0.0.1:9', max_retries '0');
CREATE ROLE ann; CREATE ROLE bob;
CREATE USER MAPPING FOR PUBLIC SERVER gone OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR ann SERVER s OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR bob SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE box (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE FOREIGN TABLE too (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE FOREIGN TABLE stored (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE away (id text COLLATE "C", embedding real[], n int) SERVER gone OPTIONS (namespace 'kb', write_mode 'outbox');
GRANT ALL ON box, too, stored, away TO ann, bob;
END

sub stored { return $t->sql(q{SELECT coalesce(string_agg(id || '=' || n, ' ' ORDER BY id), '') FROM stored}); }

sub at_once { return $t->sql('UPDATE pinecone_outbox_state SET retry_at = NULL; SELECT delivered, dead, waiting FROM pinecone_deliver()'); }

# Two users, and two tables of one namespace, in the order of the queue
$t->sql(q{SET ROLE ann; INSERT INTO box VALUES ('x', '{1,2}', 1), ('a', '{1,2}', 1)});
$t->sql(q{SET ROLE bob; INSERT INTO too VALUES ('x', '{1,2}', 2), ('b', '{1,2}', 1)});
$t->sql(q{SET ROLE ann; INSERT INTO too VALUES ('x', '{1,2}', 3)});
is(at_once(), '5|0|0', 'writes of two users through two tables');
is(stored(), 'a=1 b=1 x=3', 'in one order');

# One user's key is gone: what comes after on the same record waits, and nothing else
$t->sql(q{SET ROLE ann; INSERT INTO box VALUES ('x', '{1,2}', 4)});
$t->sql(q{SET ROLE bob; INSERT INTO box VALUES ('x', '{1,2}', 5), ('b', '{1,2}', 2)});
$t->sql(q{DROP USER MAPPING FOR ann SERVER s});
is(at_once(), '1|0|2', 'a user without a mapping holds up their records');
is(stored(), 'a=1 b=2 x=3', 'no others');
is($t->sql(q{SELECT string_agg(writer || ' ' || failures, ', ' ORDER BY writer::text) FROM pinecone_outbox_status WHERE depth > 0}), 'ann 1, bob 0', 'whose fault it is can be seen');
# and all of the namespace cannot be emptied before
$t->sql(q{SET ROLE bob; TRUNCATE box; INSERT INTO box VALUES ('c', '{1,2}', 1)});
is(at_once(), '0|0|4', 'a TRUNCATE waits for it, and what comes after for the TRUNCATE');
is(stored(), 'a=1 b=2 x=3', 'and nothing is deleted');
$t->sql(q{CREATE USER MAPPING FOR ann SERVER s OPTIONS (api_key 'test-key')});
is(at_once(), '4|0|0', 'with a mapping all of it goes');
is(stored(), 'c=1', 'in its order');

# Many writes to a server that is away: they are read once, and passed over
$t->sql(q{INSERT INTO away SELECT 'w' || i, '{1,2}', i FROM generate_series(1, 30000) i; INSERT INTO box VALUES ('d', '{1,2}', 1)});
is($t->sql('SELECT delivered, dead, waiting FROM pinecone_deliver()'), '1|0|30000', 'a server that is away with 30,000 writes');
$t->sql(q{INSERT INTO box VALUES ('d', '{1,2}', 2)});
is($t->sql('SELECT delivered, dead, waiting FROM pinecone_deliver(1)'), '1|0|30000', 'is passed over');
is($t->sql(q{SET pinecone_fdw.outbox_visible = 10; INSERT INTO box VALUES ('d', '{1,2}', 3); SELECT n FROM box WHERE id = 'd'}), '3', 'and hides nothing of others');
is(at_once(), '1|0|30000', 'nor holds anything up');
$t->sql(q{DROP FOREIGN TABLE away; SELECT pinecone_deliver(); SELECT pinecone_outbox_drop()});

# Another cluster is the one that writes
$t->sql(q{INSERT INTO box VALUES ('e', '{1,2}', 1); ALTER SERVER s OPTIONS (ADD write_cluster 'main')});
is(at_once(), '0|0|1', 'a copy of the cluster delivers nothing');
like($t->sql(q{SELECT last_error FROM pinecone_outbox_status WHERE depth > 0}), qr/not written to from this cluster/, 'and says why');
$t->sql(q{ALTER SERVER s OPTIONS (DROP write_cluster)});

# A budget that is used up
$t->sql(q{ALTER SYSTEM SET pinecone_fdw.max_month_requests = 1; SELECT pg_reload_conf()});
$t->wait_until(sub { $t->sql('SHOW pinecone_fdw.max_month_requests') eq '1' });
is(at_once(), '0|0|1', 'without a budget writes wait');
like($t->sql(q{SELECT last_error FROM pinecone_outbox_status WHERE depth > 0}), qr/budget/, 'and say why');
$t->sql(q{ALTER SYSTEM RESET pinecone_fdw.max_month_requests; SELECT pg_reload_conf()});
$t->wait_until(sub { $t->sql('SHOW pinecone_fdw.max_month_requests') eq '-1' });
is(at_once(), '1|0|0', 'with one they go');

# The server moves, the table's namespace changes: what waits goes where the server is, and to its namespace
$t->sql(q{INSERT INTO box VALUES ('moved', '{1,2}', 1)});
my $other = $server->create_index('other', dimension => 2);
$t->sql(qq{ALTER SERVER s OPTIONS (SET host '$other'); ALTER FOREIGN TABLE box OPTIONS (SET namespace 'kb2')});
is(at_once(), '1|0|0', 'a server that has moved');
is(stored(), 'moved=1', 'gets what was queued before, in its namespace');
done_testing;
