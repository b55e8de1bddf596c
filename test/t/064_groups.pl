# Values of a field that are looked for and counted: how many requests that
# takes, also where it is given up, and what the service can do to it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

use constant RECORDS => 4000;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('groups', dimension => 2, metric => 'cosine');

# In long runs, as documents' chunks have it; and one value that one record has
sub record
{
	my ($n) = @_;
	my %more = $n % 50 ? () : (extra => 'yes');
	return {id => sprintf('%06d', $n), values => [1 + $n % 7, $n % 11], metadata => {cat => $n == 2222 ? 'rare' : 'c' . int($n / 500), n => $n, %more}};
}

$server->upsert('groups', 'many', [map { record($_) } 1 .. RECORDS]);
my $columns = "(id text COLLATE \"C\", embedding real[], cat text, n int, extra text)";
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SERVER few FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', rate_limits 'update_by_metadata 1');
CREATE USER MAPPING FOR CURRENT_USER SERVER few OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t $columns SERVER s OPTIONS (namespace 'many');
CREATE FOREIGN TABLE few $columns SERVER few OPTIONS (namespace 'many');
END

# What a statement returns, and how many requests it takes besides statistics
sub asked
{
	my ($sql, $session) = @_;
	$server->take_log;
	my $result = $session ? $session->query($sql) : $t->psql($sql);
	my @asked = grep { !/describe_index_stats/ } $server->take_log;

	diag $result->{err} if $result->{err};
	return ($result->{out}, scalar @asked, \@asked);
}

my $counts = join "\n", map({ "c$_|" . ($_ == 0 ? 499 : $_ == 4 ? 499 : $_ == 8 ? 1 : 500) } 0 .. 8), 'rare|1';
my ($out, $n) = asked('SELECT DISTINCT cat FROM t ORDER BY cat');
is($out, join("\n", map({ "c$_" } 0 .. 8), 'rare'), 'DISTINCT');
cmp_ok($n, '<=', 6, "by $n requests");
($out, $n) = asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat');
is($out, $counts, 'GROUP BY');
cmp_ok($n, '<=', 18, "by $n requests");
($out, $n) = asked('SELECT extra, count(*) FROM t GROUP BY extra ORDER BY extra');
is($out, "yes|80\n|3920", 'a field that few records have');
cmp_ok($n, '<=', 6, "by $n requests");

# a value for each record: the plan below does it, and little was asked before
my ($all) = (asked('SET pinecone_fdw.enable_groups = off; SELECT count(DISTINCT n) FROM t'))[1];
($out, $n) = asked('SELECT count(DISTINCT n) FROM t');
is($out, RECORDS, 'as many values as records');
# (how a listing is split depends on how long its pages take)
cmp_ok($n, '<=', 2 + 1.3 * $all, "by $n requests, few more than $all");

# what waits for its turn costs: not where that takes longer than reading
unlike($t->sql('SET pinecone_fdw.enable_count_searches = off; EXPLAIN SELECT cat, count(*) FROM few GROUP BY cat'), qr/Group Field/, 'dry runs that have to wait are dear');
like($t->sql('EXPLAIN SELECT cat, count(*) FROM t GROUP BY cat'), qr/Group Field/, 'others are not');

# searches of an approximate index, and ones that bring nothing at all
$server->control('POST', '/_local/settings', {approximate => 5});
for my $i (1 .. 3)
{
	is((asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat'))[0], $counts, "an approximate index, $i");
}
$server->control('POST', '/_local/settings', {approximate => 0});
$server->fault({path => '/query', status => 400, count => -1});
is((asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat'))[0], $counts, 'no searches');
$server->clear_faults;
$server->fault({path => '/vectors/update', status => 400, count => 1});
is((asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat'))[0], $counts, 'no dry runs');
$server->clear_faults;
$server->fault({path => '/vectors/update', status => 503, count => 2});
is((asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat'))[0], $counts, 'dry runs that are asked for again');
$server->clear_faults;

# a statement that is cancelled
$server->fault({path => '/vectors/update', delay_ms => 20_000, count => -1});
like($t->error_of("SET statement_timeout = '300ms'; SELECT cat, count(*) FROM t GROUP BY cat"), qr/statement timeout/, 'a timeout ends the wait');
$server->clear_faults;

# lists that are counted with each of their values
for my $list ('["c1", "c2"]', '["c1", "nobody", "c3"]')
{
	$server->upsert_json('groups', 'many', ["{\"id\": \"list\", \"values\": [1,1], \"metadata\": {\"cat\": $list}}"]);
	my $result = $t->psql('SELECT cat, count(*) FROM t GROUP BY cat');
	like($result->{err}, qr/does not fit column "cat" of foreign table "t"/, "a list in a text column: $list");
}

# this transaction's own writes, and ones a moment ago
my $s = $t->session;
$s->query("DELETE FROM t WHERE id IN ('list', '000001')");
$s->query("UPDATE t SET cat = 'mine' WHERE id = '000002'");
my ($mine) = asked('SELECT cat, count(*) FROM t GROUP BY cat ORDER BY cat', $s);
is($mine, "c0|497\n" . join("\n", (split /\n/, $counts)[1 .. 8]) . "\nmine|1\nrare|1", 'what was written is counted');

done_testing;
