# An update by metadata changes 100,000 records a request at most: it is repeated
# for those it has left, and the row count is that of all.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => ['--index', 'many:2:cosine']);
my $host = $t->server->host('many');

$t->sql("CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host')");
$t->sql("CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '" . $t->server->{key} . "')");
$t->sql('CREATE FOREIGN TABLE t (id text, n int, kind text, done bool, tags text[], embedding real[]) SERVER s');
$t->sql("INSERT INTO t (id, n, kind, embedding) SELECT 'r' || i, i, CASE WHEN i % 2 = 0 THEN 'new' END, '{1,2}' FROM generate_series(1, 100500) i");

for my $mode ('transactional', 'immediate')
{
	my $value = $mode eq 'transactional' ? 'new' : "it's \"newer\"";
	(my $quoted = $value) =~ s/'/''/g;

	$t->sql("ALTER FOREIGN TABLE t OPTIONS (ADD write_mode '$mode')");
	$t->server->clear_requests;
	is($t->sql("UPDATE t SET kind = '$quoted', done = true WHERE n > 0") // '', '', "$mode: no error");
	is($t->sql("SELECT count(*) FROM t WHERE kind = '$quoted' AND done"), '100500', "$mode: all are updated");
	my @updates = grep { $_->{path} eq '/vectors/update' && !$_->{body}{dryRun} } $t->server->requests;
	is(scalar @updates, 2, "$mode: in two requests");
	$t->sql('ALTER FOREIGN TABLE t OPTIONS (DROP write_mode)');
}
my $s = $t->session;
$s->query('\set QUIET off');
like($s->query("UPDATE t SET done = false WHERE n > 0")->{out}, qr/UPDATE 100500/, 'the row count');

is($t->sql("SELECT count(*) FROM t WHERE done = false"), '100500', 'and they are');
$t->server->clear_requests;
$t->sql("DELETE FROM t WHERE n > 0");
my @pages = grep { $_->{path} =~ /fetch_by_metadata/ } $t->server->requests;
cmp_ok(scalar @pages, '<', 60, 'what may not be shown yet is read by pages of thousands, whatever searches have brought before')
	or diag scalar @pages;
is($t->sql('SELECT count(*) FROM t'), '0', 'deleted by one request');

done_testing;
