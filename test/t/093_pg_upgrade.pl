#!/usr/bin/env perl
#
# pg_upgrade (to a new cluster of the same major): what waits in the outbox and in
# mirrors comes along, is delivered once, and triggers and tables fit each other.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ['pinecone_fdw.unseen_time = 0']);
my $host = $t->server->create_index('moved', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE boxed (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'boxed', write_mode 'outbox');
CREATE TABLE items (id text PRIMARY KEY, embedding real[], n int);
CREATE FOREIGN TABLE of_items (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'items');
CREATE TABLE scores (kind text, state huf_moments);
INSERT INTO items SELECT 'i' || i, '{1,2}', i FROM generate_series(1, 3) i;
SELECT pinecone_mirror('items', 'of_items');
CALL pinecone_mirror_deliver();
INSERT INTO scores SELECT 'all', huf_moments(n::float8) FROM items;
INSERT INTO boxed VALUES ('b1', '{1,1}', 1), ('b2', '{1,1}', 2);
UPDATE boxed SET n = 9 WHERE id = 'b2';
DELETE FROM items WHERE id = 'i1';
UPDATE items SET n = 20 WHERE id = 'i2';
INSERT INTO items VALUES ('i4', '{2,1}', 4);
END
my $hhi = $t->sql('SELECT huf_hhi(state) FROM scores');
my $waiting = $t->sql('SELECT sum(depth) FROM pinecone_outbox_status') . ' ' . $t->sql('SELECT sum(waiting) FROM pinecone_mirror_status');

# As cluster.sh makes clusters, and where the harness looks for it
my $script = <<'END';
source "$1" && CLUSTER_DIR=$2 && cluster_set_user && cd "$2" && bin=$("$PG_CONFIG" --bindir) && as=("${cluster_as[@]}") &&
"${as[@]}" "$bin/pg_ctl" -D "$2/data" -m fast -w stop &&
"${as[@]}" "$bin/initdb" -D "$2/upgraded" -U postgres -A trust --no-sync --no-locale -E UTF8 &&
"${as[@]}" env -u PGHOST "$bin/pg_upgrade" -b "$bin" -B "$bin" -d "$2/data" -D "$2/upgraded" -U postgres &&
"${as[@]}" cp "$2/data/postgresql.conf" "$2/upgraded/postgresql.conf" &&
mv "$2/data" "$2/old" && mv "$2/upgraded" "$2/data" &&
"${as[@]}" "$bin/pg_ctl" -D "$2/data" -l "$2/upgraded.log" -w start
END
open my $pipe, '-|', 'bash', '-c', "{ $script } 2>&1", 'bash', "$FindBin::Bin/../cluster.sh", $t->dir or die;
my $output = do { local $/; <$pipe> };
close $pipe;
is($?, 0, 'upgraded') or BAIL_OUT($output);

is($t->sql('SELECT sum(depth) FROM pinecone_outbox_status') . ' ' . $t->sql('SELECT sum(waiting) FROM pinecone_mirror_status'), $waiting, "as much waits as before: $waiting");
is($t->sql('SELECT id, n FROM boxed ORDER BY id'), "b1|1\nb2|9", 'and is shown');
is($t->sql('SELECT delivered, dead FROM pinecone_deliver()'), '3|0', 'it is delivered');
$t->sql('CALL pinecone_mirror_deliver()');
is($t->sql('SELECT id, n FROM boxed ORDER BY id'), "b1|1\nb2|9", 'the records of the outbox');
is($t->sql('SELECT id, n FROM of_items ORDER BY id'), "i2|20\ni3|3\ni4|4", 'and of the mirror');
$t->sql("UPDATE items SET id = 'i5' WHERE id = 'i4'; CALL pinecone_mirror_deliver()");
is($t->sql('SELECT id, n FROM of_items ORDER BY id'), "i2|20\ni3|3\ni5|4", 'which goes on');
is($t->sql("SELECT count(*) FROM pinecone_diff('of_items', 'items', vectors => true)"), '0', 'nothing differs');
is($t->sql('SELECT huf_hhi(state) FROM scores'), $hhi, 'states of aggregates mean what they did');
is($t->sql('SELECT state FROM pinecone_mirror_status'), 'live', 'the mirror is live');

done_testing;
