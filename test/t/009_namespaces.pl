# Tables that span namespaces: a thousand of them in bounded memory, large ones
# beyond what a search can bring, and those that appear while a session lasts.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => 0);
my $file = $t->dir . '/records.jsonl';

sub record
{
	my ($index, $namespace, $id, $n, @values) = @_;
	return "{\"index\": \"$index\", \"namespace\": \"$namespace\", \"id\": \"$id\", \"values\": [" . join(',', @values) . "], \"metadata\": {\"n\": $n}}\n";
}

open my $out, '>', $file or die "$file: $!";
for my $ns (1 .. 1000)
{
	print $out record('many', sprintf('t%04d', $ns), "r$_", $ns * 100 + $_, map { sprintf '%.5f', sin($ns * 31 + 17 * $_) } $_ .. $_ + 31) for 1 .. 20;
}
for my $ns ('a', 'b', 'c')
{
	print $out record('large', $ns, "r$_", $_, map { sprintf '%.6f', sin($_ * ord($ns)) } 1 .. 256) for 1 .. 6000;
}
# distances from nowhere in particular differ
for my $n (1 .. 21_000)
{
	print $out record('deep', $n % 2 ? 'odd' : 'even', "r$n", $n, $n, 0);
}
close $out;
chmod 0644, $file;

my $s = Harness->new(pinecone => ['--index', 'many:32:cosine', '--index', 'large:256:cosine', '--index', 'deep:2:euclidean', '--load', $file]);
for my $index ('many', 'large', 'deep')
{
	my $host = $s->server->host($index);

	$s->sql(<<"END");
CREATE SERVER $index FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER $index OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $index (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER $index;
END
}

# The requests since the last look, by path
sub requests
{
	my %count;
	$count{$_->{path}}++ for $s->server->requests;
	$s->server->clear_requests;
	return join ' ', map { "$_ $count{$_}" } sort keys %count;
}

sub explained
{
	my ($statement, $property) = @_;
	return $s->sql("EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) $statement") =~ /$property: (.*)/ ? $1 : undef;
}

# A thousand namespaces, and three large ones: how much memory a scan takes
my $query = 'ARRAY(SELECT cos(i)::real FROM generate_series(1, 32) i)';
for (['many', 'SELECT count(embedding) FROM many', 20_000],
	['many', 'SELECT count(*) FROM (SELECT ns, id FROM many ORDER BY ns) s', 20_000],
	['many', "SELECT count(*) FROM (SELECT ns, id, n FROM many ORDER BY embedding <=> $query LIMIT 2000) s", 2000],
	['large', 'SELECT count(embedding) FROM large', 18_000],
	['large', 'SELECT count(*) FROM (SELECT id, embedding FROM large ORDER BY id OFFSET 0) s', 18_000])
{
	my ($table, $statement, $rows) = @$_;
	my $result = $s->query_memory("SELECT id FROM $table LIMIT 1", $statement);

	is($result->{out}, $rows, $statement);
	cmp_ok($result->{grown}, '<', 40 * 1024, "memory grew by $result->{grown} kB");
	cmp_ok($result->{kept}, '<', 10 * 1024, "of which $result->{kept} kB stayed");
}

# What is asked, and how much at a time
$s->server->clear_requests;
is($s->sql('SELECT count(embedding) FROM many'), 20_000, 'a thousand namespaces are read');
is(requests(), '/describe_index_stats 1 /vectors/fetch 1000 /vectors/list 1000', 'each is asked once for its ids and once for its records');
is(explained('SELECT id FROM many', 'Namespaces Asked'), 1000, 'EXPLAIN ANALYZE tells how many were asked');
cmp_ok(explained("SELECT id FROM many ORDER BY embedding <=> $query LIMIT 5", 'Peak In Flight'), '<=', 64, 'max_concurrency holds');
$s->server->clear_requests;
is($s->sql('SELECT count(id) FROM (SELECT id FROM many LIMIT 10 OFFSET 0) s'), 10, 'LIMIT stops a scan');
like(requests(), qr{/vectors/list [12]$}, 'and few namespaces are asked');
$s->server->clear_requests;
is($s->sql("SELECT count(*) FROM many WHERE ns IN ('t0001', 't0500', 'nobody') AND n % 2 = 0"), 20, 'conditions prune');
is(requests(), '/describe_index_stats 1 /vectors/fetch 2 /vectors/list 3', 'to those they name');
is($s->sql('SELECT sum(c), count(*) FROM (SELECT ns, count(*) AS c FROM many GROUP BY ns) s'), '20000|1000', 'GROUP BY');
is(requests(), '/describe_index_stats 1', 'is one request, besides the planner\'s');

# The nearest are the same as in a local copy
$s->sql('CREATE TABLE many_copy AS SELECT * FROM many');
for my $window ('LIMIT 7', 'LIMIT 40 OFFSET 13', 'LIMIT 900 OFFSET 100')
{
	for my $prefetch ('16MB', '64kB')
	{
		my $ids = "SELECT md5(string_agg(d::text, ' ' ORDER BY d)) FROM (SELECT round((embedding <=> $query)::numeric, 5) AS d FROM %s ORDER BY embedding <=> $query $window) s";
		is($s->sql("SET pinecone_fdw.prefetch = '$prefetch'; " . sprintf $ids, 'many'), $s->sql(sprintf $ids, 'many_copy'), "neighbours: $window, with $prefetch");
	}
}

# Beyond the cap of a search of either namespace
for my $offset (15_000, 20_995)
{
	is($s->sql("SELECT string_agg(id, ' ') FROM (SELECT id FROM deep ORDER BY embedding <-> '{0.25,0}' LIMIT 9 OFFSET $offset) s"),
		join(' ', map { "r$_" } grep { $_ <= 21_000 } $offset + 1 .. $offset + 9), "in order behind $offset others");
}
is($s->sql("SELECT count(*), count(DISTINCT id), sum(n) FROM (SELECT id, n FROM deep ORDER BY embedding <-> '{10000.25,0}' OFFSET 0) s"),
	'21000|21000|' . 21_000 * 21_001 / 2, 'each record once');

# Namespaces that appear, and go
my $session = $s->session;
is($session->query('SELECT count(id) FROM deep WHERE n < 5')->{out}, 4, 'before');
$s->server->upsert('deep', 'new', [{id => 'x', values => [1, 1], metadata => {n => 0}}]);
is($session->query('SELECT ns, id FROM deep WHERE n = 0')->{out}, 'new|x', 'a namespace that is new is seen at once');
is($session->query("SELECT ns FROM deep ORDER BY embedding <-> '{1,1.1}' LIMIT 1")->{out}, 'new', 'by searches');
is($session->query("SELECT count(*) FROM deep WHERE ns = 'new'")->{out}, 1, 'by counts');
$session->query("PREPARE q AS SELECT count(n) FROM deep WHERE n < 2; SET plan_cache_mode = force_generic_plan");
is($session->query('EXECUTE q')->{out}, 2, 'by a prepared statement');
$s->server->upsert('deep', 'newer', [{id => 'x', values => [1, 1], metadata => {n => 0}}]);
is($session->query('EXECUTE q')->{out}, 3, 'planned before it was there');

# One namespace that fails is an error, not fewer rows
$s->server->fault({index => 'many', path => '/vectors/fetch', skip => 500, status => 400, count => 1});
like($s->error_of('SELECT count(embedding) FROM many'), qr/^ERROR:.*Pinecone/m, 'a failure half way');
$s->server->clear_faults;
is($s->sql('SELECT count(embedding) FROM many'), 20_000, 'and all is well again');
done_testing;
