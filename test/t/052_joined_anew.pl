# Another session changes the row that an UPDATE, DELETE or FOR UPDATE was about
# to modify or lock: PostgreSQL joins the new one to the rows of a foreign table
# that it has kept, of which no more is read than the statement looks at.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $host = $t->server->create_index('anew', dimension => 2);
$t->server->upsert('anew', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_, s => "s$_", bad => 'x'}} } 1 .. 5]);
$t->sql(<<"END");
CREATE SERVER anew FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER anew OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, s text, bad int) SERVER anew;
CREATE TABLE l (n int, m int);
END

my ($one, $two) = ($t->session, $t->session);
my $pid = $two->pid;

sub meanwhile
{
	my ($name, $change, $statement, $expected) = @_;

	$t->sql('TRUNCATE l; INSERT INTO l SELECT i, 0 FROM generate_series(1, 5) i');
	$one->query("BEGIN; $change");
	$two->send($statement);
	# it waits for the other one's lock
	$t->wait_until(sub { $t->sql("SELECT count(*) > 0 FROM pg_locks WHERE pid = $pid AND NOT granted") eq "t" });
	$one->query('COMMIT');
	my $result = $two->result(20);
	is($result->{err} . $result->{out}, $expected, $name);
}

my $touch = 'UPDATE l SET m = m + 1 WHERE n = 3';
my $move = 'UPDATE l SET n = 33 WHERE n = 3';
for my $where (q{t.id = 'r3' AND s = 's3'}, q{t.n = 3 AND s LIKE 's%'}, q{t.id LIKE 'r%' AND t.n + 0 = 3},
	q{embedding <=> '{3,1}' < 0.0001 AND t.n = 3})
{
	meanwhile("DELETE, $where", $touch, "DELETE FROM l USING t WHERE l.n = t.n AND $where RETURNING l.n, m, s", '3|1|s3');
	meanwhile("UPDATE, $where", $touch, "UPDATE l SET m = m + 10 FROM t WHERE l.n = t.n AND $where RETURNING l.n, m, s", '3|11|s3');
	meanwhile("FOR UPDATE, $where", $touch, "SELECT l.n, m, s FROM l JOIN t USING (n) WHERE $where FOR UPDATE OF l", '3|1|s3');
	meanwhile("no more, $where", $move, "DELETE FROM l USING t WHERE l.n = t.n AND $where RETURNING l.n", '');
}
meanwhile('a subquery', $touch, 'UPDATE l SET m = (SELECT max(n) FROM t x WHERE x.n <= t.n) FROM t WHERE l.n = t.n AND t.s = \'s3\' RETURNING l.n, m', '3|3');
meanwhile('LATERAL', $touch, q{DELETE FROM l USING t, LATERAL (SELECT t.s || 'x' AS y OFFSET 0) z WHERE l.n = t.n AND t.id = 'r3' RETURNING y}, 's3x');

done_testing();
