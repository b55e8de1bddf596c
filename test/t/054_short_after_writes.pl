# Searches that bring fewer matches than there are, of a service that does not
# count yet what was written a moment ago: as many as are counted are not all.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(pinecone => ['--lsn-headers', 'never']);
my $server = $t->server;
my $host = $server->create_index('short', dimension => 2, metric => 'euclidean');

$server->upsert('short', $_, [map { +{id => "r$_", values => [$_, 0], metadata => {n => $_, c => 'a'}} } 1 .. 300]) for 'new', 'changed', 'counted';
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE new (id text, embedding real[], n int, c text) SERVER s OPTIONS (namespace 'new');
CREATE FOREIGN TABLE changed (id text, embedding real[], n int, c text) SERVER s OPTIONS (namespace 'changed');
CREATE FOREIGN TABLE counted (id text, embedding real[], n int, c text) SERVER s OPTIONS (namespace 'counted');
END

# How many rows searches bring that do not all bring the same ones: each number once
sub numbers
{
	my ($session, $query, @limits) = @_;
	my %numbers;

	for my $seed (1 .. 9)
	{
		$server->control('POST', '/_local/settings', {approximate => $seed});
		$numbers{$session->query("SELECT count(*) FROM (SELECT id FROM $query ORDER BY embedding <-> '{0,0}' LIMIT $_) s")->{out}}++ for @limits;
	}
	$server->control('POST', '/_local/settings', {approximate => 0});
	return join ' ', sort keys %numbers;
}

# ---- Statistics that lag ----

my $s = $t->session;
$server->control('POST', '/_local/settings', {lag_stats => 600_000});
for my $k (1, 2, 5)
{
	$s->query("INSERT INTO new SELECT 'x' || i, ARRAY[-i, 1]::real[], i, 'a' FROM generate_series(1, $k) i");
	is(numbers($s, 'new', 310, 340, 600), 300 + $k, "inserted: $k");
}
$s->query("UPDATE changed SET embedding = '{500,1}' WHERE n = 17; DELETE FROM changed WHERE n = 19");
is(numbers($s, 'changed', 310, 340, 600), 299, 'moved and deleted');
is(numbers($s, 'changed WHERE n > 0', 310, 340, 600), 299, 'with a filter');
$s->query("UPDATE changed SET c = 'b' WHERE n <= 100");
is(numbers($s, q{changed WHERE c = 'a'}, 310, 600), 200, 'updated by a filter');

# ---- Counts from before ----

# The reply of a search that lacks one record, but has what is new
sub one_is_missing
{
	my (@new) = @_;
	my @matches = ((map { +{id => $_, score => 0, values => []} } @new), map { +{id => "r$_", score => $_ * $_, values => []} } 1 .. 6, 8 .. 300);

	$server->fault({kind => 'status', status => 200, path => '/query', count => 1, body => {matches => \@matches, namespace => 'counted', usage => {readUnits => 1}}});
}

$server->control('POST', '/_local/settings', {lag_stats => 0});
$s->query("SET pinecone_fdw.unseen_time = '200ms'; SET pinecone_fdw.stats_ttl = '1h'");
my @new;
for my $where ('', q{WHERE c = 'a'})
{
	my $search = "SELECT count(*) FROM (SELECT id FROM counted $where ORDER BY embedding <-> '{0,0}' LIMIT 400) s";

	is($s->query($search)->{out}, 300 + @new, "a search that remembers how many there are $where");
	push @new, 'x' . @new;
	$s->query("INSERT INTO counted VALUES ('$new[-1]', '{0,1}', 0, 'a')");
	sleep 0.3;
	one_is_missing(@new);
	is($s->query($search)->{out}, 300 + @new, 'and that is not what there is now, though it is shown');
}

# ---- What it costs ----

# a search that brings what is wanted asks no more than before
$s->query("SET pinecone_fdw.unseen_time = '10s'; INSERT INTO counted VALUES ('y', '{0,1}', 0, 'a')");
$server->clear_requests;
$s->query(q{SELECT id FROM counted ORDER BY embedding <-> '{0,0}' LIMIT 20});
is((grep { $_->{path} ne '/describe_index_stats' } $server->requests), 1, 'one search for what is there');
done_testing;
