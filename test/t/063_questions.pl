# The statements of test/bench/questions.sql and test/bench/dashboard.sql say the
# same of foreign tables as of local copies.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('asked', dimension => 4);
my $n = 4500;

srand 5;
my @vectors = ([1, 0.1, 0.2, 0.3], [1, 0.1, 0.2, 0.31], map { [1, map { sprintf('%.3f', rand() * 2 - 1) + 0 } 1 .. 3] } 1 .. 95);
my %records;
for my $i (0 .. $n - 1)
{
	push @{$records{$i % 50 == 0 ? 't' . $i % 3 : 'kb'}}, {
		id => sprintf('doc-%06d', $i * 11), values => $vectors[$i % 97],
		metadata => {n => $i * 11, year => 1990 + $i % 30, category => 'c' . $i % 20, key => 'k' . $i * 11, published => sprintf('2024-%02d-%02d', 1 + $i % 12, 1 + $i % 28)}};
}
for my $namespace (sort keys %records)
{
	while (my @some = splice @{$records{$namespace}}, 0, 1000)
	{
		$server->upsert('asked', $namespace, \@some);
	}
}
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SCHEMA f;
CREATE SCHEMA l;
CREATE FOREIGN TABLE f.docs (id text COLLATE "C", embedding real[], score real, n int, year int, category text, published date, metadata jsonb)
  SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE f.all_docs (tenant text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int, year int) SERVER s;
CREATE TABLE l.docs AS SELECT * FROM f.docs;
CREATE TABLE l.all_docs AS SELECT * FROM f.all_docs;
CREATE TABLE asked AS SELECT k, '{1,0.1,0.2,0.3}'::real[] AS e FROM generate_series(1, 3) k;
ALTER TABLE asked ADD PRIMARY KEY (k);
CREATE TABLE doomed AS SELECT 'doc-' || lpad((33 * i)::text, 6, '0') AS id FROM generate_series(1, 200) i;
CREATE TABLE wanted AS SELECT i AS k, 77 * i AS n, 'k' || 77 * i AS key FROM generate_series(1, 635) i;
ANALYZE asked, doomed, wanted;
END

my $s = $t->session;
$s->query("LOAD 'pinecone_fdw'");

# What a statement answers, by the tables of a schema: of one that writes, what there is after it
sub answer
{
	my ($schema, $sql) = @_;

	$sql =~ s/ROLLBACK$/SELECT count(*), sum(n), sum(year), count(metadata -> 'reviewed') FROM docs; ROLLBACK/;
	my $result = $s->query("SET search_path = $schema, public; $sql");
	fail("$sql: $result->{err}") if $result->{err} =~ /ERROR/;
	return $result->{out} if $sql =~ /ORDER BY(?!.*\bs$)/;
	return join "\n", sort split /\n/, $result->{out};
}

my $statements = 0;
for my $file ('questions', 'dashboard')
{
	open my $lines, '<', "$FindBin::Bin/../bench/$file.sql" or die "$file: $!\n";
	while (my $sql = <$lines>)
	{
		next if $sql =~ /^(--|\s*$)/;
		chomp $sql;
		# ids here are multiples of 11
		$sql =~ s/doc-000123/doc-000121/;
		$sql =~ s/:q\b/'{1,0.1,0.2,0.3}'::real[]/g;
		my ($f, $l) = map { answer($_, $sql) } 'f', 'l';

		# scores are float32, and neighbours at one distance come in any order
		if ($sql =~ /<=>|distance/)
		{
			s/(\d+\.\d{4})\d+/$1/g for $f, $l;
			is(scalar(split /\n/, $f), scalar(split /\n/, $l), "$sql: as many rows");
			my $distances = sub { join "\n", map { $t->{distance}{$_} // $_ } map { /^(doc-\d+)/ ? $1 : $_ } split /\n/, $_[0] };
			$t->{distance} //= {map { split /\|/ } split /\n/, $t->sql("SELECT id, round((embedding <=> '{1,0.1,0.2,0.3}')::numeric, 4) FROM l.docs")};
			is($distances->($f), $distances->($l), '... as near') unless $sql =~ /vector|docs a|doomed/;
		}
		else
		{
			is($f, $l, $sql);
		}
		diag "$sql -> " . substr($f, 0, 60) =~ s/\n/ /gr if $ENV{SHOW};
		$statements++;
	}
}
cmp_ok($statements, '>=', 52, 'forty questions and twelve of a dashboard');
done_testing;
