# Ids listed in several places at a time: none is missing and none comes twice,
# whatever they look like and whoever writes; what it costs; and where it is not done.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(pinecone => ['--latency', 3, '--log-size', 20000]);
my $server = $t->server;
my $host = $server->create_index('ids', dimension => 2);

srand 57;

# Distinct ids over an alphabet
sub strings
{
	my ($n, $prefix, $most, @alphabet) = @_;
	my %ids;

	while (keys %ids < $n)
	{
		$ids{$prefix . join '', map { $alphabet[rand @alphabet] } 1 .. 1 + int rand $most} = 1;
	}
	return sort keys %ids;
}

my %ids = (
	hostile => [strings(1500, '', 9, "\x01", "\x7f", '#', 'a')],
	edges => [strings(300, '', 200, "\x01", "\x7f")],
	deep => [strings(600, 'x' x 480, 32, 'a' .. 'f', '-')],
	nested => [map { 'a' x $_ } 1 .. 512],
	last => [map { 'tenant#' . chr } 1 .. 127],
	uuid => [map { join '-', map { sprintf '%08x', rand 4294967296 } 1 .. 4 } 1 .. 1500],
	few => ['a', 'b', 'c'],
	one => ['only']);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE everything (id text COLLATE "C", namespace text OPTIONS (role 'namespace'), n int) SERVER s;
END
for my $name (sort keys %ids)
{
	my $n = 0;

	$server->upsert('ids', $name, [map { +{id => $_, values => [1, ++$n], metadata => {n => $n}} } @{$ids{$name}}]);
	$t->sql("CREATE FOREIGN TABLE $name (id text COLLATE \"C\", n int) SERVER s OPTIONS (namespace '$name')");
}

sub lists
{
	return grep { $_->{path} =~ m{^/vectors/list} } $server->requests;
}

# The lines that EXPLAIN ANALYZE has of a statement, by name
sub explained
{
	my ($s, $sql) = @_;
	my $text = $s->query("EXPLAIN (ANALYZE, VERBOSE) $sql")->{out};

	return {map { /^\s*(?:Pinecone )?([A-Z][\w ]+): (\S+)/ ? ($1 => $2) : () } split /\n/, $text};
}

# ---- Complete, and each once ----

my $wide = $t->session;
$wide->query('SET pinecone_fdw.enable_sweep = off');
$wide->query('SET pinecone_fdw.wide_listing_records = 0');
my $narrow = $t->session;
$narrow->query('SET pinecone_fdw.enable_wide_listing = off; SET pinecone_fdw.enable_sweep = off');

for my $name (sort keys %ids)
{
	my $quoted = $ids{$name}[@{$ids{$name}} / 2] =~ s/([\\%_'])/$1 eq "'" ? "''" : "\\$1"/ger;
	my $prefix = substr $quoted, 0, 1 + length($quoted) / 2;

	$prefix =~ s/\\+$//;
	for my $sql (
		"SELECT count(*), count(DISTINCT id), md5(string_agg(id, ' ' ORDER BY id)) FROM (SELECT id FROM $name OFFSET 0) s",
		"SELECT md5(string_agg(id, ' ')) FROM (SELECT id FROM $name ORDER BY id) s",
		"SELECT count(*), sum(n), md5(string_agg(id, ' ' ORDER BY id)) FROM $name WHERE n % 3 > 0",
		"SELECT md5(string_agg(id || n, ' ')) FROM (SELECT id, n FROM $name ORDER BY id LIMIT 150) s",
		"SELECT count(*), md5(string_agg(id, ' ' ORDER BY id)) FROM $name WHERE id LIKE E'$prefix%'")
	{
		my $expected = $narrow->query($sql);

		is($wide->query($sql)->{out}, $expected->{out}, "$name: $sql" =~ s/[^ -~]/?/gr);
		is($expected->{err}, '', 'no error');
	}
	is($narrow->query("SELECT count(id || '') FROM $name")->{out}, scalar @{$ids{$name}}, "$name: that is all of them");
}
for my $sql (
	"SELECT count(*), md5(string_agg(namespace || id, ' ' ORDER BY namespace, id)) FROM everything WHERE n > 0",
	"SELECT md5(string_agg(id, ' ')) FROM (SELECT id FROM everything ORDER BY id) s")
{
	is($wide->query($sql)->{out}, $narrow->query($sql)->{out}, "several namespaces: $sql");
}
$wide->query("SET pinecone_fdw.prefetch = 64");
for my $name (qw(hostile deep uuid))
{
	my $sql = "SELECT md5(string_agg(id, ' ')) FROM (SELECT id FROM $name ORDER BY id) s";

	is($wide->query($sql)->{out}, $narrow->query($sql)->{out}, "$name: in order with little memory");
}
$wide->query("RESET pinecone_fdw.prefetch");

# ---- Pages asked for ----

$server->clear_requests;
$wide->query("SELECT count(id || '') FROM hostile");
my %asked;
$asked{"$_->{path} " . ($_->{query} // '')}++ for lists();
is(scalar(grep { $_ > 1 } values %asked), 0, 'no page is asked for twice');
cmp_ok(scalar(keys %asked), '>', 100, 'bytes that no id has are asked for');
cmp_ok(scalar(keys %asked), '<', 900, 'but within limits');

# ---- Others write meanwhile ----

$wide->query('BEGIN');
my $writer = fork // die "no fork: $!\n";
if ($writer == 0)
{
	# what comes and goes is between those that stay
	for (1 .. 60)
	{
		my @new = map { {id => $_, values => [1, 1], metadata => {n => 0}} } strings(50, '', 9, "\x01", "\x7f", '#', 'b');

		$server->upsert('ids', 'hostile', \@new);
		$server->data('ids', 'POST', '/vectors/delete', {namespace => 'hostile', ids => [map { $_->{id} } grep { $_->{id} =~ /b/ } @new]});
	}
	require POSIX;
	POSIX::_exit(0);
}
my $wrong = 0;
for (1 .. 8)
{
	my $result = $wide->query("SELECT count(*) - count(DISTINCT id), count(*) FILTER (WHERE n > 0) FROM hostile WHERE n >= 0");

	# those over the alphabet without "b" are written anew as n = 0
	$wrong++ if $result->{out} !~ /^0\|/;
	$result = $wide->query("SELECT count(*), count(DISTINCT id) FROM hostile WHERE id ~ 'a'");
	my $stay = grep { /a/ } @{$ids{hostile}};
	$wrong++ if $result->{out} ne "$stay|$stay";
}
waitpid $writer, 0;
$wide->query('COMMIT');
is($wrong, 0, 'what is there throughout comes once, and nothing twice');

# ---- As it is by itself ----

my $many = 6000;
$server->upsert('ids', 'many', [map { +{id => (join '-', map { sprintf '%08x', rand 4294967296 } 1 .. 2), values => [cos $_, sin $_], metadata => {n => $_}} } 1 .. $many]);
$t->sql("CREATE FOREIGN TABLE many (id text COLLATE \"C\", n int) SERVER s OPTIONS (namespace 'many')");
my $s = $t->session;
$s->query("SET pinecone_fdw.stats_ttl = 0; SET pinecone_fdw.enable_sweep = off");
$s->query('SELECT id FROM many LIMIT 1');
my $of = explained($s, "SELECT count(id || '') FROM many");
cmp_ok($of->{'Peak In Flight'}, '>', 8, '6,000 ids are listed in many places');
cmp_ok($of->{Requests}, '<', 3.6 * $many / 100, 'with not too many requests');
$of = explained($s, 'SELECT sum(n) FROM many');
cmp_ok($of->{'Read Units'}, '<', 0.11 * $many * 1.2, 'and of what reading it costs that is little');

$of = explained($s, "SELECT count(id || '') FROM many WHERE id NOT LIKE '0%' AND id ~ '.'");
cmp_ok($of->{'Peak In Flight'}, '>', 8, 'so they are under a condition that is looked at here');

$server->clear_requests;
is($s->query("SELECT count(*) FROM (SELECT id FROM many LIMIT 10) s")->{out}, 10, 'LIMIT 10');
is(scalar(lists()), 1, 'is a request');
$server->clear_requests;
$s->query('SELECT n FROM many ORDER BY id LIMIT 10');
is(scalar($server->requests), 2 + grep({ $_->{path} =~ /stats/ } $server->requests), 'in order it is that and a fetch');
$server->clear_requests;
$s->query("SELECT count(id || '') FROM few");
is(scalar(lists()), 1, 'few ids are a page');
$server->clear_requests;
$s->query("SET pinecone_fdw.wide_listing_extra = 0; SELECT count(id || '') FROM many");
is(scalar(lists()), $many / 100, 'where it may not cost more it is page after page');
$s->query("RESET pinecone_fdw.wide_listing_extra; SET pinecone_fdw.enable_wide_listing = off");
$server->clear_requests;
$s->query("SELECT count(id || '') FROM many");
is(scalar(lists()), $many / 100, 'and where it is turned off');
$s->query("RESET pinecone_fdw.enable_wide_listing");

# ---- The sample is a guess ----

$server->fault({path => '/query', status => 400, body => '{"code":3,"message":"no searches today"}', count => 5});
is($s->query("SELECT count(DISTINCT id) FROM many")->{out}, $many, 'without a sample');
$server->clear_faults;

# ids that the sample does not have are found all the same: they are nobody's neighbours
$server->upsert('ids', 'many', [map { +{id => "zz$_", values => [1, 1], metadata => {n => $_}} } 1 .. 3000]);
$server->fault({path => '/query', status => 200, count => 5,
	body => '{"matches":[' . join(',', map { "{\"id\":\"zz$_\",\"score\":0.5}" } 1 .. 500) . '],"namespace":"many"}'});
is($s->query("SELECT count(DISTINCT id) FROM many")->{out}, $many + 3000, 'with one that has none of the others');
$server->clear_faults;

# ---- A prefix that many have ----

$server->upsert('ids', 'many', [map { +{id => 'tenant#' . (join '-', map { sprintf '%08x', rand 4294967296 } 1 .. 2), values => [cos $_, sin $_], metadata => {n => $_}} } 1 .. 5000]);
my $like = "SELECT count(id || '') FROM many WHERE id LIKE 'tenant#%'";
$of = explained($s, $like);
cmp_ok($of->{'Peak In Flight'}, '>', 8, 'ids with a prefix are listed in many places');
is($s->query($like)->{out}, 5000, 'and all of them');

# ---- Cancelled half way ----

$s->query("SET statement_timeout = 20");
like($s->query("SELECT count(id || '') FROM many")->{err}, qr/statement timeout/, 'cancelled');
$s->query("RESET statement_timeout");
is($s->query("SELECT count(id || '') FROM many")->{out}, $many + 8000, 'and asked again');

done_testing();
