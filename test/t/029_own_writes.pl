#!/usr/bin/env perl
#
# A service that shows writes some time after it has confirmed them: nothing
# that was committed is undone by a statement that comes a moment later, in the
# same session or in another one, reads show it, and nothing waits.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $columns = 'id text COLLATE "C", embedding real[], a text, b text, n int, metadata jsonb';

sub setup
{
	my ($t) = @_;
	my $host = $t->server->create_index('lagging', dimension => 2, metric => 'euclidean');

	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t ($columns) SERVER s OPTIONS (namespace 'a');
CREATE FOREIGN TABLE i ($columns) SERVER s OPTIONS (namespace 'a', write_mode 'immediate');
CREATE FOREIGN TABLE every (id text COLLATE "C", embedding real[], n int, namespace text OPTIONS (role 'namespace')) SERVER s;
END
}

sub lag
{
	my ($t, %settings) = @_;
	$t->server->control('POST', '/_local/settings', {%settings});
}

# Everything that a statement may do to a record written a moment ago; two
# sessions, which may be the same, in turn.
sub check_all
{
	my ($name, $t, $one, $two) = @_;
	my @turn = ($one, $two);
	my $start = time;
	my $run = sub {
		my ($sql) = @_;
		my $session = shift @turn;
		push @turn, $session;
		my $result = $session->query($sql);
		fail("$name: $sql: $result->{err}") if $result->{err} =~ /ERROR/;
		return $result->{out};
	};

	$run->("INSERT INTO t (id, embedding, a, n) VALUES ('x1', '{1,0}', 'a0', 0), ('x2', '{2,0}', 'a0', 0), ('x3', '{3,0}', 'a0', 7)");
	is($run->('SELECT id FROM t ORDER BY id'), "x1\nx2\nx3", "$name: an INSERT is listed");
	is($run->('SELECT count(*) FROM t'), '3', "$name: and counted");
	is($run->("SELECT id FROM t ORDER BY embedding <-> '{3,0}' LIMIT 2"), "x3\nx2", "$name: and found by a search");
	is($run->("SELECT embedding <-> '{3,1}' FROM t ORDER BY embedding <-> '{3,1}' LIMIT 1"), '1', "$name: with its distance");
	is($run->("SELECT id FROM t WHERE n = 7"), 'x3', "$name: and by a condition");
	is($run->("SELECT count(*) FROM t WHERE n = 0"), '2', "$name: counted with one");
	is($run->("SELECT namespace, id FROM every ORDER BY id LIMIT 1"), 'a|x1', "$name: and its namespace is there");

	$run->("UPDATE t SET a = 'a1' WHERE id = 'x1'");
	$run->("UPDATE t SET b = NULL WHERE id = 'x1'");
	is($run->("SELECT a FROM t WHERE id = 'x1'"), 'a1', "$name: a record that is read and written as a whole keeps what was set");
	$run->("UPDATE t SET n = n + 1 WHERE id = 'x2'") for 1 .. 3;
	is($run->("SELECT n FROM t WHERE id = 'x2'"), '3', "$name: three increments are three");
	$run->("UPDATE i SET n = n + 1 WHERE id = 'x2'") for 1 .. 3;
	is($run->("SELECT n FROM i WHERE id = 'x2'"), '6', "$name: under write_mode immediate, too");
	$run->("UPDATE t SET embedding = ARRAY[n, 9]::real[] WHERE n = 6");
	is($run->("SELECT id, embedding FROM t ORDER BY embedding <-> '{6,9}' LIMIT 1"), 'x2|{6,9}', "$name: a vector that was changed is found where it is");
	is($run->("WITH d AS (DELETE FROM t WHERE n = 7 RETURNING 1) SELECT count(*) FROM d"), '1', "$name: DELETE by a condition finds what was inserted");
	is($run->('SELECT count(*) FROM t'), '2', "$name: and what was deleted is gone from a count");
	is($run->("SELECT id FROM t ORDER BY embedding <-> '{3,0}'"), "x1\nx2", "$name: and from searches");
	is($run->("SELECT n FROM t WHERE id = ANY ('{x2,x3}')"), '6', "$name: and from lookups");
	is($run->("WITH u AS (UPDATE t SET b = 'c' WHERE n = 6 RETURNING id) SELECT * FROM u"), 'x2', "$name: UPDATE by a condition on what was set");
	$run->("UPDATE t SET b = 'd' WHERE b = 'c'");
	is($run->("SELECT id, b FROM t WHERE b IS NOT NULL"), 'x2|d', "$name: and as one request");
	$run->("UPDATE t SET id = 'x4' WHERE id = 'x2'");
	is($run->('SELECT id, n FROM t ORDER BY id'), "x1|0\nx4|6", "$name: an id that was changed");
	$run->("BEGIN; UPDATE t SET n = n + 1 WHERE id = 'x4'; UPDATE t SET n = n + 1 WHERE id = 'x4'; COMMIT");
	$run->("BEGIN; UPDATE t SET n = n + 100 WHERE id = 'x4'; ROLLBACK");
	is($run->("SELECT n FROM t WHERE id = 'x4'"), '8', "$name: with pending writes over it");
	$run->("TRUNCATE t");
	is($run->('SELECT count(*) FROM every'), '0', "$name: TRUNCATE leaves nothing");
	$run->("INSERT INTO t (id, embedding, n) VALUES ('x9', '{1,1}', 1)");
	is($run->('SELECT id FROM t'), 'x9', "$name: but what comes after it");
	$run->("DELETE FROM t");
	is($run->('SELECT count(*) FROM t'), '0', "$name: DELETE of all");
	cmp_ok(time - $start, '<', 6, "$name: nothing waited for the service");
}

# What there is in the end
sub check_stored
{
	my ($name, $t, $session) = @_;
	$session->query("INSERT INTO t (id, embedding, a, n) VALUES ('y1', '{1,0}', 'a0', 0)");
	$session->query("UPDATE t SET a = 'a1' WHERE id = 'y1'");
	$session->query("UPDATE t SET n = n + 1, b = NULL WHERE id = 'y1'") for 1 .. 2;
	lag($t, lag => 0);
	my $stored = $t->server->data('lagging', 'GET', '/vectors/fetch?ids=y1&namespace=a')->{vectors}{y1}{metadata};
	is_deeply($stored, {a => 'a1', n => 2}, "$name: and the service has it all");
}

for my $headers ('queries', 'never', 'everywhere')
{
	my $t = Harness->new(pinecone => ['--lsn-headers', $headers]);
	my $two_users = $headers eq 'queries';

	setup($t);
	my ($one, $two) = ($t->session, $t->session);
	for my $lags ([8000, 8000, 8000, 8000], [0, 8000, 8000, 0], [8000, 0, 0, 8000], [8000, 8000, 0, 0], [0, 0, 8000, 8000])
	{
		my %lags;
		@lags{qw(lag_search lag_list lag_fetch lag_stats)} = @$lags;
		lag($t, %lags);
		check_all("headers $headers, lags @$lags, one session", $t, $one, $one);
		check_all("headers $headers, lags @$lags, two sessions", $t, $one, $two);
	}
	check_stored("headers $headers", $t, $one);
}

# More writes than are kept: what has been dropped is waited for, and an older
# write that another session has taken before is not laid over it.
for my $preload ('', "shared_preload_libraries = 'pinecone_fdw'")
{
	my $name = $preload ? 'few are kept, preloaded' : 'few are kept';
	my $t = Harness->new(conf => ["pinecone_fdw.unseen_time = '900ms'", "pinecone_fdw.unseen_writes = '256kB'", $preload],
		pinecone => ['--lsn-headers', 'never']);

	setup($t);
	my ($one, $two) = ($t->session, $t->session);
	my $all = q{SELECT DISTINCT a, metadata ->> 'a' FROM t};
	lag($t, lag_search => 0, lag_list => 0, lag_fetch => 600, lag_stats => 100);
	for my $round (1 .. 3)
	{
		$one->query("INSERT INTO t (id, embedding, a) SELECT 'k' || i, '{1,2}', 'old$round' FROM generate_series(1, 40) i");
		is($two->query($all)->{out}, "old$round|old$round", "$name: another session sees what is written");
		$one->query("INSERT INTO t (id, embedding, a, metadata) SELECT 'k' || i, '{1,2}', 'new$round', jsonb_build_object('pad', repeat('x', 9000)) FROM generate_series(1, 40) i");
		is($two->query($all)->{out}, "new$round|new$round", "$name: and what is written over it when not all of that is kept");
		is($one->query($all)->{out}, "new$round|new$round", "$name: as does the one that has written");
	}
	# the end of what was lost in part is waited for with it, and not laid over all records
	$one->query("INSERT INTO t (id, embedding, metadata) SELECT 'k' || i, '{1,2}', jsonb_build_object('pad', repeat('x', 9000)) FROM generate_series(1, 40) i");
	my $text = $two->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT count(*) FROM t')->{out};
	like($text, qr/Unseen Writes Wait Time: [\d.]+ ms/, "$name: EXPLAIN ANALYZE says that it waits");
	unlike($text, qr/Read And Counted/, "$name: and then the service counts");
	lag($t, lag => 0);
}

# What is shown by now does not take with it what is not: a write that is old enough,
# and one that is not, which the service does not show.
{
	my $time = 2;
	my $t = Harness->new(conf => ["pinecone_fdw.unseen_time = '${time}s'"], pinecone => ['--lsn-headers', 'never']);

	setup($t);
	my $one = $t->session;
	for my $round (1 .. 5)
	{
		lag($t, lag => 0);
		$one->query("INSERT INTO t (id, embedding, n) VALUES ('old', '{1,0}', 1)");
		sleep $time;
		lag($t, lag => 60000);
		my $start = time;
		$one->query("INSERT INTO t (id, embedding, n) VALUES ('new', '{2,0}', $round)");
		my $all = $one->query('SELECT id, n FROM t ORDER BY id')->{out};
		# on a machine so slow it may be old enough, too
		next if time - $start >= $time && $round < 5;
		is($all, "new|$round\nold|1", 'a write that is not shown is laid over what is when an older one is not any more');
		last;
	}
	lag($t, lag => 0);
}

done_testing;
