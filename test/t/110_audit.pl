# pinecone_fdw.audit: a line in the log for each write, before it is sent, with who, where and what, and without values.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

my $t = Harness->new;
my $url = $t->server->{url};
$t->server->create_index('audited', dimension => 2);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'audited', control_host '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text, embedding real[], n int, secret text) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE at_once (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'immediate');
CREATE FOREIGN TABLE queued (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE ROLE clerk;
CREATE USER MAPPING FOR clerk SERVER s OPTIONS (api_key 'test-key');
GRANT SELECT, INSERT, UPDATE, DELETE ON t, queued TO clerk;
END
my $s = $t->session;
my $seen = () = $t->log =~ /\n/g;

# The lines that a statement has logged: "operation ids|filter", or all of it
sub audited
{
	my ($statement, $whole) = @_;
	my $r = $s->query($statement);
	my @log = split /\n/, $t->log;
	my @lines = map { /pinecone_fdw audit: (\{.*)/ ? $1 : () } @log[$seen .. $#log];
	$seen = @log;
	die "$statement\n$r->{err}" if $r->{err} =~ /ERROR/;
	return join ', ', map {
		my $line = JSON::PP->new->decode($_);
		$whole ? JSON::PP->new->canonical->encode($line) : join ' ', $line->{operation}, grep { defined } @{$line->{ids} // []}, $line->{filter};
	} @lines;
}

is(audited("INSERT INTO t VALUES ('a', '{1,2}', 1, 'word')"), '', 'off, nothing is logged');
$s->query('SET pinecone_fdw.audit = on');
is(audited("INSERT INTO t VALUES ('b', '{1,2}', 2, 'word'), ('c\"', '{2,1}', 3, 'word')", 1), '{"ids":["b","c\""],"namespace":"kb","operation":"upsert","server":"s","user":"postgres"}', 'an INSERT: who, where, which, and no values');
is(audited('SELECT count(*) FROM t WHERE n > 1'), '', 'nothing of what is read, be it by a dry run');
is(audited('UPDATE t SET n = 7 WHERE n > 1'), 'update_by_metadata {"n":{"$gt":1}}', 'an UPDATE by a filter');
is(audited("UPDATE t SET embedding = '{3,3}' WHERE id = 'a'"), 'upsert a', 'an UPDATE of a record');
is(audited("BEGIN; INSERT INTO t VALUES ('x', '{1,2}', 1, 'word'), ('y', '{1,2}', 1, 'word'); DELETE FROM t WHERE id = 'x'; ROLLBACK"), '', 'what is rolled back is not');
is(audited("BEGIN; INSERT INTO t VALUES ('x', '{1,2}', 1, 'word'), ('y', '{1,2}', 1, 'word'); UPDATE t SET n = 2 WHERE id = 'y'; COMMIT"), 'upsert x y', 'what has been written over is sent, and logged, once');
is(audited("INSERT INTO at_once VALUES ('z', '{1,2}', 1)"), 'upsert z', 'what is written at once');
is(audited("INSERT INTO queued VALUES ('q', '{1,2}', 1)"), '', 'what waits in the outbox is not sent');
is(audited('SELECT pinecone_deliver()'), 'upsert q', 'but when it is delivered');
is(audited("SET ROLE clerk; DELETE FROM t WHERE id = 'x'; RESET ROLE", 1), '{"ids":["x"],"namespace":"kb","operation":"delete","server":"s","session_user":"postgres","user":"clerk"}', 'another role, and whose session it is');
is(audited("BEGIN; SET LOCAL ROLE clerk; DELETE FROM t WHERE id = 'c\"'; SET LOCAL ROLE postgres; COMMIT", 1), '{"ids":["c\""],"namespace":"kb","operation":"delete","server":"s","session_user":"postgres","user":"clerk"}', 'who wrote it, not who commits');
$t->sql('DROP USER MAPPING FOR clerk SERVER s; DROP USER MAPPING FOR postgres SERVER s; CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key \'test-key\')');
is(audited("BEGIN; SET LOCAL ROLE clerk; DELETE FROM t WHERE id = 'b'; SET LOCAL ROLE postgres; INSERT INTO t VALUES ('b', '{1,2}'); COMMIT", 1) =~ s/"namespace":"kb",|"session_user":"postgres",|"server":"s",//gr,
	'{"ids":["b"],"operation":"delete","user":"clerk"}, {"ids":["b"],"operation":"upsert","user":"postgres"}', 'each of those who share a user mapping, in order');
is(audited("SET ROLE clerk; INSERT INTO queued VALUES ('r', '{1,2}', 1); RESET ROLE"), '', 'what another role has queued');
is(audited('SELECT pinecone_deliver()', 1), '{"ids":["r"],"namespace":"kb","operation":"upsert","server":"s","session_user":"postgres","user":"clerk"}', 'is delivered as that one\'s');
$t->server->fault({path => '/vectors/delete', status => 503, count => 1});
is(audited("DELETE FROM t WHERE id = 'y'"), 'delete y', 'an attempt that fails is one write');
is(audited('TRUNCATE t'), 'delete_all', 'a TRUNCATE');
like(audited("SELECT pinecone_create_namespace('s', 'made'), pinecone_delete_namespace('s', 'made')", 1), qr/"namespace":"made".*, .*"namespace":"made"/, 'administration');
unlike($t->log, qr/audit:.*word/, 'no values anywhere');
# only superusers turn it off, be it before the module is there
like($t->error_of("LOAD 'pinecone_fdw'; SET ROLE clerk; SET pinecone_fdw.audit = off"), qr/permission denied/, 'nobody else turns it off');
$s->query('ALTER SYSTEM SET pinecone_fdw.audit = on');
$t->sql('SELECT pg_reload_conf()');
$t->sql('ALTER ROLE clerk LOGIN');
$s = Harness::Session->new({%{$t->{env}}, PGUSER => 'clerk'});
$t->wait_until(sub { $s->query('SHOW pinecone_fdw.audit')->{out} eq 'on' });
$s->query('SET pinecone_fdw.audit = off');
is(audited("INSERT INTO t VALUES ('hidden', '{1,2}', 2, 'word')"), 'upsert hidden', 'nor by a setting made before the module is loaded');
$s->close;
done_testing;
