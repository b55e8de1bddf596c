#!/usr/bin/env perl
#
# Dumps in every form, of a database with all that the extension has in catalogs and in
# tables of its own: restored, they are dumped alike again.  What of it asks Pinecone, who
# may take one, and records that travel in a dump to another index.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(extension => 0, conf => ["shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.outbox_workers = 0']);
my $server = $t->server;
$server->create_index($_, dimension => 2) for 'here', 'there';

$t->sql(<<'END');
CREATE DATABASE shop;
ALTER DATABASE shop SET pinecone_fdw.prefetch = '300kB';
CREATE ROLE app LOGIN;
ALTER ROLE app IN DATABASE shop SET pinecone_fdw.max_egress = '20MB';
END

sub in
{
	my ($database, $sql, @options) = @_;
	my $result = $t->psql($sql, '-d', $database, @options);
	die "$sql\n$result->{err}" if $result->{err} =~ /^(?:psql: .*|ERROR|FATAL):/m;
	return $result->{out};
}

# Other than public, for a dump's search_path is empty
my $url = $server->{url};
in('shop', <<"END");
CREATE SCHEMA ext;
GRANT USAGE ON SCHEMA ext TO PUBLIC;
CREATE EXTENSION pinecone_fdw SCHEMA ext;
CREATE SERVER "the server" FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (control_host '$url', index 'here', max_retries '3', rate_limits 'query 1000, upsert 1000');
COMMENT ON SERVER "the server" IS 'it''s "here"';
CREATE USER MAPPING FOR postgres SERVER "the server" OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR PUBLIC SERVER "the server" OPTIONS (api_key 'test-key');
GRANT USAGE ON FOREIGN SERVER "the server" TO app;
CREATE SCHEMA app AUTHORIZATION app;
END
in('shop', <<'END', '-U', 'app');
SET search_path = app, ext;
CREATE DOMAIN size AS text CHECK (VALUE IN ('s', 'm', 'l'));
CREATE FOREIGN TABLE goods (id text COLLATE "C", embedding real[], price float8 NOT NULL DEFAULT 1, size size, tags text[],
	seen timestamptz OPTIONS (field 'last "seen"', format 'epoch'), metadata jsonb, score float8,
	total float8 GENERATED ALWAYS AS (price * 2) STORED, CHECK (price >= 0)) SERVER "the server" OPTIONS (namespace 'goods');
COMMENT ON FOREIGN TABLE goods IS E'@primaryKey id';
ALTER FOREIGN TABLE goods ALTER COLUMN price SET STATISTICS 500;
GRANT SELECT (id, price) ON goods TO PUBLIC;
CREATE FUNCTION no_large() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.size = 'l' THEN RAISE 'too large'; END IF; RETURN NEW; END $$;
CREATE TRIGGER no_large BEFORE INSERT OR UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION no_large();
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text, metadata jsonb, embedding real[]) SERVER "the server" OPTIONS (namespaces 'p1,p2');
CREATE TABLE parts (id text, embedding real[], year int) PARTITION BY LIST (year);
CREATE FOREIGN TABLE p1 PARTITION OF parts FOR VALUES IN (1) SERVER "the server" OPTIONS (namespace 'p1');
CREATE FOREIGN TABLE p2 PARTITION OF parts FOR VALUES IN (2) SERVER "the server" OPTIONS (namespace 'p2');
CREATE TABLE p3 PARTITION OF parts DEFAULT;
INSERT INTO goods (id, embedding, price, size, tags, seen)
	SELECT 'g' || i, ARRAY[cos(i), sin(i)]::real[], i / 7.0, 's', ARRAY['t' || i % 3, E'x "y"\t\\'], '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 250) i;
INSERT INTO parts SELECT 'r' || i || '-' || y, ARRAY[i, y], y FROM generate_series(1, 4) i, generate_series(1, 3) y;
CREATE VIEW near AS SELECT id, price, embedding <=> '{1,0}' AS d FROM goods WHERE price < 30 AND pinecone_match(metadata, '{"size": "s"}') ORDER BY embedding <=> '{1,0}' LIMIT 5;
CREATE MATERIALIZED VIEW cheap AS SELECT * FROM near;
CREATE UNIQUE INDEX ON cheap (id);
CREATE FOREIGN TABLE boxed (id text, embedding real[], n int) SERVER "the server" OPTIONS (namespace 'boxed', write_mode 'outbox');
INSERT INTO boxed VALUES ('b1', '{1,1}', 1), ('b2', '{1,1}', 2);
UPDATE boxed SET n = 9 WHERE id = 'b2';
CREATE TABLE items (id text PRIMARY KEY, embedding real[], n int);
CREATE FOREIGN TABLE of_items (id text, embedding real[], n int) SERVER "the server" OPTIONS (namespace 'items');
INSERT INTO items SELECT 'i' || i, '{1,2}', i FROM generate_series(1, 3) i;
CREATE TABLE states (state huf_moments, sketch huf_sketch);
INSERT INTO states SELECT huf_moments(price), huf_sketch(embedding) FROM goods;
END
in('shop', q{SET search_path = app, ext; SELECT pinecone_mirror('items', 'of_items'); CALL pinecone_mirror_deliver(); UPDATE items SET n = 20 WHERE id = 'i2'; DELETE FROM items WHERE id = 'i1'});

# ---- The forms ----

sub run
{
	my ($what, @command) = @_;
	my $output = `@command 2>&1`;
	is($?, 0, $what) or diag($output);
	return $output;
}

sub dump_of
{
	my ($database) = @_;
	my $dump = `pg_dump $database`;
	$dump =~ s/^\\(?:un)?restrict .*\n//mg;
	return $dump;
}
my $dir = $t->dir;
my $dump = dump_of('shop');
$server->clear_requests;
run('a custom dump', "pg_dump -Fc -f $dir/custom shop");
run('a directory, by two at a time', "pg_dump -Fd -j 2 -f $dir/directory shop");
is(join('', $server->take_log), '', 'dumps ask nothing');
$t->sql('ALTER DATABASE shop RENAME TO original');
run('the custom one is restored, by two at a time', "pg_restore -C -d postgres -j 2 $dir/custom");
is(dump_of('shop'), $dump, 'and the same');
is($t->sql(q{SELECT d.datname, coalesce(r.rolname, ''), s.setconfig FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole ORDER BY 1, 2}),
	"original||{pinecone_fdw.prefetch=300kB}\noriginal|app|{pinecone_fdw.max_egress=20MB}\nshop||{pinecone_fdw.prefetch=300kB}\nshop|app|{pinecone_fdw.max_egress=20MB}", 'with its settings');
is(scalar(grep { !m{^POST /query \{"filter":|^POST /query .*"topK":1,} } $server->take_log), 0, 'what asks is REFRESH MATERIALIZED VIEW');
is(in('shop', 'SELECT count(*) FROM app.cheap'), 5, 'which has its rows');
like($t->psql(q{SET search_path = app, ext; INSERT INTO goods VALUES ('g0', '{1,1}', 1, 'l')}, '-d', 'shop')->{err}, qr/too large/, 'triggers are there');

# In two steps: the definitions, then rows.  What waits is delivered from the copy.
$t->sql('DROP DATABASE shop; CREATE DATABASE again');
run('definitions alone', "pg_restore -d again --schema-only $dir/directory");
is(in('again', 'SELECT (SELECT count(*) FROM ext.pinecone_outbox_rows) + (SELECT count(*) FROM ext.pinecone_mirror_status)'), 0, 'nothing waits there');
run('rows alone, by two at a time', "pg_restore -d again -j 2 --data-only $dir/directory");
in('again', 'REFRESH MATERIALIZED VIEW app.cheap');
# the rows of the mirror's table were changes, too
is(dump_of('again') =~ s/^COPY ext.pinecone_mirror_changes .*?^\\\.$//msr, $dump =~ s/^COPY ext.pinecone_mirror_changes .*?^\\\.$//msr, 'and the same');
is(in('again', 'SELECT delivered, dead FROM ext.pinecone_deliver()'), '3|0', 'the outbox is delivered');
in('again', 'CALL ext.pinecone_mirror_deliver()');
is(in('again', 'SELECT id, n FROM app.boxed ORDER BY id'), "b1|1\nb2|9", 'the records of the outbox');
is(in('again', 'SELECT id, n FROM app.of_items ORDER BY id'), "i2|20\ni3|3", 'and of the mirror');
is(in('again', 'SELECT state::text, ext.huf_mrl(sketch) FROM app.states'), in('original', 'SELECT state::text, ext.huf_mrl(sketch) FROM app.states'), 'states of aggregates mean what they did');

# ---- Records ----

my $error = `pg_dump -Fd -j 2 --include-foreign-data='the*' -f $dir/no original 2>&1`;
like($error, qr/not supported with parallel backup/, 'not by two at a time');
# What waits is among the records already
run('a dump with records', "pg_dump -Fc --include-foreign-data='the*' --exclude-table-data='ext.pinecone_*' -f $dir/records original");
$t->sql('CREATE DATABASE elsewhere');
run('definitions first', "pg_restore -d elsewhere --section=pre-data $dir/records");
in('elsewhere', q{ALTER SERVER "the server" OPTIONS (SET index 'there')});
$server->clear_requests;
run('then records, into another index', "pg_restore -d elsewhere --section=data --section=post-data $dir/records");
is(scalar(grep { m{^POST /vectors/upsert} } $server->take_log), 6, 'by an upsert a table and namespace');
for my $table ('goods', 'parts', 'every', 'boxed', 'of_items', 'cheap')
{
	my $all = "SELECT t::text FROM app.$table t ORDER BY 1";
	is(in('elsewhere', $all), in('original', $all), "the same in $table");
	cmp_ok(in('elsewhere', "SELECT count(*) FROM app.$table"), '>', 0, 'which is something');
}
is($server->data('there', 'POST', '/describe_index_stats', {})->{namespaces}{goods}{vectorCount}, 250, 'they are in the other index');

# ---- Who may ----

like(`pg_dump -U app original 2>&1 >/dev/null`, qr/permission denied for \w+ pinecone_|sequence "pinecone_\w+"; user may lack SELECT privilege/, 'the outbox is not for all to dump');
run('who may not leaves it out', "pg_dump -U app -T 'ext.pinecone_*' original -f $dir/few.sql");
$t->sql('GRANT pg_read_all_data TO app; CREATE DATABASE few');
my $all = run('a member of pg_read_all_data may', 'pg_dump -U app original');
unlike($all, qr/test-key/, 'and sees no key');
run('a dump without the outbox', "psql -XqAt -o /dev/null -d few -f $dir/few.sql");
like($t->psql('SELECT count(*) FROM app.goods', '-d', 'few')->{err}, qr/no API key for server "the server"\nHINT:/, 'keys are to be given anew');
in('few', q{ALTER USER MAPPING FOR postgres SERVER "the server" OPTIONS (ADD api_key 'test-key')});
is(in('few', 'SELECT count(*) FROM app.goods'), 250, 'and then it reads');

done_testing;
