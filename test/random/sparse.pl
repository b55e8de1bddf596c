#!/usr/bin/env perl
#
# Searches by sparse vectors, and by dense and sparse ones together, against the same
# on a local copy: of a sparse index, one that holds both, and one of documents; in one
# namespace and several; as jsonb and as pgvector's type; with LIMITs that go beyond
# what has an index in common with the query, bounds, conditions that are sent and ones
# that are not; in transactions that have written, and with enable_* on and off.
#
#	test/random/sparse.pl [SEED [QUERIES]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use JSON::PP;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nqueries = $ARGV[1] // 60;
my $dimension = 3;
my $nrecords = 90;
my $terms = 14;

# Sums of products of sixteenths are exact, wherever they are made
sub sixteenths
{
	return (number(63) - 31) / 16;
}

sub dense
{
	return [(map { sixteenths() } 2 .. $dimension), pick(-1, 1)];
}

# A hundredth part of the terms is negative, which no model makes and Pinecone takes
sub sparse
{
	my %values = map { number($terms) => (rand() < 0.1 ? -1 : 1) * (1 + number(40)) / 16 } 0 .. number(5);
	my @indices = sort { $a <=> $b } keys %values;
	return {indices => \@indices, values => [map { $values{$_} } @indices]};
}

sub dense_sql
{
	return "'{" . join(',', @{$_[0]}) . "}'::real[]";
}

# As the column's type has it: pgvector counts from 1
sub sparse_sql
{
	my ($sparse, $type) = @_;
	my ($indices, $values) = @$sparse{'indices', 'values'};

	return "'" . encode_json($sparse) . "'::jsonb" if $type eq 'jsonb';
	return "'{" . join(',', map { ($indices->[$_] + 1) . ':' . $values->[$_] } 0 .. $#$indices) . "}/$terms'::sparsevec";
}

my $written = 0;

# The same writes to both tables, in a transaction that is open until the session ends
sub pending_writes
{
	my ($kind, $type, $spaces) = @_;
	my $id = sprintf 'r%03d', number($nrecords);
	my $some = sprintf "id LIKE 'r%%%d'", number(10);
	my $sparse = sparse_sql(sparse(), $type);
	my ($columns, $values) = $kind eq 'sparse' ? ('sparse_values', $sparse) : ('embedding, sparse_values', dense_sql(dense()) . ", $sparse");
	($columns, $values) = ("space, $columns", "'" . pick('a', 'b', 'c', 'd') . "', $values") if $spaces;
	my @writes = map { pick(
		"UPDATE T SET sparse_values = $sparse WHERE id = '$id'",
		"DELETE FROM T WHERE $some",
		"INSERT INTO T (id, n, $columns) VALUES ('new@{[++$written]}', 3, $values)",
		"UPDATE T SET n = 3 WHERE $some",
		$kind eq 'sparse' ? () : ("UPDATE T SET sparse_values = NULL WHERE $some", "UPDATE T SET embedding = @{[dense_sql(dense())]} WHERE id = '$id'"),
	) } 0 .. number(3);

	return join '; ', 'application_name = writer', 'ROLLBACK', 'BEGIN', map { my $write = $_; map { $write =~ s/\bT\b/$_/r } 'ft', 'lt' } @writes;
}

sub create_index
{
	my ($t, $kind) = @_;

	return $t->server->create_document_index('sparse', {
		sparse_values => {type => 'sparse_vector'},
		embedding => {type => 'dense_vector', dimension => $dimension, metric => pick('cosine', 'dotproduct')}}) if $kind eq 'documents';
	return $t->server->create_index('sparse') if $kind eq 'sparse';
	return $t->server->create_index('sparse', dimension => $dimension, metric => 'dotproduct');
}

# $D: the distance that is searched by; $Q: the same of the rows of "few"
my @forms = (
	('SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY D LIMIT K') x 4,
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY D',
	# a score that is computed here and one that is read may differ in digits that no float32 has
	'SELECT round((D)::numeric, 6) || id AS id FROM T ORDER BY round((D)::numeric, 6), id LIMIT K OFFSET 2',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE C ORDER BY D LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE C ORDER BY D OFFSET 3 LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE D < 0 ORDER BY D LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE C AND D < X ORDER BY D LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE D <= X ORDER BY D',
	'SELECT id FROM T WHERE D < X ORDER BY id',
	'SELECT id FROM T WHERE D >= X ORDER BY id',
	'SELECT id FROM T WHERE -(D) > 0 AND C ORDER BY id',
	'SELECT count(*)::text AS id FROM T WHERE D <= 0',
	'SELECT count(*)::text AS id FROM T WHERE C AND D < X',
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY -(D) DESC NULLS LAST LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY -(D) DESC LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY D NULLS FIRST LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY D DESC LIMIT K',
	'SELECT n || \':\' || round((D)::numeric, 6) AS id FROM T ORDER BY n, D LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE id IN (\'r003\', \'r014\', \'r077\', \'r011\') ORDER BY D',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE id LIKE \'r00%\' ORDER BY D LIMIT K',
	'SELECT r || \':\' || round(d::numeric, 6) AS id FROM (SELECT D AS d, rank() OVER (ORDER BY D) AS r FROM T) z WHERE r <= K ORDER BY 1',
	'SELECT round(max(-(D))::numeric, 6)::text AS id FROM T',
	('SELECT f.id || x.d AS id FROM few f, LATERAL (SELECT round((Q)::numeric, 6) AS d FROM T WHERE C ORDER BY Q LIMIT 3) x ORDER BY f.id, x.d') x 3,
	'SELECT f.id || x.id AS id FROM few f, LATERAL (SELECT id FROM T WHERE Q < -2 ORDER BY round((Q)::numeric, 6), id LIMIT 2) x ORDER BY 1',
	'SELECT round((D)::numeric, 6)::text AS id FROM T WHERE S > -(X) ORDER BY D LIMIT K',
	'SELECT round(S::numeric, 6)::text AS id FROM T ORDER BY D LIMIT K',
	'SELECT round((D)::numeric, 6)::text AS id FROM T ORDER BY D LIMIT (SELECT K)',
);
my @switches = qw(filter knn limit fetch sort columns read_ahead spellings sweep metadata_pages);

sub make_check
{
	my ($kind, $type, $spaces) = @_;
	my $hybrid = $kind ne 'sparse' && rand() < 0.5;
	my $weight = pick(0, 0.25, 0.5, 0.75, 1);
	my $sparse = sparse_sql(sparse(), $type);
	my $dense = dense_sql(dense());
	my $distance = $hybrid ? "pinecone_hybrid_distance(embedding <#> $dense, sparse_values <#> $sparse, $weight)" : "(sparse_values <#> $sparse)";
	# documents have no search by both, and so no score
	my $form = pick(grep { !($hybrid && $kind eq 'documents' && /\bS\b/) } @forms);
	my %words = (
		D => $distance,
		Q => $hybrid ? "pinecone_hybrid_distance(embedding <#> $dense, sparse_values <#> f.q, $weight)" : '(sparse_values <#> f.q)',
		K => pick(1, 5, 20, 60, 300),
		X => pick(0, -1, -0.25, 0.5, -2.5),
		C => pick('n = ' . number(7), 'n <> 2', 'n > 4', 'length(id) = 4 AND n % 2 = 1', 'n % 3 = 1', 'true', ("space = 'b'", "space IN ('a', 'c') AND n > 1") x $spaces),
	);
	my @sides = map {
		my %all = (%words, T => $_, S => $_ eq 'ft' ? 'score' : "(-$distance)");
		$form =~ s/\b([A-Z]+)(?!\w)/$all{$1} \/\/ $1/ger;
	} 'ft', 'lt';

	return {
		foreign => $sides[0],
		local => $sides[1],
		settings => [
			(map { "pinecone_fdw.enable_$_ = off" } rand() < 0.3 ? pick(@switches) : ()),
			rand() < 0.1 ? 'pinecone_fdw.stats_ttl = 0' : (),
			rand() < 0.2 ? 'enable_sort = off' : (),
			rand() < 0.4 ? pending_writes($kind, $type, $spaces) : (),
		]
	};
}

sub compare
{
	my ($kind, $type, $spaces) = @_;
	my $t = Harness->new;
	my $document = $kind eq 'documents';
	my %records;

	create_index($t, $kind);
	for my $i (0 .. $nrecords - 1)
	{
		my $values = sparse();
		my $dense = dense();
		my %record = (id => sprintf('r%03d', $i), metadata => {n => $i % 7});

		$record{values} = $dense if $kind ne 'sparse' && !($document && $i % 9 == 0 && $i % 2);
		$record{sparseValues} = $values if $kind eq 'sparse' || $i % 4;
		if ($document)
		{
			%record = (_id => $record{id}, n => $i % 7, defined $record{values} ? (embedding => $dense) : (), $i % 4 || !defined $record{values} ? (sparse_values => $values) : ());
		}
		push @{$records{$spaces ? pick('a', 'b', 'c') : 'a'}}, encode_json(\%record);
	}
	for my $space (sort keys %records)
	{
		$document ? $t->server->upsert_documents('sparse', $space, $records{$space}) :
			$t->server->upsert_json('sparse', $space, $records{$space});
	}
	$t->sql('CREATE EXTENSION IF NOT EXISTS vector') if $type ne 'jsonb';
	my $of_namespace = $spaces ? "space text OPTIONS (role 'namespace') COLLATE \"C\"," : '';
	my $namespace = $spaces ? '' : "OPTIONS (namespace 'a')";
	my $embedding = $kind eq 'sparse' ? '' : 'embedding real[],';
	my $queries = join ', ', map { "('q$_', " . sparse_sql(sparse(), $type) . ')' } 1 .. 4;
	$t->sql(<<"END");
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'sparse', control_host '$t->{server}{url}');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ft ($of_namespace id text COLLATE "C", $embedding sparse_values @{[$type eq 'jsonb' ? 'jsonb' : "sparsevec($terms)"]}, score float8, n int) SERVER s $namespace;
CREATE TABLE lt AS SELECT @{[$spaces ? 'space,' : '']} id, @{[$kind eq 'sparse' ? '' : 'embedding,']} sparse_values, n FROM ft;
CREATE TABLE few AS SELECT * FROM (VALUES $queries) v (id, q);
ANALYZE lt, few;
END
	create_ids($t);
	is($t->sql('SELECT count(*) FROM lt'), $nrecords, "all records are read ($kind)");
	my @checks = map { make_check($kind, $type, $spaces) } 1 .. $nqueries;
	is(compare_queries($t, $seed, @checks), 0, "$nqueries queries, $kind, $type, @{[$spaces ? 'several namespaces' : 'one namespace']} (seed $seed)");
}

srand $seed;
my @types = grep { $_ eq 'jsonb' || Harness->new->sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") } 'jsonb', 'sparsevec';
compare('sparse', pick(@types), 0);
compare('hybrid', pick(@types), 0);
compare('documents', pick(@types), 0);
compare(pick('sparse', 'hybrid', 'documents'), pick(@types), 1);
done_testing;
