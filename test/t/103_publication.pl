#!/usr/bin/env perl
#
# Logical replication and foreign tables: what may not be published, or be a target, says
# so; a trigger of a subscriber's table writes to one directly, when the publisher's
# transaction is applied, or, refused, with it again.  (With an outbox: 080, a mirror: 066.)
# And materialized views: refreshed alone, concurrently, by a refresh that fails.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ['wal_level = logical', 'wal_retrieve_retry_interval = 100ms', 'pinecone_fdw.unseen_time = 0']);
my $server = $t->server;
$server->create_index('sub', dimension => 2);
my $where = $server->where('sub');
my $target = <<"END";
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE records (id text COLLATE "C", embedding real[], title text, n int) SERVER s OPTIONS (namespace 'kb');
END
$t->sql($target);
$t->sql('CREATE DATABASE publisher');
my %env = %{$t->{env}};
my $publisher = Harness::Session->new({%env, PGDATABASE => 'publisher'});
$publisher->query("CREATE EXTENSION pinecone_fdw; $target");

sub publish
{
	my ($sql) = @_;
	my $result = $publisher->query($sql);
	die "$sql\n$result->{err}" if $result->{err} =~ /ERROR/;
	return $result->{out};
}

sub subscribe
{
	my ($name, $publications) = @_;
	publish("SELECT pg_create_logical_replication_slot('$name', 'pgoutput')");
	$t->sql("CREATE SUBSCRIPTION $name CONNECTION 'host=$env{PGHOST} port=$env{PGPORT} dbname=publisher user=$env{PGUSER}' " .
		"PUBLICATION $publications WITH (slot_name = '$name', create_slot = false)");
}

sub unsubscribe
{
	my ($name) = @_;
	$t->sql("ALTER SUBSCRIPTION $name DISABLE; ALTER SUBSCRIPTION $name SET (slot_name = NONE); DROP SUBSCRIPTION $name");
	$t->wait_until(sub { publish("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$name' AND active") eq '0' }, 20);
	publish("SELECT pg_drop_replication_slot('$name')");
}

# ---- What is published ----

like($publisher->query('CREATE PUBLICATION p FOR TABLE records')->{err}, qr/ERROR:  cannot add relation "records" to publication\nDETAIL:  This operation is not supported for foreign tables/, 'a foreign table cannot be published');
publish('CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public');
is(publish(q{SELECT count(*) FROM pg_publication_tables WHERE tablename = 'records'}), 0, 'nor is it among all tables, of a schema or altogether');
publish('DROP PUBLICATION everything, of_schema');
publish(<<'END');
CREATE TABLE article (id text PRIMARY KEY, embedding real[], title text);
CREATE TABLE records_there (id text PRIMARY KEY, title text);
CREATE TABLE parts (id text, n int, embedding real[]) PARTITION BY LIST (n);
CREATE FOREIGN TABLE parts_1 PARTITION OF parts FOR VALUES IN (1) SERVER s OPTIONS (namespace 'part');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO article VALUES ('a0', '{1,0}', 'before');
CREATE PUBLICATION articles FOR TABLE article;
CREATE PUBLICATION local_parts FOR TABLE parts_2;
END

# ---- A foreign table as a target ----

$t->sql('CREATE FOREIGN TABLE parts_2 (id text, n int) SERVER s');
publish("SELECT pg_create_logical_replication_slot('wrong', 'pgoutput')");
like($t->error_of("CREATE SUBSCRIPTION wrong CONNECTION 'host=$env{PGHOST} port=$env{PGPORT} dbname=publisher user=$env{PGUSER}' PUBLICATION local_parts WITH (slot_name = 'wrong', create_slot = false)"),
	qr/ERROR:  cannot use relation "public.parts_2" as logical replication target/, 'a foreign table is no target');
publish("SELECT pg_drop_replication_slot('wrong')");
$t->sql('DROP FOREIGN TABLE parts_2; CREATE TABLE parts_2 (id text, n int, embedding real[])');

# ---- A trigger that writes at once ----

$t->sql(<<'END');
CREATE TABLE article (id text PRIMARY KEY, embedding real[], title text);
CREATE FUNCTION to_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN DELETE FROM public.records WHERE id = OLD.id; END IF;
  IF TG_OP <> 'DELETE' THEN INSERT INTO public.records (id, embedding, title) VALUES (NEW.id, NEW.embedding, NEW.title); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER to_records AFTER INSERT OR UPDATE OR DELETE ON article FOR EACH ROW EXECUTE FUNCTION to_records();
ALTER TABLE article ENABLE ALWAYS TRIGGER to_records;
END
subscribe('articles', 'articles, local_parts');
my $records = q{SELECT string_agg(id || ':' || title, ' ' ORDER BY id) FROM records};
my $rows = q{SELECT string_agg(id || ':' || title, ' ' ORDER BY id) FROM article};

sub arrives
{
	my ($name, $wanted) = @_;
	ok($t->wait_until(sub { $t->sql($rows) eq $wanted }, 30), "$name: rows") or diag($t->sql($rows), $t->log);
	is($t->sql($records), $wanted, 'and records');
}
arrives('what was there is copied', 'a0:before');
publish(q{BEGIN; INSERT INTO article SELECT 'a' || i, ARRAY[i, 1], 't' FROM generate_series(1, 3) i; UPDATE article SET title = 'new' WHERE id = 'a2'; DELETE FROM article WHERE id = 'a1'; UPDATE article SET id = 'a9' WHERE id = 'a3'; COMMIT});
arrives('a transaction is applied', 'a0:before a2:new a9:t');
$server->clear_requests;
publish(q{INSERT INTO parts VALUES ('p2', 2); INSERT INTO article SELECT 'b' || i, ARRAY[i, 1], 't' FROM generate_series(1, 300) i});
ok($t->wait_until(sub { $t->sql('SELECT count(*) FROM article') == 303 }, 30), 'of many rows');
is($t->sql('SELECT count(*) FROM records'), 303, 'and records');
cmp_ok(scalar(grep { m{^POST /vectors/upsert} } $server->take_log), '<=', 3, 'are few upserts');
is($t->sql('SELECT id FROM parts_2'), 'p2', 'and of partitions that are local');

# Refused, neither is there; the worker tries again
$server->fault({kind => 'status', status => 400, path => '/vectors/upsert', count => 2});
publish(q{DELETE FROM article WHERE id LIKE 'b%'; INSERT INTO article VALUES ('c1', '{1,1}', 'late')});
arrives('what Pinecone has refused comes later', 'a0:before a2:new a9:t c1:late');
my @refused = $t->log =~ /ERROR:  Pinecone rejected the request/g;
is(scalar @refused, 2, 'it was refused twice');
unsubscribe('articles');
is(publish('SELECT count(*) FROM pg_replication_slots'), 0, 'nothing is left');

# Published as one, a partitioned table takes its foreign partitions along as they are: they
# are read for the first copy, and what is written to them later is in no log
publish(q{INSERT INTO parts VALUES ('p1', 1, '{1,1}'); CREATE PUBLICATION all_parts FOR TABLE parts});
$t->sql('CREATE TABLE parts_1 (id text, n int, embedding real[])');
subscribe('parts', 'all_parts');
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM parts_1, parts_2}) eq '2' }, 20), 'a first copy has foreign partitions');
publish(q{INSERT INTO parts VALUES ('p1 later', 1, '{1,1}'), ('p2 later', 2, NULL)});
ok($t->wait_until(sub { $t->sql(q{SELECT count(*) FROM parts_2 WHERE id = 'p2 later'}) eq '1' }, 20), 'a local partition is replicated');
is($t->sql('SELECT id FROM parts_1'), 'p1', 'a foreign one is not');
unsubscribe('parts');
$publisher->close;

# ---- Materialized views ----

$t->sql(q{INSERT INTO records SELECT 'm' || i, ARRAY[cos(i), sin(i)]::real[], 'm', i FROM generate_series(1, 200) i});
$t->sql(q{CREATE MATERIALIZED VIEW few AS SELECT id, n FROM records WHERE n < 5; CREATE UNIQUE INDEX ON few (id)});
$t->sql(q{CREATE MATERIALIZED VIEW near AS SELECT id, embedding <=> '{1,0}' AS d FROM records WHERE n > 0 ORDER BY embedding <=> '{1,0}' LIMIT 5 WITH NO DATA});
like($t->error_of('TABLE near'), qr/has not been populated/, 'none yet');
$t->sql('REFRESH MATERIALIZED VIEW near');
is($t->sql('SELECT id FROM near ORDER BY d'), $t->sql(q{SELECT id FROM records WHERE n > 0 ORDER BY embedding <=> '{1,0}' LIMIT 5}), 'a search, kept');
is($t->sql('SELECT * FROM few ORDER BY id'), "m1|1\nm2|2\nm3|3\nm4|4", 'rows');
$t->sql(q{UPDATE records SET n = 1000 WHERE id = 'm3'; INSERT INTO records VALUES ('m0', '{1,1}', 'm', 0); DELETE FROM records WHERE id = 'm1'});
is($t->sql('SELECT * FROM few ORDER BY id'), "m1|1\nm2|2\nm3|3\nm4|4", 'stay as they were');
$server->clear_requests;
is($t->sql('SELECT n FROM few WHERE id IN (SELECT id FROM near)') . join('', $server->take_log), '', 'and ask nothing');
for my $how ('CONCURRENTLY ', '')
{
	$server->fault({kind => 'status', status => 400, path => '/vectors/fetch_by_metadata'});
	like($t->error_of("REFRESH MATERIALIZED VIEW ${how}few"), qr/ERROR:  Pinecone rejected the request/, "REFRESH ${how}fails");
	$server->clear_faults;
	is($t->sql('SELECT count(*) FROM few'), 4, 'and leaves what there is');
	$t->sql("REFRESH MATERIALIZED VIEW ${how}few");
	is($t->sql('SELECT * FROM few ORDER BY id'), "m0|0\nm2|2\nm4|4", "REFRESH ${how}has what is there");
	$t->sql(q{INSERT INTO records VALUES ('m3', '{1,1}', 'm', 3); REFRESH MATERIALIZED VIEW few; DELETE FROM records WHERE id = 'm3'}) if $how;
}

# In a transaction that writes, its own view of things
is($t->sql(q{BEGIN; INSERT INTO records VALUES ('m00', '{1,1}', 'm', 0); REFRESH MATERIALIZED VIEW few; SELECT count(*) FROM few; ROLLBACK}), 4, 'a refresh sees what its transaction has written');
is($t->sql('SELECT count(*) FROM few'), 3, 'and goes with it');

done_testing;
