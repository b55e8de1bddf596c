# RandomQueries.pm
#	What the tests in test/random share: random choices, and queries on a
#	foreign table compared with the same queries on a local copy of its rows.
#
#	create_ids($t);                             # once, in the Harness's database
#	compare_queries($t, $seed,
#		{foreign => 'SELECT id FROM ft WHERE ...', local => 'SELECT id FROM lt WHERE ...'},
#		{foreign => ..., local => ..., settings => ['enable_sort = off']});
#
# The queries return a text column "id".
package RandomQueries;

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

our @EXPORT = qw(approximate certainty compare_queries create_ids literal number pick);

# One of several values.
sub pick
{
	return $_[rand @_];
}

# An integer from 0 on, less than what is given.
sub number
{
	my ($end) = @_;
	return int rand $end;
}

# Text as an SQL literal.
sub literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# Does pinecone-local search as an approximate index would?
sub approximate
{
	return ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--approximate/;
}

# Expressions in balanced parentheses, and other text
my $balanced = qr/(?:[^()]|(?<parens>\((?:[^()]++|(?&parens))*+\)))*/;

# What a query of nearest neighbours says of an approximate index: "all" when it
# asks for everything, so that it has to be exact; "rows" when the rows have to be,
# and their order not; "some" when which rows it has is up to the index, and how many
# is not; "open" when nothing of it is certain.
sub certainty
{
	my ($query, $by_cursor) = @_;
	my $operator = qr/<[-=#]>/;

	return 'all' if $query !~ $operator;
	return 'some' if $query =~ /^SELECT id FROM \S+ WHERE (?:(?!SELECT|$operator).)*ORDER BY embedding $operator \S+ LIMIT \d+(?: OFFSET \d+)?$/;
	# what asks for the first rows alone, in PostgreSQL's eyes too
	return 'open' if $query =~ /\bLIMIT\b|\bFETCH\b|\bOVER\b|\b(?:min|max)\((?:(?!\bFROM\b).)*$operator/s;
	# of conditions on a distance the index says which rows meet them; other places are what is shown, and the order
	return 'open' if $query =~ s/\bORDER BY $balanced//gr =~ s/\bSELECT (?:(?!\bFROM\b).)*//gsr =~ $operator;
	# a cursor's search grows, and what the index brings late comes last
	return !$by_cursor ? 'all' : $query =~ /\bOFFSET [^0]/ ? 'open' : 'rows';
}

# The SQL function that runs a query and puts together what it returns.
sub create_ids
{
	my ($t) = @_;
	$t->sql(<<'END');
CREATE FUNCTION ids(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE 'SELECT string_agg(id, '' '') FROM (' || q || ') s' INTO result;
  RETURN coalesce(result, '');
END $$;
-- as many as there ought to be, in their order, each once
CREATE FUNCTION is_part(part text, whole text, wanted text) RETURNS bool LANGUAGE sql AS $$
  SELECT cardinality(string_to_array(part, ' ')) = cardinality(string_to_array(wanted, ' '))
    AND NOT EXISTS (SELECT FROM (SELECT place, lag(place) OVER (ORDER BY n) AS before
        FROM (SELECT n, array_position(string_to_array(whole, ' '), id) AS place FROM unnest(string_to_array(part, ' ')) WITH ORDINALITY u (id, n)) p) q
      WHERE place IS NULL OR place <= before) $$;
END
}

sub statement
{
	my ($check) = @_;
	my $function = $check->{function} // 'ids';
	my ($foreign, $local) = map { literal($check->{$_}) } 'foreign', 'local';
	my @settings = map { "SET $_;" } @{$check->{settings} // []};

	my $certainty = approximate() ? certainty($check->{foreign}, $function ne 'ids') : 'all';
	my $same = 'f = l';
	if ($certainty eq 'some')
	{
		my $whole = $check->{local} =~ s/ LIMIT \d+(?: OFFSET \d+)?$//r;
		$same = 'is_part(f, ids(' . literal($whole) . '), l)';
	}
	$same = q{ARRAY(SELECT unnest(string_to_array(f, ' ')) ORDER BY 1) = ARRAY(SELECT unnest(string_to_array(l, ' ')) ORDER BY 1)} if $certainty eq 'rows';
	$same = 'true' if $certainty eq 'open';
	return join "\n", @settings, "SELECT $same, f, l FROM (SELECT $function($foreign) AS f, ids($local) AS l) s;", 'RESET ALL;';
}

# Compare queries of a foreign table with those of the local one; returns how
# many differ, and shows the first few.  A check may have settings, and another
# function than ids() for the foreign table.
sub compare_queries
{
	my ($t, $seed, @checks) = @_;
	my @rest = map { statement($_) } @checks;
	my @lines;
	my $differences = 0;

	# few at a time: what is sent and what comes back each fit a pipe
	while (my @some = splice @rest, 0, 8)
	{
		my $result = $t->psql(join("\n", @some), '-v', 'ON_ERROR_STOP=0');
		push @lines, grep { /^[tf]\|/ } split /\n/, $result->{out};
		diag "seed $seed: $result->{err}" if $result->{err};
	}
	is(scalar @lines, scalar @checks, 'every comparison was made');
	for my $n (0 .. $#lines)
	{
		my ($same, $foreign, $local) = split /\|/, $lines[$n], -1;

		next if $same eq 't';
		next if ++$differences > 5;
		my $settings = join ', ', @{$checks[$n]{settings} // []};
		diag "seed $seed: $checks[$n]{foreign}\n  settings: $settings\n  foreign: $foreign\n  local:   $local";
	}
	return $differences;
}

1;
