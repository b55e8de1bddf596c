# Rows in the order of a number: how many requests and records that takes, and
# what the service can do to it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

use constant RECORDS => 5000;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('ordered', dimension => 2, metric => 'cosine');

$server->upsert('ordered', 'many', [map { {id => sprintf('%06d', $_), values => [1 + $_ % 7, $_ % 11], metadata => {n => $_ * 7919 % 10007, year => 1990 + $_ % 5}} } 1 .. RECORDS]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, year int) SERVER s OPTIONS (namespace 'many');
END
my @numbers = sort { $a <=> $b } map { $_ * 7919 % 10007 } 1 .. RECORDS;

# What a statement returns, and how many requests it takes besides statistics
sub asked
{
	my ($sql) = @_;
	$server->take_log;
	my $result = $t->psql($sql);
	my @asked = grep { !/describe_index_stats/ } $server->take_log;

	diag $result->{err} if $result->{err};
	return ($result->{out}, scalar @asked);
}

sub least
{
	my ($out, $n) = asked("SELECT n FROM t ORDER BY n LIMIT $_[0]");
	is($out, join("\n", @numbers[0 .. $_[0] - 1]), "$_[1]: the least $_[0]");
	return $n;
}

my $n = least(5, 'plain');
cmp_ok($n, '<=', 7, "by $n requests");
$n = least(1200, 'plain');
cmp_ok($n, '<=', 12, "by $n requests");
my ($out) = asked('SELECT max(n), min(n) FROM t');
is($out, "$numbers[-1]|$numbers[0]", 'max and min');
($out, $n) = asked('SELECT year FROM t ORDER BY year DESC NULLS LAST LIMIT 3');
is($out, "1994\n1994\n1994", 'many with one number');
cmp_ok($n, '<=', 7, "by $n requests");
is((asked('SELECT count(*) FROM (SELECT n FROM t ORDER BY n LIMIT 4000) s WHERE n > 100'))[0], scalar(grep { $_ > 100 } @numbers[0 .. 3999]), 'nearly all');

# Subqueries that are certain to run ask side by side, and others not at all
sub asked_for
{
	$server->take_log;
	my $out = $t->psql($_[0])->{out};

	return ($out, map { m{ (\S+)} ? $1 : $_ } grep { !/describe_index_stats/ } $server->take_log);
}

# ... as can be told when no answer comes before all have asked
$server->control('POST', '/_local/settings', {latency => 200});
($out, my @paths) = asked_for('SELECT max(n) - min(n), max(year) FROM t');
$server->control('POST', '/_local/settings', {latency => 0});
is($out, $numbers[-1] - $numbers[0] . '|1994', 'the difference of max and min');
my ($first) = grep { $paths[$_] =~ /fetch_by_metadata/ } 0 .. $#paths;
is(scalar(grep { m{/query} } @paths[0 .. $first - 1]), 3, 'all searches are sent before the first records are fetched') or diag "@paths";
($out, @paths) = asked_for('SELECT CASE WHEN now() IS NULL THEN (SELECT max(n) FROM t) END, (SELECT min(n) FROM t)');
is($out, "|$numbers[0]", 'a subquery that does not run');
is(scalar(grep { m{/query} } @paths), 1, 'asks for nothing') or diag "@paths";
($out, @paths) = asked_for('SELECT (SELECT max(n) FROM t), (SELECT min(n) FROM t) WHERE now() IS NULL');
is("$out@paths", '', 'nor do those of a row that there is not');

$server->control('POST', '/_local/settings', {approximate => 5});
least($_, 'an approximate index') for 3, 30, 300;
$server->control('POST', '/_local/settings', {approximate => 0});
$server->fault({path => '/query', status => 400, count => -1});
least(20, 'no searches');
$server->clear_faults;
$server->fault({path => '/vectors/update', status => 400, count => -1});
least(20, 'no dry runs');
$server->clear_faults;
$server->fault({path => '/query', delay_ms => 20_000, count => -1});
like($t->error_of("SET statement_timeout = '300ms'; SELECT n FROM t ORDER BY n LIMIT 3"), qr/statement timeout/, 'a timeout ends the wait');
$server->clear_faults;
done_testing;
