# What EXPLAIN expects a statement to ask, and what EXPLAIN ANALYZE then counts: of
# values counted by searches and by dry runs, of orders, of OFFSET, of pages by the id.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

use constant RECORDS => 6000;

my $t = Harness->new(pinecone => ['--latency', 3]);
my $server = $t->server;
my $host = $server->create_index('asked', dimension => 4);
my @records = map { {id => sprintf('doc-%06d', $_), values => [1, $_ % 7, $_ % 11, 1], metadata => {n => $_, year => 1990 + $_ % 30, category => 'c' . $_ % 20}} } 1 .. RECORDS;

$server->upsert('asked', 'kb', [splice @records, 0, 1000]) while @records;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[], n int, year int, category text) SERVER s OPTIONS (namespace 'kb');
ANALYZE docs;
END

my @statements = (
	'SELECT DISTINCT category FROM docs',
	'SELECT count(DISTINCT category) FROM docs',
	'SELECT category, count(*) FROM docs GROUP BY category',
	'SELECT category, count(*), count(*) FILTER (WHERE year > 2000) FROM docs GROUP BY category',
	'SELECT category, count(*) FROM docs WHERE year > 2000 GROUP BY category',
	'SELECT id, n FROM docs ORDER BY n DESC NULLS LAST LIMIT 5',
	'SELECT min(n), max(n) FROM docs WHERE year > 1995',
	'SELECT * FROM docs ORDER BY id LIMIT 10 OFFSET 4000',
	'SELECT id, n FROM docs ORDER BY id LIMIT 10 OFFSET 300',
	'SELECT id FROM docs ORDER BY id LIMIT 10 OFFSET 300',
	"SELECT id FROM docs WHERE id > 'doc-002500' ORDER BY id LIMIT 100",
	"SELECT id, n FROM docs WHERE id > 'doc-001550' ORDER BY id LIMIT 50",
	'SELECT max(id) FROM docs',
	'SELECT id, n FROM docs ORDER BY id DESC LIMIT 5',
	'SELECT id FROM docs ORDER BY id',
	"SELECT id, n FROM docs WHERE id < 'doc-004567' ORDER BY id DESC LIMIT 20",
	'SELECT category, year, count(*) FROM docs GROUP BY category, year',
	"SELECT count(*), count(*) FILTER (WHERE category = 'c3') FROM docs",
	"SELECT id FROM docs ORDER BY embedding <=> '{1,2,3,4}' LIMIT 10 OFFSET 20");

# Of all scans that have run
sub sum_of
{
	my ($text, $pattern) = @_;
	my $sum = 0;

	$sum += $_ for $text =~ /$pattern: (\d+)/g;
	return $sum;
}

for my $limits ('without limits', 'five counts a second')
{
	$t->sql("ALTER SERVER s OPTIONS (ADD rate_limits 'update_by_metadata 5')") if $limits =~ /five/;
	# the planner goes by what a session has measured
	my ($s, $paging) = ($t->session, $t->session);

	$_->query('SELECT id FROM docs LIMIT 1') for $s, $paging;
	$paging->query('SET pinecone_fdw.enable_sweep = off; SET pinecone_fdw.enable_metadata_pages = off');
	for my $run (map { my $sql = $_; map { [$_, $sql] } $s, $paging } @statements)
	{
		my ($session, $sql) = @$run;
		my $text = $session->query("EXPLAIN (ANALYZE, TIMING OFF) $sql")->{out};

		# a plan that has not run, below one that had no need of it
		$text =~ s/^( *)->  [^\n]*\(never executed\)\n(?:\1  [^\n]*\n)*//mg;
		my $expected = sum_of($text, 'Pinecone Expected Requests');
		my $counted = sum_of($text, '(?<!Expected )(?<!Sweep )Requests');

		cmp_ok(abs($expected - $counted), '<=', 2 + $counted / 4, "$limits" . ($session == $paging ? ', no searches' : '') . ": $expected expected, $counted counted: $sql") or diag $text;
	}
}
done_testing;
