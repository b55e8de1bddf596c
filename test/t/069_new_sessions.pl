# What a session asks before it can answer: no more than it must, not one after
# the other, and where the module is preloaded only what nobody was told lately.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

sub begin
{
	my ($t) = @_;
	my $server = $t->server;
	my $host = $server->create_index('near', dimension => 2);
	$server->create_index('far', dimension => 2, metric => 'euclidean');
	for my $index ('near', 'far')
	{
		$server->upsert($index, '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 9]);
	}
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE SERVER named FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'near', control_host 'http://127.0.0.1:@{[$t->port]}');
CREATE SERVER other FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '@{[$server->host('far')]}');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR CURRENT_USER SERVER named OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s;
CREATE FOREIGN TABLE by_name (id text COLLATE "C", embedding real[], n int) SERVER named;
CREATE FOREIGN TABLE o (id text COLLATE "C", embedding real[], n int) SERVER other;
END
	$server->clear_requests;
	return $server;
}

# The requests of a statement in a new session, by path, sorted.
sub asked
{
	my ($t, $sql, $answer, $what) = @_;
	my $result = $t->psql($sql);
	my @paths = sort map { (split m{/}, $_->{path})[-1] } $t->server->requests;

	$t->server->clear_requests;
	is($result->{out} . $result->{err}, $answer, "$what: the answer");
	return "@paths";
}

my $search = q{SELECT id FROM t ORDER BY embedding <=> '{9,1}' LIMIT 2};

{
	my $t = Harness->new(pinecone => ['--latency', '40']);
	my $server = begin($t);

	is(asked($t, $search, "r9\nr8", 'a search'), 'describe_index_stats query', 'asks what index it is');
	is(asked($t, q{SELECT n FROM t WHERE id = 'r3'}, '3', 'a lookup'), 'describe_index_stats fetch', 'so does a lookup');
	is(asked($t, 'SELECT count(*) FROM t', '9', 'a count'), 'describe_index_stats', 'asks once');
	is(asked($t, 'SELECT count(*) FROM t; SELECT count(*) FROM t', "9\n9", 'two counts'), 'describe_index_stats describe_index_stats', 'each asks');
	is(asked($t, 'SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM t)', '18', 'two in a statement'), 'describe_index_stats', 'ask once');
	is(asked($t, q{SELECT n FROM by_name WHERE id = 'r3'}, '3', 'an index by name'), 'describe_index_stats fetch near', 'is looked up');

	# a plan that runs again counts again
	my $s = $t->session;
	$s->query('SET plan_cache_mode = force_generic_plan; PREPARE c AS SELECT count(*) FROM t');
	is($s->query('EXECUTE c')->{out}, 9, 'a prepared count');
	$server->upsert('near', '', [{id => 'r10', values => [1, 10]}]);
	is($s->query('EXECUTE c')->{out}, 10, 'counts what is there when it runs');
	$server->data('near', 'POST', '/vectors/delete', '{"ids": ["r10"]}');
	is($s->query(q{DO $$ BEGIN FOR i IN 1 .. 2 LOOP RAISE NOTICE '%', (SELECT count(*) FROM t); END LOOP; END $$})->{err} =~ s/NOTICE:  //gr, "9\n9\n", 'in a loop, too');
	$s->close;
	$server->clear_requests;

	# another metric than the query's: all of it is read, and the answer is right
	is($t->sql(q{SELECT id FROM o ORDER BY embedding <=> '{1,9}' LIMIT 2}), "r1\nr2", 'a search by a distance that the index does not measure');
	$s = $t->session;
	$s->query(q{PREPARE p(real[]) AS SELECT id FROM o ORDER BY embedding <=> $1 LIMIT 1});
	is($s->query(q{EXECUTE p('{1,9}')})->{out}, 'r1', 'prepared') for 1 .. 7;
	like($t->sql(q{EXPLAIN SELECT id FROM o ORDER BY embedding <=> '{1,9}' LIMIT 2}), qr/Sort/, 'EXPLAIN waits, and tells');
	like($t->error_of(q{SELECT id FROM t ORDER BY embedding <=> '{1,2,3}' LIMIT 2}), qr/expected 2 dimensions, not 3/, 'a vector of another dimension');
}
{
	my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'"]);
	my $server = begin($t);

	is(asked($t, $search, "r9\nr8", 'preloaded, a search'), 'describe_index_stats query', 'asks what index it is');
	is(asked($t, $search, "r9\nr8", 'in the next session'), 'query', 'nobody asks again');
	is(asked($t, q{SELECT n FROM by_name WHERE id = 'r3'}, '3', 'an index by name'), 'describe_index_stats fetch near', 'is looked up');
	is(asked($t, q{SELECT n FROM by_name WHERE id = 'r3'}, '3', 'and in the next session'), 'fetch', 'it is known');
	is(asked($t, q{SET pinecone_fdw.stats_ttl = 0; SELECT n FROM by_name WHERE id = 'r3'}, '3', 'without stats_ttl'), 'describe_index_stats fetch near', 'nothing is');
	is(asked($t, 'SELECT count(*) FROM t', '9', 'a count'), 'describe_index_stats', 'is as of now');

	# another key, and another place
	$t->sql(q{CREATE ROLE other SUPERUSER; CREATE USER MAPPING FOR other SERVER s OPTIONS (api_key 'no-key')});
	like($t->error_of("SET ROLE other; SELECT n FROM t WHERE id = 'r3'"), qr/rejected the API key/, 'another key is told nothing');
	$server->drop_index('near');
	$server->create_index('near', dimension => 2);
	$server->upsert('near', '', [{id => 'new', values => [1, 1], metadata => {n => 7}}]);
	is($t->sql(q{SELECT n FROM by_name WHERE id = 'new'}), '7', 'an index that has moved is found') for 1 .. 2;
}
done_testing;
