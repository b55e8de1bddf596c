# The time of day is set by an hour, either way, while something waits.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Faulty;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $faulty = Faulty->new;
my $t = $faulty->harness;

sub make
{
	my ($fake, $options, $table) = @_;

	$t->sql('DROP SERVER IF EXISTS x CASCADE');
	$t->sql(<<"END");
CREATE SERVER x FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '@{[$fake->url]}' $options);
CREATE USER MAPPING FOR CURRENT_USER SERVER x OPTIONS (api_key 'k');
CREATE FOREIGN TABLE x (id text, embedding real[], n int) SERVER x @{[$table // '']};
END
}

# Replies to all that is asked of one record, with more for a path.
sub server
{
	my ($path, $more) = @_;

	return FakeServer->new(sub {
		my ($request) = @_;
		my $reply =
			$request->{path} =~ /stats/ ? FakeServer::stats(2, 1)
			: $request->{path} =~ /list/ ? FakeServer::list(['a'])
			: $request->{path} =~ /fetch/ ? FakeServer::fetched(FakeServer::ids($request))
			: $request->{path} =~ /query/ ? FakeServer::reply({matches => [{id => 'a', score => 0.5, values => []}], namespace => ''})
			: $request->{path} =~ /upsert/ ? FakeServer::reply({upsertedCount => 1}) : FakeServer::reply('{}');
		return $request->{path} =~ $path ? {%$reply, $more->($request)} : $reply;
	});
}

# A statement that waits, with the clock set meanwhile: its result and how long it took.
sub waits
{
	my ($statement, $offset) = @_;
	my $s = $t->session;

	$s->query('SELECT n FROM x WHERE id = \'warm\'') if $statement !~ /INSERT/;
	$s->send($statement);
	sleep 0.5;
	$faulty->set(clock_offset => $offset);
	my $result = eval { $s->result(12) } // {err => 'it still waits', seconds => 99, out => ''};
	$faulty->set(clock_offset => 0);
	$s->close;
	return $result;
}

for my $offset (-3600, 3600)
{
	my $way = $offset < 0 ? 'set back' : 'set forward';
	my $result;

	make(my $busy = server(qr/list/, sub { return $_[0]{n} == 1 ? (status => 503, headers => {'Retry-After' => 2}) : () }), '');
	$result = waits('SELECT id FROM x', $offset);
	is($result->{out}, 'a', "$way while it backs off: the answer");
	cmp_ok($result->{seconds}, '<', 6, 'after what was asked for');
	cmp_ok($result->{seconds}, '>', 1.9, 'and not before');

	make(my $slow = server(qr/list/, sub { return (delay => 2) }), ", request_timeout '4s', max_retries '0'");
	is(waits('SELECT id FROM x', $offset)->{out}, 'a', "$way while an answer is waited for");

	make(my $dead = server(qr/list/, sub { return (delay => 60) }), ", request_timeout '2s', max_retries '0'");
	$result = waits('SELECT id FROM x', $offset);
	like($result->{err}, qr/timed out after 2000 ms/, "$way while nobody answers: request_timeout");
	cmp_ok($result->{seconds}, '<', 4, 'ends it');

	make(my $paced = server(qr/nothing/, sub { return () }), ", rate_limits 'fetch 1', max_concurrency '1'");
	$result = waits("SELECT (SELECT n FROM x WHERE id = 'p') + (SELECT n FROM x WHERE id = 'q') + (SELECT n FROM x WHERE id = 'r')", $offset);
	is($result->{err} . $result->{out}, 3, "$way while it waits for its turn");
	cmp_ok($result->{seconds}, '<', 8, 'which comes');

	make(my $lags = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::reply({upsertedCount => 1}, headers => {'x-pinecone-request-lsn' => 7}) if $request->{path} =~ /upsert/;
		return FakeServer::stats(2, 1) if $request->{path} =~ /stats/;
		return FakeServer::reply({matches => [], namespace => ''}, headers => {'x-pinecone-max-indexed-lsn' => 5}) if $request->{path} =~ /query/;
		return FakeServer::list([]) if $request->{path} =~ /list/;
		return FakeServer::fetched();
	}), '', "OPTIONS (consistency 'session', consistency_timeout '3s')");
	$result = waits("SET pinecone_fdw.unseen_time = 0; INSERT INTO x VALUES ('a', '{1,1}', 1); SELECT id FROM x;", $offset);
	like($result->{err}, qr/does not show this session's writes/, "$way while writes are waited for: consistency_timeout");
	cmp_ok($result->{seconds}, '<', 7, 'ends it');
	cmp_ok($result->{seconds}, '>', 2.5, 'and not before');

	make(my $refuses = server(qr/upsert/, sub { return $_[0]{n} < 4 ? (status => 503, headers => {'Retry-After' => 1}) : () }), '');
	$result = waits("INSERT INTO x VALUES ('a', '{1,1}', 1)", $offset);
	is($result->{err}, '', "$way while a transaction is sent");
	cmp_ok($result->{seconds}, '<', 8, 'which takes as long as it does');
}
{
	# what was known for a while is not known for an hour more
	make(my $stats = server(qr/nothing/, sub { return () }), '');
	my $s = $t->session;
	$s->query("SET pinecone_fdw.stats_ttl = '1s'; EXPLAIN SELECT id FROM x");
	$faulty->set(clock_offset => -3600);
	sleep 1.1;
	$s->query('EXPLAIN SELECT id FROM x');
	is($stats->count('/describe_index_stats'), 2, 'statistics grow old by a clock that is not set');
	$faulty->set(clock_offset => 0);
}
done_testing();
