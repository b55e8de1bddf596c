# Requests per second of many sessions together: they share what is granted.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new(pinecone => ['--rate-limits', '--latency', '20']);
my $server = $t->server;
my $host = $server->create_index('shared', dimension => 2);
$server->upsert('shared', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 50]);

sub make
{
	my ($name, $options) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text, embedding real[], n int) SERVER $name;
END
}

# Run a statement in so many sessions at once; seconds, and what all of them print.
sub together
{
	my ($n, $sql) = @_;
	my @sessions = map { $t->session } 1 .. $n;
	$_->query('SELECT 1') for @sessions;
	my $start = time;
	$_->send($sql) for @sessions;
	my @results = map { $_->result } @sessions;
	my $seconds = time - $start;
	$_->close for @sessions;
	return ($seconds, map { "$_->{out}$_->{err}" } @results);
}

sub refused
{
	my ($path) = @_;
	my @requests = grep { $_->{path} eq $path } $server->requests;

	return (scalar @requests, scalar grep { $_->{status} == 429 } @requests);
}

# ---- 20 sessions search: 400 searches at 100 per second ----

make('shared', "host '$host', rate_limits 'query 100', max_retries '10'");
my $searches = 'DO $$ DECLARE x text; BEGIN FOR i IN 1 .. 20 LOOP SELECT id INTO x FROM shared ORDER BY embedding <=> ARRAY[i, 1]::real[] LIMIT 1; END LOOP; END $$';
$server->clear_requests;
my ($seconds, @out) = together(20, $searches);
my ($sent, $refused) = refused('/query');
is(join('', @out), '', '20 sessions search 20 times each');
cmp_ok($sent - $refused, '==', 400, 'each search is granted once');
cmp_ok($refused, '<=', 12, "$refused of $sent requests are refused");
note(sprintf '%.2f s', $seconds);

# ---- One that waits for its turn ----

{
	my $lister = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		my $page = $request->{query} =~ /paginationToken=t(\d+)/ ? $1 : 1;
		return FakeServer::list([sprintf 'a%05d', $page], $page < 20 ? 't' . ($page + 1) : undef);
	});
	make('slow', "host '" . $lister->url . "', rate_limits 'list 5'");
	my $waiting = $t->session;
	my $other = $t->session;
	$waiting->query('SELECT id FROM slow LIMIT 1');
	$waiting->send('SELECT count(id || 1) FROM slow');
	sleep 0.5;
	my $start = time;
	my $result = $other->query('SELECT id FROM slow LIMIT 1');
	is($result->{out}, 'a00001', 'who comes later');
	cmp_ok(time - $start, '<', 2.5, 'gets a turn before one who has many to come');
	$start = time;
	$t->sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT count(id%'");
	$result = $waiting->result;
	like($result->{err}, qr/canceling statement/, 'who waits for a turn is canceled');
	cmp_ok(time - $start, '<', 1, 'at once');
	# and of those that end, nothing is left
	$waiting->send('SELECT count(id || 1) FROM slow');
	sleep 0.3;
	$t->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT count(id%'");
	sleep 1.3;
	$start = time;
	is($other->query('SELECT id FROM slow LIMIT 1')->{out}, 'a00001', 'a session that ends holds nobody up');
	cmp_ok(time - $start, '<', 1, 'its turns are free');
}

# ---- A service that grants less than is documented ----

{
	my %granted;
	my $tenth = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		return {status => 429, body => '{"code":8,"message":"Request failed. You\'ve reached the max list requests per second for index x."}'}
			if ++$granted{int time} > 10;
		my $page = $request->{query} =~ /paginationToken=t(\d+)/ ? $1 : 1;
		return FakeServer::list([sprintf 'a%05d', $page], $page < 20 ? 't' . ($page + 1) : undef);
	});
	make('tenth', "host '" . $tenth->url . "', rate_limits 'list 100', max_retries '10'");
	my $result = $t->psql('SELECT count(id || 1) FROM tenth');
	is($result->{out} . $result->{err}, 20, 'a service that grants a tenth of it');
	my $lists = grep { $_->{path} =~ /list/ } $tenth->requests;
	cmp_ok($lists, '<', 20 + 16, "has to refuse some: $lists requests for 20");
	$result = $t->psql('SELECT count(id || 1) FROM tenth');
	my $more = (grep { $_->{path} =~ /list/ } $tenth->requests) - $lists;
	cmp_ok($more, '<', 20 + 16, "another session knows: $more requests");
}

# ---- Retry-After, to whomever it was said ----

{
	my $first = 1;
	my $busy = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		return {status => 429, headers => {'Retry-After' => 1}, body => '{"code":8,"message":"Request failed. You\'ve reached the max list requests per second for index x."}'}
			if $request->{path} =~ /list/ && $first-- > 0;
		return FakeServer::list(['a']);
	});
	make('busy', "host '" . $busy->url . "'");
	my $a = $t->session;
	$a->send('SELECT id FROM busy');
	sleep 0.4;
	my $b = $t->psql('SELECT id FROM busy');
	is($b->{out}, 'a', 'where the service has told one session to wait');
	cmp_ok($b->{seconds}, '>', 0.4, 'another one waits, too');
	is($a->result->{out}, 'a', 'and both get their answer');
}

# one that nobody waits for fails who is told so, and holds nobody else
{
	my $first = 1;
	my $closed = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::stats(2, 1000) if $request->{path} =~ /stats/;
		return {status => 429, headers => {'Retry-After' => 3600}, body => '{"code":8,"message":"Request failed. You\'ve reached the max list requests per second for index x."}'}
			if $request->{path} =~ /list/ && $first-- > 0;
		return FakeServer::list(['a']);
	});
	make('closed', "host '" . $closed->url . "', rate_limits 'list 100'");
	like($t->psql('SELECT id FROM closed')->{err}, qr/Pinecone rate limit reached/, 'an hour is not waited for');
	my $result = $t->psql("SET statement_timeout = '20s'; SELECT id FROM closed");
	is($result->{out} . $result->{err}, 'a', 'nor by those who come later');
}
done_testing;
