#!/usr/bin/env perl
#
# pg_upgrade: options, settings, views and what waits in the outbox and in mirrors come
# along, this is delivered once, and triggers and tables fit each other.  To a new cluster
# of the same major, or of the one that NEW_PG_CONFIG is of: see test/upgrade.sh.
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
ALTER SERVER s OPTIONS (ADD rate_limits 'query 1000', ADD max_retries '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE boxed (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'boxed', write_mode 'outbox');
CREATE TABLE items (id text PRIMARY KEY, embedding real[], n int);
CREATE FOREIGN TABLE of_items (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'items');
CREATE TABLE scores (kind text, state huf_moments);
INSERT INTO items SELECT 'i' || i, '{1,2}', i FROM generate_series(1, 3) i;
SELECT pinecone_mirror('items', 'of_items');
CALL pinecone_mirror_deliver();
CREATE FOREIGN TABLE wide (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], number int OPTIONS (field 'n'), metadata jsonb) SERVER s OPTIONS (namespaces 'items, boxed');
CREATE VIEW near AS SELECT id, embedding <=> '{1,0}' AS d FROM wide WHERE number < 100 AND pinecone_match(metadata, '{"n": {"\$exists": true}}') ORDER BY embedding <=> '{1,0}' LIMIT 3;
CREATE MATERIALIZED VIEW kept AS SELECT id, number FROM wide;
CREATE TABLE distances (v real[], d float8 GENERATED ALWAYS AS (v <=> '{1,0}') STORED);
INSERT INTO distances VALUES ('{1,1}');
CREATE INDEX ON distances ((v <-> '{1,1}'));
ALTER DATABASE postgres SET pinecone_fdw.prefetch = '300kB';
INSERT INTO scores SELECT 'all', huf_moments(n::float8) FROM items;
INSERT INTO boxed VALUES ('b1', '{1,1}', 1), ('b2', '{1,1}', 2);
UPDATE boxed SET n = 9 WHERE id = 'b2';
DELETE FROM items WHERE id = 'i1';
UPDATE items SET n = 20 WHERE id = 'i2';
INSERT INTO items VALUES ('i4', '{2,1}', 4);
END
my $options = q{SELECT string_agg(o, ' ' ORDER BY o) FROM (SELECT unnest(srvoptions) FROM pg_foreign_server UNION ALL SELECT unnest(ftoptions) FROM pg_foreign_table UNION ALL SELECT unnest(attfdwoptions) FROM pg_attribute UNION ALL SELECT unnest(umoptions) FROM pg_user_mappings) AS _ (o)};
my $kept = q{SELECT string_agg(k::text, ' ' ORDER BY id) FROM kept k};
my @before = map { $t->sql($_) } $options, $kept;
my $hhi = $t->sql('SELECT huf_hhi(state) FROM scores');
my $waiting = $t->sql('SELECT sum(depth) FROM pinecone_outbox_status') . ' ' . $t->sql('SELECT sum(waiting) FROM pinecone_mirror_status');

# As cluster.sh makes clusters, and where the harness looks for it
my $script = <<'END';
source "$1" && CLUSTER_DIR=$2 && cluster_set_user && cd "$2" && bin=$("$PG_CONFIG" --bindir) && new=$("${NEW_PG_CONFIG:-$PG_CONFIG}" --bindir) && as=("${cluster_as[@]}") &&
"${as[@]}" "$bin/pg_ctl" -D "$2/data" -m fast -w stop &&
sums=$([ "$new" = "$bin" ] || [[ $("$new/postgres" --version) =~ \ 1[5-7][.\ b] ]] || echo --no-data-checksums) &&
"${as[@]}" "$new/initdb" -D "$2/upgraded" -U postgres -A trust --no-sync --no-locale -E UTF8 $sums &&
"${as[@]}" env -u PGHOST "$new/pg_upgrade" -b "$bin" -B "$new" -d "$2/data" -D "$2/upgraded" -U postgres &&
"${as[@]}" cp "$2/data/postgresql.conf" "$2/upgraded/postgresql.conf" &&
mv "$2/data" "$2/old" && mv "$2/upgraded" "$2/data" &&
"${as[@]}" "$new/pg_ctl" -D "$2/data" -l "$2/upgraded.log" -w start
END
open my $pipe, '-|', 'bash', '-c', "{ $script } 2>&1", 'bash', "$FindBin::Bin/../cluster.sh", $t->dir or die;
my $output = do { local $/; <$pipe> };
close $pipe;
is($?, 0, 'upgraded') or BAIL_OUT($output);
note($t->sql('SHOW server_version'));

is($t->sql('SELECT sum(depth) FROM pinecone_outbox_status') . ' ' . $t->sql('SELECT sum(waiting) FROM pinecone_mirror_status'), $waiting, "as much waits as before: $waiting");
is($t->sql('SELECT id, n FROM boxed ORDER BY id'), "b1|1\nb2|9", 'and is shown');
is($t->sql($options), $before[0], 'options are as they were');
is($t->sql($kept), $before[1], 'a materialized view is, too');
is($t->sql('SHOW pinecone_fdw.prefetch'), '300kB', 'settings');
is($t->sql('SELECT count(*), count(d) FROM near'), '3|3', 'a view of a search searches');
is($t->sql(q{SELECT round(d::numeric, 5) FROM distances ORDER BY v <-> '{1,1}'}), '0.29289', 'and distances are in tables');
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
