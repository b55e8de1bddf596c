# Databases: encodings other than UTF-8, a dump and its restoration, a hot
# standby.
use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my $t = Harness->new;
my $host = $t->server->create_index('db', dimension => 2);

# One statement's output and errors, in a database; text goes as UTF-8
sub run_in
{
	my ($database, $sql, @options) = @_;
	my $result = $t->psql(encode('UTF-8', $sql), '-d', $database, @options);
	my $text = decode('UTF-8', "$result->{out}\n$result->{err}");

	$text =~ s/\A\s+|\s+\z//g;
	return $text;
}

sub connect_index
{
	my ($database) = @_;
	return run_in($database, <<"END");
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE SERVER db FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER db OPTIONS (api_key 'test-key');
END
}

# ---- Encodings ----

$ENV{PGCLIENTENCODING} = 'UTF8';
my $columns = 'id text COLLATE "C", embedding real[], "größe" text, metadata jsonb';
is(connect_index('postgres'), '', 'a database in UTF-8');
$t->sql(encode('UTF-8', "CREATE FOREIGN TABLE doc ($columns) SERVER db OPTIONS (namespace 'kb')"));
$t->sql(encode('UTF-8', "INSERT INTO doc (id, embedding, \"größe\", metadata) VALUES ('a', '{1,2}', 'groß', NULL), ('b', '{2,1}', 'klein', '{\"名\": \"本\"}')"));

for my $encoding ('latin1', 'euc_jp', 'sql_ascii')
{
	$t->sql("CREATE DATABASE $encoding ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	is(connect_index($encoding), '', "a database in $encoding");
	is(run_in($encoding, "CREATE FOREIGN TABLE doc ($columns) SERVER db OPTIONS (namespace 'kb', on_type_error 'null')"), '', "$encoding: a table");
	is(run_in($encoding, "SELECT id FROM doc WHERE \"größe\" = 'groß'"), 'a', "$encoding: a filter");
	is(run_in($encoding, "SELECT \"größe\", metadata FROM doc WHERE id = 'a'"), 'groß|{"größe": "groß"}', "$encoding: values");
	is(run_in($encoding, "INSERT INTO doc (id, embedding, \"größe\") VALUES ('$encoding', '{1,1}', 'höher') RETURNING \"größe\", metadata"),
		'höher|{"größe": "höher"}', "$encoding: a write");
	is(run_in('postgres', "SELECT \"größe\" FROM doc WHERE id = '$encoding'"), 'höher', "$encoding: what has been written");
}
is(run_in('euc_jp', "SELECT metadata FROM doc WHERE id = 'b'"), '{"名": "本", "größe": "klein"}', 'what an encoding has');

# a misfit of the columns that read it, as any value that does not fit
is(run_in('latin1', 'SELECT id, "größe", metadata FROM doc WHERE id <> \'sql_ascii\' ORDER BY id'),
	"a|groß|{\"größe\": \"groß\"}\nb|klein|\neuc_jp|höher|{\"größe\": \"höher\"}\nlatin1|höher|{\"größe\": \"höher\"}", 'what it has not, is NULL where it is read');
is(run_in('latin1', 'ALTER FOREIGN TABLE doc OPTIONS (DROP on_type_error); SELECT "größe" FROM doc WHERE id = \'b\''), 'klein', 'or nothing');
like(run_in('latin1', 'SELECT metadata FROM doc'),
	qr/\AERROR:  metadata does not fit column "metadata" of foreign table "doc"\nDETAIL:  Record "b"; the column's type is jsonb, and PostgreSQL's text cannot hold one of its strings\./,
	'or an error');
is(run_in('latin1', 'UPDATE doc SET "größe" = \'Größe\' WHERE id = \'b\'; UPDATE doc SET "größe" = NULL WHERE id = \'b\'; UPDATE doc SET "größe" = \'klein\' WHERE id = \'b\''), '', 'and written back');
is(run_in('postgres', 'SELECT metadata FROM doc WHERE id = \'b\''), '{"名": "本", "größe": "klein"}', 'as it was');
is(run_in('latin1', 'SELECT id FROM doc ORDER BY embedding <=> \'{2,1}\' LIMIT 1'), 'b', 'where metadata is not read');

# writes that wait, in a transaction and in the outbox; what the encoding lacks stays as it is
is(run_in('latin1', "BEGIN; DELETE FROM doc WHERE \"größe\" = 'höher' AND id = 'latin1'; UPDATE doc SET \"größe\" = 'größer' WHERE \"größe\" = 'höher'; SELECT id FROM doc WHERE \"größe\" = 'größer' ORDER BY id; COMMIT"),
	"euc_jp\nsql_ascii", 'filters of pending writes');
is(run_in('postgres', "SELECT string_agg(id || ' ' || \"größe\", ', ' ORDER BY id) FROM doc WHERE id > 'b'"), 'euc_jp größer, sql_ascii größer', 'and sent');
is(run_in('latin1', "CREATE FOREIGN TABLE queued (id text, embedding real[], \"größe\" text) SERVER db OPTIONS (namespace 'kb', write_mode 'outbox')"), '', 'an outbox in latin1');
is(run_in('latin1', "INSERT INTO queued VALUES ('q', '{1,3}', 'mäßig'); UPDATE queued SET \"größe\" = NULL WHERE id = 'b'; DELETE FROM queued WHERE \"größe\" = 'größer' AND id = 'euc_jp'"), '', 'is written to');
is(run_in('latin1', "SELECT id, \"größe\" FROM queued WHERE id IN ('b', 'q', 'euc_jp') ORDER BY id"), "b|\nq|mäßig", 'reads lay over it what waits');
is(run_in('latin1', 'SELECT delivered, dead FROM pinecone_deliver()'), '3|0', 'and delivered');
is(run_in('postgres', "SELECT string_agg(metadata::text, ' ' ORDER BY id) FROM doc WHERE id IN ('b', 'q', 'euc_jp')"), '{"名": "本"} {"größe": "mäßig"}', 'as it was written');
is(run_in('postgres', "DELETE FROM doc WHERE id = 'q'; INSERT INTO doc (id, embedding, \"größe\") VALUES ('euc_jp', '{1,1}', 'höher'), ('latin1', '{1,1}', 'höher')"), '', 'back as before');

# ---- Dump and restore ----

$t->sql(<<'END');
CREATE TABLE kept (namespace text PRIMARY KEY, sketch huf_sketch);
INSERT INTO kept SELECT 'kb', huf_sketch(embedding) FROM doc;
INSERT INTO kept SELECT 'random', huf_sketch(ARRAY[1.0 / i, sin(i), i ^ 9]::real[]) FROM generate_series(1, 50) i;
CREATE TABLE near (embedding real[] CHECK (embedding <-> '{0,0}' > 0), distance float8 GENERATED ALWAYS AS (embedding <=> '{1,2}') STORED);
INSERT INTO near VALUES ('{1,3}');
CREATE INDEX ON near ((embedding <-> '{1,1}'));
CREATE MATERIALIZED VIEW nearest AS SELECT id FROM doc WHERE NOT pinecone_match(metadata, '{"x": 1}') ORDER BY embedding <=> '{1,2}' LIMIT 2;
CREATE UNIQUE INDEX ON nearest (id);
REFRESH MATERIALIZED VIEW CONCURRENTLY nearest;
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text, at date OPTIONS (field 'its "day"', format 'epoch')) SERVER db OPTIONS (namespaces 'kb, ""');
END

sub dump_of
{
	my ($database) = @_;
	my $dump = `pg_dump $database`;

	is($?, 0, "dump of $database");
	$dump =~ s/^\\(?:un)?restrict .*\n//mg;
	return $dump;
}
my $dump = dump_of('postgres');
my $file = $t->dir . '/dump.sql';
open my $out, '>', $file or die "$file: $!";
print $out $dump;
close $out;
$t->sql('CREATE DATABASE restored');
is(system('psql', '-XqAt', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $file), 0, 'it is restored');
is(dump_of('restored'), $dump, 'and the same');
is(run_in('restored', 'SELECT string_agg(id, \' \' ORDER BY id) FROM doc'), run_in('postgres', 'SELECT string_agg(id, \' \' ORDER BY id) FROM doc'), 'with its foreign tables');
is(run_in('restored', 'TABLE nearest ORDER BY id'), run_in('postgres', 'TABLE nearest ORDER BY id'), 'and what was made from them');

# ---- Hot standby ----

my $standby = $t->dir . '/standby';
my @as = $> == 0 ? ('setpriv', '--reuid=' . (getpwnam('postgres') ? 'postgres' : 'nobody'), '--regid=' . (getpwnam('postgres') ? 'postgres' : 'nogroup'), '--clear-groups') : ();
@as = (@as, 'env', '-C', $t->dir, 'HOME=' . $t->dir);
my $running = 0;
END
{
	local $?;
	system(@as, 'pg_ctl', '-D', $standby, '-s', '-m', 'immediate', 'stop') if $running;
}
is(system(@as, 'pg_basebackup', '-D', $standby, '-R', '-c', 'fast', '--no-sync'), 0, 'a copy of the cluster');
is(system(@as, 'pg_ctl', '-D', $standby, '-o', '-p 5433', '-l', "$standby.log", '-w', '-s', 'start'), 0, 'runs as a standby');
$running = 1;
for my $query (
	'SELECT string_agg(id, \' \' ORDER BY id) FROM doc',
	'SELECT count(*) FROM doc',
	'SELECT id FROM doc ORDER BY embedding <=> \'{2,1}\' LIMIT 2')
{
	is(run_in('postgres', $query, '-p', '5433'), run_in('postgres', $query), "a standby reads: $query");
}
for my $write ("INSERT INTO doc (id, embedding) VALUES ('s', '{1,1}')", 'UPDATE doc SET "größe" = NULL', 'DELETE FROM doc', 'TRUNCATE doc')
{
	like(run_in('postgres', $write, '-p', '5433'), qr/\AERROR:  cannot execute \w+(?: TABLE)? in a read-only transaction\z/, "and refuses: $write");
}
is(system(@as, 'pg_ctl', '-D', $standby, '-w', '-s', '-m', 'fast', 'stop'), 0, 'the standby stops');
$running = 0;
is($t->sql('SELECT count(*) FROM doc'), 5, 'all records are there');

done_testing;
