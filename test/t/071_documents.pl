#!/usr/bin/env perl
#
# Document indexes under every reading of what nobody knows for sure, against a
# local copy; and how many bytes travel, against an index of vectors.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $json = JSON::PP->new->canonical;

sub assume
{
	my (%facts) = @_;
	$server->control('POST', '/_local/settings', {assume => \%facts});
}

# ---- The same answers whatever the service does ----

my %fields = (title => {type => 'string', full_text_search => {}}, terms => {type => 'sparse_vector'});
my @documents = map { {
	_id => sprintf('d%03d', $_),
	$_ % 7 ? (embedding => [$_ % 11 + 1, $_ % 5, $_ % 3]) : (title => "only words $_"),
	$_ % 3 ? (title => 'Title ' . $_ % 4) : (),
	n => $_, group => 'g' . $_ % 4, $_ % 2 ? (odd => JSON::PP::true) : ()} } 1 .. 60;
my @questions = (
	q{SELECT id, title, n FROM %s ORDER BY id COLLATE "C"},
	q{SELECT id FROM %s WHERE n > 40 AND "group" <> 'g1' ORDER BY id},
	q{SELECT id FROM %s WHERE odd IS NULL AND n < 20 ORDER BY id},
	q{SELECT id FROM %s WHERE title = 'Title 2' ORDER BY id},
	q{SELECT id FROM %s WHERE title IS NULL OR n = 5 ORDER BY id},
	q{SELECT id FROM %s WHERE NOT (title = 'Title 1' AND n < 30) ORDER BY id},
	q{SELECT count(*) FROM %s WHERE n BETWEEN 10 AND 19},
	q{SELECT array_agg(d) FROM (SELECT round((embedding <-> '{3,1,2}')::numeric, 4) AS d FROM %s ORDER BY embedding <-> '{3,1,2}' LIMIT 9) s},
	q{SELECT array_agg(d) FROM (SELECT round((embedding <=> '{3,1,2}')::numeric, 4) AS d FROM %s ORDER BY embedding <=> '{3,1,2}' LIMIT 9) s},
	q{SELECT array_agg(d) FROM (SELECT round((embedding <-> '{3,1,2}')::numeric, 4) AS d FROM %s WHERE "group" = 'g2' ORDER BY embedding <-> '{3,1,2}' LIMIT 40) s},
	q{SELECT array_agg(d) FROM (SELECT round((embedding <=> '{3,1,2}')::numeric, 4) AS d FROM %s WHERE "group" = 'g2' ORDER BY embedding <=> '{3,1,2}') s},
);
my @readings = ({}, {'euclidean-score' => 'similarity'}, {'text-filter' => 'works'}, {'text-filter' => 'reject'}, {ties => 'random'}, {'unknown-field' => 'reject'},
	{'document-stats' => 'full'}, {'document-version' => '2026-07'}, {'document-lsn' => 'off'}, {'not-missing' => 'skip'}, {'old-versions' => 'hidden'});
my $columns = 'id text, title text, embedding real[], n int, "group" text, odd boolean';

for my $metric ('euclidean', 'cosine')
{
	$server->create_document_index($metric, {%fields, embedding => {type => 'dense_vector', dimension => 3, metric => $metric}});
	$server->upsert_documents($metric, 'ns', \@documents);
	$t->sql("CREATE SERVER $metric FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$metric', control_host '$server->{url}');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $metric OPTIONS (api_key 'test-key');
		CREATE FOREIGN TABLE f_$metric ($columns) SERVER $metric OPTIONS (namespace 'ns')");
}
$t->sql("CREATE TABLE local ($columns)");
$t->sql('INSERT INTO local VALUES ' . join ', ', map {
	my $d = $_;
	'(' . join(', ', "'$d->{_id}'", defined $d->{title} ? "'$d->{title}'" : 'NULL', $d->{embedding} ? "'{" . join(',', @{$d->{embedding}}) . "}'" : 'NULL', $d->{n}, "'$d->{group}'", $d->{odd} ? 'true' : 'NULL') . ')'
} @documents);

# The answers to all questions, with what they ask in front
sub answers
{
	my ($table) = @_;
	my $result = $t->psql(join ";\n", map { my $quoted = sprintf($_, '...') =~ s/'/''/gr; ("SELECT '$quoted'", sprintf $_, $table) } @questions);

	return $result->{out} . $result->{err};
}
my $expected = answers('local');
for my $reading (@readings)
{
	my ($fact) = %$reading;

	assume(%$reading);
	is(answers($_), $expected, "$_ says the same as a local table: " . $json->encode($reading)) for 'f_euclidean', 'f_cosine';
	# back to the first of its values
	assume($fact => {'euclidean-score' => 'distance', 'text-filter' => 'none', ties => 'id', 'unknown-field' => 'absent', 'document-stats' => 'bare',
		'document-version' => 'any', 'document-lsn' => 'on', 'not-missing' => 'match', 'old-versions' => 'shown'}->{$fact}) if defined $fact;
}

# ---- An index that declares a dense vector alone, where searches may find nothing ----

$server->create_document_index('dense', {embedding => {type => 'dense_vector', dimension => 3, metric => 'cosine'}});
$server->upsert_documents('dense', 'ns', [grep { $_->{embedding} } @documents]);
$t->sql("CREATE SERVER dense FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'dense', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER dense OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE f_dense ($columns) SERVER dense OPTIONS (namespace 'ns');
	DELETE FROM local WHERE embedding IS NULL");
$expected = answers('local');
for my $what ('found', 'empty')
{
	assume('dense-only' => $what);
	is(answers('f_dense'), $expected, "a dense vector alone, which searches find: $what");
}
assume('dense-only' => 'found');

# ---- What travels ----

my $dimension = 1536;
sub vector
{
	my ($seed) = @_;
	return [map { sprintf('%.7f', sin($seed * 31 + $_)) + 0 } 1 .. $dimension];
}
my @large = map { {id => sprintf('r%04d', $_), values => vector($_), metadata => {title => "Title $_", year => 2000 + $_}} } 1 .. 200;
$server->create_index('large', dimension => $dimension, metric => 'cosine');
$server->upsert('large', '', [@large[$_ .. $_ + 49]]) for 0, 50, 100, 150;
$server->create_document_index('large-documents', {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => $dimension, metric => 'cosine'}});
$server->upsert_documents('large-documents', '', [map { {_id => $_->{id}, embedding => $_->{values}, %{$_->{metadata}}} } @large[$_ .. $_ + 49]]) for 0, 50, 100, 150;
for my $index ('large', 'large-documents')
{
	my $name = $index =~ tr/-/_/r;
	$t->sql("CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$index', control_host '$server->{url}');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
		CREATE FOREIGN TABLE $name (id text, embedding real[], title text, year int) SERVER $name");
}

sub bytes
{
	my ($query) = @_;
	my $plan = $json->decode($t->sql("EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) $query"));
	my ($node) = $plan->[0]{Plan};

	$node = $node->{Plans}[0] while $node->{Plans};
	my ($received) = $node->{"Bytes Received"};
	return $received;
}
my $q = '{' . join(',', @{vector(5)}) . '}';
for my $query ('SELECT id, title, year FROM %s', "SELECT id, title FROM %s ORDER BY embedding <=> '$q' LIMIT 10", "SELECT id, embedding FROM %s ORDER BY embedding <=> '$q' LIMIT 10")
{
	my ($vectors, $documents) = map { bytes(sprintf $query, $_) } 'large', 'large_documents';
	my $shown = $query =~ s/'\{.*\}'/q/r;

	note "$shown: $documents bytes of documents, $vectors of vectors";
	# vectors of documents are float64 in print
	cmp_ok($documents, '<=', $vectors * ($query =~ /year/ ? 0.05 : $query =~ /title/ ? 1 : 2.5), "bytes of $shown");
}

# ---- Who is slow to tell what index it is ----

$t->sql("CREATE SERVER slow FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'large-documents', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER slow OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE slow (id text, title text) SERVER slow");
$server->fault({path => '/indexes/large-documents', kind => 'delay', delay_ms => 1300, count => 1});
$server->clear_requests;
is($t->sql("SET pinecone_fdw.stats_ttl = 0; SELECT count(*), count(title) FROM slow"), '200|200', 'the first statement waits for it');
is((join ' ', map { "$_->{path} $_->{version}" } grep { $_->{path} =~ /stats|indexes/ } $server->requests), '/indexes/large-documents 2026-07 /describe_index_stats 2026-04', 'versions are those that are needed');

# ---- Fetches ----

$server->clear_requests;
is($t->sql("SELECT count(*), count(title) FROM large_documents WHERE id = ANY (ARRAY(SELECT 'r' || to_char(i, 'FM0000') FROM generate_series(1, 1200) i))"), '200|200', 'many ids');
is((join ' ', sort { $b <=> $a } map { scalar @{$_->{body}{ids}} } grep { $_->{path} =~ m{/documents/fetch$} } $server->requests), '1000 200', 'a fetch takes 1,000 of them');

# ids that a condition chooses are gathered from as many pages as a fetch takes
$server->upsert_documents('cosine', 'many', [map { {_id => sprintf('m%04d', $_), title => "T $_", n => $_} } 1 .. 1300]);
$t->sql("CREATE FOREIGN TABLE many ($columns) SERVER cosine OPTIONS (namespace 'many')");
$server->clear_requests;
is($t->sql("SELECT count(*), sum(n) FROM (SELECT n FROM many WHERE id LIKE '%0' OR length(id) = 5 OFFSET 0) s"), '1300|845650', 'records of listed ids');
is((join ' ', sort { $b <=> $a } map { scalar @{$_->{body}{ids}} } grep { $_->{path} =~ m{/documents/fetch$} } $server->requests), '1000 300', 'in large fetches');

# ---- halfvec and sparsevec ----

$server->create_document_index('halves', {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 3, metric => 'cosine'}, terms => {type => 'sparse_vector'}});
$t->sql("CREATE EXTENSION IF NOT EXISTS vector;
	CREATE SERVER halves FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'halves', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER halves OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE halves (id text, title text, embedding halfvec(3), terms sparsevec(50)) SERVER halves;
	INSERT INTO halves VALUES ('a', 'x', '[1,0,0]', '{1:2,5:1}/50'), ('b', 'y', '[0,1,0]', '{5:3}/50'), ('c', 'z', NULL, NULL)");
like($t->sql("EXPLAIN (VERBOSE) SELECT id FROM halves ORDER BY embedding <=> '[1,0.5,0]' LIMIT 2"), qr{/documents/search.*"values":\[1,0.5,0\]}s, 'halfvec is searched');
is($t->sql("SELECT id, embedding, terms FROM halves ORDER BY embedding <=> '[1,0.5,0]' LIMIT 3") =~ s/\n/ /gr, 'a|[1,0,0]|{1:2,5:1}/50 b|[0,1,0]|{5:3}/50 c||', 'in order, what has no vector last');
is($t->sql("SELECT id, terms <#> '{5:1}/50' FROM halves ORDER BY terms <#> '{5:1}/50' LIMIT 2") =~ s/\n/ /gr, 'b|-3 a|-1', 'sparse vectors are ordered here');
$t->sql("UPDATE halves SET embedding = '[0,0,1]', terms = '{7:1}/50' WHERE id = 'c'");
is($t->sql("SELECT embedding, terms FROM halves WHERE id = 'c'"), '[0,0,1]|{7:1}/50', 'both are updated');

# ---- Scores beyond the range of float32: the service says null ----

$server->create_document_index('huge', {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 2, metric => 'dotproduct'}});
$t->sql("CREATE SERVER huge FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'huge', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER huge OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE huge (id text, title text, embedding real[], score float8) SERVER huge;
	INSERT INTO huge (id, title, embedding) VALUES ('a', 'x', '{1,2}'), ('b', 'x', '{2e38,2e38}'), ('c', NULL, '{-2e38,-2e38}'), ('d', 'y', '{0.5,0}'), ('e', 'x', '{3e38,3e38}'), ('f', 'only words', NULL)");
for my $limit (1, 3, 6)
{
	is($t->sql("SELECT id FROM huge ORDER BY embedding <#> '{1,1}' LIMIT $limit") =~ s/\n/ /gr, join(' ', (qw(e b a d c f))[0 .. $limit - 1]), "the best $limit by scores that the service does not tell");
}
is($t->sql("SELECT id, embedding <#> '{0.25,0.25}', score FROM huge WHERE id <> 'e' ORDER BY embedding <#> '{0.25,0.25}' LIMIT 2") =~ s/\n/ /gr, 'b|-9.999999680285692e+37|9.999999680285692e+37 a|-0.75|0.75', 'and by those that it tells');
is($t->sql("SELECT string_agg(id, ' ' ORDER BY id) FROM huge WHERE embedding <#> '{1,1}' < -1"), 'a b e', 'a bound');
$server->fault({path => '/namespaces/__default__/documents/search', status => 200, count => 20, body => '{"matches":[{"_id":"a","_score":null}],"namespace":"__default__","usage":{"read_units":1}}'});
like($t->error_of("SELECT id FROM huge WHERE title @@@ 'x' ORDER BY score DESC LIMIT 1"), qr/A match of a search by words has no score/, 'of words every match has a score');
$server->clear_faults;
done_testing();
