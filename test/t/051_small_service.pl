# A service whose ceilings are below the documented ones: the session learns each
# from a refusal, what was refused goes out again in parts, nothing is lost and
# nothing comes twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

plan skip_all => 'this is about a build with the documented limits' if ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /small-limits/;

my $t = Harness->new(pinecone => ['--small-limits'], conf => ["shared_preload_libraries = 'pinecone_fdw'"]);
my $host = $t->server->create_index('small', dimension => 2, metric => 'euclidean');
$t->sql(<<"END");
CREATE SERVER small FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER small OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, s text) SERVER small OPTIONS (namespace 'a');
CREATE FOREIGN TABLE every (tenant text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], n int) SERVER small;
CREATE TABLE l (id text COLLATE "C", embedding real[], n int, s text);
END

# Requests to a path since the log was emptied, and those of them that were refused
sub asked
{
	my ($path) = @_;
	my @requests = grep { $_->{path} =~ $path } $t->server->requests;
	my $refused = grep { $_->{status} >= 400 } @requests;

	$t->server->clear_requests;
	return (scalar @requests, $refused);
}

# The same on both tables; then both have to hold the same
sub both
{
	my ($s, $name, @statements) = @_;

	for my $statement (@statements)
	{
		my @counts = map { my $sql = $statement =~ s/%T/$_/gr; my $r = $s->query("WITH x AS ($sql RETURNING 1) SELECT count(*) FROM x"); $r->{err} . $r->{out} } 't', 'l';
		is($counts[0], $counts[1], "$name: rows");
	}
	my @rows = map { $s->query("SELECT md5(string_agg(id || embedding::text || coalesce(n, -1) || coalesce(s, ''), ' ' ORDER BY id)) FROM $_")->{out} } 't', 'l';
	is($rows[0], $rows[1], "$name: what is there");
}

my $s = $t->session;
my $rows = q{'r' || lpad(g::text, 4, '0'), ARRAY[g, 1], g, repeat('x', g % 30) FROM generate_series(1, 250) g};
both($s, 'upserts', "INSERT INTO %T SELECT $rows");
my ($n, $refused) = asked(qr{/upsert});
is("$n $refused", '85 1', 'one upsert was refused, and 84 of three records each were sent');
both($s, 'upserts of two kinds at once', "INSERT INTO %T SELECT 'q' || g, ARRAY[g, 2], g FROM generate_series(1, 40) g");
(undef, $refused) = asked(qr{/upsert});
is($refused, 0, 'what is known is not tried again');
both($s, 'large records', "INSERT INTO %T SELECT 'big' || g, ARRAY[g, 1], g, repeat('x', 9000) FROM generate_series(1, 8) g");
asked(qr{/upsert});
both($s, 'large records again', "INSERT INTO %T SELECT 'big' || g, ARRAY[g, 1], g, repeat('x', 9001) FROM generate_series(1, 8) g WHERE false",
	"UPDATE %T SET embedding = '{9,9}' WHERE id LIKE 'big%'");
both($s, 'updates', 'UPDATE %T SET n = n + 1000 WHERE n < 50', "UPDATE %T SET embedding = '{0.5,1}' WHERE n > 1000");
asked(qr{.});
both($s, 'deletions', "DELETE FROM %T WHERE id LIKE 'q%'");
(undef, $refused) = asked(qr{/delete});
is($refused, 1, 'one deletion was refused');

# an id in several writes of a transaction keeps their order
$s->query('BEGIN');
both($s, 'one after the other', "DELETE FROM %T WHERE id LIKE 'r00%'", "INSERT INTO %T SELECT 'r00' || g, ARRAY[g, 3], g FROM generate_series(10, 30) g",
	"UPDATE %T SET n = -n WHERE id LIKE 'r002%'", "DELETE FROM %T WHERE id LIKE 'r0011%'");
$s->query('COMMIT');
both($s, 'committed');
my $other = $t->session;
both($other, 'another session');

# reads, in sessions that know nothing
for my $query ('SELECT count(*), sum(n) FROM (SELECT id, n FROM %T OFFSET 0) x',
	q{SELECT count(*), sum(n) FROM (SELECT * FROM %T WHERE id = ANY (ARRAY(SELECT 'r' || lpad(g::text, 4, '0') FROM generate_series(100, 180) g)) OFFSET 0) x},
	q{SELECT string_agg(id, ' ') FROM (SELECT id FROM %T WHERE id LIKE 'r%' ORDER BY embedding <-> '{150.3,1}' LIMIT 12) x},
	q{SELECT string_agg(id, ' ') FROM (SELECT id, s FROM %T WHERE n > 100 AND length(s) < 20 ORDER BY embedding <-> '{150.3,1}' LIMIT 12) x},
	q{SELECT count(*), sum(n) FROM (SELECT * FROM %T WHERE n BETWEEN 60 AND 160 AND s LIKE 'x%') x},
	q{SELECT count(t.id), sum(t.n) FROM generate_series(1, 60) g LEFT JOIN %T t ON t.id = 'r' || lpad((3 * g)::text, 4, '0')})
{
	my @answers = map { my $r = $t->session->query($query =~ s/%T/$_/r); $r->{err} . $r->{out} } 't', 'l';
	is($answers[0], $answers[1], $query);
}
# and of pages of records one after the other
my $paged = 'SELECT count(*), sum(n) FROM (SELECT * FROM %T WHERE n > 100 OFFSET 0) x';
is($t->session->query('SET pinecone_fdw.enable_sweep = off; ' . $paged =~ s/%T/t/r)->{out}, $s->query($paged =~ s/%T/l/r)->{out}, 'pages of what a condition finds');
cmp_ok((asked(qr{/fetch_by_metadata}))[0], '>', 10, '... many of them');
asked(qr{.});
is($other->query(q{SELECT count(*) FROM (SELECT * FROM t WHERE id = ANY (ARRAY(SELECT 'r' || lpad(g::text, 4, '0') FROM generate_series(101, 180) g)) OFFSET 0) x})->{out}, 80, 'lookups');
(undef, $refused) = asked(qr{/fetch});
is($refused, 0, 'a session that has read knows how many a fetch takes');

# what is split is laid over a service that does not show it yet
$t->server->control('POST', '/_local/settings', {lag => 4000});
$s->query("INSERT INTO every SELECT 'b' || g % 3, 'w' || g, ARRAY[g, 1], g FROM generate_series(1, 60) g");
is($s->query('SELECT count(*), sum(n) FROM (SELECT * FROM every WHERE tenant IN (\'b0\', \'b1\', \'b2\') OFFSET 0) x')->{out}, '60|1830', 'own writes under lag');
$s->query("UPDATE every SET n = n + 1 WHERE tenant = 'b1'");
is($t->session->query("SELECT count(*), sum(n) FROM (SELECT * FROM every WHERE tenant IN ('b0', 'b1', 'b2') OFFSET 0) x")->{out}, '60|1850', 'those of another session');
$t->server->control('POST', '/_local/settings', {lag => 0});

# a refusal that is none of size
$s->query("INSERT INTO t SELECT 'z' || g, ARRAY[g, 1], g FROM generate_series(1, 20) g");
asked(qr{.});
$t->server->fault({kind => 'status', status => 400, path => '/vectors/upsert', count => -1, body => '{"code":3,"message":"vectors are not welcome"}'});
like($s->query("INSERT INTO t SELECT 'y' || g, ARRAY[g, 1], g FROM generate_series(1, 20) g")->{err}, qr/not welcome.*No write had been applied/s, 'other refusals are errors');
cmp_ok((asked(qr{/upsert}))[0], '<=', 7, 'and nothing is sent in smaller parts');

done_testing();
