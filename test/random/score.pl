#!/usr/bin/env perl
#
# What "score" is, against values computed in a local copy: conditions on it,
# orders and thresholds under searches of every form, in namespaces smaller and
# larger than what a search brings, with statistics known and unknown, in new
# sessions, each of pinecone_fdw.enable_* on and off, and among pending writes.
#
#	test/random/score.pl [SEED [QUERIES [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use List::Util qw(shuffle sum);
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nqueries = $ARGV[1] // 90;
my $many = $ARGV[2] // 10_200;
my $dimension = 3;

# As float32, so that both sides compute with the same numbers
sub component
{
	return unpack 'f', pack 'f', rand(2) - 1;
}

sub dot
{
	my ($x, $y) = @_;
	return sum map { $x->[$_] * $y->[$_] } 0 .. $#$x;
}

my %scores = (
	cosine => sub { dot(@_) / sqrt(dot($_[0], $_[0]) * dot($_[1], $_[1])) },
	euclidean => sub {
		my @d = map { $_[0][$_] - $_[1][$_] } 0 .. $#{$_[0]};
		dot(\@d, \@d);
	},
	dotproduct => sub { dot(@_) },
);
my %operators = (cosine => '<=>', euclidean => '<->', dotproduct => '<#>');

my %functions = (cosine => 'pinecone_cosine_distance', euclidean => 'pinecone_l2_distance', dotproduct => 'pinecone_negative_inner_product');

# The same as SQL, of a vector given as SQL
my %score_of = (
	cosine => '(1 - (embedding <=> %s))',
	euclidean => '((embedding <-> %s) ^ 2)',
	dotproduct => '(-(embedding <#> %s))',
);

sub vector
{
	return '\'{' . join(',', map { sprintf '%.9g', $_ } @{$_[0]}) . '}\'::real[]';
}

# Points whose scores differ by more than a float32 of a score can be wrong by.
sub points
{
	my ($n, $score, @queries) = @_;
	my @points = map { [map { component() } 1 .. $dimension] } 1 .. $n * 1.08;

	for my $query (@queries)
	{
		my %of = map { $_ => $score->($points[$_], $query) } 0 .. $#points;
		my $last = -1e9;
		my @kept;

		for my $i (sort { $of{$a} <=> $of{$b} } keys %of)
		{
			next if $of{$i} - $last < 3e-6;
			$last = $of{$i};
			push @kept, $points[$i];
		}
		@points = @kept;
	}
	@points = shuffle @points;
	return @points[0 .. ($#points < $n - 1 ? $#points : $n - 1)];
}

# Between two neighbouring scores
sub threshold
{
	my ($sorted) = @_;
	my $i = number(rand() < 0.5 ? ($#$sorted < 30 ? $#$sorted : 30) : $#$sorted);
	return ($sorted->[$i] + $sorted->[$i + 1]) / 2;
}

my $written = 0;

# The same writes to both tables, in a transaction that is open until the session
# ends: a setting, with more behind it
sub pending_writes
{
	my ($n) = @_;
	my $some = sprintf "id LIKE 'r%%%d%d'", number(10), number(10);
	my $vector = vector([map { component() } 1 .. $dimension]);
	my $id = sprintf 'r%05d', number($n);
	my $new = 'new' . ++$written;
	my @writes = pick(
		["UPDATE T SET embedding = $vector WHERE id = '$id'"],
		["DELETE FROM T WHERE $some"],
		["INSERT INTO T (id, embedding, n) VALUES ('$new', $vector, 3)"],
		["UPDATE T SET n = 3 WHERE $some"],
		["DELETE FROM T WHERE id = '$id'", "INSERT INTO T (id, embedding, n) VALUES ('$new', $vector, 3)"],
	)->@*;

	return join '; ', 'application_name = writer', 'BEGIN', map { my $write = $_; map { $write =~ s/\bT\b/$_/r } 'ft', 'lt' } @writes;
}

sub compare
{
	my ($metric, $records, $queries) = @_;
	my $t = Harness->new;
	my $score = $scores{$metric};
	my $low = $metric eq 'euclidean';
	my @queries = map { [map { component() } 1 .. $dimension] } 1 .. 3;
	my @points = points($records, $score, @queries);
	my $host = $t->server->create_index('score', dimension => $dimension, metric => $metric);
	my $better = $low ? '<' : '>';
	my $worst = $low ? 'DESC' : 'ASC';
	my $best = $low ? 'ASC' : 'DESC';

	$t->server->upsert_json('score', 'kb', [map {
		sprintf '{"id": "r%05d", "values": [%s], "metadata": {"n": %d}}', $_, join(',', map { sprintf '%.9g', $_ } @{$points[$_]}), $_ % 7
	} 0 .. $#points]);
	$t->sql(<<"END");
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('score')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ft (id text COLLATE "C", embedding real[], score @{[pick('real', 'float8')]}, n int) SERVER s OPTIONS (namespace 'kb');
CREATE TABLE lt AS SELECT id, embedding, n FROM ft;
CREATE TABLE few AS SELECT id, n, ARRAY[@{[join ',', map { sprintf '%.9g', $_ } @{$queries[0]}]}]::real[] AS q FROM lt WHERE id LIKE '%@{[number(10)]}7';
ANALYZE lt, few;
END
	create_ids($t);
	is($t->sql('SELECT count(*) FROM lt'), scalar @points, "all records are read ($metric, $records)");

	# $S: the score; $D: the distance; $X, $Y: thresholds; $K: a number of rows
	my @forms = (
		'SELECT id FROM T WHERE S BETTER X ORDER BY D LIMIT K',
		'SELECT id FROM T WHERE S BETTER= X ORDER BY D',
		'SELECT id FROM T WHERE X WORSE S ORDER BY D OFFSET 3 LIMIT K',
		'SELECT count(*)::text AS id FROM (SELECT id FROM T WHERE S BETTER X ORDER BY D) s',
		'SELECT id FROM T WHERE D < DX ORDER BY S BEST LIMIT K',
		'SELECT id FROM T WHERE D < DX AND S BETTER Y ORDER BY id',
		'SELECT id FROM T WHERE S WORSE X ORDER BY D LIMIT K',
		'SELECT id FROM T WHERE S BETWEEN least(X, Y) AND greatest(X, Y) ORDER BY D',
		'SELECT id FROM T WHERE n = 3 AND S BETTER X ORDER BY D LIMIT K',
		'SELECT id FROM T WHERE n <> 2 AND (S BETTER X OR n = 5) ORDER BY D LIMIT K',
		'SELECT id FROM T WHERE id IN (\'r00003\', \'r00014\', \'r00077\', \'r00100\') AND S BETTER X ORDER BY D',
		'SELECT id FROM T WHERE id LIKE \'r000%\' AND S BETTER X ORDER BY D LIMIT K',
		'SELECT (S BETTER X)::text AS id FROM T ORDER BY D LIMIT K',
		'SELECT n || \':\' || count(*) AS id FROM (SELECT n, S AS s FROM T ORDER BY D LIMIT K) z WHERE s BETTER X GROUP BY n ORDER BY 1',
		'SELECT (S BETTER X) || \':\' || count(*) AS id FROM T WHERE D < DY GROUP BY S BETTER X ORDER BY 1',
		'SELECT t.id FROM T t JOIN few f ON f.id = t.id WHERE S BETTER X ORDER BY D LIMIT K',
		'SELECT f.id || x.id AS id FROM few f, LATERAL (SELECT id FROM T WHERE SQ BETTER X ORDER BY DQ LIMIT 2) x WHERE f.n < 3 ORDER BY 1',
		'SELECT id FROM (SELECT id, S AS s, rank() OVER (ORDER BY D) AS r FROM T) z WHERE r <= K AND s BETTER X ORDER BY r',
		'SELECT id FROM T WHERE S BETTER X ORDER BY D, S BEST LIMIT K',
		'SELECT id FROM T ORDER BY S BEST, D LIMIT K',
		'SELECT id FROM T ORDER BY n, D LIMIT K',
		'SELECT id || (S BETTER X) AS id FROM T ORDER BY n, D LIMIT K',
		'SELECT DISTINCT (S BETTER X)::text AS id FROM T WHERE D < DY ORDER BY 1',
		'SELECT id FROM T WHERE S BETTER (SELECT X::float8) ORDER BY D LIMIT K',
		'SELECT id FROM T WHERE NOT (S WORSE= X) ORDER BY D LIMIT K',
		'WITH s AS MATERIALIZED (SELECT id, S AS s FROM T ORDER BY D LIMIT K) SELECT id FROM s WHERE s BETTER X ORDER BY s BEST',
		'SELECT min(id) AS id FROM T WHERE S BETTER X AND D < DX',
		('SELECT id FROM T WHERE BELOW ORDER BY ASCENDING LIMIT K') x 3,
		'SELECT id FROM T WHERE BELOW AND n <> 2 ORDER BY id',
		'SELECT count(*)::text AS id FROM T WHERE BELOW',
		'SELECT id FROM T WHERE S * 2 - 1 BETTER 2 * (X) - 1 ORDER BY D LIMIT K',
		'SELECT id FROM T ORDER BY ASCENDING OFFSET 2 LIMIT K',
		'SELECT (max(1 - (D)) > 1 - (DX))::text AS id FROM T',
		'SELECT f.id || x.id AS id FROM few f, LATERAL (SELECT id FROM T WHERE 3 - (DQ) > 3 - (DX) ORDER BY 1 - (DQ) DESC LIMIT 2) x WHERE f.n < 3 ORDER BY 1',
	);
	my @none = (
		['SELECT count(score)::text AS id FROM ft', 'SELECT \'0\' AS id'],
		['SELECT count(score)::text AS id FROM ft WHERE n = 3', 'SELECT \'0\' AS id'],
		['SELECT id FROM ft WHERE score > 0', 'SELECT \'\' AS id WHERE false'],
	);
	my @switches = qw(filter knn limit fetch prefix sort aggregate prune columns direct_modify read_ahead spellings);
	my @checks = map {
		my $i = number(scalar @queries);
		my @sorted = sort { $low ? $a <=> $b : $b <=> $a } map { $score->($_, $queries[$i]) } @points;
		my $q = vector($queries[$i]);
		my ($x, $y) = (threshold(\@sorted), threshold(\@sorted));
		my $distance = sub { $low ? "sqrt($_[0])" : $metric eq 'cosine' ? "(1 - $_[0])" : "(-($_[0]))" };
		my $form = pick(@forms);
		my ($d, $dx) = ("embedding $operators{$metric} $q", $distance->($x));
		my $below = pick("1 - ($d) > 1 - ($dx)", "($d)::real < $dx", "($d)::numeric <= $dx", "-($d) > -($dx)", "100 * (2 - ($d)) >= 100 * (2 - $dx)", "$functions{$metric}($q, embedding) < $dx", "0.5::real > ($d) - $dx + 0.5", "round(($d)::numeric, 9) < $dx");
		my $ascending = pick($d, "1 - ($d) DESC", "($d) * 2", "-($d) DESC NULLS LAST", "($d)::numeric", "$functions{$metric}(embedding, $q)");
		my %words = (
			D => "embedding $operators{$metric} $q", DQ => "embedding $operators{$metric} f.q",
			X => $x, Y => $y, DX => $distance->($x), DY => $distance->($y), K => pick(1, 3, 10, 60, 400),
			BELOW => $below, ASCENDING => $ascending, BETTER => $better, WORSE => $low ? '>' : '<', BEST => $best,
		);
		my @sides = map {
			my ($table, $s, $sq) = @$_;
			my %all = (%words, T => $table, S => $s, SQ => $sq);
			$form =~ s/\b([A-Z]+)(?![\w])/$all{$1} \/\/ $1/ger;
		} ['ft', 'score', 'score'], ['lt', map { sprintf $score_of{$metric}, $_ } $q, 'f.q'];
		@sides = @{pick(@none)} if rand() < 0.04;
		{
			foreign => $sides[0],
			local => $sides[1],
			settings => [
				(rand() < 0.5 ? 'pinecone_fdw.sweep_records = 0' : ()),
				(map { "pinecone_fdw.enable_$_ = off" } rand() < 0.5 ? pick(@switches) : ()),
				rand() < 0.2 ? 'pinecone_fdw.stats_ttl = 0' : (),
				rand() < 0.2 ? 'enable_sort = off' : (),
				rand() < 0.2 ? 'enable_hashjoin = off' : (),
				rand() < 0.1 ? pending_writes(scalar @points) : (),
			]
		}
	} 1 .. $queries;
	my $half = int @checks / 2;
	is(compare_queries($t, $seed, @checks[0 .. $half - 1]), 0, "$half queries, $metric, $records records (seed $seed)");
	$t->sql('ANALYZE ft');
	is(compare_queries($t, $seed, @checks[$half .. $#checks]), 0, "and after ANALYZE (seed $seed)");
}

srand $seed;
compare($_, 150, 2 * $nqueries) for sort keys %scores;
compare(pick(sort keys %scores), $many, $nqueries);
done_testing;
