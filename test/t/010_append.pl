# Foreign tables below an Append are read concurrently: what is on the wire at
# the same time, and what happens when a query is cancelled, fails, stops early
# or runs the same scans again.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

my $latency = 200;
my $t = Harness->new;
my $server = $t->server;

# Six tenants: the even ones in one index, the odd ones in another
my @hosts = map { $server->create_index($_, dimension => 3) } 'even', 'odd';
my $definitions = '';
for my $i (0, 1)
{
	$definitions .= <<"END";
CREATE SERVER s$i FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$hosts[$i]');
CREATE USER MAPPING FOR CURRENT_USER SERVER s$i OPTIONS (api_key 'test-key');
END
}
$t->sql($definitions . <<"END");
CREATE TABLE docs (tenant int, id text COLLATE "C", embedding real[], n int) PARTITION BY LIST (tenant);
CREATE TABLE local (tenant int, id text COLLATE "C", embedding real[], n int) PARTITION BY LIST (tenant);
END
for my $tenant (0 .. 5)
{
	my $i = $tenant % 2;
	my @n = grep { $_ % 6 == $tenant } 1 .. 600;

	$server->upsert($i ? 'odd' : 'even', "t$tenant",
		[map { +{id => "d$_", values => [$_, $_ % 7 + 1, 3], metadata => {tenant => $tenant, n => $_}} } @n]);
	$t->sql(<<"END");
CREATE FOREIGN TABLE docs_$tenant PARTITION OF docs FOR VALUES IN ($tenant) SERVER s$i OPTIONS (namespace 't$tenant');
CREATE TABLE local_$tenant PARTITION OF local FOR VALUES IN ($tenant);
INSERT INTO local SELECT n % 6, 'd' || n, ARRAY[n, n % 7 + 1, 3], n FROM generate_series(1, 600) n WHERE n % 6 = $tenant;
ANALYZE local_$tenant;
END
}
my $s = $t->session;
my $search = "ORDER BY embedding <=> '{1,2,3}'";

# What the planner asks is asked before
$s->query("EXPLAIN SELECT * FROM docs $search LIMIT 1");
$server->control('POST', '/_local/settings', {latency => $latency});

# Requests since the last time, those of /path alone if it is given
sub requests
{
	my ($path) = @_;
	my @requests = grep { !$path || $_->{path} eq $path } $server->requests;

	$server->clear_requests;
	return @requests;
}

# The most of them that were on the wire at the same time
sub peak
{
	my @changes = map { ([$_->{time}, 1], [$_->{time} + $_->{duration_ms} / 1000, -1]) } @_;
	my ($peak, $now) = (0, 0);

	for my $change (sort { $a->[0] <=> $b->[0] } @changes)
	{
		$now += $change->[1];
		$peak = max($peak, $now);
	}
	return $peak;
}

# A statement on docs gives what it gives on local, with so many requests, so
# many of them at once.
sub concurrent
{
	my ($what, $statement, $requests, $peak, $path) = @_;
	my $here = $statement =~ s/\bdocs/local/gr;

	$server->clear_requests;
	my $result = $s->query($statement);
	my @requests = requests($path);
	is($result->{err}, '', "$what: no error");
	is(join("\n", sort split /\n/, $result->{out}), join("\n", sort split /\n/, $s->query($here)->{out}), "$what: the rows");
	is(scalar @requests, $requests, "$what: requests");
	is(peak(@requests), $peak, "$what: requests at the same time");
}

concurrent('all ids', 'SELECT id FROM docs', 6, 6);
concurrent('all rows', 'SELECT id, n FROM docs', 12, 6);
concurrent('an aggregate', 'SELECT count(n), sum(n) FROM docs', 12, 6);
concurrent('a filter', 'SELECT id FROM docs WHERE n > 300', 6, 6);
concurrent('lookups', "SELECT n FROM docs WHERE id IN ('d1', 'd2', 'd9', 'd600', 'none')", 6, 6);
concurrent('nearest neighbours', "SELECT id FROM docs $search LIMIT 4", 6, 6, '/query');
concurrent('nearest neighbours beyond the first', "SELECT id FROM docs WHERE n > 10 $search LIMIT 4 OFFSET 9", 6, 6, '/query');
concurrent('nearest neighbours that few rows are expected of', "SELECT id FROM docs WHERE n % 1 = 0 AND n + 0 > 0 AND n IS NOT NULL AND n % 1 = 0.0 $search LIMIT 40", 6, 6, '/query');
concurrent('nearest neighbours, sorted as well', "SELECT id FROM docs WHERE tenant < 2 ORDER BY embedding <=> '{1,2,3}', n LIMIT 4", 2, 2, '/query');
concurrent('some partitions', "SELECT id FROM docs WHERE tenant IN (1, 2, 5) $search LIMIT 4", 3, 3, '/query');
concurrent('one partition', "SELECT id FROM docs WHERE tenant = 4 $search LIMIT 4", 1, 1, '/query');
concurrent('UNION ALL', "SELECT id, embedding <=> '{1,2,3}' < 0.1 FROM docs_0 UNION ALL SELECT id, embedding <=> '{3,2,1}' < 0.2 FROM docs_5", 4, 2);
concurrent('searches with limits of their own', "(SELECT id FROM docs_0 $search LIMIT 2) UNION ALL (SELECT id FROM docs_1 $search LIMIT 3)", 2, 2, '/query');
concurrent('the same, ordered', "SELECT id FROM ((SELECT id, n FROM docs_0 $search LIMIT 2) UNION ALL (SELECT id, n FROM docs_1 $search LIMIT 3)) u ORDER BY n", 2, 2, '/query');
concurrent('the same into a table', "CREATE TEMP TABLE taken AS (SELECT id FROM docs_0 $search LIMIT 2) UNION ALL (SELECT id FROM docs_1 $search LIMIT 3);
SELECT * FROM taken; DROP TABLE taken", 2, 2, '/query');
concurrent('in the order of ids', 'SELECT id FROM docs ORDER BY id LIMIT 20', 6, 6);

$s->query('SET enable_partitionwise_aggregate = on; SET enable_partitionwise_join = on; SET enable_hashagg = off');
concurrent('partition by partition', 'SELECT tenant, count(n) FROM docs GROUP BY tenant', 12, 6);
$s->query('RESET ALL');

# with parameters: pruned when the plan starts, or while it runs
$s->query("SET plan_cache_mode = force_generic_plan");
$s->query("PREPARE p(int, int, real[]) AS SELECT id FROM docs WHERE tenant IN (\$1, \$2) ORDER BY embedding <=> \$3 LIMIT 3");
$s->query("PREPARE p_local(int, int, real[]) AS SELECT id FROM local WHERE tenant IN (\$1, \$2) ORDER BY embedding <=> \$3 LIMIT 3");
for my $tenants ('1, 4', '3, 3', '0, 9')
{
	my %distinct = map { $_ => 1 } grep { $_ < 6 } split /, /, $tenants;

	$server->clear_requests;
	is($s->query("EXECUTE p($tenants, '{4,4,4}')")->{out}, $s->query("EXECUTE p_local($tenants, '{4,4,4}')")->{out}, "a generic plan for tenants $tenants");
	my @requests = requests('/query');
	is(scalar @requests, scalar keys %distinct, "a generic plan for tenants $tenants: requests");
	is(peak(@requests), scalar keys %distinct, "a generic plan for tenants $tenants: at the same time");
}
$s->query('RESET ALL');
concurrent('pruned while it runs', 'SELECT id FROM docs WHERE tenant = (SELECT 3)', 1, 1);

# the same scans again and again, asked ahead and not
my $searches = "SELECT o.v, d.id FROM (VALUES ('{1,2,3}'::real[]), ('{3,2,1}'), ('{9,1,1}')) o(v), LATERAL (SELECT id FROM docs WHERE tenant < 4 ORDER BY embedding <=> o.v LIMIT 2) d";
my $lookups = "SELECT o.n, d.n FROM (VALUES (1), (2), (999)) o(n) LEFT JOIN LATERAL (SELECT n FROM docs WHERE id = 'd' || o.n OFFSET 0) d ON true";
concurrent('rescans of searches, asked ahead', $searches, 12, 12, '/query');
concurrent('rescans of lookups, asked ahead', $lookups, 6, 6);
$s->query('SET pinecone_fdw.enable_read_ahead = off');
concurrent('rescans of searches', $searches, 12, 4, '/query');
concurrent('rescans of lookups', $lookups, 18, 6);
concurrent('rescans of searches with limits of their own',
	"SELECT o.v, (SELECT string_agg(id, ',' ORDER BY id) FROM ((SELECT id FROM docs_0 ORDER BY embedding <=> o.v LIMIT 2) UNION ALL (SELECT id FROM docs_1 ORDER BY embedding <=> o.v LIMIT 2)) u) FROM (VALUES ('{1,2,3}'::real[]), ('{3,2,1}')) o(v)",
	4, 2, '/query');
$s->query('RESET ALL');

# a search that has to grow does so where its rows are needed
$server->clear_requests;
is($s->query("SELECT id FROM docs WHERE length(id) = 2 AND n % 2 = 1 $search LIMIT 5")->{out},
	$s->query("SELECT id FROM local WHERE length(id) = 2 AND n % 2 = 1 $search LIMIT 5")->{out}, 'growing searches: the rows');
cmp_ok(scalar requests('/query'), '>=', 6, 'growing searches');

# what is not needed is not sent
for my $statement ("SELECT id FROM docs $search LIMIT 0", "(SELECT id FROM docs_0 $search LIMIT 0) UNION ALL (SELECT id FROM docs_1 $search LIMIT 0)",
	"SELECT id FROM docs WHERE tenant = 77", "EXPLAIN SELECT id FROM docs $search LIMIT 4")
{
	$server->clear_requests;
	$s->query($statement);
	is(scalar requests('/query'), 0, "nothing is sent by $statement");
}
$s->query('BEGIN');
$s->query("DECLARE c CURSOR FOR (SELECT id FROM docs_0 $search LIMIT 1) UNION ALL (SELECT id FROM docs_1 $search LIMIT 1)");
$server->clear_requests;
$s->query('FETCH 1 FROM c');
is(scalar requests('/query'), 1, 'a cursor that reads one row of an Append');
$s->query('FETCH 1 FROM c');
is(scalar requests('/query'), 1, 'and the next');
$s->query('ROLLBACK');

# one connection for all
$t->sql("ALTER SERVER s0 OPTIONS (ADD max_concurrency '1')");
$s->query('EXPLAIN SELECT * FROM docs');
concurrent('one request at a time and server', 'SELECT id FROM docs WHERE tenant IN (0, 2, 4)', 3, 1);
concurrent('one request at a time and server, nearest neighbours', "SELECT id FROM docs WHERE tenant IN (0, 2, 4) $search LIMIT 4", 3, 1, '/query');
$t->sql('ALTER SERVER s0 OPTIONS (DROP max_concurrency)');

# those that are not to run concurrently do not
$t->sql("ALTER SERVER s0 OPTIONS (ADD async_capable 'false')");
$s->query('EXPLAIN SELECT * FROM docs');
concurrent('not concurrently', 'SELECT id FROM docs WHERE tenant IN (0, 2, 4)', 3, 1);
concurrent('nearest neighbours, not concurrently', "SELECT id FROM docs WHERE tenant IN (0, 2, 4) $search LIMIT 4", 3, 1, '/query');
concurrent('nearest neighbours, some concurrently', "SELECT id FROM docs WHERE tenant IN (0, 1, 2, 3, 5) $search LIMIT 4", 5, 3, '/query');
$t->sql('ALTER SERVER s0 OPTIONS (DROP async_capable)');
$s->query('EXPLAIN SELECT * FROM docs');

# rows of the fast before those of the slow, and a limit that needs no more
$server->fault({kind => 'delay', delay_ms => 20_000, index => 'odd', count => -1});
$server->clear_requests;
my $result = $s->query('SELECT tenant % 2 FROM docs LIMIT 30');
is($result->{out}, join("\n", (0) x 30), 'a limit is met by the partitions that answer first');
cmp_ok($result->{seconds}, '<', 15, 'without waiting for the others');
$server->clear_faults;
is($s->query('SELECT count(n) FROM docs')->{out}, 600, 'and the next query works');

# cancelled, timed out, terminated while all wait
for my $case (['an Append', 'SELECT count(n) FROM docs'], ['a Merge Append', "SELECT id FROM docs $search LIMIT 4"])
{
	my ($what, $statement) = @$case;

	$server->fault({kind => 'delay', delay_ms => 20_000, count => -1});
	for my $function ('pg_cancel_backend', 'pg_terminate_backend')
	{
		my $own = $t->session;
		my $pid = $own->pid;

		$server->clear_requests;
		$own->query('SET pinecone_fdw.stats_ttl = 86400000');
		$server->clear_faults;
		$own->query("EXPLAIN $statement");
		$server->fault({kind => 'delay', delay_ms => 20_000, count => -1});
		$server->clear_requests;
		$own->send($statement);
		ok($t->wait_until(sub { $server->requests >= 6 }), "$what: all requests are on the wire");
		my $start = time;
		$t->sql("SELECT $function($pid)");
		like($own->result(20)->{err}, $function =~ /cancel/ ? qr/canceling statement/ : qr/terminating connection/, "$what: $function");
		cmp_ok(time - $start, '<', 1, "$what: $function acts at once");
		next unless $function =~ /cancel/;
		$server->clear_faults;
		is($own->query('SELECT count(n) FROM docs')->{out}, 600, "$what: the session works on");
	}
	$server->clear_faults;

	$server->fault({kind => 'status', status => 503, retry_after => 20, index => 'odd', count => -1});
	$s->query("SET statement_timeout = '1500ms'");
	$result = $s->query($statement);
	like($result->{err}, qr/canceling statement due to statement timeout/, "$what: a timeout in back-off");
	cmp_ok($result->{seconds}, '<', 3, "$what: which acts at once");
	$s->query('RESET statement_timeout');
	$server->clear_faults;

	# one of them fails
	for my $fault ({kind => 'status', status => 400, body => {code => 3, message => 'no such thing'}, index => 'odd', count => 1, skip => 1},
		{kind => 'garbage', index => 'odd', count => -1})
	{
		$server->fault($fault);
		$s->query('SET pinecone_fdw.stats_ttl = 86400000');
		like($s->query($statement)->{err}, qr/^ERROR:  /, "$what: $fault->{kind} in one partition fails the query");
		$server->clear_faults;
		is($s->query('SELECT count(n) FROM docs')->{out}, 600, "$what: the session works on");
	}

	# some of them fail at first
	$server->fault({kind => 'status', status => 503, index => 'odd', count => 2});
	$server->fault({kind => 'close', index => 'even', count => 1});
	is($s->query($statement)->{out}, $s->query($statement =~ s/\bdocs/local/r)->{out}, "$what: retries");
	$server->clear_faults;
}

# together with scans of another foreign data wrapper, which wait for other sockets
SKIP:
{
	skip 'no postgres_fdw', 6 if $t->error_of('CREATE EXTENSION postgres_fdw');
	$t->sql(<<"END");
CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$ENV{PGHOST}', port '$ENV{PGPORT}', dbname '$ENV{PGDATABASE}', async_capable 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user '$ENV{PGUSER}');
CREATE VIEW slow AS SELECT l.* FROM local_5 l, (SELECT pg_sleep(0.4)) z;
ALTER TABLE docs DETACH PARTITION docs_5;
ALTER TABLE docs DETACH PARTITION docs_3;
CREATE FOREIGN TABLE there_5 PARTITION OF docs FOR VALUES IN (5) SERVER loopback OPTIONS (table_name 'slow', fetch_size '7');
CREATE FOREIGN TABLE there_3 PARTITION OF docs FOR VALUES IN (3) SERVER loopback OPTIONS (table_name 'local_3', fetch_size '7');
END
	like($s->query('EXPLAIN SELECT id FROM docs')->{out}, qr/(Async Foreign Scan.*){6}/s, 'with postgres_fdw: six scans');
	concurrent('with postgres_fdw', 'SELECT id, n FROM docs', 8, 4);
	$server->control('POST', '/_local/settings', {latency => 0});
	is($s->query('SELECT count(*), sum(n) FROM docs')->{out}, '600|180300', 'with postgres_fdw, and without latency');
	is($s->query("SELECT id FROM docs $search LIMIT 9")->{out}, $s->query("SELECT id FROM local $search LIMIT 9")->{out}, 'with postgres_fdw, nearest neighbours');
	$t->sql('DROP FOREIGN TABLE there_3, there_5; ALTER TABLE docs ATTACH PARTITION docs_3 FOR VALUES IN (3); ALTER TABLE docs ATTACH PARTITION docs_5 FOR VALUES IN (5)');
}

# many times over: no descriptors or memory are left behind
$server->control('POST', '/_local/settings', {latency => 0});
my @statements = ('SELECT count(n) FROM docs', "SELECT id FROM docs $search LIMIT 4", 'SELECT id FROM docs LIMIT 3');
$s->query($_) for (@statements) x 5;
my ($descriptors, $memory) = (scalar $t->descriptors($s->pid), $t->memory($s->pid));
$s->query($_) for (@statements) x 50;
cmp_ok(scalar $t->descriptors($s->pid), '<=', $descriptors + 6, 'no descriptors are left behind');
cmp_ok($t->memory($s->pid), '<', $memory + 2048, 'no memory is left behind');
done_testing;
