#!/usr/bin/env perl
#
# Integrated indexes under what SQL alone cannot bring about: writes that show late,
# requests that fail half way, approximate answers, small limits.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $small = ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--small-limits/;

sub set
{
	my (%settings) = @_;
	$server->control('POST', '/_local/settings', \%settings);
}

sub paths
{
	my ($pattern) = @_;
	my @found = grep { /$pattern/ } map { $_->{path} } $server->requests;

	$server->clear_requests;
	return scalar @found;
}

$server->create_integrated_index('chunks', 'chunk', 'llama-text-embed-v2', 384);
$t->sql("CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'chunks', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE chunk (id text COLLATE \"C\", chunk text, n int, score real) SERVER s OPTIONS (namespace 'ns');
	CREATE FOREIGN TABLE whole (id text COLLATE \"C\", embedding real[], chunk text, n int, score real) SERVER s OPTIONS (namespace 'ns');
	CREATE FOREIGN TABLE waiting (id text COLLATE \"C\", embedding real[], chunk text, n int, score real) SERVER s OPTIONS (namespace 'ns', consistency 'session')");
my $query = $t->sql("SELECT pinecone_embed('s', 'llama-text-embed-v2', 'a red apple', dimension => 384)");

# ---- Half way ----

$server->clear_requests;
$server->fault({path => '/records/namespaces/ns/upsert', contains => '"t150"', kind => 'status', status => 400, body => {error => {code => 'INVALID_ARGUMENT', message => 'no'}, status => 400}});
my $insert = "INSERT INTO chunk SELECT 't' || i, 'text ' || i, i FROM generate_series(1, 200) i";
my $error = $t->error_of($insert);
like($error, qr/(No write had|\d+ writes? had) been applied/, 'what a batch that fails leaves behind is said');
$t->sql($insert);
is($t->sql("SELECT count(*), count(chunk) FROM chunk"), '200|200', 'and the statement is safe to repeat');
for my $fault ({kind => 'close'}, {kind => 'close_after'}, {kind => 'status', status => 503}, {kind => 'status', status => 429}, {kind => 'garbage'})
{
	$server->fault({path => '/records/namespaces/ns/upsert', %$fault});
	$t->sql("INSERT INTO chunk VALUES ('again', 'a text', 0)");
	is($t->sql("SELECT chunk FROM chunk WHERE id = 'again'"), 'a text', "an upsert after: $fault->{kind} " . ($fault->{status} // ''));
	$server->fault({path => '/records/namespaces/ns/search', %$fault});
	is($t->sql("SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'a text') ORDER BY score DESC LIMIT 1"), 'again', 'a search after the same');
}
$server->fault({path => '/records/namespaces/ns/upsert', kind => 'status', status => 413}) unless $small;
$server->clear_requests;
$t->sql("INSERT INTO chunk SELECT 't' || i, 'text ' || i, i FROM generate_series(1, 90) i");
is(paths('/upsert$'), 3, 'what is too large goes out in parts') unless $small;
is($t->sql("SELECT count(*) FROM chunk"), 201, 'all of it');
my $bare = '{"result":{"hits":[{"_id":"x","fields":{}}]},"usage":{}}';
for my $lie ('{"result":{}}', '{"usage":{}}', '{"result":{"hits":{}}}', '{"result":{"hits":[{"_score":1}]}}', $bare, '{"result":{"hits":[{"_id":"x","_score":"1"}]}}')
{
	$server->fault({path => '/records/namespaces/ns/search', kind => 'status', status => 200, content_type => 'application/json', body => $lie, count => -1});
	like($t->error_of("SET statement_timeout = '20s'; ALTER SERVER s OPTIONS (ADD max_retries '0'); SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'a') LIMIT 1"),
		qr/invalid response from Pinecone/, "a reply that lies: $lie");
	$server->clear_faults;
}

# ---- Late ----

set(lag => 700);
$t->sql("ALTER SERVER s OPTIONS (DROP max_retries)");
$t->sql("TRUNCATE chunk; INSERT INTO chunk VALUES ('apple', 'a red apple', 1), ('road', 'a long road', 2)");
is($t->sql("SELECT string_agg(id || ' ' || chunk, ', ' ORDER BY id) FROM chunk"), 'apple a red apple, road a long road', 'texts are seen at once');
is($t->sql("SELECT count(*) FROM chunk WHERE n = 2"), 1, 'and counted');
is($t->sql("SELECT id FROM waiting WHERE embedding <=> '$query' < 2 ORDER BY embedding <=> '$query' LIMIT 1"), 'apple', 'under consistency a search by vectors waits for them');
is($t->sql("INSERT INTO waiting (id, chunk) VALUES ('pear', 'a green pear'); SELECT id FROM waiting WHERE pinecone_search_meaning(chunk, 'a green pear') ORDER BY score DESC LIMIT 1"), 'pear', 'and so does one by words');
$t->sql("UPDATE chunk SET chunk = 'a blue plum' WHERE id = 'pear'");
is($t->sql("SELECT chunk FROM chunk WHERE id = 'pear'"), 'a blue plum', 'a text that has changed');
$t->sql("UPDATE whole SET n = NULL WHERE id = 'pear'");
is($t->sql("SELECT chunk, n FROM chunk WHERE id = 'pear'"), 'a blue plum|', 'and one whose record is written again');
is($t->sql("SELECT id FROM waiting WHERE pinecone_search_meaning(chunk, 'a blue plum') ORDER BY score DESC LIMIT 1"), 'pear', 'its vector follows');
# likewise of documents
$server->create_document_index('docs', {body => {type => 'string', full_text_search => {}, embed => {dimension => 512}}});
$t->sql("CREATE SERVER d FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'docs', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER d OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE doc (id text COLLATE \"C\", body text, score real) SERVER d OPTIONS (consistency 'session');
	INSERT INTO doc VALUES ('d', 'first words')");
is($t->sql("INSERT INTO doc VALUES ('e', 'only words'); SELECT id FROM doc WHERE pinecone_search_meaning(body, 'only words') ORDER BY score DESC LIMIT 1"), 'e', 'a document by its meaning');
is($t->sql("INSERT INTO doc VALUES ('f', 'last words'); SELECT id FROM doc WHERE body \@\@\@ 'last' ORDER BY score DESC LIMIT 1"), 'f', 'and by its words');
set(lag => 0);

# ---- Approximate; many ----

$t->sql("INSERT INTO chunk SELECT 'w' || i, 'word' || i || ' apple', i FROM generate_series(1, 300) i");
set(approximate => 7);
my $found = "FROM chunk WHERE pinecone_search_meaning(chunk, 'apple')";
if ($small)
{
	like($t->error_of("SELECT count(*) $found"), qr/more documents match/, 'more than a search can bring is an error') if $small;
}
else
{
	is($t->sql("SELECT count(*), count(DISTINCT id) FROM (SELECT id $found ORDER BY score DESC LIMIT 50) x"), '50|50', 'a LIMIT is filled');
	is($t->sql("SELECT count(*) FROM (SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apple', 'bge-reranker-v2-m3', 60) AND n % 2 = 0 ORDER BY score DESC) x") <= 60, 1, 'no more than the candidates');
}
set(approximate => 0);
is($t->sql("SELECT count(*), count(DISTINCT id) $found"), '303|303', 'all, where a search brings them') unless $small;
$server->clear_requests;
is($t->sql("SELECT count(*) FROM (SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apple', 'bge-reranker-v2-m3', 4) AND n % 2 < 2 ORDER BY score DESC LIMIT 3) x"), 3, 'a LIMIT below the candidates');
is(paths('/search$'), 1, 'is one request');
done_testing;
