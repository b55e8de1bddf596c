# pinecone_sync() beside others who write: what it deletes or writes by a view of
# the source that is out of date is put right once they have committed; nobody
# waits for it; and what happens when it is interrupted or fails.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => ['--lag', 400]);
my $server = $t->server;
my $host = $server->create_index('kept', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE remote (id text, embedding real[], n int) SERVER s;
CREATE FOREIGN TABLE at_once (id text, embedding real[], n int) SERVER s OPTIONS (write_mode 'immediate');
CREATE TABLE here (id int PRIMARY KEY, embedding real[], n int) PARTITION BY RANGE (id);
CREATE TABLE here_1 PARTITION OF here FOR VALUES FROM (0) TO (100000);
CREATE TABLE here_2 PARTITION OF here FOR VALUES FROM (100000) TO (200000);
INSERT INTO here SELECT i, ARRAY[1, i], i FROM generate_series(1, 500) i;
END

my $apply = 'metadata => true, vectors => true, apply => true';

sub differences
{
	return $t->sql("SELECT id, difference FROM pinecone_diff('remote', 'here', true, true)");
}

# The lock that sync waits for is that of a transaction
sub wait_for_sync
{
	my ($sync) = @_;
	my $pid = $sync->pid;

	return $t->wait_until(sub { $t->sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'virtualxid'") });
}

is($t->sql("CALL pinecone_sync('remote', 'here', $apply, batch => 70)"), '500|0|0|500|0', 'all is written');
is(differences(), '', 'and is there, though the service lags');

# What others have sent, and not committed, is not to be undone
for my $case (['ROLLBACK', 'their transaction is rolled back'], ['COMMIT', 'their transaction commits'])
{
	my ($end, $name) = @$case;
	my $writer = $t->session;
	my $sync = $t->session;

	$t->sql("INSERT INTO here VALUES (100001, '{1,1}', 1), (700, '{1,1}', 1) ON CONFLICT (id) DO UPDATE SET n = 1");
	$t->sql("INSERT INTO remote VALUES ('100001', '{1,1}', 1); DELETE FROM remote WHERE id = '700'");
	$sync->pid;
	$writer->query(<<'END');
BEGIN;
INSERT INTO here VALUES (100002, '{1,2}', 2);
INSERT INTO at_once VALUES ('100002', '{1,2}', 2);
DELETE FROM here WHERE id = 700;
UPDATE here SET n = -1 WHERE id = 5;
INSERT INTO at_once VALUES ('5', '{1,5}', -1);
END
	is(differences(), "100002|only_there\n5|differs\n700|only_here", "$name: an open transaction looks like differences");
	$sync->send("CALL pinecone_sync('remote', 'here', $apply)");
	ok(wait_for_sync($sync), "$name: it is waited for");
	$t->sql("INSERT INTO here VALUES (100003, '{1,3}', 3); DELETE FROM here WHERE id = 100003");
	pass("$name: others go on writing");
	$writer->query($end);
	like($sync->result->{out}, qr/^1\|1\|1\|/, "$name: it ends");
	is(differences(), '', "$name: all is as in the source");
	is($t->sql("SELECT string_agg(id, ' ' ORDER BY id) FROM remote WHERE id IN ('700', '100002')"), $end eq 'COMMIT' ? '100002' : '700', "$name: a record is neither lost nor left");
	is($t->sql("SELECT n FROM remote WHERE id = '5'"), $end eq 'COMMIT' ? -1 : 5, "$name: the last value is kept");
	$t->sql("DELETE FROM here WHERE id > 500; UPDATE here SET n = 5 WHERE id = 5");
	$t->sql("CALL pinecone_sync('remote', 'here', $apply)");
	$_->close for $writer, $sync;
}

# Interrupted while it waits, and failing while it writes: repeated, it goes on
{
	my $writer = $t->session;
	my $sync = $t->session;

	$t->sql("DELETE FROM here WHERE id > 400");
	$sync->pid;
	$writer->query("BEGIN; UPDATE here SET n = 0 WHERE id = 1");
	$sync->send("CALL pinecone_sync('remote', 'here', $apply, batch => 30)");
	ok(wait_for_sync($sync), 'it waits');
	kill INT => $sync->pid;
	like($sync->result(20)->{err}, qr/canceling statement due to user request/, 'and is cancelled');
	is($sync->query("SELECT count(*) FROM pg_cursors")->{out}, 0, 'no cursor is left');
	$writer->query('COMMIT');
	like($sync->query("SET lock_timeout = '5s'; CALL pinecone_sync('remote', 'here', $apply, batch => 30)")->{out}, qr/^0\|70\|1\|1\|70/m, 'the session does the rest');

	$t->sql("UPDATE here SET n = n + 1");
	$server->fault({path => '/vectors/upsert', status => 500, skip => 2, count => 1});
	like($sync->query("CALL pinecone_sync('remote', 'here', $apply, batch => 30)")->{err}, qr/ERROR/, 'a refusal is an error');
	$server->clear_faults;
	like($sync->query("CALL pinecone_sync('remote', 'here', $apply, batch => 30)")->{out}, qr/^0\|0\|340\|340\|0/m, 'what was sent before it stays');
	is(differences(), '', 'all is as in the source');
}

done_testing;
