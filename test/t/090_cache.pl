# Answers from memory, of several sessions: who shares them, who does not, and
# what a write of one makes of what the others have read.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

# How many requests were sent since the last time, of reads and writes or those that match
sub requests
{
	my ($t, $which) = (@_, qr{^/(?:query|vectors/)});
	my $n = grep { $_->{path} =~ $which } $t->server->requests;
	$t->server->clear_requests;
	return $n;
}

sub setup
{
	my ($t, $extra) = @_;
	my $host = $t->server->create_index('kept', dimension => 2, metric => 'cosine');

	$t->server->upsert_json('kept', 'a', [map { "{\"id\": \"r$_\", \"values\": [$_, 1], \"metadata\": {\"n\": $_}}" } 1 .. 20]);
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'a', cache_ttl '1h');
CREATE FOREIGN TABLE brief (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'a', cache_ttl '2s');
END
	requests($t);
	return map { $t->session } 1 .. 2;
}

my $by_id = "SELECT id, n FROM t WHERE id IN ('r1', 'r2') ORDER BY id";
my $search = 'SELECT id, n FROM t ORDER BY embedding <=> \'{1,1}\' LIMIT 3';

# ---- Shared by all sessions where the module is preloaded ----
{
	my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", "pinecone_fdw.unseen_time = '200ms'", "pinecone_fdw.cache_memory = '256kB'"]);
	my ($one, $two) = setup($t);

	is($one->query("$by_id; $search")->{out}, "r1|1\nr2|2\nr1|1\nr2|2\nr3|3", 'one session asks');
	is(requests($t), 2, 'with two requests');
	is($two->query("$by_id; $search")->{out}, "r1|1\nr2|2\nr1|1\nr2|2\nr3|3", 'another is told the same');
	is(requests($t), 0, 'by nobody but memory');

	# a write, at COMMIT
	$one->query("BEGIN; UPDATE t SET n = 100 WHERE id = 'r1'");
	is($two->query($by_id)->{out}, "r1|1\nr2|2", 'before the commit nothing has changed');
	is($one->query($by_id)->{out}, "r1|100\nr2|2", 'but for the one who writes');
	$one->query('COMMIT');
	is($two->query("$by_id; $search")->{out}, "r1|100\nr2|2\nr1|100\nr2|2\nr3|3", 'after it, for all');
	sleep 0.5;
	$two->query($by_id);
	requests($t);
	is($one->query($by_id)->{out}, "r1|100\nr2|2", 'which is kept again');
	is(requests($t, qr{^/vectors/fetch}), 0, 'when the service is sure to show it');

	# nor is what was told through an alias kept over a write to what it stands for
	$t->server->alias($t->server->host('kept'), 'live', 'a');
	$t->sql("CREATE FOREIGN TABLE through (id text COLLATE \"C\", n int) SERVER s OPTIONS (namespace 'live', cache_ttl '1h')");
	my $through = "SELECT n FROM through WHERE id = 'r5'";
	is($_->query("$through; $through")->{out}, "5\n5", 'through an alias') for $one, $two;
	requests($t);
	$two->query($through);
	is(requests($t, qr{^/vectors/fetch}), 0, '... is kept');
	$one->query("UPDATE t SET n = 500 WHERE id = 'r5'");
	sleep 0.5;
	is($_->query($through)->{out}, '500', '... until its namespace is written to') for $two, $one;

	# what was asked for before a write, and answered after it, is not kept
	$t->server->fault({path => '/vectors/fetch', kind => 'delay', delay_ms => 400});
	$one->send("SELECT n FROM t WHERE id IN ('r3', 'r4') ORDER BY id");
	$t->wait_until(sub { requests($t) > 0 });
	$two->query("UPDATE t SET n = 300 WHERE id = 'r3'");
	$one->result;
	is($one->query("SELECT n FROM t WHERE id IN ('r3', 'r4') ORDER BY id")->{out}, "300\n4", 'a reply that was late to come stands in nobody\'s way');

	# who asks for the same at the same time waits for the one who has asked
	sleep 0.5;
	$t->server->control('POST', '/_local/settings', {latency => 300});
	$_->query('SELECT n FROM t WHERE id = \'r9\'') for $one, $two;    # so that they know how long it takes
	requests($t);
	my @crowd = ($one, $two, map { $t->session } 1 .. 4);
	$_->query('SELECT n FROM brief WHERE false') for @crowd;
	$_->send('SELECT n FROM t WHERE id = \'r10\'') for @crowd;
	is(join(' ', map { $_->result->{out} } @crowd), join(' ', (10) x 6), 'six sessions at once');
	is(requests($t), 1, 'share one request');
	# but not for one who does not get an answer
	$t->server->fault({path => '/vectors/fetch', kind => 'close', count => -1});
	my $lost = $t->session;
	$lost->send('SET statement_timeout = \'20s\'; SELECT n FROM t WHERE id = \'r11\'');
	$t->wait_until(sub { requests($t) > 0 });
	$t->server->clear_faults;
	is($two->query('SELECT n FROM t WHERE id = \'r11\'')->{out}, '11', 'one whose requests fail holds nobody up');
	$lost->result;
	$t->server->control('POST', '/_local/settings', {latency => 0});
	$_->close for @crowd[2 .. 5];

	# when the time is over: one search tells that all of them still hold
	my @searches = map { "SELECT id FROM brief ORDER BY embedding <=> '{$_,2}' LIMIT 2" } 1 .. 5;
	my @first = map { $one->query($_)->{out} } @searches;
	sleep 2.1;
	requests($t);
	is_deeply([map { $two->query($_)->{out} } @searches], \@first, 'old answers hold');
	is(requests($t), 1, 'if one search tells that nothing was written');
	$t->server->upsert_json('kept', 'a', ['{"id": "r99", "values": [1, 2], "metadata": {"n": 99}}']);
	sleep 2.1;
	requests($t);
	like(join(' ', map { $two->query($_)->{out} } @searches), qr/r99/, 'else none does');
	is(requests($t), 5, 'and all are asked again');

	# memory is bounded, whatever is read
	$one->query("SELECT id, embedding FROM t ORDER BY embedding <=> '{$_,3}' LIMIT 15") for 1 .. 300;
	requests($t);
	$one->query("SELECT id, embedding FROM t ORDER BY embedding <=> '{300,3}' LIMIT 15");
	is(requests($t), 0, 'the last of many is there');
	$one->query("SELECT id, embedding FROM t ORDER BY embedding <=> '{1,3}' LIMIT 15");
	is(requests($t), 1, 'the first had to go');

	# keys and mappings do not share
	$t->sql("CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader; CREATE USER MAPPING FOR reader SERVER s OPTIONS (api_key 'another-key')");
	$one->query($by_id);
	like($t->error_of("SET ROLE reader; $by_id"), qr/rejected the API key/, 'a user with a key of no use gets nothing');

	# nor is a key that was replaced answered with what the one before it was told
	is($one->query($by_id)->{out}, "r1|100\nr2|2", 'what is kept');
	$t->sql("ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'another-key')");
	like($_->query($by_id)->{err}, qr/rejected the API key/, 'a key that is of no use any more gets nothing') for $one, $two, $t->session;
	$t->sql("ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'test-key')");
	is($_->query($by_id)->{out}, "r1|100\nr2|2", 'the right one does') for $one, $two;

	# the server starts anew
	$t->program('pg_ctl', '-D', "$t->{dir}/data", '-w', '-m', 'immediate', 'restart', '-l', "$t->{dir}/postgres.log");
	my $anew = $t->session;
	is($anew->query("$by_id; $by_id")->{out}, "r1|100\nr2|2\nr1|100\nr2|2", 'after a crash');
}

# ---- Each session has its own where it is not, and knows of the others' writes ----
{
	my $t = Harness->new(conf => ["pinecone_fdw.unseen_time = '200ms'"]);
	my ($one, $two) = setup($t);

	$_->query("$by_id; $search") for $one, $two;
	requests($t);
	is($_->query("$by_id; $search")->{out}, "r1|1\nr2|2\nr1|1\nr2|2\nr3|3", 'each has been told once') for $one, $two;
	is(requests($t), 0, 'and remembers');
	$one->query("DELETE FROM t WHERE id = 'r1'");
	is($_->query("$by_id; $search")->{out}, "r2|2\nr2|2\nr3|3\nr4|4", 'until one of them writes') for $two, $one;

	# the service lags: what does not show the write is not kept
	$t->server->control('POST', '/_local/settings', {lag => 150});
	$one->query("UPDATE t SET n = 200 WHERE id = 'r2'; $by_id; $search");
	$two->query("$by_id; $search");
	is($two->query("$by_id; $search")->{out}, "r2|200\nr2|200\nr3|3\nr4|4", 'with lag, before it is shown');
	sleep 0.5;
	is($_->query("$by_id; $search")->{out}, "r2|200\nr2|200\nr3|3\nr4|4", 'and after') for $two, $one;

	# consistency 'session', where nothing is laid over
	$t->sql("ALTER FOREIGN TABLE t OPTIONS (ADD consistency 'session'); ALTER SYSTEM SET pinecone_fdw.unseen_writes = 0; SELECT pg_reload_conf()");
	$_->query('SELECT pg_sleep(0.1)') for $one, $two;
	$one->query($search);
	is($one->query("UPDATE t SET n = 201 WHERE id = 'r2'; $search")->{out}, "r2|201\nr3|3\nr4|4", 'a session that waits for its writes sees them');
}
done_testing;
