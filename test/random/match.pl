#!/usr/bin/env perl
#
# Random filters over random records: pinecone_match() in SQL against the
# answers of pinecone-local, whose evaluator is other code, under both readings
# of $ne and $nin on a missing field.  Invalid filters must be refused by both.
#
#	test/random/match.pl [SEED [FILTERS [RECORDS]]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use JSON::PP;
use RandomQueries;
use Test::More;

my $seed = $ARGV[0] // time;
my $nfilters = $ARGV[1] // 3000;
my $nrecords = $ARGV[2] // 300;

# Values are JSON texts, for Perl to leave numbers as they are written
my @strings = map { "\"$_\"" } 'drama', 'Drama', 'drama ', '', '1', '2020', 'true', 'null', 'o\"clock', 'back\\\\slash',
	'\u00e9', 'e\u0301', "\xc3\xa9", '\ud83d\ude00', '$eq', 'x' x 300;
my @numbers = qw(0 -0 1 1.0 2 -1 2020 2020.0 2.02e3 0.1 0.30000000000000004 0.3 9007199254740992 9007199254740993 1e300 -1e-7);
my @booleans = qw(true false);
my @fields = ('genre', 'year', 'seen', 'tags', 'any', 'a.b', '', "\xc3\xbcber", 'with space');
my $json = JSON::PP->new->canonical->allow_nonref->utf8;

sub scalar_value
{
	return pick(pick(\@strings, \@numbers, \@booleans)->@*);
}

sub list_of
{
	my ($length, @values) = @_;
	return '[' . join(', ', map { pick(@values) } 1 .. $length) . ']';
}

# What Pinecone stores: a scalar or a list of strings.
sub field_value
{
	my ($field) = @_;

	return pick(@numbers) if $field eq 'year' && rand() < 0.8;
	return pick(@booleans) if $field eq 'seen' && rand() < 0.8;
	return list_of(int rand 4, @strings) if $field eq 'tags' || rand() < 0.1;
	return scalar_value();
}

sub quoted
{
	return "\"$_[0]\"";
}

sub metadata
{
	my %values = map { rand() < 0.6 ? ($_ => field_value($_)) : () } @fields;
	return '{' . join(', ', map { quoted($_) . ': ' . $values{$_} } sort keys %values) . '}';
}

# An operand as it should be, or now and then is not.
sub operand
{
	my ($operator, $wrong) = @_;
	my $kind = $wrong ? 'wrong' : $operator;

	return pick('null', '{}', '[[]]', '[null]', '{"$eq": 1}', '"x"', '1', '["x"]', '[1]', '["x", 1]', '[true, 1]', '["1", true]') if $kind eq 'wrong';
	return pick(@booleans) if $kind eq '$exists';
	return pick(@numbers) if $kind =~ /^\$[gl]te?$/;
	return list_of(1 + int rand 4, pick(\@strings, \@numbers)->@*) if $kind =~ /in$/;
	return scalar_value();
}

# A condition on one field.  With $guarded a negation says that the field must
# be there, so that both readings of a missing one agree.
sub condition
{
	my ($guarded, $wrong) = @_;
	my $field = quoted(pick(@fields));
	my $operator = pick('$eq', '$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$in', '$nin', '$exists');
	my $operand;

	return "$field: " . scalar_value() if rand() < 0.2 && !$wrong;
	$operator = pick('$not', '$regex', '$and', 'eq', '$Eq', '$') if $wrong && rand() < 0.3;
	$operand = operand($operator, $wrong);
	return "\"\$and\": [{$field: {\"$operator\": $operand}}, {$field: {\"\$exists\": true}}]"
		if $guarded && $operator =~ /^\$n/;
	return "$field: {\"$operator\": $operand, \"\$gte\": " . pick(@numbers) . '}' if $operator =~ /^\$lte?$/ && rand() < 0.4;
	return "$field: {\"$operator\": $operand}";
}

sub filter
{
	my ($depth, $guarded, $wrong) = @_;
	my $n = 1 + int rand 3;

	if ($depth > 0 && rand() < 0.6)
	{
		my $here = int rand $n;
		my $operator = $wrong && rand() < 0.1 ? pick('$nor', '$not', '$xor') : pick('$and', '$or');
		my @parts = map { filter($depth - 1, $guarded, $wrong && $_ == $here) } 0 .. $n - 1;

		return "{\"$operator\": " . ($wrong && rand() < 0.1 ? pick('[]', '{}', '[1]', '"x"', 'null', '[{}]', '[{"a": 1}, {}]') : '[' . join(', ', @parts) . ']') . '}';
	}
	# One "$and" an object at most: a key that comes twice is not for comparing
	return '{' . condition($guarded, $wrong) . '}';
}

# The ids that the server says match, or "invalid".
sub ids_of_server
{
	my ($t, $filter) = @_;
	my ($status, $reply) = $t->server->try_request('POST', $t->server->host('random') . '/vectors/fetch_by_metadata',
		"{\"namespace\": \"\", \"limit\": 10000, \"filter\": $filter}");

	return 'invalid' if $status == 400;
	die "$filter: status $status\n" unless $status == 200;
	die "$filter: more than a page\n" if $reply->{pagination};
	return join ' ', sort keys %{$reply->{vectors}};
}

sub compare
{
	my ($reading, $guarded) = @_;
	my $t = Harness->new(pinecone => ['--ne-missing', $reading]);
	my @records = map { sprintf("r%04d\t%s", $_, metadata()) } 1 .. $nrecords;
	my @filters = map { filter(3, $guarded, rand() < 0.1) } 1 .. $nfilters;
	my %invalid = (right => 0, wrong => 0);
	my $differences = 0;

	$t->server->create_index('random', dimension => 2, metric => 'euclidean');
	$t->server->upsert_json('random', '', [map {
		my ($id, $metadata) = split /\t/;
		"{\"id\": \"$id\", \"values\": [1, 2], \"metadata\": $metadata}"
	} @records]);

	$t->sql('CREATE TABLE records (id text, metadata jsonb); CREATE TABLE filters (n int, filter jsonb)');
	$t->sql('INSERT INTO records VALUES ' . join ', ', map { my ($id, $m) = split /\t/; '(' . literal($id) . ', ' . literal($m) . ')' } @records);
	$t->sql('INSERT INTO filters VALUES ' . join ', ', map { "($_, " . literal($filters[$_]) . ')' } 0 .. $#filters);
	$t->sql(<<'END');
CREATE FUNCTION ids(f jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT coalesce(string_agg(id, ' ' ORDER BY id COLLATE "C"), '') FROM records WHERE pinecone_match(metadata, f));
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN 'invalid';
END $$
END
	my @of_sql = split /\n/, $t->sql('SELECT ids(filter) FROM filters ORDER BY n'), -1;

	my $nothing = 0;
	for my $n (0 .. $#filters)
	{
		my $of_server = ids_of_server($t, $filters[$n]);

		$invalid{$of_server eq 'invalid' ? 'wrong' : 'right'}++;
		$nothing++ if $of_server eq '';
		next if $of_server eq $of_sql[$n];
		next if ++$differences > 5;
		my %server = map { $_ => 1 } split / /, $of_server;
		my %sql = map { $_ => 1 } split / /, $of_sql[$n];
		my ($id) = grep { !$server{$_} != !$sql{$_} } sort keys %{{%server, %sql}};
		my ($record) = grep { /^\Q$id\E\t/ } @records;
		diag "seed $seed: $filters[$n]\n  server: $of_server\n  SQL:    $of_sql[$n]\n  for example " . ($record // '');
	}
	is($differences, 0, "$nfilters filters x $nrecords records, \$ne on a missing field: $reading (seed $seed; $invalid{wrong} invalid, $nothing match nothing)");
}

srand $seed;
compare('match', 0);
compare('skip', 1);
done_testing;
