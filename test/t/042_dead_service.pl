# A service that accepts and does not answer, in whole or in part: it is waited
# for once, and what was known before stays known.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Harness;
use IO::Socket::IP;
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new;
my $host = $t->server->create_index('real', dimension => 2);
$t->server->upsert('real', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 20]);

sub make
{
	my ($name, $options) = @_;

	$t->sql(<<"END");
DROP SERVER IF EXISTS $name CASCADE;
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text, embedding real[], n int) SERVER $name;
END
}

my @statements = (
	'SELECT id FROM x',
	'SELECT count(*) FROM x',
	'SELECT count(*) FROM x WHERE n = 1',
	"SELECT n FROM x WHERE id = 'a'",
	"SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1",
	"INSERT INTO x VALUES ('a', '{1,1}', 1)",
	"UPDATE x SET n = 2 WHERE id = 'a'",
	'DELETE FROM x WHERE n = 3',
	'ANALYZE x',
	'TRUNCATE x',
);

# ---- Nothing is answered ----

{
	my $silent = FakeServer->new(sub { return {delay => 600} });
	make('x', "host '" . $silent->url . "', request_timeout '3s', max_retries '0'");
	for my $statement (@statements)
	{
		my $result = $t->psql($statement);
		like($result->{err}, qr/request to Pinecone timed out after 3000 ms/, "nobody answers: $statement");
		# a busy machine may stop for seconds, but hardly twice
		$result = $t->psql($statement) if $result->{seconds} >= 5.5;
		cmp_ok($result->{seconds}, '<', 5.5, 'is waited for once');
	}
	cmp_ok($t->psql('EXPLAIN SELECT id FROM x')->{seconds}, '<', 2.5, 'EXPLAIN does not wait so long');
	my $s = $t->session;
	$s->query('EXPLAIN SELECT id FROM x');
	cmp_ok($s->query('EXPLAIN SELECT id FROM x')->{seconds}, '<', 0.5, 'nor again');
}

# ---- Statistics alone are not answered ----

for my $kind ('a hang', '503')
{
	my $broken = 0;
	my $stats = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::list(['a', 'b']) if $request->{path} =~ /list/;
		return FakeServer::fetched(FakeServer::ids($request)) if $request->{path} =~ /fetch/;
		return FakeServer::reply({matches => [{id => 'a', score => 0.5, values => []}], namespace => ''}) if $request->{path} =~ /query/;
		return FakeServer::reply({upsertedCount => 1}) if $request->{path} =~ /upsert/;
		return $kind eq '503' ? {status => 503} : {delay => 600} if $request->{n} > 1;
		return FakeServer::stats(2, 2);
	});
	make('x', "host '" . $stats->url . "', request_timeout '4s', max_retries '0'");

	# known before
	my $s = $t->session;
	$s->query("SET pinecone_fdw.stats_ttl = '300ms'");
	is($s->query("SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1")->{out}, 'a', "$kind of statistics: known");
	sleep 0.4;
	my $first = $s->query("SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1");
	is($first->{err} . $first->{out}, 'a', 'metric and dimension stay known');
	cmp_ok($first->{seconds}, '<', 2, 'after a moment');
	for my $statement ("SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1", "SELECT n FROM x WHERE id = 'a'", 'SELECT count(n) FROM x', "INSERT INTO x VALUES ('a', '{1,1}', 1)")
	{
		my $result = $s->query($statement);
		is($result->{err}, '', "$kind: $statement");
		cmp_ok($result->{seconds}, '<', 0.8, 'without waiting again');
	}
	sleep 4 if $kind eq 'a hang';
	my $later = $s->query("SELECT n FROM x WHERE id = 'a'");
	is($later->{err} . $later->{out}, 1, 'later, too');
	cmp_ok($later->{seconds}, '<', 0.8, 'a failure is remembered');

	# not known
	my $new = $t->session;
	my $result = $new->query("SELECT n FROM x WHERE id = 'a'");
	is($result->{out}, 1, "$kind: a lookup does without");
	cmp_ok($result->{seconds}, '<', 2.5, 'after a moment');
	cmp_ok($new->query("SELECT n FROM x WHERE id = 'a'")->{seconds}, '<', 0.8, 'and then at once');
	$result = $new->query("SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1");
	like($result->{err}, $kind eq '503' ? qr/could not answer/ : qr/timed out after 4000 ms.*describe index stats/s, 'a search cannot');
	cmp_ok($result->{seconds}, '<', 5.5, 'and says so after one timeout');
	is($new->query("SELECT n FROM x WHERE id = 'a'")->{out}, 1, 'a lookup still can');
}

# ---- Connections that are not made ----

{
	my $listener = IO::Socket::IP->new(Listen => 5, LocalHost => '127.0.0.1') or die;
	make('x', "host 'https://127.0.0.1:" . $listener->sockport . "', connect_timeout '700ms', request_timeout '20s', max_retries '1'");
	my $result = $t->psql('SELECT id FROM x');
	like($result->{err}, qr/could not reach Pinecone host ".*" within 700 ms.*2 attempts.*"connect_timeout"/s, 'a handshake that stalls is tried again, and names connect_timeout');
	cmp_ok($result->{seconds}, '<', 4, 'in time');
	unlike($result->{err}, qr/timed out after 20000/, 'it is not the request that timed out');
	$result = $t->psql("INSERT INTO x VALUES ('a', '{1,1}', 1)");
	like($result->{err}, qr/within 700 ms/, 'nor a write');
	unlike($result->{err}, qr/not known whether/, 'of which nothing was sent');
	my $s = $t->session;
	$s->query("SET statement_timeout = '300ms'");
	$result = $s->query('SELECT id FROM x');
	like($result->{err}, qr/statement timeout/, 'statement_timeout ends it');
	cmp_ok($result->{seconds}, '<', 0.6, 'at once');
	# more time for the whole than for the connection
	make('x', "host 'https://127.0.0.1:" . $listener->sockport . "', connect_timeout '20s', request_timeout '600ms', max_retries '0'");
	like($t->psql('SELECT id FROM x')->{err}, qr/within 600 ms.*"request_timeout"/s, 'the shorter of both is named');
}

# ---- Files that keep their reader waiting ----

{
	my $fifo = $t->dir . '/fifo';
	mkfifo($fifo, 0666) or die $!;
	chmod 0666, $fifo;
	my $directory = $t->dir . '/directory';
	mkdir $directory;
	chmod 0755, $directory;
	for ([$fifo, qr/certificate file "\Q$fifo\E" is not a regular file/], [$directory, qr/certificate file ".*" is not a regular file/],
		['/dev/zero', qr/is not a regular file/], ['/nonexistent.pem', qr/could not read certificate file "\/nonexistent.pem": No such file/])
	{
		my ($file, $error) = @$_;
		make('x', "host 'https://127.0.0.1:1', ca_file '$file', connect_timeout '1s', max_retries '0'");
		for my $statement ('SELECT id FROM x', "INSERT INTO x VALUES ('a', '{1,1}', 1)")
		{
			my $s = $t->session;
			$s->query("SET statement_timeout = '5s'");
			my $result = $s->query($statement, 10);
			like($result->{err}, $error, "ca_file $file: $statement");
			cmp_ok($result->{seconds}, '<', 1, 'without waiting');
		}
	}
	is($t->psql('CREATE DATABASE d; DROP DATABASE d')->{err}, '', 'other sessions are not concerned');
	my $file = $t->dir . '/none.pem';
	open my $f, '>', $file or die $!;
	print $f "no certificate\n";
	close $f;
	my $listener = IO::Socket::IP->new(Listen => 5, LocalHost => '127.0.0.1') or die;
	make('x', "host 'https://127.0.0.1:" . $listener->sockport . "', ca_file '$file', connect_timeout '2s', max_retries '0'");
	like($t->psql('SELECT id FROM x')->{err}, qr/could not establish a trusted connection.*ca_file/s, 'a file without certificates');
}
done_testing();
