# Requests per second: what may go at once, what waits for its turn, and what
# the service asks for.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use FakeServer;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new(pinecone => ['--rate-limits']);
my $host = $t->server->create_index('limited', dimension => 2);
$t->server->upsert('limited', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 50]);

sub make
{
	my ($name, $options) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text, embedding real[], n int) SERVER $name;
END
}

# A list of so many pages of one id; "refuse" says which requests are one too many.
sub lister
{
	my ($pages, $refuse) = @_;

	return FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		return {status => 429, body => '{"code":8,"message":"Request failed. You\'ve reached the max list requests per second for index x."}'}
			if $refuse && $refuse->($request->{n});
		my $page = $request->{query} =~ /paginationToken=t(\d+)/ ? $1 : 1;
		return FakeServer::list([sprintf 'a%05d', $page], $page < $pages ? 't' . ($page + 1) : undef);
	});
}

my $list = 'SELECT count(id || 1) FROM';

{
	my $lister = lister(30);
	make('paced', "host '" . $lister->url . "', rate_limits 'list 10'");
	my $s = $t->session;
	my $result = $s->query("$list paced");
	my @times = map { $_->{time} } grep { $_->{path} =~ /list/ } $lister->requests;
	my @first = grep { $_ < $times[0] + 0.9 } @times;

	is($result->{out}, 30, '30 pages, 10 per second');
	cmp_ok($result->{seconds}, '>', 1.8, 'take 2 s');
	cmp_ok($result->{seconds}, '<', 3.5, 'and not much more');
	cmp_ok($times[9] - $times[0], '<', 0.5, 'ten of them at once');
	cmp_ok(scalar(@first), '<=', 20, 'the others in their turn');

	$s->query("SET statement_timeout = '500ms'");
	$result = $s->query("$list paced");
	like($result->{err}, qr/canceling statement due to statement timeout/, 'a statement that waits for its turn is canceled');
	cmp_ok($result->{seconds}, '<', 0.8, 'at once');
	$s->query('RESET statement_timeout');
	sleep 1;
	$result = $s->query('SELECT id FROM paced LIMIT 1');
	cmp_ok($result->{seconds}, '<', 0.2, 'a single request does not wait');

	$t->sql("ALTER SERVER paced OPTIONS (SET rate_limits 'list 0')");
	cmp_ok($s->query("$list paced")->{seconds}, '<', 1.8, '0 is no limit');
	$t->sql("ALTER SERVER paced OPTIONS (SET rate_limits 'off')");
	cmp_ok($s->query("$list paced")->{seconds}, '<', 1.8, 'off is none at all');
}
{
	# by metadata 5 may go per second: 35 pages take 6 s at least if that holds
	my $pages = 35;
	my $fetcher = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		my $page = $request->{body} =~ /"t(\d+)"/ ? $1 : 1;
		return FakeServer::reply({vectors => {"a$page" => {id => "a$page", metadata => {n => 1}}}, $page < $pages ? (pagination => {next => 't' . ($page + 1)}) : ()});
	});
	make('by_metadata', "host '" . $fetcher->url . "'");
	my $result = $t->psql('SELECT count(*) FROM (SELECT id FROM by_metadata WHERE n = 1 OFFSET 0) x');
	is($result->{out}, $pages, "$pages pages");
	is($fetcher->count('/vectors/fetch_by_metadata'), $pages, 'by metadata');
	# a busy machine is slow now and then
	for (1 .. 2)
	{
		$result = $t->psql('SELECT count(*) FROM (SELECT id FROM by_metadata WHERE n = 1 OFFSET 0) x') if $result->{seconds} >= 5.5;
	}
	cmp_ok($result->{seconds}, '<', 5.5, 'a server on this machine is not limited by default');

	my $lister = lister(300);
	make('here', "host '" . $lister->url . "', rate_limits 'query 1'");
	$result = $t->psql("$list here");
	is($result->{out}, 300, 'unless the option is there: 300 pages, 200 at once');
	cmp_ok($result->{seconds}, '>', 0.4, 'and 200 per second');
}
{
	# one in four is refused, and the list comes to its end; 068 has what it is told by that
	my $lister = lister(20, sub { $_[0] % 4 == 0 });
	make('busy', "host '" . $lister->url . "', rate_limits 'list 100'");
	my $result = $t->psql("$list busy");
	is($result->{out}, 20, 'a service that asks for less');
	is($result->{err}, '', 'is no error');
}

# The documented limits, as pinecone-local keeps them
make('limited', "host '$host', rate_limits 'query 100', max_retries '10'");
for (['(SELECT id FROM limited WHERE g > 0 ORDER BY embedding <=> ARRAY[g, 1]::real[] LIMIT 1)', 300, '/query', 'searches'],
	['(SELECT id FROM limited WHERE n = g % 50 + 1 OFFSET 0)', 12, '/vectors/fetch_by_metadata', 'filters'])
{
	my ($query, $n, $path, $name) = @$_;
	$t->server->clear_requests;
	my $result = $t->psql("SET statement_timeout = '30s'; SELECT count(x.id) FROM generate_series(1, $n) g, LATERAL $query x");
	my @requests = grep { $_->{path} eq $path } $t->server->requests;
	is($result->{out}, $n, "$n $name with the documented limits");
	is($result->{err}, '', 'no error');
	my $refused = grep { $_->{status} == 429 } @requests;
	cmp_ok($refused, '<', $n / 2, "$refused refusals on the way");
}

for ("query", "query 5 6", "qwerty 5", "query -1", "query 1e3", "query 5,", "", "query nan", "query 10000000")
{
	like($t->error_of("ALTER SERVER here OPTIONS (SET rate_limits '$_')"), qr/invalid value for option "rate_limits": "\Q$_\E"\nHINT:/, "rate_limits '$_' is refused");
}
done_testing;
