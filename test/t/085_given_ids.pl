# Many ids that are given, without vectors: searches for all records find them in
# place of fetches, which bring vectors all the same.  Whatever searches miss is
# fetched, so that rows and counts are those of fetches.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => ['--latency', 10], conf => ["pinecone_fdw.unseen_time = '2s'"]);
my $server = $t->server;
my $host = $server->create_index('given', dimension => 64);
my $many = 2400;

sub records
{
	return map { +{id => sprintf('r%05d', $_), values => [map { 0 + sprintf '%.4f', rand() - 0.5 } 1 .. 64], metadata => {n => $_, c => 'c' . $_ % 20}} } @_;
}

my @all = records(1 .. $many);
for my $name ('a', 'b')
{
	my @records = @all;
	$server->upsert('given', $name, [splice @records, 0, 500]) while @records;
}
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE a (id text COLLATE "C", embedding real[], n int, c text) SERVER s OPTIONS (namespace 'a');
CREATE FOREIGN TABLE two (tenant text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], n int) SERVER s;
CREATE TABLE given AS SELECT 'r' || lpad(i::text, 5, '0') AS id FROM generate_series(2, 4000, 2) i;
END

# every second one of those that are there, and 800 that are not
my $given = 'id = ANY (ARRAY(SELECT id FROM given))';

# What a statement asks of the service, by path
sub asked
{
	my ($s, $sql) = @_;
	my %n;

	$server->clear_requests;
	$s->query($sql);
	$n{$_->{path}}++ for $server->requests;
	return \%n;
}

# ---- As it is by itself ----

my $s = $t->session;
$s->query('SELECT count(*) FROM a');
my $n = asked($s, "BEGIN; DELETE FROM a WHERE $given; ROLLBACK");
is($n->{'/vectors/fetch'}, undef, 'a DELETE of many ids fetches no vectors');
is($n->{'/query'}, 1, 'it searches');
$n = asked($s, "SELECT sum(n) FROM a WHERE $given");
is($n->{'/vectors/fetch'}, undef, 'nor does who wants metadata');
$n = asked($s, "SELECT count(embedding) FROM a WHERE $given");
cmp_ok($n->{'/vectors/fetch'}, '>', 1, 'who wants vectors does');
$n = asked($s, "SELECT sum(n) FROM a WHERE id = ANY (ARRAY(SELECT id FROM given LIMIT 20))");
is($n->{'/vectors/fetch'}, 1, 'and a few ids are a fetch');
$n = asked($s, "SET pinecone_fdw.enable_sweep = off; SELECT sum(n) FROM a WHERE $given; RESET pinecone_fdw.enable_sweep");
cmp_ok($n->{'/vectors/fetch'}, '>', 1, 'as all are where that is turned off');

# ---- The same as by fetches ----

my $fetched = $t->session;
$fetched->query('SET pinecone_fdw.enable_sweep = off');

sub same
{
	my ($sql, $what) = @_;
	my $expected = $fetched->query($sql);
	my $result = $s->query($sql);

	is("$result->{out}$result->{err}", "$expected->{out}$expected->{err}", "$what: $result->{out}$result->{err}");
}

my $hash = q{count(*), count(DISTINCT id), md5(string_agg(id || coalesce(n, 0), ' ' ORDER BY id))};
my $writes = q{INSERT INTO a (id, n) SELECT 'r' || i, i FROM generate_series(3998, 4003) i; UPDATE a SET n = -1 WHERE id IN ('r00002', 'r00004'); DELETE FROM a WHERE id IN ('r00006', 'r00007')} =~ s/\(id, n\) SELECT 'r' \|\| i/(id, embedding, n) SELECT 'r0' || i, array_fill(0.5::real, ARRAY[64])/r;

sub same_in_all_ways
{
	my ($what) = @_;

	same("SELECT $hash FROM a WHERE $given", $what);
	same("SELECT $hash FROM a WHERE $given AND c = 'c4'", "$what, with a condition");
	same("SELECT $hash FROM (SELECT id, n FROM a WHERE $given ORDER BY id LIMIT 1000) s", "$what, in order");
	same("SELECT tenant, count(*), sum(n) FROM two WHERE $given GROUP BY tenant ORDER BY tenant", "$what, of two namespaces");
	same("BEGIN; WITH d AS (DELETE FROM a WHERE $given RETURNING id) SELECT count(*), md5(string_agg(id, ' ' ORDER BY id)) FROM d; ROLLBACK", "$what, deleted");
	same("BEGIN; $writes; SELECT $hash FROM a WHERE $given; ROLLBACK", "$what, after writes");
}

same_in_all_ways('all at once');
$server->control('POST', '/_local/settings', {max_top_k => 150});
same_in_all_ways('divided');
$server->control('POST', '/_local/settings', {max_top_k => 10000});
for my $seed (1, 2)
{
	# each time a session that has not given up
	$s = $t->session;
	$s->query('SET pinecone_fdw.sweep_records = 0');
	$server->control('POST', '/_local/settings', {approximate => $seed});
	same_in_all_ways("approximate $seed");
}
$server->control('POST', '/_local/settings', {approximate => 0});

# ---- What searches do not show yet ----

$s = $t->session;
$s->query('SELECT count(*) FROM a');
$server->control('POST', '/_local/settings', {lag_search => 60000});
$server->upsert('given', 'a', [records(3000 .. 3009)]);
same("SELECT $hash FROM a WHERE $given", 'records of others that searches do not show');
$server->control('POST', '/_local/settings', {lag_search => 0});

# ---- Refused, and cancelled ----

for my $path ('/query', '/vectors/update')
{
	my $fresh = $t->session;

	$server->fault({path => $path, status => 403, body => 'no', count => -1});
	is($fresh->query("SELECT count(id || n) FROM a WHERE $given")->{out}, 1200 + 5, "without $path");
	$server->clear_faults;
}
$s->query('SET statement_timeout = 8');
like($s->query("SELECT sum(n) FROM a WHERE $given")->{err}, qr/statement timeout/, 'cancelled');
$s->query('RESET statement_timeout');
is($s->query("SELECT count(id || n) FROM a WHERE $given")->{out}, 1200 + 5, 'and asked again');
is($s->query("DELETE FROM a WHERE $given")->{err}, '', 'deleted');
is($s->query("SELECT count(id || n) FROM a WHERE $given")->{out}, 0, 'none is left');
is($s->query("SELECT count(id || n) FROM a")->{out}, 1205, 'of the others all are');
done_testing;
