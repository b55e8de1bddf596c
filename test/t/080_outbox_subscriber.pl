#!/usr/bin/env perl
#
# Rows that are written on one server reach Pinecone from another one, which
# subscribes to their table and has an outbox: see docs/scaling.md.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $publisher = Harness->new(pinecone => 0, extension => 0, conf => ['wal_level = logical']);
my $subscriber = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.outbox_workers = 0']);
my $server = $subscriber->server;
$server->create_index('sub', dimension => 2);
my $where = $server->where('sub');

$publisher->sql('CREATE TABLE article (id text PRIMARY KEY, embedding real[], title text); CREATE PUBLICATION articles FOR TABLE article');
$publisher->sql(q{INSERT INTO article VALUES ('a0', '{1,0}', 'before')});
$subscriber->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where);
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE TABLE article (id text PRIMARY KEY, embedding real[], title text);
CREATE FOREIGN TABLE article_records (id text COLLATE "C", embedding real[], title text) SERVER s OPTIONS (namespace 'articles', write_mode 'outbox');
CREATE FUNCTION to_pinecone() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM public.pinecone_outbox_delete('public.article_records', 'articles', OLD.id);
    RETURN OLD;
  END IF;
  PERFORM public.pinecone_outbox_put('public.article_records', 'articles', NEW.id, NEW.embedding, NULL, jsonb_build_object('title', NEW.title));
  RETURN NEW;
END \$\$;
CREATE TRIGGER to_pinecone AFTER INSERT OR UPDATE OR DELETE ON article FOR EACH ROW EXECUTE FUNCTION to_pinecone();
ALTER TABLE article ENABLE ALWAYS TRIGGER to_pinecone;
END
$subscriber->sql("CREATE SUBSCRIPTION articles CONNECTION 'host=$publisher->{dir} port=5432 user=postgres dbname=postgres' PUBLICATION articles");

# Until the subscriber has what the publisher has
sub caught_up
{
	my ($sql, $wanted) = @_;
	for (1 .. 600)
	{
		return 1 if $subscriber->sql($sql) eq $wanted;
		select undef, undef, undef, 0.05;
	}
	diag($subscriber->sql($sql));
	return 0;
}

ok(caught_up('SELECT count(*) FROM article', '1'), 'what was there has been copied');
$publisher->sql(q{BEGIN; INSERT INTO article SELECT 'a' || i, ARRAY[cos(i), sin(i)]::real[], 'title ' || i FROM generate_series(1, 20) i; UPDATE article SET title = 'new' WHERE id = 'a7'; DELETE FROM article WHERE id = 'a9'; COMMIT});
$publisher->sql(q{BEGIN; INSERT INTO article VALUES ('never', '{1,1}', 'never'); ROLLBACK});
ok(caught_up('SELECT count(*) FROM article', '20'), 'what is written is replicated');
is($subscriber->sql(q{SELECT count(*) FROM article_records}), '20', 'reads show what is queued');
is($subscriber->sql(q{SELECT waiting, dead FROM pinecone_deliver()}), '0|0', 'it is delivered');
is($subscriber->sql(q{SELECT count(*) FROM pinecone_outbox_rows}), '0', 'nothing waits');
is($subscriber->sql(q{SELECT string_agg(id, ' ' ORDER BY id) FROM article_records WHERE title = 'new' OR id IN ('a0', 'a9', 'never')}), 'a0 a7', 'the records are what the rows are');
is($subscriber->sql(q{SELECT count(*) FROM article a FULL JOIN article_records r ON r.id = a.id AND r.title = a.title WHERE a.id IS NULL OR r.id IS NULL}), '0', 'all of them');
$subscriber->sql('DROP SUBSCRIPTION articles');

done_testing;
