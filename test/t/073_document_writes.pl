#!/usr/bin/env perl
#
# Writes to document indexes: how many requests, true counts under every reading
# of what nobody knows for sure, and failures that leave nothing in doubt unsaid.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $small = ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--small-limits/;

sub assume
{
	my (%facts) = @_;
	$server->control('POST', '/_local/settings', {assume => \%facts});
}

sub paths
{
	my ($pattern) = @_;
	my @found = grep { /$pattern/ } map { $_->{path} } $server->requests;

	$server->clear_requests;
	return scalar @found;
}

$server->create_document_index('plain', {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 2, metric => 'cosine'}});
$server->create_document_index('models', {title => {type => 'string', full_text_search => {}, embed => {dimension => 512}}});
$server->create_document_index('unstored', {title => {type => 'string', embed => {dimension => 512}, store_text => \0}, note => {type => 'string', full_text_search => {}}});
for my $index ('plain', 'models', 'unstored')
{
	$t->sql("CREATE SERVER $index FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$index', control_host '$server->{url}');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $index OPTIONS (api_key 'test-key')");
}
$t->sql("CREATE FOREIGN TABLE plain (id text, title text, embedding real[], n int, m int) SERVER plain OPTIONS (namespace 'ns');
	CREATE FOREIGN TABLE models (id text, title text, n int) SERVER models;
	CREATE FOREIGN TABLE unstored (id text, title text, note text, n int) SERVER unstored;
	ALTER DATABASE postgres SET pinecone_fdw.unseen_time = 0");
$server->clear_requests;

# ---- How many requests ----

$t->sql("INSERT INTO plain SELECT 'r' || i, 'title ' || i, ARRAY[i, 1], i, i % 7 FROM generate_series(1, 3000) i");
is(paths('/upsert$'), 3, 'an upsert takes 1,000 documents') unless $small;
$t->sql("UPDATE plain SET title = title || '!', m = NULL");
is(paths('/update$'), 3, 'and so does an update of texts, with fields that go away') unless $small;
is($t->sql("SELECT count(*), count(title), count(*) FILTER (WHERE title LIKE '%!'), count(m) FROM plain"), '3000|3000|3000|0', 'all of them are changed');
$server->clear_requests;
$t->sql("INSERT INTO models SELECT 'r' || i, 'title ' || i, i FROM generate_series(1, 200) i");
is(paths('/upsert$'), 3, 'where texts are embedded, 96') unless $small;

$t->sql("CREATE FOREIGN TABLE one_by_one (id text, title text, n int) SERVER plain OPTIONS (namespace 'ns', batch_size '1')");
$server->clear_requests;
$t->sql("UPDATE one_by_one SET title = 'a title of ' || n WHERE id IN ('r1', 'r2', 'r3')");
is(paths('/update$'), 3, 'one by one');
is($t->sql("SELECT string_agg(title, ',' ORDER BY n) FROM one_by_one WHERE id IN ('r1', 'r2', 'r3')"), 'a title of 1,a title of 2,a title of 3', 'they are changed');
for my $refusal ([413, 'too large'], [400, 'The number of documents must be at most 400, got 1000'])
{
	my ($status, $message) = @$refusal;

	$server->fault({path => '/namespaces/ns/documents/update', kind => 'status', status => $status, body => "{\"error\":{\"code\":\"INVALID_ARGUMENT\",\"message\":\"$message\"},\"status\":$status}", count => 1});
	$t->sql("UPDATE plain SET title = title || '?'");
	is($t->sql("SELECT count(*) FROM plain WHERE title LIKE '%?'"), '3000', "updates that were refused as too many go out again in parts: $status");
	$t->sql("UPDATE plain SET title = rtrim(title, '?')");
}

# ---- True counts ----

for my $facts ({}, {'matched-records' => 'absent'}, {'document-lsn' => 'off'}, {'not-missing' => 'skip'})
{
	my ($fact) = %$facts;

	assume(%$facts);
	my $what = $fact // 'as a rule';
	like($t->psql("UPDATE plain SET m = 1 WHERE n <= 30", '-A')->{out} . $t->sql("SELECT count(*) FROM plain WHERE m = 1"), qr/30$/, "an update by filter: $what");
	is($t->sql("WITH d AS (DELETE FROM plain WHERE n <= 10 RETURNING 1) SELECT count(*) FROM d"), '10', "rows deleted: $what");
	$t->sql("DELETE FROM plain WHERE n BETWEEN 11 AND 30");
	is($t->sql("SELECT count(*) FROM plain WHERE n <= 30"), '0', "a delete by filter: $what");
	$t->sql("INSERT INTO plain SELECT 'r' || i, 'title ' || i, ARRAY[i, 1], i, NULL FROM generate_series(1, 30) i");
	assume($fact => {'matched-records' => 'present', 'document-lsn' => 'on', 'not-missing' => 'match'}->{$fact}) if defined $fact;
}
for my $reading ('not-found', 'ok')
{
	assume('delete-all-absent' => $reading);
	$t->sql("CREATE FOREIGN TABLE nowhere (id text, title text) SERVER plain OPTIONS (namespace 'nowhere'); TRUNCATE nowhere; DROP FOREIGN TABLE nowhere");
	pass("TRUNCATE of what never was: $reading");
}

# ---- Texts that are not stored ----

$t->sql("INSERT INTO unstored VALUES ('u', 'a meaning', 'words', 1)");
is($t->sql('SELECT id, title IS NULL, note, n FROM unstored'), 'u|t|words|1', 'they read as NULL');
$t->sql("UPDATE unstored SET n = 2 WHERE id = 'u'");
is($t->sql("SELECT n FROM unstored WHERE pinecone_search_meaning(title, 'a meaning') ORDER BY 1 LIMIT 1"), '2', 'an update leaves them alone');
like($t->error_of("UPDATE unstored SET id = 'v' WHERE id = 'u'"), qr/text "title" is not stored/, 'a document cannot be moved without them');

# ---- Failures ----

$server->fault({path => '/namespaces/ns/documents/upsert', kind => 'close_after', count => 1});
$t->sql("INSERT INTO plain VALUES ('again', 'sent twice', '{1,1}', 1, 1)");
is($t->sql("SELECT title FROM plain WHERE id = 'again'"), 'sent twice', 'a lost answer is asked for again');
$server->fault({path => '/namespaces/ns/documents/upsert', kind => 'status', status => 400, body => '{"error":{"code":"INVALID_ARGUMENT","message":"no such luck"},"status":400}', count => 1});
like($t->error_of("INSERT INTO plain VALUES ('never', 'x', '{1,1}', 1, 1)"), qr/no such luck.*No write had been applied/s, 'a refusal says what has been applied');
$server->fault({path => '/namespaces/ns/documents/upsert', kind => 'status', status => 202, body => '{"upserted_count":0}', count => 1});
$t->sql("INSERT INTO plain VALUES ('counted', 'x', '{1,1}', 1, 1)");
is($t->sql("SELECT count(*) FROM plain WHERE id = 'counted'"), '1', 'a reply that confirms less is not believed');
$server->alias($server->host('plain'), 'shown', 'ns');
$t->sql("CREATE FOREIGN TABLE shown (id text, title text) SERVER plain OPTIONS (namespace 'shown')");
like($t->error_of("INSERT INTO shown VALUES ('x', 'y')"), qr/alias/, 'an alias cannot be written to');
is($t->sql("SELECT title FROM shown WHERE id = 'again'"), 'sent twice', 'but read');
done_testing();
