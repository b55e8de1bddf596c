# Scans of any length hold a bounded part of them.  PINECONE_FDW_BIG=1 makes it
# a million ids and 100,000 vectors of 256 dimensions.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $big = $ENV{PINECONE_FDW_BIG};
my $ids = $big ? 1_000_000 : 100_000;
my $vectors = $big ? 100_000 : 20_000;
my $dimension = 256;
my $most = 64 * 1024;    # kB

my $t = Harness->new(pinecone => 0);
my $file = $t->dir . '/records.jsonl';

open my $out, '>', $file or die "$file: $!";
print $out "{\"index\": \"ids\", \"id\": \"id-$_\", \"values\": [1, $_]}\n" for 1 .. $ids;
for my $n (1 .. $vectors)
{
	print $out "{\"index\": \"vectors\", \"id\": \"v$n\", \"values\": [", join(',', map { sprintf '%.6f', sin($n * $_) } 1 .. $dimension), "]}\n";
}
close $out;
chmod 0644, $file;

my $s = Harness->new(pinecone => ['--index', 'ids:2:cosine', '--index', "vectors:$dimension:cosine", '--load', $file]);
for my $index ('ids', 'vectors')
{
	my $host = $s->server->host($index);

	$s->sql(<<"END");
CREATE SERVER $index FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER $index OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $index (id text COLLATE "C", embedding real[]) SERVER $index;
END
}
for (['ids', 'SELECT count(*) FROM (SELECT id FROM ids OFFSET 0) s', $ids],
	['vectors', 'SELECT count(embedding) FROM vectors', $vectors],
	['vectors', 'SELECT count(*) FROM (SELECT id, embedding FROM vectors ORDER BY id OFFSET 0) s', $vectors])
{
	my ($table, $statement, $rows) = @$_;
	my $result = $s->query_memory("SELECT id FROM $table LIMIT 1", $statement);

	is($result->{out}, $rows, $statement);
	cmp_ok($result->{grown}, '<', $most, "memory grew by $result->{grown} kB");
}
done_testing;
