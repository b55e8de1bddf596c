# IMPORT FOREIGN SCHEMA and ANALYZE read many namespaces side by side.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('many', dimension => 2);

# 40 namespaces of 250 records; what tells their columns is in the first 100
for my $i (1 .. 40)
{
	$server->upsert('many', sprintf('ns%02d', $i),
		[map { +{id => sprintf('%s%03d', $i, $_), values => [$_, 1], metadata => {"f$i" => $_, $_ > 100 ? ('late' => 1) : ()}} } 1 .. 250]);
}
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SCHEMA one;
CREATE SCHEMA each_one;
END

sub counted
{
	my ($sql) = @_;

	$server->clear_requests;
	$t->sql($sql);
	my %n;
	my $together = 0;
	for my $request ($server->requests)
	{
		$n{(split m{/}, $request->{path})[-1]}++;
		# a search that follows another one before the first one's fetch
		$together++ if $request->{path} =~ /query/ && !$n{fetch};
	}
	return (\%n, $together);
}

$server->control('POST', '/_local/settings', {latency => 30});
my ($n, $together) = counted('IMPORT FOREIGN SCHEMA x FROM SERVER s INTO each_one');
is($n->{query}, 40, 'each namespace is searched for ids once');
is($n->{list}, undef, 'and not listed');
is($n->{fetch}, 40, 'and no more of it read than the sample');
cmp_ok($together, '>', 8, 'they are searched side by side');
is($t->sql(q{SELECT string_agg(c.relname || ':' || a.attname, ',' ORDER BY c.relname, a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'each_one'::regnamespace AND a.attname ~ '^(f[0-9]|late)'}),
	join(',', map { sprintf 'ns%02d:f%d,ns%02d:late', $_, $_, $_ } 1 .. 40), 'each has its own fields, those of later records too');

($n) = counted(q{IMPORT FOREIGN SCHEMA x FROM SERVER s INTO one OPTIONS (one_table 'everything', sample_size '3')});
is("$n->{query} $n->{fetch}", '40 40', 'one table for all of them');
is($t->sql(q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'one.everything'::regclass AND attname ~ '^f[0-9]'}), 40, 'has the fields of all');

is($t->sql('SET pinecone_fdw.prefetch = 64; SELECT 1; IMPORT FOREIGN SCHEMA x LIMIT TO (ns01, ns02) FROM SERVER s INTO one; SELECT count(*) FROM one.ns02'),
	"1\n250", 'and with little memory fewer at a time');
done_testing;
