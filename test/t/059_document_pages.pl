#!/usr/bin/env perl
#
# Document indexes paged by a filter that all documents meet: the same documents as
# listed, under every reading of what nobody knows for sure, in fewer requests.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => ['--latency', 3, '--log-size', 20000]);
my $server = $t->server;

srand 59;
my $many = 2400;
my @documents = map { {
	_id => sprintf('d%04d', $_),
	$_ % 7 ? (embedding => [map { rand() - 0.5 } 1 .. 16]) : (title => "only words $_"),
	$_ % 3 ? (title => 'Title ' . $_ % 4) : (),
	$_ % 5 ? (n => $_) : ()} } 1 .. $many;

$server->create_document_index('docs', {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 16, metric => 'cosine'}});
while (my @some = splice @documents, 0, 400)
{
	$server->upsert_documents('docs', 'ns', \@some);
}
$t->sql("CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'docs', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE docs (id text COLLATE \"C\", title text, embedding real[], n int) SERVER s OPTIONS (namespace 'ns')");

my @statements = (
	"SELECT count(*), count(DISTINCT id), count(title), sum(n), md5(string_agg(id || coalesce(title, '-') || coalesce(n::text, '-'), ' ' ORDER BY id)) FROM docs",
	"SELECT count(*), md5(string_agg(id || coalesce(embedding::text, '-'), ' ' ORDER BY id)) FROM docs",
	"SELECT count(*), md5(string_agg(id, ' ' ORDER BY id)) FROM (SELECT id FROM docs OFFSET 0) s",
	"SELECT count(*), count(DISTINCT id) FROM (SELECT id, title FROM docs LIMIT 300) s",
	"SELECT count(*), count(DISTINCT id) FROM (SELECT id, n FROM docs WHERE length(id) = 5 LIMIT 2390) s",
	"SELECT md5(string_agg(id, ' ')) FROM (SELECT id, n FROM docs ORDER BY id LIMIT 50) s");

my $listed = $t->session;
$listed->query('SET pinecone_fdw.enable_metadata_pages = off');
my @expected = map { $listed->query($_)->{out} } @statements;

for my $reading ({}, {'dense-only' => 'empty'}, {'text-filter' => 'works'}, {'text-filter' => 'reject'}, {'unknown-field' => 'reject'}, {'document-stats' => 'full'},
	{'document-stats' => 'refused'}, {'not-missing' => 'skip'}, {'foreign-token' => 'accept'}, {'result-limit' => 'none'})
{
	my ($fact) = %$reading;
	my $s = $t->session;

	$server->control('POST', '/_local/settings', {assume => $reading}) if $fact;
	for my $sets ('SET pinecone_fdw.sweep_records = 0', 'RESET pinecone_fdw.sweep_records')
	{
		$s->query($sets);
		is_deeply([map { my $r = $s->query($_); $r->{out} . $r->{err} } @statements], \@expected, ($fact ? "$fact $reading->{$fact}" : 'as assumed') . ", $sets");
	}
	$server->control('POST', '/_local/settings', {assume => {$fact => {'dense-only' => 'found', 'text-filter' => 'none', 'unknown-field' => 'absent', 'document-stats' => 'bare', 'not-missing' => 'match', 'foreign-token' => 'reject', 'result-limit' => '4mb'}->{$fact}}}) if $fact;
}

my $s = $t->session;
$s->query('SELECT id FROM docs LIMIT 1');
my $text = $s->query('EXPLAIN ANALYZE SELECT title, n FROM docs')->{out};
like($text, qr/Pinecone Way: pages of a filter that all records meet/, 'pages by a filter');
like($text, qr/ Requests: 2$/m, 'one, and statistics');
unlike($text, qr/Read Page By Page/, 'are all of it');

# half of the documents do not meet the filter
$server->fault({path => '/namespaces/ns/documents/fetch', status => 200, count => 1, body => '{"documents":{' . join(',', map { sprintf '"d%04d":{"_id":"d%04d"}', $_, $_ } 1 .. 1200) . '},"namespace":"ns"}'});
my $left = $s->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT id, n FROM docs')->{out};
like($left, qr/rows=$many/, 'what such pages leave out is listed');
like($left, qr/Read Page By Page/, 'as EXPLAIN ANALYZE tells');
$server->clear_faults;
unlike($s->query('EXPLAIN (COSTS OFF, ANALYZE) SELECT title, n FROM docs')->{out}, qr/Sweep Requests/, 'and it is not assumed again');

# ---- How many documents a page is asked for, by what is asked for of them ----

# A number is small, of a text nobody knows before ANALYZE; and a field that is larger
# than its column says is read in smaller pages
my $large = 'x' x 4000;
for my $part (0 .. 4)
{
	$server->upsert_documents('docs', 'wide', [map { {_id => sprintf('w%04d', $_), title => "t $_", n => $_, kind => 'k' . $_ % 5, w => $_ % 2 ? $_ : $large} } $part * 500 .. $part * 500 + 499]);
}
$t->sql('CREATE FOREIGN TABLE wide (id text COLLATE "C", kind text, n int, w int, all_of_it text OPTIONS (field \'w\')) SERVER s
	OPTIONS (namespace \'wide\', on_type_error \'null\')');
$s = $t->session;

# how many documents the requests of a query ask for
sub limits
{
	my ($query) = @_;

	$server->clear_requests;
	$s->query($query);
	return join ' ', map { $_->{body}{limit} } grep { $_->{path} =~ m{/documents/} } $server->requests;
}
like(limits('SELECT sum(n) FROM wide WHERE n >= 1'), qr{^(10000|3225)$}, 'of a number');
is(limits('SELECT max(kind), sum(n) FROM wide WHERE n >= 1'), '5729', 'of a text that nobody knows');
$t->sql('ANALYZE wide (kind)');
like(limits('SELECT max(kind), sum(n) FROM wide WHERE n >= 1'), qr{^(10000|3225)$}, 'of one that ANALYZE has seen');
is($s->query('SELECT count(*), count(w), count(all_of_it) FROM (SELECT w, all_of_it FROM wide WHERE n >= 1 OFFSET 0) s')->{out}, '2499|1250|1249', 'of a field that is larger than its column says');
is($s->query('SELECT count(*), count(w) FROM (SELECT w FROM wide WHERE n >= 1 OFFSET 0) s')->{out}, '2499|1250', 'and by that column alone');
like(limits('SELECT w FROM wide WHERE n >= 1'), qr/^10000 5000 (?!10000)/, 'which takes a page that is refused');

done_testing();
