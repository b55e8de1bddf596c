# Beyond the cap of 10,000 neighbours: never a short answer, never a wrong order.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $records = 12_000;
my $t = Harness->new;
my $host = $t->server->create_index('many', dimension => 2, metric => 'euclidean');

$t->server->upsert('many', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_, even => $_ % 2 ? \0 : \1}} } 1 .. $records]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[], n int, even boolean) SERVER s;
END
my $s = $t->session;

# The nth neighbour of the origin is record n
sub in_order
{
	my ($what, $statement, $count, $first, $last) = @_;

	is($s->query("SELECT count(*), count(DISTINCT n), min(n), max(n), bool_and(n > before) FROM (SELECT n, coalesce(lag(n) OVER (), 0) AS before FROM ($statement) q) o")->{out},
		"$count|$count|$first|$last|t", $what);
}

in_order('LIMIT 11,000', "SELECT n FROM r ORDER BY embedding <-> '{0,1}' LIMIT 11000", 11000, 1, 11000);
in_order('no LIMIT', "SELECT n FROM r ORDER BY embedding <-> '{0,1}'", $records, 1, $records);
in_order('OFFSET beyond the cap', "SELECT n FROM r ORDER BY embedding <-> '{0,1}' LIMIT 10 OFFSET 11500", 10, 11501, 11510);
in_order('with a filter', "SELECT n FROM r WHERE even ORDER BY embedding <-> '{0,1}' LIMIT 5500", 5500, 2, 11000);
in_order('a condition checked here that few meet', "SELECT n FROM r WHERE n % 5500 = 0 ORDER BY embedding <-> '{0,1}' LIMIT 2", 2, 5500, 11000);
in_order('within a distance', "SELECT n FROM r WHERE embedding <-> '{0,1}' < 10500.5 ORDER BY embedding <-> '{0,1}'", 10500, 1, 10500);
is($s->query("SELECT count(*) FROM r WHERE embedding <-> '{0,1}' <= 11000")->{out}, 11000, 'within a distance, unordered');
in_order('a cursor that goes on and on', "SELECT n FROM r ORDER BY embedding <-> '{0,1}'", $records, 1, $records);
is($s->query("BEGIN; DECLARE c CURSOR FOR SELECT n FROM r ORDER BY embedding <-> '{0,1}' LIMIT 11990; MOVE 11985 FROM c; FETCH 10 FROM c")->{out} =~ s/\n/,/gr,
	'11986,11987,11988,11989,11990', 'the end of a cursor');
$s->query('COMMIT');

# many ids at once, and large pages of records with metadata
is($s->query("SELECT count(*), sum(n) FROM r WHERE id = ANY (ARRAY(SELECT 'r' || i FROM generate_series(1, 13000) i))")->{out}, '12000|72006000', '13,000 ids');
is($s->query('SELECT count(*), sum(n) FROM r WHERE n > 1000')->{out}, '11000|71505500', 'a filter that matches most');
done_testing;
