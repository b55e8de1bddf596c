# Statistics beside what others count and log, whoever was loaded first; the logs
# of slow requests and of writes; and no key in any log.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

my $key = 'secret-key-7f3a';
chomp(my $pg_config = `"$FindBin::Bin/../pg_config.sh" --path`);
chomp(my $libraries = `"$pg_config" --pkglibdir`);
my @others = grep { -e "$libraries/$_.so" } qw(pg_stat_statements auto_explain pgaudit pg_wait_sampling timescaledb citus);
note("with @others");

for my $order ('last', 'first')
{
	local $ENV{PINECONE_LOCAL_KEY} = $key;
	my @preload = $order eq 'last' ? (@others, 'pinecone_fdw') : ('pinecone_fdw', @others);
	my $t = Harness->new(conf => [
		"shared_preload_libraries = '" . join(', ', @preload) . "'",
		'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on', "pgaudit.log = 'write'",
		'log_statement = all', 'pinecone_fdw.log_min_request_duration = 0', 'pinecone_fdw.audit = on',
		'log_min_messages = debug1',
	]);
	my $host = $t->server->create_index('m', dimension => 2);
	$t->server->upsert('m', 'kb2', [{id => 'x', values => [1, 1], metadata => {n => 2}}]);
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
SET log_statement = none;
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE other (id text, n int) SERVER s OPTIONS (namespace 'kb2');
END
	$t->sql(q{INSERT INTO t VALUES ('a"b', '{1,1}', 1), (E'line\n', '{1,2}', 2), ('c', '{1,3}', 3)});
	$t->sql(q{UPDATE t SET n = 4 WHERE id = 'c'});
	$t->sql(q{DELETE FROM t WHERE n = 1});
	$t->sql(q{DELETE FROM t WHERE id = 'c'});
	$t->sql(q{SET pinecone_fdw.unseen_writes = 0; DELETE FROM other WHERE n = 2});
	is($t->sql(q{SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1}), "line\n", "$order: a search") for 1 .. 3;
	is($t->sql(q{SELECT calls, requests FROM pinecone_fdw_stats WHERE operation = 'query'}), '3|3', "$order: is counted");
	is($t->sql(q{SELECT sum(commit_requests) > 3, sum(calls) FILTER (WHERE operation = 'commit') FROM pinecone_fdw_stats}), 't|5', "$order: commits are");
	my $log = $t->log;

	SKIP:
	{
		skip 'no pg_stat_statements', 1 unless grep { $_ eq 'pg_stat_statements' } @others;
		$t->sql('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
		is($t->sql(q{SELECT calls FROM pg_stat_statements WHERE query LIKE 'SELECT id FROM t ORDER BY%'}), 3, "$order: pg_stat_statements counts");
	}
	SKIP:
	{
		skip 'no auto_explain', 1 unless grep { $_ eq 'auto_explain' } @others;
		like($log, qr/Pinecone Operation: query\n(?:\s+.*\n)*?\s+Requests: 1\n/, "$order: auto_explain logs what a plan has asked for");
	}
	SKIP:
	{
		skip 'no pgaudit', 1 unless grep { $_ eq 'pgaudit' } @others;
		like($log, qr/AUDIT: SESSION,\d+,\d+,WRITE,INSERT/, "$order: pgaudit logs");
	}
	SKIP:
	{
		skip 'no pg_wait_sampling', 1 unless grep { $_ eq 'pg_wait_sampling' } @others;
		$t->sql('CREATE EXTENSION IF NOT EXISTS pg_wait_sampling');
		is($t->sql('SELECT count(*) >= 0 FROM pg_wait_sampling_profile'), 't', "$order: pg_wait_sampling runs");
	}

	# slow requests
	like($log, qr/slow request to Pinecone: pinecone_$_ took [\d.]+ ms/, "$order: pinecone_$_ is logged") for qw(query upsert delete describe_index_stats);
	like($log, qr/pinecone_query took .*\n.*DETAIL:  Server "s", host \S+, namespace "kb", top_k 1, HTTP status 200, \d+ bytes, request id \d+\./, "$order: with what is needed to find it");

	# writes
	my @audit = map { JSON::PP->new->utf8->decode($_) } $log =~ /pinecone_fdw audit: (\{.*\})$/mg;
	is_deeply([map { join ' ', @$_{qw(user server namespace operation)}, $_->{filter} // join ',', sort @{$_->{ids}} } @audit],
		["postgres s kb upsert a\"b,c,line\n", 'postgres s kb update c', 'postgres s kb delete a"b', 'postgres s kb delete c', 'postgres s kb2 delete_by_metadata {"n":{"$eq":2}}'],
		"$order: writes are logged, a line of JSON each");

	# a key that the service refuses, and repeats in its reply
	$t->server->fault({path => '/query', status => 401, body => qq({"error": {"message": "bad key $key"}})});
	like($t->error_of(q{SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1}), qr/rejected the API key/, "$order: a key is rejected");
	is($t->sql(q{SELECT key_rejected, last_error LIKE 'HTTP status 401%' AND last_error NOT LIKE '%7f3a%' FROM pinecone_fdw_stats WHERE operation = 'query'}), '1|t', "$order: which is counted, without the key");
	unlike($t->log, qr/\Q$key\E/, "$order: no key is in the log");
}
done_testing;
