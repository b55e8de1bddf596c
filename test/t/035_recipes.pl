#!/usr/bin/env perl
#
# The plans and the numbers of requests that docs/recipes.md tells, against what the
# statements do: of a plan its scans and what it says of Pinecone.
#
#	test/t/035_recipes.pl --write		prints the page with both as they are
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $write = @ARGV && $ARGV[0] eq '--write';
my $root = "$FindBin::Bin/../..";
my $page = slurp("$root/docs/recipes.md");
my $vector = q('{0.1, 0.2, 0.3, 0.4}'::real[]);
my $t = Harness->new;
my $url = $t->server->{url};

sub slurp
{
	my ($name) = @_;
	open my $in, '<', $name or die "$name: $!";
	local $/;
	return scalar <$in>;
}

sub fill_in
{
	my ($sql) = @_;
	return $sql =~ s/\$1\b/$vector/gr =~ s/api_key '\.\.\.'/api_key 'test-key'/gr =~ s/(index 'catalog')\)/$1, control_host '$url')/r =~ s{http://127\.0\.0\.1:5080}{$url}gr;
}

# Scans, and what they are to Pinecone; other nodes differ from one PostgreSQL to another
sub essence
{
	return join "\n", map { s/^[\s>-]+//r } grep { /Scan|Pinecone|Batch/ && !/(?:Seq|CTE|Subquery|Function|Index|Bitmap).* Scan|Scan on (?:u|asked)\b/ } split /\n/, $_[0];
}

sub number_of
{
	my ($n) = @_;
	return $n . ($n == 1 ? ' request.' : ' requests.');
}

$t->server->create_index('catalog', dimension => 4, metric => 'cosine');
$t->server->create_index('recipes', dimension => 384, metric => 'dotproduct');
$t->sql(fill_in(slurp("$root/test/docs/pages/recipes.sql")) =~ s/^(?:\\!|CREATE EXTENSION).*$//gmr);
my ($first) = $page =~ /^```sql\n(.*?)^```$/ms;
$t->sql(fill_in($first));
$t->sql('ANALYZE article, passage');

my $session = $t->session;
my $recipes = 0;
# what was written is shown; and the session knows both indexes
$session->query('SET pinecone_fdw.unseen_time = 0');
$session->query("SET plan_cache_mode = force_custom_plan");
while ($page =~ /^```sql\n((?:(?!^```$).)*?)^```\n\n(?:PLAN|```\n((?:(?!^```$).)*?)^```\n\n(\d+ requests?\.))$/msg)
{
	my ($sql, $plan, $requests) = (fill_in($1), $2, $3);
	my ($from, $to) = ($-[0] + length("```sql\n$1```\n\n"), $+[0]);
	my $name = (grep { /^## / } split /\n/, substr $page, 0, $from)[-1];

	$session->query($sql);
	$t->server->clear_requests;
	$session->query($sql);
	my @sent = grep { !/describe_index_stats/ } $t->server->take_log;
	my $explained = $session->query("EXPLAIN (COSTS OFF) $sql")->{out} =~ s/\n?\z/\n/r =~ s/\Q$vector\E/\$1/gr =~ s/'\{0\.1,0\.2,0\.3,0\.4\}'::real\[\]/\$1/gr;
	# as long as a line of a page is
	$explained =~ s/^(.{117}).{4,}$/$1.../mg;
	$recipes++;
	if ($write)
	{
		my $text = "```\n$explained```\n\n" . number_of(scalar @sent);
		substr $page, $from, $to - $from, $text;
		pos($page) = $from + length $text;
		next;
	}
	is(essence($explained), essence($plan // ''), "the plan of \"$name\"");
	is(number_of(scalar @sent), $requests // '', "the requests of \"$name\"") or diag join "\n", @sent;
}
$write ? print $page : cmp_ok($recipes, '>=', 13, 'all of them were tried');
done_testing unless $write;
