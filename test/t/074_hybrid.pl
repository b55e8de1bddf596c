#!/usr/bin/env perl
#
# Hybrid search: words and vectors of one document index, and dense and sparse
# vectors of two indexes of vectors; the function against the recipe in SQL, and
# both searches under way at once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;

$server->create_document_index('articles', {body => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 2, metric => 'cosine'}});
$server->create_index('dense', dimension => 2, metric => 'cosine');
$server->create_index('sparse');
$t->sql("CREATE SERVER $_ FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$_', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER $_ OPTIONS (api_key 'test-key')") for 'articles', 'dense', 'sparse';
$t->sql("CREATE FOREIGN TABLE article (id text, body text, embedding real[], n int, score real) SERVER articles OPTIONS (namespace 'kb');
	CREATE FOREIGN TABLE d (id text, embedding real[], score real) SERVER dense;
	CREATE FOREIGN TABLE s (id text, sparse_values jsonb, score real) SERVER sparse");
my @words = qw(fox dog cat lazy quick brown jumps);
$t->sql("INSERT INTO article SELECT 'r' || i, (ARRAY['fox', 'dog', 'fox dog', 'lazy cat', 'quick brown fox jumps'])[1 + i % 5], ARRAY[cos(i), sin(i)], i FROM generate_series(1, 60) i");
$t->sql("INSERT INTO d SELECT 'r' || i, ARRAY[cos(i), sin(i)] FROM generate_series(1, 40) i");

# By hand: ids best first, each brings 1 / (60 + rank)
sub fused
{
	my ($most, $constant, $weights, @lists) = @_;
	my (%score, %ranks);

	for my $n (0, 1)
	{
		my $rank = 0;
		for my $id (@{$lists[$n]})
		{
			$rank++;
			next if $ranks{$id}[$n];
			$ranks{$id}[$n] = $rank;
			$score{$id} += $weights->[$n] / ($constant + $rank);
		}
	}
	my @ids = sort { $score{$b} <=> $score{$a} || $a cmp $b } keys %score;
	splice @ids, $most if @ids > $most;
	return join "\n", map { join '|', $_, sprintf('%.9f', $score{$_}), map { $_ // '' } @{$ranks{$_}}[0, 1] } @ids;
}

sub list
{
	return [split /\n/, $t->sql($_[0] =~ s/^SELECT id/SELECT id/r =~ s/.*/SELECT id FROM ($&) s/r)];
}

sub hybrid
{
	my (@arguments) = @_;
	return $t->sql('SELECT id, round(score::numeric, 9), first_rank, second_rank FROM pinecone_hybrid(' . join(', ', map { /^[\d.]+$/ ? $_ : "\$q\$$_\$q\$" } @arguments) . ')');
}

# Ids as well, so that equal scores come in one order
my $by_words = "SELECT id FROM (SELECT id, score FROM article WHERE body @@@ 'quick fox' ORDER BY score DESC LIMIT 100) w ORDER BY score DESC, id";
my $by_vector = "SELECT id FROM article ORDER BY embedding <=> '{1,0.3}' LIMIT 30";
is(hybrid($by_words, $by_vector), fused(10, 60, [1, 1], list($by_words), list($by_vector)), 'words and vectors of documents');
is(hybrid($by_words, $by_vector, 100), fused(100, 60, [1, 1], list($by_words), list($by_vector)), 'all of them');
is(hybrid($by_words, $by_vector, 7, 5, 2, 0.5), fused(7, 5, [2, 0.5], list($by_words), list($by_vector)), 'another constant, and weights');
my ($cats, $few) = ("SELECT id FROM article WHERE body @@@ 'cat' AND n < 20 ORDER BY score DESC, n LIMIT 5", "SELECT id FROM article WHERE n > 50 ORDER BY embedding <=> '{0,1}' LIMIT 3 -- near");
is(hybrid($cats, $few), fused(10, 60, [1, 1], list($cats), list($few =~ s/ --.*//r)), 'conditions, none in common, and a comment');
is(hybrid("SELECT id FROM article WHERE body @@@ 'zebra' ORDER BY score DESC LIMIT 5", $few), fused(10, 60, [1, 1], [], list($few =~ s/ --.*//r)), 'one finds nothing');

# The recipe of the manual
my $recipe = "SELECT id FROM (SELECT id, row_number() OVER () AS r FROM ($by_words) s UNION ALL SELECT id, row_number() OVER () FROM ($by_vector) s) found
	GROUP BY id ORDER BY sum(1.0 / (60 + r)) DESC, id COLLATE \"C\" LIMIT 10";
is($t->sql($recipe), join("\n", map { (split /\|/)[0] } split /\n/, hybrid($by_words, $by_vector)), 'the recipe says the same');

# Two indexes of vectors
$server->upsert('sparse', '', [map { +{id => "r$_", sparseValues => {indices => [$_ % 7, 10 + $_ % 3], values => [1 + $_ / 100, 0.5]}} } 1 .. 40]);
my ($near, $alike) = ("SELECT id FROM d ORDER BY embedding <=> '{0.5,0.5}' LIMIT 10", "SELECT id FROM (SELECT id, (sparse_values->'values'->>0)::float8 AS v FROM s WHERE (sparse_values->'indices'->>0)::int = 3) x ORDER BY v DESC LIMIT 5");
is(hybrid($near, $alike), fused(10, 60, [1, 1], list($near), list($alike)), 'of two indexes of vectors');

# Of several namespaces an id says which
is(hybrid("SELECT 'kb/' || id FROM article ORDER BY embedding <=> '{1,0}' LIMIT 2", "SELECT 7"), fused(10, 60, [1, 1], [map { "kb/$_" } @{list("SELECT id FROM article ORDER BY embedding <=> '{1,0}' LIMIT 2")}], ['7']), 'any expression is an id');

# ---- At once ----

my $s = $t->session;
for my $query ("SELECT count(*) FROM pinecone_hybrid(\$\$$by_words\$\$, \$\$$by_vector\$\$)", "SELECT count(*) FROM ($recipe) r")
{
	$s->query($query);
	$server->fault({path => '/namespaces/kb/documents/search', kind => 'delay', delay_ms => 500, count => 2});
	$server->clear_requests;
	is($s->query($query)->{out}, '10', 'both are delayed');
	my @searches = grep { $_->{path} =~ /search$/ } $server->requests;
	is(scalar @searches, 2, 'two searches');
	# when they came, in s: the second one before the first was answered
	cmp_ok(abs($searches[0]{time} - $searches[1]{time}), '<', 0.4, 'at once');
}

# ---- What is refused ----

like($t->error_of("SELECT * FROM pinecone_hybrid('SELECT 1', 'SELECT 1', -1)"), qr/must not be negative/, 'a number of rows below 0');
like($t->error_of("SELECT * FROM pinecone_hybrid('SELECT 1', 'SELECT 1', 1, 'NaN', -1)"), qr/must not be negative/, 'a weight below 0');
like($t->error_of("SELECT * FROM pinecone_hybrid('SELECT 1', 'SELECT 1', 1, 'NaN')"), qr/must be finite/, 'a constant that is no number');
like($t->error_of("SELECT * FROM pinecone_hybrid('SELECT 1', 'SELECT 1', 1, 60, 'Infinity')"), qr/must be finite/, 'a weight without bounds');
like($t->error_of("SELECT * FROM pinecone_hybrid('DELETE FROM d', 'SELECT 1')"), qr/syntax error/, 'what is no query');
is($t->sql('SELECT * FROM pinecone_hybrid(NULL, \'SELECT 1\')'), '', 'NULL');
done_testing();
