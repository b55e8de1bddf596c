# A transaction updates records by id, and before it commits another session
# updates by a condition on metadata.  The service may show both, or neither:
# laid over what shows both already, the condition would match what it did not
# match when it was carried out.  So reads wait until it is sure what is shown.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", "pinecone_fdw.unseen_time = '2s'"]);
my $host = $t->server->create_index('crossed', dimension => 2, metric => 'euclidean');
$t->sql(<<"END");
CREATE SERVER crossed FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER crossed OPTIONS (api_key 'test-key');
END
my ($one, $two) = ($t->session, $t->session);

for my $lags ([0, 0, 0], [1500, 0, 0], [0, 1500, 0], [0, 0, 1500], [1500, 1500, 1500])
{
	my %lags;
	@lags{qw(lag_search lag_list lag_fetch)} = @$lags;
	$t->server->control('POST', '/_local/settings', {lag => 0});
	my $namespace = join '-', 'lags', @$lags;
	$t->sql("DROP FOREIGN TABLE IF EXISTS t; CREATE FOREIGN TABLE t (id text COLLATE \"C\", embedding real[], n int, s text) SERVER crossed OPTIONS (namespace '$namespace')");
	$t->server->upsert('crossed', $namespace, [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_, s => 'old'}} } 1 .. 5]);
	$t->server->control('POST', '/_local/settings', {%lags});
	# r1 gets 5 when the condition has been carried out, and r5 loses it after
	$one->query("BEGIN; UPDATE t SET n = 5 WHERE id = 'r1'; UPDATE t SET n = 6 WHERE id = 'r5'");
	$two->query("UPDATE t SET s = 'new' WHERE n = 5");
	$one->query('COMMIT');
	for my $query ("SELECT id, n, s FROM t WHERE id IN ('r1', 'r5') ORDER BY id", "SELECT id, n, s FROM t WHERE n >= 5 ORDER BY id",
		"SELECT id, n, s FROM t WHERE n >= 5 ORDER BY embedding <-> '{0,1}' LIMIT 2")
	{
		is($_->query($query)->{out}, "r1|5|old\nr5|6|new", "lags @$lags: $query") for $one, $two;
	}
}

# Of one transaction a write waits for the one before it of the same record, until that has been carried out
$t->server->control('POST', '/_local/settings', {lag => 0});
$t->sql("DROP FOREIGN TABLE IF EXISTS t; CREATE FOREIGN TABLE t (id text COLLATE \"C\", embedding real[], n int, s text) SERVER crossed OPTIONS (namespace 'in turn')");
$t->server->fault({path => $_, status => 503, count => 1}) for '/vectors/upsert', '/namespaces/*/documents/upsert';
$t->server->clear_requests;
is($one->query("BEGIN; INSERT INTO t VALUES ('x', '{1,1}', 1, 'gone'), ('y', '{1,1}', 1, 'kept'); DELETE FROM t WHERE id = 'x'; INSERT INTO t VALUES ('x', '{1,1}', 2, 'back'); DELETE FROM t WHERE id = 'x'; COMMIT")->{err}, '', 'one after the other');
$t->server->clear_faults;
is(join(' ', map { $_->{path} =~ m{/(upsert|delete)$} ? "$1 $_->{status}" : () } $t->server->requests),
	'upsert 503 upsert 200 delete 200 upsert 200 delete 200', 'a write that is tried again is not overtaken');

done_testing();
