# Values of a field that searches count where dry runs would have to wait: by how
# many requests, and what becomes of lists, short searches and large values.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

use constant RECORDS => 3000;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('counted', dimension => 2, metric => 'cosine');

$server->upsert('counted', 'docs', [map { {id => sprintf('%06d', $_), values => [1 + $_ % 7, $_ % 11],
	metadata => {n => $_, k => $_ % 25, $_ % 40 ? (cat => 'c' . $_ % 30) : (), large => $_ % 10 ? 'large' : "small" . $_ % 12}} } 1 .. RECORDS]);
my $columns = '(id text COLLATE "C", embedding real[], cat text, large text, k int, n int)';
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', rate_limits 'update_by_metadata 20');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SERVER near FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (api_key 'test-key');
CREATE SERVER free FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', rate_limits 'off');
CREATE USER MAPPING FOR CURRENT_USER SERVER free OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE free $columns SERVER free OPTIONS (namespace 'docs');
CREATE FOREIGN TABLE t $columns SERVER s OPTIONS (namespace 'docs');
CREATE FOREIGN TABLE near $columns SERVER near OPTIONS (namespace 'docs');
CREATE TABLE l AS SELECT * FROM t;
END

# A statement says the same of the table and its copy.  Returns what it asks the service for, by path.
sub same
{
	my ($sql, $what, $table, $sets) = @_;
	my $copy = $sql =~ s/\bt\b/l/r;
	$sql =~ s/\bt\b/$table/ if $table;
	$server->take_log;
	my $result = $t->psql("SET cpu_tuple_cost = 100; " . ($sets // '') . $sql);
	my %asked;
	$asked{$_}++ for map { /(query|update|list|fetch|fetch_by_metadata)\b/ ? $1 : () } $server->take_log;

	diag $result->{err} if $result->{err};
	is($result->{out}, $t->sql($copy), $what);
	return \%asked;
}

my $by_text = 'SELECT cat, count(*), count(cat) FROM t GROUP BY cat ORDER BY cat';
my $asked = same($by_text, 'values of a text');
is_deeply($asked, {query => 32, update => 1}, 'a search shows them, one counts each and NULL, a dry run the sum');
$asked = same('SELECT k, count(*) FROM t WHERE n > 100 GROUP BY k ORDER BY k', 'of a number, with a condition');
is_deeply($asked, {query => 27, update => 1}, '... likewise');
$asked = same("SELECT cat, count(*) FROM t WHERE cat IN ('c1', 'c2') GROUP BY cat ORDER BY cat", 'few values');
is($asked->{update}, 4, 'dry runs do for a few');
$asked = same("SELECT k, count(*) FROM t WHERE k < 7 GROUP BY k ORDER BY k", 'switched off', undef, 'SET pinecone_fdw.enable_count_searches = off;');
is($asked->{query}, 1, '... dry runs count');
$asked = same($by_text, 'no limits', 'free');
is($asked->{query}, 1, 'no searches where no dry run has to wait');
like($t->sql('SET cpu_tuple_cost = 100; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT cat, count(*) FROM t GROUP BY cat'),
	qr/Count Searches: 31/, 'EXPLAIN tells');

# The service is as far away as Pinecone: its limits are kept before it has refused anything
$server->control('POST', '/_local/settings', {latency => 40, rate_limits => 1});
my $far = $t->session;
$far->query('SET cpu_tuple_cost = 100; SELECT id FROM near LIMIT 1');
$server->take_log;
is($far->query($by_text =~ s/\bt\b/near/r)->{out}, $t->sql($by_text =~ s/\bt\b/l/r), 'far away');
is($far->query('SELECT DISTINCT k FROM near ORDER BY k')->{out}, $t->sql('SELECT DISTINCT k FROM l ORDER BY k'), '... DISTINCT');
is((grep { $_->{status} == 429 } $server->requests), 0, 'nothing is refused');
cmp_ok((grep { $_->{path} eq '/vectors/update' } $server->requests), '<=', 3, 'few dry runs');
$far->close;
$server->control('POST', '/_local/settings', {latency => 0, rate_limits => 0});

# a value of more records than a search brings
$server->control('POST', '/_local/settings', {max_top_k => 600});
$asked = same('SELECT large, count(*) FROM t GROUP BY large ORDER BY large', 'a large value, and a ceiling for searches');
is($asked->{update}, 3, '... is counted by a dry run, and the others by one more') if $asked->{query} > 3;
$server->control('POST', '/_local/settings', {max_top_k => 10000});

# searches that come short, or fail
for my $seed (1 .. 3)
{
	$server->control('POST', '/_local/settings', {approximate => $seed});
	same('SELECT k, count(*) FROM t GROUP BY k ORDER BY k', "an approximate index, $seed");
}
$server->control('POST', '/_local/settings', {approximate => 0});
$server->fault({path => '/query', status => 400, count => -1, skip => 1});
same('SELECT k, count(*) FROM t GROUP BY k ORDER BY k', 'searches that fail');
$server->clear_faults;

# a refused total, replies that come late or not at all
for my $fault ({path => '/vectors/update', status => 400, count => 1}, {path => '/vectors/update', status => 503, count => 1}, {path => '/query', status => 429, count => 3, skip => 2},
	{path => '/vectors/update', status => 403, count => 1})
{
	$server->fault($fault);
	my $result = $t->psql('SET client_min_messages = error; SET cpu_tuple_cost = 100; SELECT k, count(*), count(*) FILTER (WHERE n > 1000) FROM t GROUP BY k ORDER BY k');
	is($result->{out} . $result->{err}, $t->sql('SELECT k, count(*), count(*) FILTER (WHERE n > 1000) FROM l GROUP BY k ORDER BY k'), "status $fault->{status} of $fault->{path}");
	$server->clear_faults;
}
$server->fault({path => '/query', delay_ms => 20_000, count => -1, skip => 1});
like($t->error_of("SET cpu_tuple_cost = 100; SET statement_timeout = '400ms'; SELECT k, count(*) FROM t GROUP BY k"), qr/statement timeout/, 'a timeout ends the wait for searches');
$server->clear_faults;

# what a transaction has written is counted
my $s = $t->session;
$s->query('SET cpu_tuple_cost = 100; BEGIN; UPDATE t SET k = 7 WHERE n <= 50; DELETE FROM t WHERE n BETWEEN 51 AND 60');
$t->sql('CREATE TABLE w AS SELECT * FROM l; UPDATE w SET k = 7 WHERE n <= 50; DELETE FROM w WHERE n BETWEEN 51 AND 60');
is($s->query('SELECT k, count(*) FROM t GROUP BY k ORDER BY k')->{out}, $t->sql('SELECT k, count(*) FROM w GROUP BY k ORDER BY k'), 'in a transaction that has written');
$s->query('ROLLBACK');
$s->close;

# a list, which would be counted twice, or make up for a record that did not come
$server->upsert_json('counted', 'docs', ['{"id": "list", "values": [1,1], "metadata": {"cat": ["c1", "c2"], "n": 1}}']);
like($t->psql('SET cpu_tuple_cost = 100; SELECT cat, count(*) FROM t GROUP BY cat')->{err}, qr/does not fit column "cat"/, 'a list of two values');

done_testing;
