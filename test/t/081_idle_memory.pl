# Memory that a backend holds for many large replies at a time: it goes when the
# connections do, over HTTP/2 and otherwise, and they can be used again.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Harness;
use Proxy;
use Test::More;

# kB that may be left of it: what a session has learned
my $little = 2048;
my $much = 5 * 1024; # libcurl 8.2x has less of it than 7.88

my $t = Harness->new(pinecone => ['--latency', '30']);
my $host = $t->server->create_index('idle', dimension => 768);
my $proxy = Proxy->new($t->dir . '/proxy');
my $port = $proxy->nginx($host, '');

for my $batch (0 .. 19)
{
	$t->server->upsert('idle', '', [map { +{id => "r$_", values => [$_, map { 0 + sprintf '%.6f', sin($_) } 1 .. 767]} } 100 * $batch + 1 .. 100 * $batch + 100]);
}

my $count = 'SELECT count(embedding) FROM idle';
my $searches = 'SELECT count(x.id) FROM generate_series(1, 64) g, LATERAL (SELECT id FROM idle WHERE g > 0 ORDER BY embedding <=> array_fill(g::real, ARRAY[768]) LIMIT 1) x';

sub try_with
{
	my ($name, $options, $timeout) = @_;
	my $s = $t->session;

	$t->sql(<<"END");
DROP SERVER IF EXISTS s CASCADE;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options, max_concurrency '32');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE idle (id text, embedding real[]) SERVER s;
END
	$s->query("SET jit = off; SET pinecone_fdw.idle_connection_timeout = '$timeout'");
	$s->query('SELECT id FROM idle LIMIT 1');
	$s->query("EXPLAIN $_") for $count, $searches;
	# what planning and running alone leave, of code and of catalogs
	$s->query("SELECT count(*) FROM generate_series(1, 3) g, LATERAL (SELECT id FROM idle WHERE g > 0 ORDER BY embedding <=> array_fill(g::real, ARRAY[768]) LIMIT 1) x");
	my $before = $t->memory($s->pid);
	is($s->query($count)->{out}, 2000, "$name: many large replies");
	is($s->query($searches)->{out}, 64, 'many searches');
	my $during = $t->memory($s->pid);
	cmp_ok($during - $before, '>', $much, 'take memory') if $timeout ne '0';
	ok($t->wait_until(sub { $t->connections($s->pid) == 0 && $t->memory($s->pid) - $before < $little }, 10), 'all of which goes when the connections do')
		or diag("$before kB before, $during kB, ", $t->memory($s->pid), ' kB left');
	is($s->query($count)->{out}, 2000, 'and can be had again');
	$s->close;
}

try_with('HTTP/1.1', "host '$host'", '300ms');
try_with('at once', "host '$host'", '0');
SKIP:
{
	skip $proxy->missing, 5 unless $port;
	try_with('HTTP/2', "host 'https://localhost:$port', ca_file '" . $proxy->ca_file . "'", '300ms');
}
done_testing;
