#!/usr/bin/env perl
#
# Random transactions on a mirrored table - of several sessions, interleaved, with
# savepoints, rollbacks, changes of the key, rows that enter and leave the filter,
# TRUNCATEs - while a worker delivers, requests fail in all ways, workers are killed
# and the server is restarted.  Once it is quiet the namespace has what the table
# has, and nothing of what was rolled back was ever sent.
#
#	test/random/mirror.pl [SEED [TRANSACTIONS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $seed = $ARGV[0] // time;
my $ntransactions = $ARGV[1] // 400;

srand $seed;
my $t = Harness->new(
	conf => ["shared_preload_libraries = 'pinecone_fdw'", 'fsync = off', 'autovacuum_naptime = 1s', 'max_wal_size = 256MB'],
	pinecone => ['--latency', 2, '--log-size', 1000000, '--log-body-limit', 4000000]);
my $server = $t->server;
my $host = $server->create_index('mirrored', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0', request_timeout '400');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE there (id text, embedding real[], n int) SERVER s OPTIONS (batch_size '20');
CREATE TABLE items (id int PRIMARY KEY, embedding real[], n int, live boolean) PARTITION BY RANGE (id);
CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (MINVALUE) TO (150);
CREATE TABLE items_2 (n int, live boolean, embedding real[], id int NOT NULL);
ALTER TABLE items ATTACH PARTITION items_2 FOR VALUES FROM (150) TO (MAXVALUE);
INSERT INTO items SELECT i, ARRAY[1, i], 0, i % 5 > 0 FROM generate_series(1, 200) i;
END

my $ids = 300;
my $counter = 0;
my %did;

sub id { return 1 + int rand $ids }

# A statement that writes; "n" tells the transaction, and one that is rolled back has -1
sub statement
{
	my ($n) = @_;
	my ($id, $other) = (id(), id());
	my $kind = int rand 100;
	my $to = $id + 1 + int rand 8;

	return "INSERT INTO items VALUES ($id, '{1,$other}', $n, " . (rand() < 0.8 ? 'true' : 'false') . ') ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, embedding = EXCLUDED.embedding' if $kind < 35;
	return "INSERT INTO items SELECT i, ARRAY[2, i], $n, true FROM generate_series($id, $to) i ON CONFLICT DO NOTHING" if $kind < 45;
	return "UPDATE items SET n = $n WHERE id BETWEEN $id AND $to" if $kind < 60;
	return "UPDATE items SET live = NOT live, n = $n WHERE id BETWEEN $id AND $to" if $kind < 70;
	return "UPDATE items SET id = $other, n = $n WHERE id = $id AND NOT EXISTS (SELECT FROM items WHERE id = $other)" if $kind < 80;
	return "UPDATE items SET embedding = NULL, n = $n WHERE id = $id" if $kind < 83;
	return "DELETE FROM items WHERE id BETWEEN $id AND $to" if $kind < 98;
	return 'TRUNCATE ' . (rand() < 0.5 ? 'items' : 'items_2') if $kind < 99 && rand() < 0.3;
	return "DELETE FROM items WHERE id % 3 = $id % 3";
}

# The statements of a transaction, in two parts between which others come
sub transaction
{
	my $rolled_back = rand() < 0.25;
	my $n = $rolled_back ? -1 : ++$counter;
	my @statements = ('BEGIN');

	for (1 .. 1 + int rand 4)
	{
		push @statements, statement($n);
		push @statements, 'SAVEPOINT s', statement(-1), statement(-1), 'ROLLBACK TO s' if rand() < 0.2;
		push @statements, 'SAVEPOINT s', statement($n), 'RELEASE s' if rand() < 0.1;
	}
	push @statements, $rolled_back ? 'ROLLBACK' : 'COMMIT';
	my $at = 1 + int rand($#statements);
	$did{$rolled_back ? 'rolled back' : 'committed'}++;
	return (join(";\n", @statements[0 .. $at - 1]), join(";\n", @statements[$at .. $#statements]));
}

# Something that goes wrong on the way
sub disturb
{
	my @faults = (
		{kind => 'status', status => 429, retry_after => 0}, {kind => 'status', status => 500}, {kind => 'status', status => 503},
		{kind => 'close'}, {kind => 'close_after'}, {kind => 'delay', delay_ms => 700}, {kind => 'truncate'}, {kind => 'garbage'});
	my $fault = $faults[rand @faults];
	my $path = (qw(/vectors/upsert /vectors/delete /vectors/*))[rand 3];

	$did{"$fault->{kind} " . ($fault->{status} // '')}++;
	$server->fault({%$fault, path => $path, count => 1 + int rand 2, skip => int rand 3});
}

sub worker { return $t->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pinecone_fdw outbox worker'}); }

my @sessions;

sub connect_all
{
	$_->close for @sessions;
	@sessions = map { $t->session } 1 .. 3;
	$_->query("SET lock_timeout = '30ms'; SET deadlock_timeout = '10ms'") for @sessions;
}

sub kill_worker
{
	my $pid = worker() or return;

	$t->crash($pid) or die "the cluster does not come back\n";
	$did{'worker killed'}++;
	connect_all();
}

# All that is under way is ended, and what waits is delivered, though the worker may wait for its next attempt
sub compare
{
	my ($when) = @_;

	$server->clear_faults;
	ok($t->wait_until(sub {
		$t->psql("CALL pinecone_mirror_deliver('there')");
		$t->sql(q{SELECT waiting = 0 AND state = 'live' FROM pinecone_mirror_status}) eq 't' }, 60), "$when: it becomes quiet")
		or diag($t->sql('SELECT * FROM pinecone_mirror_status'));
	is($t->sql(q{SET pinecone_fdw.unseen_time = 0; SELECT * FROM pinecone_diff('there', pinecone_mirror_source('there'), true, true)}), '', "$when: the namespace is as the table");
}

connect_all();
my @second;
my $kills = 1 + int($ntransactions / 1000);
my %kill_at = map { 30 + int(rand($ntransactions - 30)) => 1 } 1 .. $kills;
for my $i (1 .. $ntransactions)
{
	my $session = $i % @sessions;
	my ($first, $rest) = transaction();

	# what a lock that is not to be had, or a duplicate key, has ended is rolled back
	$sessions[$session]->query("ROLLBACK") if $i <= @sessions;
	$sessions[$session]->query($second[$session]) if $second[$session];
	$sessions[$session]->query("ROLLBACK");
	$sessions[$session]->query($first);
	$second[$session] = $rest;
	$t->sql("SELECT pinecone_mirror('items', 'there', filter => 'live')"), $did{'mirrored'}++ if $i == 7 && do { $_->query('ROLLBACK') for @sessions; @second = (); 1 };
	disturb() if rand() < 0.05;
	$server->clear_faults if rand() < 0.1;
	@second = (), kill_worker() if $kill_at{$i};
	if ($i % 40 == 0)
	{
		$sessions[$_]->query(($second[$_] // '') . ';ROLLBACK') for 0 .. $#sessions;
		@second = ();
		compare("after $i");
	}
}
$_->query('ROLLBACK') for @sessions;
compare('at the end');
is($t->sql('SELECT count(*) FROM pinecone_mirror_dead'), 0, 'no row was put aside');
my @sent = map { ($_->{body}{vectors} // [])->@* } grep { $_->{path} eq '/vectors/upsert' } $server->requests;
cmp_ok(scalar @sent, '>', 0, 'the requests are there to be looked at');
is(scalar(grep { $_->{metadata}{n} == -1 } @sent), 0, 'nothing that was rolled back was sent');
unlike($t->log, qr/PANIC|TRAP/, 'nothing has gone wrong');
diag("seed $seed: " . join(', ', map { "$did{$_} $_" } sort keys %did) . ', ' . $t->sql('SELECT delivered FROM pinecone_mirrors') . ' rows delivered');
done_testing;
