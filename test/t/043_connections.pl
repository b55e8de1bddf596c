# Connections: how many there are, and how long they stay.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new(pinecone => ['--latency', '30']);
my $host = $t->server->create_index('real', dimension => 2);
my ($port) = $host =~ /:(\d+)/;
$t->server->upsert('real', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 100]);
for my $name ('real', 'other', 'third')
{
	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_concurrency '40');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text, embedding real[], n int) SERVER $name;
END
}

my $many = 'SELECT count(x.id) FROM generate_series(1, 60) g, LATERAL (SELECT id FROM TABLE WHERE g > 0 ORDER BY embedding <=> ARRAY[g, 1]::real[] LIMIT 1) x';

# A session that has many connections
sub busy
{
	my ($timeout) = @_;
	my $s = $t->session;

	$s->query("SET pinecone_fdw.idle_connection_timeout = '$timeout'");
	is($s->query($many =~ s/TABLE/real/r)->{out}, 60, 'many requests at once');
	cmp_ok($t->connections($s->pid, $port), '>', 8, 'over many connections') if $timeout;
	return $s;
}

sub closes
{
	my ($s, $seconds) = @_;
	return $t->wait_until(sub { $t->connections($s->pid, $port) == 0 }, $seconds);
}

for my $again (1 .. 2)
{
	my $s = busy('1s');
	ok(closes($s, 4), 'they are closed after a while, though the session only waits');
	is($s->query('SELECT count(n) FROM real')->{out}, 100, 'and opened again');
	is($s->query($many =~ s/TABLE/real/r)->{err}, '', 'for many');
	is($s->query('SELECT 1/0')->{err} =~ /division/, 1, 'an error of another kind');
	ok(closes($s, 4), 'does not keep them');
	$s->query('SELECT n, 1/0 FROM real');
	ok(closes($s, 4), 'nor one while reading');
	$s->send('SELECT count(*) FROM real, pg_sleep(60)');
	sleep 0.5;
	kill INT => $s->pid;
	like($s->result->{err}, qr/canceling/);
	ok(closes($s, 4), 'nor does a cancel');
	$s->query("BEGIN; INSERT INTO real VALUES ('x', '{1,1}', 1); ROLLBACK; DISCARD ALL");
	is($s->query('SELECT count(n) FROM real')->{out}, 100, 'after DISCARD ALL');
}
{
	my $s = busy('0');
	ok(closes($s, 1), 'at once');
}
{
	my $s = busy('-1');
	ok(!closes($s, 2), 'or never');
}
{
	my $s = busy('1s');
	$s->query('BEGIN; SELECT n FROM real; DECLARE c CURSOR FOR SELECT id FROM real ORDER BY id');
	is($s->query('FETCH 1 FROM c')->{out}, 'r1', 'an open cursor');
	sleep 1.5;
	is($s->query('FETCH 2 FROM c')->{out}, "r10\nr100", 'reads on');
	$s->query('COMMIT');
	ok(closes($s, 4), 'and then they go');
}
{
	# requests that are many times as many as connections
	my $s = $t->session;
	$s->query("SET pinecone_fdw.max_connections = 5; SET pinecone_fdw.idle_connection_timeout = -1");
	for my $name ('real', 'other', 'third')
	{
		is($s->query($many =~ s/TABLE/$name/r)->{out}, 60, "few connections for many requests: $name");
		cmp_ok($t->connections($s->pid, $port), '<=', 5, 'no more than were granted');
	}
	$s->query('SET pinecone_fdw.max_connections = 20');
	is($s->query($many =~ s/TABLE/real/r)->{out}, 60, 'more');
	cmp_ok($t->connections($s->pid, $port), '>', 5, 'when more are granted');
}
{
	# two commands at once: a statement_timeout is not disturbed
	my $s = busy('1s');
	$s->query("SET statement_timeout = '500ms'");
	like($s->query('SELECT pg_sleep(5)')->{err}, qr/statement timeout/, 'statement_timeout goes on');
	$s->query("SET statement_timeout = 0; SET idle_session_timeout = '3s'");
	sleep 3.5;
	like($s->query('SELECT 1')->{err}, qr/idle-session timeout|terminating/, 'idle_session_timeout, too');
}
done_testing();
