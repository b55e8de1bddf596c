# Each request is counted once, and each of its costs, however it comes about: in
# parallel, ahead, in a cursor that is left, after an error, in an aborted
# transaction, while a statement is canceled, on a document index.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Harness;
use Test::More;

my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'"], pinecone => ['--latency', '5']);
my $server = $t->server;
my $host = $server->create_index('m', dimension => 2);
$server->upsert('m', "n$_", [map { +{id => sprintf('r%03d', $_), values => [$_, 1], metadata => {n => $_}} } 1 .. 150]) for 1 .. 4;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE spanning (id text COLLATE "C", embedding real[], ns text OPTIONS (role 'namespace'), n int) SERVER s;
CREATE TABLE parted (id text COLLATE "C", embedding real[], n int, p int) PARTITION BY LIST (p);
CREATE FOREIGN TABLE p1 PARTITION OF parted FOR VALUES IN (1) SERVER s OPTIONS (namespace 'n1', async_capable 'true');
CREATE FOREIGN TABLE p2 PARTITION OF parted FOR VALUES IN (2) SERVER s OPTIONS (namespace 'n2', async_capable 'true');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'n3');
CREATE TABLE ids AS SELECT 'r' || lpad(i::text, 3, '0') AS id FROM generate_series(1, 150) i; ANALYZE ids;
ALTER DATABASE postgres SET pinecone_fdw.unseen_time = 0;
END

# Run something; then the sums are what the server has seen (that a name is no alias is
# no error).  What is given up (abandoned => N: N at least) may have been seen, or not.
sub counts
{
	my ($what, $run, %may) = @_;

	$t->sql('SELECT pinecone_fdw_stats_reset()');
	$server->clear_requests;
	$run->();
	my $sums;
	my $good = $t->wait_until(sub {
		my @seen = $server->requests;
		my ($requests, $failed) = (scalar @seen, scalar grep { ($_->{status} // 0) >= 300 && $_->{path} !~ /alias/ } @seen);
		$sums = $t->sql(q{SELECT coalesce(sum(requests), 0) || ' ' || coalesce(sum(errors), 0) || ' ' || coalesce(sum(abandoned), 0) FROM pinecone_fdw_stats});
		my ($counted, $errors, $abandoned) = split / /, $sums;
		return $errors == $failed && (defined $may{abandoned} ? $counted >= $requests && $counted <= $requests + $abandoned && $abandoned >= $may{abandoned} : $counted == $requests && $requests > 0);
	}, 5);
	ok($good, "$what: each request once") or diag("requests, errors, abandoned: $sums; seen: " . scalar(@{[$server->requests]}));
	my $split = $t->sql(q{SELECT count(*) FROM pinecone_fdw_stats WHERE operation <> 'commit' AND calls <> requests - retries
		AND abandoned = 0 AND failed = 0});
	is($split, 0, "$what: calls are requests without retries");
}

counts('a fan-out', sub { $t->sql('SELECT count(n) FROM spanning') });
counts('an asynchronous Append', sub { $t->sql('SELECT count(n) FROM parted') });
counts('a read-ahead', sub { $t->sql('SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(t.n) FROM ids JOIN t ON t.id = ids.id') });
counts('searches ahead', sub { $t->sql(q{SELECT count(*) FROM ids, LATERAL (SELECT n FROM t ORDER BY embedding <=> ARRAY[length(ids.id), 1]::real[] LIMIT 2) x}) });
counts('counts', sub { $t->sql('SELECT count(*) FROM t WHERE n > 3; SELECT count(*) FROM t') });
counts('ANALYZE', sub { $t->sql('ANALYZE t') });
counts('IMPORT FOREIGN SCHEMA', sub { $t->sql('CREATE SCHEMA i; IMPORT FOREIGN SCHEMA pinecone FROM SERVER s INTO i; DROP SCHEMA i CASCADE') });
counts('a cursor that is left', sub { $t->sql('SET pinecone_fdw.prefetch = 64; BEGIN; DECLARE c CURSOR FOR SELECT n FROM t; FETCH 1 FROM c; SELECT pg_sleep(0.1); FETCH 1 FROM c; COMMIT') }, abandoned => 1);
counts('writes and a commit', sub { $t->sql(q{BEGIN; INSERT INTO t SELECT 'w' || i, '{1,1}', i FROM generate_series(1, 1500) i; DELETE FROM t WHERE id LIKE 'w1%'; COMMIT}) });
is($t->sql(q{SELECT sum(requests) = sum(commit_requests), sum(records_written) > 1500 FROM pinecone_fdw_stats WHERE operation IN ('upsert', 'delete')}), 't|t', 'the commit sent all writes');
counts('a savepoint, and a transaction that is aborted', sub {
	$t->sql(q{BEGIN; SELECT n FROM t WHERE id = 'r001'; SAVEPOINT a; SELECT n FROM t WHERE id = 'r002'; ROLLBACK TO a; SELECT n FROM t WHERE id = 'r003'; ROLLBACK});
});

# ---- Errors ----

counts('a failure that is repeated', sub {
	$server->fault({path => '/query', status => 503, count => 2});
	$t->sql(q{SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1});
});
counts('a failure in the middle', sub {
	$server->fault({path => '/vectors/fetch', status => 400, skip => 1, count => 1});
	$t->error_of('SELECT count(n) FROM t');
}, abandoned => 0);
counts('an error that is caught', sub {
	$server->fault({path => '/vectors/fetch', status => 400, count => 1});
	$t->sql(q{DO $$ BEGIN PERFORM n FROM t WHERE id = 'r001'; EXCEPTION WHEN OTHERS THEN PERFORM n FROM t WHERE id = 'r002'; END $$});
});
counts('a statement that is canceled', sub {
	$server->fault({path => '/query', kind => 'delay', delay_ms => 1000});
	$t->error_of(q{SET statement_timeout = 200; SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1});
}, abandoned => 1);
$server->clear_faults;

# a quota that is used up, a reply that makes no sense, no reply, nobody there
{
	my @replies = (
		{status => 429, body => q({"code":8,"message":"Request failed. You've reached your egress limit for the current month (1000000000 bytes)."})},
		{status => 200, body => '{"matches": 7}'},
	);
	my $fake = FakeServer->new(sub { $_[0]{path} =~ /stats/ ? FakeServer::stats(2, 10) : shift @replies });
	$t->sql("CREATE SERVER f FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '" . $fake->url . "', max_retries '0'); CREATE USER MAPPING FOR CURRENT_USER SERVER f OPTIONS (api_key 'test-key');"
		. q{CREATE FOREIGN TABLE f (id text, embedding real[]) SERVER f; CREATE SERVER nobody FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://127.0.0.1:1', max_retries '0');}
		. q{CREATE USER MAPPING FOR CURRENT_USER SERVER nobody OPTIONS (api_key 'test-key'); CREATE FOREIGN TABLE nobody (id text, embedding real[]) SERVER nobody});
	$t->error_of(q{SELECT id FROM f ORDER BY embedding <=> '{1,1}' LIMIT 1}) for 1 .. 2;
	$t->error_of(q{SELECT id FROM nobody WHERE id = 'x'});
	is($t->sql(q{SELECT quota_exceeded, rate_limited, invalid_replies, last_error IS NOT NULL FROM pinecone_fdw_stats WHERE srvname = 'f' AND operation = 'query'}), '1|0|1|t', 'a quota and nonsense are told apart');
	is($t->sql(q{SELECT unreachable, errors FROM pinecone_fdw_stats WHERE srvname = 'nobody' AND operation = 'fetch'}), '1|1', 'nobody there');
}

# ---- Connections ----

$t->sql('SELECT pinecone_fdw_stats_reset()');
$t->sql(join ';', (q{SELECT n FROM t WHERE id = 'r001'}) x 5);
is($t->sql('SELECT sum(connections_opened), sum(connections_reused) FROM pinecone_fdw_stats'), '1|4', 'connections that are kept are used again');

# ---- Documents ----

$server->create_document_index('d', {title => {type => 'string', full_text_search => {}}, v => {type => 'dense_vector', dimension => 2, metric => 'cosine'}});
$t->sql(<<"END");
CREATE SERVER d FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'd', control_host 'http://127.0.0.1:@{[$t->port]}');
CREATE USER MAPPING FOR CURRENT_USER SERVER d OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE d (id text COLLATE "C", v real[], title text, n int) SERVER d OPTIONS (namespace 'docs');
END
counts('documents', sub {
	$t->sql(q{INSERT INTO d SELECT 'd' || i, ARRAY[i, 1], 'title ' || i, i FROM generate_series(1, 30) i; UPDATE d SET n = 0 WHERE id IN ('d1', 'd2'); DELETE FROM d WHERE id = 'd3'});
	$t->sql(q{SELECT title FROM d ORDER BY v <=> '{1,1}' LIMIT 3; SELECT title FROM d WHERE title @@@ 'title' LIMIT 2; SELECT count(n) FROM d});
});
is($t->sql(q{SELECT string_agg(operation || ' ' || records_written, ', ' ORDER BY operation) FROM pinecone_fdw_stats WHERE records_written > 0}),
	'delete_documents 1, update_documents 2, upsert_documents 30', 'documents that are written');
is($t->sql(q{SELECT namespace, records_read FROM pinecone_fdw_stats WHERE operation = 'search_documents'}), 'docs|5', 'and found');
done_testing;
