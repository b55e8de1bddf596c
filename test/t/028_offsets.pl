# OFFSET over ids alone: the rows that come after it are whole, also where searches
# bring some of the ids, and lists the rest.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

use constant RECORDS => 2500;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('offsets', dimension => 2, metric => 'cosine');

$server->upsert('offsets', 'docs', [map { {id => sprintf('r%05d', $_), values => [1 + $_ % 7, $_ % 11], metadata => {n => $_, k => $_ % 25}} } 1 .. RECORDS]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, k int) SERVER s OPTIONS (namespace 'docs');
END

# A page of rows, in whatever order: as many as there are to be, each of them whole
sub page
{
	my ($offset, $sets, $what) = @_;
	# a session's first statement is planned before the library is there
	my $result = $t->psql("LOAD 'pinecone_fdw'; $sets SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id = 'r' || lpad(n::text, 5, '0') AND embedding IS NOT NULL)
		FROM (SELECT * FROM t LIMIT 20 OFFSET $offset) s");
	my $n = RECORDS - $offset < 20 ? RECORDS - $offset : 20;

	is($result->{out} . $result->{err}, "$n|$n|$n", "$what, OFFSET $offset");
}

my @offsets = (1, 99, 100, 101, 1000, 2490);
page($_, '', 'lists') for @offsets;
my $forced = "LOAD 'pinecone_fdw'; SET pinecone_fdw.sweep_records = 0;";
page($_, $forced, 'searches') for @offsets;
for my $seed (1 .. 3)
{
	$server->control('POST', '/_local/settings', {approximate => $seed});
	page($_, $forced, "an approximate index, $seed") for @offsets;
	is($t->sql("$forced SET enable_sort = off; SELECT string_agg(n::text, ' ') FROM (SELECT id, n FROM t ORDER BY id LIMIT 3 OFFSET 1500) s"), '1501 1502 1503', '... in order');
}
$server->control('POST', '/_local/settings', {approximate => 0});

# after the last id, and on the last page, with searches in place of hundreds of lists
$server->upsert('offsets', 'docs', [map { {id => sprintf('r%05d', $_), values => [1, 2], metadata => {n => $_}} } 2501 .. 4500]);
for my $approximate (0, 1)
{
	$server->control('POST', '/_local/settings', {approximate => $approximate});
	for my $last (4400, 4490, 4500)
	{
		my $n = $last + 50 > 4500 ? 4500 - $last : 50;
		my @rows = split /\n/, $t->sql("$forced SET enable_sort = off; SELECT n FROM t WHERE id > 'r0$last' ORDER BY id LIMIT 50");
		is_deeply(\@rows, [$last + 1 .. $last + $n], "the page after $last" . ($approximate ? ', an approximate index' : ''));
	}
}
$server->control('POST', '/_local/settings', {approximate => 0});
$server->take_log;
$t->sql("$forced SET enable_sort = off; SELECT n FROM t WHERE id > 'r04500' ORDER BY id LIMIT 50");
cmp_ok((grep { /vectors\/list/ } $server->take_log), '<=', 60, 'few lists after the last id');

done_testing;
