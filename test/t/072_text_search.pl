#!/usr/bin/env perl
#
# Searches of texts against an evaluator of the test's own: words of texts, BM25,
# phrases, and conditions on metadata beside them, for random documents and queries.
# It shares nothing with pinecone-local.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $seed = $ENV{SEED} // 1;
srand $seed;
my $t = Harness->new;
my $server = $t->server;
my @vocabulary = qw(fox dog cat lazy quick brown jumps over the under Über naive42 end);
my $ndocuments = 150;

# ---- The evaluator: from the documentation ----

# Split at what is neither letter nor digit, in lower case
sub tokens
{
	my ($text) = @_;
	return map { lc } grep { length } split /[^\p{Alnum}]+/, $text // '';
}

sub pick
{
	return $_[rand @_];
}

sub words
{
	my ($most) = @_;
	return join pick(' ', ', ', ' - ', '. '), map { pick(@vocabulary) } 0 .. rand $most;
}

my @documents = map { {
	id => sprintf('d%03d', $_),
	title => rand() < 0.8 ? words(4) : undef,
	body => rand() < 0.9 ? words(25) : undef,
	n => int rand 10} } 1 .. $ndocuments;
$_->{title} //= 'only a title' for grep { !defined $_->{title} && !defined $_->{body} } @documents;

# What the documents' words in a field are: made once
my %index;
for my $field ('title', 'body')
{
	my $total = 0;

	for my $d (@documents)
	{
		my @tokens = tokens($d->{$field});

		$index{$field}{words}{$d->{id}} = \@tokens;
		$index{$field}{count}{$d->{id}}{$_}++ for @tokens;
		$total += @tokens;
	}
	$index{$field}{average} = $total / @documents;
	for my $d (@documents)
	{
		$index{$field}{documents}{$_}++ for keys %{$index{$field}{count}{$d->{id}} // {}};
	}
}

# BM25 of the words of a query, added, each as often as it stands there
sub score
{
	my ($d, $field, $query) = @_;
	my $f = $index{$field};
	my $length = @{$f->{words}{$d->{id}}};
	my $sum = 0;

	for my $word (tokens($query))
	{
		my $tf = $f->{count}{$d->{id}}{$word} or next;
		my $n = $f->{documents}{$word};

		$sum += log(1 + (@documents - $n + 0.5) / ($n + 0.5)) * 2.2 * $tf / ($tf + 1.2 * (0.25 + 0.75 * $length / $f->{average}));
	}
	return $sum;
}

sub matches
{
	my ($d, $kind, $field, $query) = @_;
	my @tokens = tokens($query);
	my $count = $index{$field}{count}{$d->{id}} // {};
	my $text = join ' ', '', @{$index{$field}{words}{$d->{id}}}, '';

	return 0 unless @tokens;
	return scalar grep { $count->{$_} } @tokens if $kind eq 'any';
	return @tokens == grep { $count->{$_} } @tokens if $kind eq 'all';
	return index($text, ' ' . join(' ', @tokens) . ' ') >= 0;
}

# ---- Both sides ----

$server->create_document_index('texts', {title => {type => 'string', full_text_search => {}}, body => {type => 'string', full_text_search => {}}});
$t->sql("CREATE SERVER texts FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'texts', control_host '$server->{url}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE t (id text, title text, body text, n int, score float8) SERVER texts OPTIONS (namespace 'ns')");
binmode STDOUT, ':utf8';

sub literal
{
	my ($text) = @_;
	return 'NULL' unless defined $text;
	$text =~ s/'/''/g;
	utf8::encode($text);
	return "'$text'";
}
utf8::decode($_) for @vocabulary;
$t->sql('INSERT INTO t (id, title, body, n) VALUES ' . join ', ', map { '(' . join(', ', literal($_->{id}), literal($_->{title}), literal($_->{body}), $_->{n}) . ')' } @documents);

my (@sql, @expected, @what);
my %by_id = map { $_->{id} => $_ } @documents;
for (1 .. 60)
{
	my $query = words(2);
	my $limit = int rand(2) ? 5 : 200;
	my $fields = pick(['body'], ['title'], ['title', 'body']);
	my $n = int rand(2) ? int rand 10 : undef;
	my @found = grep { $_->[1] > 0 } map { my $d = $_; my $sum = 0; $sum += score($d, $_, $query) for @$fields; [$d->{id}, $sum] }
		grep { !defined $n || $_->{n} >= $n } @documents;

	@found = sort { $b->[1] <=> $a->[1] } @found;
	splice @found, $limit if @found > $limit;
	push @what, "$query in @$fields" . (defined $n ? " n >= $n" : '');
	# ties may change places, so scores are compared, and ids by their scores
	push @expected, join ' ', map { sprintf '%.3f', $_->[1] } @found;
	push @sql, 'SELECT string_agg(to_char(score, \'FM990.000\'), \' \') FROM (SELECT score FROM t WHERE (' . join(' OR ', map { "$_ @@@ " . literal($query) } @$fields) . ')' .
		(defined $n ? " AND n >= $n" : '') . " ORDER BY score DESC LIMIT $limit) s";

	my $kind = pick('any', 'all', 'phrase');
	my $field = $fields->[0];
	my $or = rand() < 0.3;
	$n //= 5;
	push @what, "match_$kind of $query in $field " . ($or ? 'or' : 'and') . " n = $n";
	push @expected, join ' ', sort map { $_->{id} } grep { my $m = matches($_, $kind, $field, $query); $or ? $m || $_->{n} == $n : $m && $_->{n} >= $n } @documents;
	push @sql, "SELECT string_agg(id, ' ' ORDER BY id COLLATE \"C\") FROM t WHERE pinecone_match_$kind($field, " . literal($query) . ') ' . ($or ? "OR n = $n" : "AND n >= $n");

	# a text that is missing does not lack words
	push @what, "not match_$kind of $query in $field and n <= $n";
	push @expected, join ' ', sort map { $_->{id} } grep { defined $_->{$field} && !matches($_, $kind, $field, $query) && $_->{n} <= $n } @documents;
	push @sql, "SELECT string_agg(id, ' ' ORDER BY id COLLATE \"C\") FROM t WHERE NOT pinecone_match_$kind($field, " . literal($query) . ") AND n <= $n";
}

# whatever the service says of what is missing
for my $reading ('match', 'skip')
{
	$server->control('POST', '/_local/settings', {assume => {'not-missing' => $reading}});
	my @got = split /\n/, $t->sql(join ";\n", map { "SELECT coalesce(($_), '') || '.'" } @sql), -1;
	my $wrong = 0;
	for my $i (0 .. $#sql)
	{
		my $got = ($got[$i] // '') =~ s/\.$//r;

		# float32 there, float64 here
		my (@g, @e);
		my $same = $got eq $expected[$i];

		@g = split / /, $got;
		@e = split / /, $expected[$i];
		$same ||= $sql[$i] =~ /to_char/ && @g == @e && !grep { abs($g[$_] - $e[$_]) > 0.0021 } 0 .. $#e;
		next if $same;
		$wrong++;
		diag("$what[$i]:\n  $sql[$i]\n  got      $got\n  expected $expected[$i]") if $wrong <= 3;
	}
	is($wrong, 0, scalar(@sql) . " searches say what the documentation says (seed $seed), not-missing $reading");
}

# ---- Lucene's language ----

sub has
{
	my ($d, $field, $word) = @_;
	return $index{$field}{count}{$d->{id}}{$word} ? 1 : 0;
}

@sql = @expected = @what = ();
for (1 .. 40)
{
	my ($f, $g) = map { pick('title', 'body') } 1, 2;
	my ($a, $b, $c) = map { (tokens(pick(@vocabulary)))[0] } 1 .. 3;
	my ($query, $is) = pick(
		["$f:($a $b)", sub { has($_[0], $f, $a) || has($_[0], $f, $b) }],
		["$f:($a AND $b)", sub { has($_[0], $f, $a) && has($_[0], $f, $b) }],
		["$f:$a AND $g:$b", sub { has($_[0], $f, $a) && has($_[0], $g, $b) }],
		["($f:$a OR $g:$b) AND $f:$c", sub { (has($_[0], $f, $a) || has($_[0], $g, $b)) && has($_[0], $f, $c) }],
		["+$f:$a -$g:$b", sub { has($_[0], $f, $a) && !has($_[0], $g, $b) }],
		["$f:$a NOT $g:$b", sub { has($_[0], $f, $a) && !has($_[0], $g, $b) }],
		["$f:\"$a $b\"", sub { matches($_[0], 'phrase', $f, "$a $b") }],
		["$a", sub { has($_[0], 'title', $a) || has($_[0], 'body', $a) }])->@*;
	my $n = rand() < 0.5 ? int rand 8 : undef;

	push @what, $query;
	push @expected, join ' ', map { $_->{id} } grep { $is->($_) && (!defined $n || $_->{n} > $n) } @documents;
	push @sql, 'SELECT string_agg(id, \' \' ORDER BY id COLLATE "C") FROM t WHERE pinecone_search_query(id, ' . literal($query) . ')' . (defined $n ? " AND n > $n" : '');
}
my @got = split /\n/, $t->sql(join ";\n", map { "SELECT coalesce(($_), '') || '.'" } @sql), -1;
my $wrong = 0;
for my $i (grep { ($got[$_] // '') ne "$expected[$_]." } 0 .. $#sql)
{
	diag("$what[$i]:\n  $sql[$i]\n  got      $got[$i]\n  expected $expected[$i]") if ++$wrong <= 3;
}
is($wrong, 0, scalar(@sql) . " queries find what the documentation says (seed $seed)");

# ---- What is not sent yet, Pinecone cannot search ----

for my $query ("body @@@ 'fox'", "pinecone_search_query(id, 'body:fox')", "pinecone_match_any(body, 'fox')")
{
	like($t->error_of("BEGIN; INSERT INTO t (id, body) VALUES ('mine', 'a fox of mine'); SELECT id FROM t WHERE $query; ROLLBACK"), qr/ERROR:.*\n/, "an error where a write waits: $query");
	is($t->sql("SELECT count(*) FROM t WHERE id = 'mine'"), '0', 'nothing is written');
}
$t->sql("INSERT INTO t (id, body) VALUES ('mine', 'a zebra of mine')");
is($t->sql("SELECT id FROM t WHERE body @@@ 'zebra' ORDER BY score DESC LIMIT 5"), 'mine', 'what is sent is found');
$t->sql("UPDATE t SET body = 'a gnu of mine' WHERE id = 'mine'");
is($t->sql("SELECT id FROM t WHERE body @@@ 'zebra'") . $t->sql("SELECT id FROM t WHERE pinecone_match_phrase(body, 'gnu of')"), 'mine', 'by the words that it has now');
$t->sql("DELETE FROM t WHERE id = 'mine'");

# ---- More matches than Pinecone shows ----

$server->control('POST', '/_local/settings', {max_top_k => 50});
like($t->error_of("SELECT count(*) FROM t WHERE body @@@ 'fox dog cat lazy quick brown'"), qr/more documents match the search|top_k/, 'no short answer');
is($t->sql("SELECT count(*) FROM (SELECT FROM t WHERE body @@@ 'fox dog cat lazy quick brown' ORDER BY score DESC LIMIT 50) s"), '50', 'as many as are shown');
$server->control('POST', '/_local/settings', {max_top_k => 10000});

# ---- A fetch that takes no words ----

$server->control('POST', '/_local/settings', {assume => {'fetch-match' => 'reject'}});
like($t->error_of("SELECT id FROM t WHERE pinecone_match_any(body, 'fox')"), qr/Pinecone rejected the request/, 'a refusal is an error');
like($t->sql("SELECT count(*) FROM (SELECT FROM t WHERE body @@@ 'dog' AND pinecone_match_any(body, 'fox') ORDER BY score DESC LIMIT 5) s"), qr/^5$/, 'a search takes them');
done_testing();
