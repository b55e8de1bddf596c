# Statistics that all backends share: added up, kept over a restart, bounded, and
# seen by who may see them; budgets of a month.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Harness;
use Test::More;

my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.statistics_max = 100']);
my $server = $t->server;
my $host = $server->create_index('counted', dimension => 2);
$server->upsert('counted', "n$_", [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 3]) for 1 .. 3;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'n1');
CREATE FOREIGN TABLE spanning (id text COLLATE "C", embedding real[], ns text OPTIONS (role 'namespace')) SERVER s;
CREATE ROLE alice; CREATE ROLE bob; CREATE ROLE carol; GRANT pg_monitor TO carol;
GRANT USAGE ON FOREIGN SERVER s TO alice, bob; GRANT SELECT ON t, spanning TO alice, bob;
END
my $search = q{SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1};

sub counted
{
	my ($what, $where) = @_;
	return $t->sql("SELECT $what FROM pinecone_fdw_stats WHERE $where");
}

# ---- Two backends, and the same one twice ----

my ($a, $b) = map { $t->session } 1 .. 2;
$a->query($search) for 1 .. 3;
$b->query($search) for 1 .. 2;
is(counted('calls, requests, records_read, batch_items, failed', "operation = 'query'"), '5|5|5|5|0', 'searches of two sessions add up');

# who is in the middle of a transaction, and of a statement, is seen
$a->query("BEGIN; $search");
ok($t->wait_until(sub { $a->query($search); counted('calls', "operation = 'query'") > 6 }), 'in a transaction that goes on, too');
$a->query('ROLLBACK');
my $calls = counted('calls', "operation = 'query'");

# one that is canceled, and a session that ends
$server->fault({path => '/query', kind => 'delay', delay_ms => 20000});
$b->send($search);
$t->wait_until(sub { $t->sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT id FROM t%' AND wait_event_type = 'Extension'") > 0 });
is($t->sql("SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'SELECT id FROM t%' AND wait_event_type = 'Extension'"),
	$t->sql("SELECT current_setting('server_version_num')::int") >= 170000 ? 'PineconeReply' : 'Extension', 'a wait is called what it is for');
$t->sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT id FROM t%' AND state = 'active'");
like($b->result->{err}, qr/canceling/, 'a search is canceled');
$server->clear_faults;
ok($t->wait_until(sub { counted('calls, requests, abandoned, failed', "operation = 'query'") eq ($calls + 1) . '|' . ($calls + 1) . '|1|0' }), 'and counted as given up');

# ---- Who sees what ----

$t->sql("SET ROLE alice; $search");
$t->sql("SET ROLE bob; $search; $search");
my $seen = q{SELECT string_agg(rolname || ' ' || calls, ', ' ORDER BY rolname) FROM pinecone_fdw_stats WHERE operation = 'query'};
is($t->sql("SET ROLE alice; $seen"), 'alice 1', 'a user sees its own');
is($t->sql("SET ROLE carol; $seen"), 'alice 1, bob 2, postgres ' . ($calls + 1), 'pg_monitor sees all');
like($t->error_of('SET ROLE carol; SELECT pinecone_fdw_stats_reset()'), qr/permission denied/, 'and may not reset');

# ---- A clean restart, a crash ----

my $sums = 'SELECT * FROM pinecone_fdw_stats ORDER BY rolname, operation, namespace';
my $before = $t->sql($sums);
my $month = $t->sql('SELECT * FROM pinecone_fdw_usage');
$_->close for $a, $b;
$t->program('pg_ctl', '-D', $t->dir . '/data', '-l', $t->dir . '/postgres.log', '-w', '-m', 'fast', 'restart');
is($t->sql($sums), $before, 'a clean restart keeps all of it');
is($t->sql('SELECT * FROM pinecone_fdw_usage'), $month, 'and the month');
ok(!-e $t->dir . '/data/pg_stat/pinecone_fdw.stat', 'the file is there only while the server is not');

$t->program('pg_ctl', '-D', $t->dir . '/data', '-w', '-m', 'fast', 'stop');
open my $file, '+<', $t->dir . '/data/pg_stat/pinecone_fdw.stat' or die "no file: $!\n";
seek $file, 1000, 0;
print $file 'damaged';
close $file;
$t->program('pg_ctl', '-D', $t->dir . '/data', '-l', $t->dir . '/postgres.log', '-w', 'start');
is($t->sql($sums), '', 'a file that is damaged is not believed');
like($t->log, qr/ignoring statistics in file "pg_stat\/pinecone_fdw.stat"/, 'and the log says so');

$t->sql($search);
my $killed = $t->session;
ok($t->crash($killed->pid), 'after a crash');
is($t->sql($sums), '', 'they begin anew');
$server->clear_requests;

# ---- A table that is full ----

$t->sql($search);
$server->upsert('counted', "m$_", [{id => 'x', values => [1, 1]}]) for 1 .. 150;
$t->sql(qq{SELECT count(*) FROM spanning WHERE id = 'x'}) for 1 .. 2;
is(counted('count(*) <= 100', 'true'), 't', 'there are no more entries than is allowed');
my $fetches = grep { $_->{path} =~ /fetch/ } $server->requests;
is(counted('sum(requests), sum(folded) > 50', "operation = 'fetch'"), "$fetches|t", 'and no count is lost');
is(counted('count(*)', "operation = 'fetch' AND namespace IS NULL"), 1, 'which is in one without a namespace');

# more users and operations than there are entries
$t->sql(join ';', map { "CREATE ROLE u$_; GRANT USAGE ON FOREIGN SERVER s TO u$_; GRANT SELECT ON t TO u$_" } 1 .. 60);
$t->sql("SET ROLE u$_; $search; SELECT id FROM t WHERE id = 'r1'; RESET ROLE") for 1 .. 60;
is(counted('count(*) <= 100', 'true'), 't', 'nor are there more with many users');
is(counted('count(*), bool_and(folded > 0 AND namespace IS NULL AND rolname IS NULL)', "operation = 'others'"), '1|t', 'the others are one entry');
my $sent = grep { $_->{path} !~ /upsert/ } $server->requests;
is(counted('sum(requests)', 'true'), $sent, 'all requests are in some entry');

# ---- Reset; the month goes on ----

$month = $t->sql('SELECT requests FROM pinecone_fdw_usage');
cmp_ok($month, '>', 100, 'a month has requests');
$t->sql('SELECT pinecone_fdw_stats_reset()');
is(counted('count(*)', 'true'), 0, 'reset forgets all');
is($t->sql('SELECT requests FROM pinecone_fdw_usage'), $month, 'but not what the month has cost');

# ---- Latencies, errors ----

# of two waits the median is the shorter one, and the last hundredth the longer one, an eighth off at most
for my $namespace ('n1' .. 'n3', 'm1' .. 'm5')
{
	my $one = "SELECT count(id) FROM spanning WHERE ns = '$namespace' AND id IN ('x', 'r1')";

	$server->fault({path => '/vectors/fetch', kind => 'delay', delay_ms => 60, skip => 1});
	$t->sql("$one; $one");
	$server->clear_faults;
}
is(counted('count(*)', q{operation = 'fetch' AND calls = 2 AND wait_max_ms > wait_min_ms}), 8, 'short and long waits');
is(counted('count(*)', q{operation = 'fetch' AND abs(wait_p50_ms - wait_min_ms) > wait_min_ms / 8}), 0, 'the median of two is the shorter one');
is(counted('count(*)', q{operation = 'fetch' AND abs(wait_p99_ms - wait_max_ms) > wait_max_ms / 8}), 0, 'and nearly all are as short as the longer one');

# the last error is that of whoever had it last
for my $turn (1 .. 4)
{
	$server->fault({path => '/query', status => 400, body => {code => 3, message => "refused $turn"}});
	like($t->error_of($search), qr/refused $turn/, 'an error');
	is(counted("last_error ~ 'refused $turn'", "operation = 'query' AND failed > 0"), 't', '... is the last one of all sessions');
}
$server->clear_faults;

# ---- Budgets of a month ----

$month = $t->sql('SELECT requests FROM pinecone_fdw_usage');
my $budget = $month + 10;
my $warned = $t->psql("SET pinecone_fdw.max_month_requests = $budget; SET pinecone_fdw.month_warning = 50; $search; $search");
is(() = $warned->{err} =~ /WARNING:  server "s" has used up 50 % of this month's budget of requests/g, 1, 'a month is warned of once');
my $last = $t->psql("SET pinecone_fdw.max_month_requests = $budget;" . join ';', ($search) x 12);
like($last->{err}, qr/ERROR:  server "s" has used up this month's budget of requests/, 'and ends at its budget');
is($t->sql('SELECT requests FROM pinecone_fdw_usage'), $budget, 'which is not exceeded');
is($t->sql("SET pinecone_fdw.max_month_requests = $budget; SELECT requests = requests_budget, egress_bytes_budget FROM pinecone_fdw_usage"), 't|', 'the view shows both');
is($t->sql($search), 'r1', 'who has no such budget goes on');
done_testing;
