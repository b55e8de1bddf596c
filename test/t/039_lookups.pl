# Host names whose look-up takes long, fails or is not answered at all.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Faulty;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $faulty = Faulty->new;
my $t = $faulty->harness(conf => ["pinecone_fdw.allowed_hosts = '*.test'", "pinecone_fdw.allow_http_hosts = '*.test'"]);
my $host = $t->server->create_index('real', dimension => 2);
my ($port) = $host =~ /:(\d+)/;
$t->server->upsert('real', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 10]);

sub make
{
	my ($name, $host, $more) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://$host:$port'$more);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text, embedding real[], n int) SERVER $name;
END
}

my $count = 'SELECT count(id) FROM ';
make($_, "$_.test", ", connect_timeout '1s'") for qw(plain two unknown a b);
make('patient', 'patient.test', ", connect_timeout '60s', max_retries '0'");

# ---- Answered ----

is($t->sql("${count}plain"), 10, 'a name that is looked up');
is($t->sql("${count}two"), 10, 'one whose first address may not be listened on');
my $failed = $t->psql("${count}unknown");
like($failed->{err}, qr/could not reach Pinecone host "http:\/\/unknown\.test.*Could not resolve host unknown\.test: Name or service not known/s, 'a name that there is not');
{
	my $s = $t->session;
	my $before = $faulty->get('lookups');
	is($s->query("${count}plain")->{out}, 10, 'the first of a session');
	is($s->query("${count}plain")->{out}, 10, 'the second of a session');
	is($faulty->get('lookups') - $before, 1, 'looked up once');
	is($s->query("${count}a")->{out} + $s->query("${count}b")->{out}, 20, 'and other hosts');
}

# ---- Not answered ----

$faulty->set(silent => 1);
{
	my $result = $t->psql("${count}plain");
	like($result->{err}, qr/could not reach Pinecone host "http:\/\/plain\.test:\d+" within 1000 ms.*Resolving plain\.test timed out after 1000 ms.*"connect_timeout"/s,
		'a resolver that does not answer is an error');
	cmp_ok($result->{seconds}, '<', 4, 'at connect_timeout');
}
for (['a cancel', sub { kill INT => $_[0]->pid }, qr/canceling statement due to user request/],
	['statement_timeout', undef, qr/canceling statement due to statement timeout/],
	['a termination', sub { kill TERM => $_[0]->pid }, qr/terminating connection/])
{
	my ($name, $end, $error) = @$_;
	my $s = $t->session;
	$s->pid;
	$s->query("SET statement_timeout = '500ms'") if !$end;
	my $threads;
	for my $statement ("${count}patient", 'EXPLAIN SELECT id FROM patient', "SELECT id FROM patient ORDER BY embedding <=> '{1,1}' LIMIT 1",
		"INSERT INTO patient VALUES ('x', '{1,1}', 1)", 'SELECT count(*) FROM patient', "UPDATE patient SET n = 2 WHERE id = 'r1'")
	{
		next if $statement =~ /EXPLAIN/;    # does not wait so long
		$s->send($statement);
		sleep 0.5;
		my $at = time;
		$end->($s) if $end;
		my $result = $s->result;
		like($result->{err}, $error, "$name ends: $statement");
		cmp_ok(time - $at, '<', 0.3 + ($end ? 0 : 0.5), "at once");
		last if $result->{lost};
	}
	next if $name eq 'a termination';
	($threads) = map { /^Threads:\s+(\d+)/ ? $1 : () } do { open my $f, '<', '/proc/' . $s->pid . '/status' or die; <$f> };
	cmp_ok($threads, '<=', 2, "$name: one look-up waits");
	$faulty->set(silent => 0);
	$s->query('RESET statement_timeout');
	is($s->query("${count}patient")->{out}, 10, "$name: when it is answered, all is well");
	$faulty->set(silent => 1);
}
{
	my $s = $t->session;
	$s->pid;
	for my $i (1 .. 24)
	{
		make("many$i", "many$i.test", ", connect_timeout '1ms', max_retries '0'");
		$s->query("${count}many$i");
	}
	my ($threads) = map { /^Threads:\s+(\d+)/ ? $1 : () } do { open my $f, '<', '/proc/' . $s->pid . '/status' or die; <$f> };
	cmp_ok($threads, '<=', 17, 'look-ups that nobody waits for are bounded');
	like($s->query("${count}plain")->{err}, qr/too many look-ups are waiting/, 'and there are no more');
	$faulty->set(silent => 0);
	sleep 0.2;
	is($s->query("${count}plain")->{out}, 10, 'until they are answered');
}

# ---- Known, and not answered any more ----

{
	my $s = $t->session;
	is($s->query("${count}plain")->{out}, 10, 'a name that is known');
	$faulty->set(silent => 1);
	is($s->query("${count}plain")->{out}, 10, 'needs no resolver');
	$faulty->set(silent => 0);
}

# ---- While a transaction is sent ----

{
	my $s = $t->session;
	$s->query("SELECT id FROM plain LIMIT 1");
	my $pid = $s->pid;
	$s->query("BEGIN; INSERT INTO b VALUES ('y', '{1,1}', 1)");
	$s->query("INSERT INTO plain VALUES ('z', '{1,1}', 1)");
	$s->query('COMMIT');
	is($t->sql("SELECT count(*) FROM plain WHERE id IN ('y', 'z')"), 2, 'a transaction over two names');
}
$faulty->set(silent => 0);
done_testing();
