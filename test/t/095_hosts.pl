# Several hosts with the same data: reads go to the first that answers, and back;
# writes stay with the first; a statement has answers of one host.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Harness;
use IO::Socket::INET;
use Replica;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(conf => ['max_connections = 100']);
my $file = $t->dir . '/records.jsonl';
my @records = map { sprintf '{"index": "docs", "namespace": "", "id": "r%03d", "values": [%d, 1], "metadata": {"n": %d}}', $_, $_, $_ } 1 .. 250;

# the second has one record more, by which it is known
sub write_records
{
	open my $out, '>', $_[0] or die $!;
	print $out "$_\n" for @records, $_[1] ? sprintf '{"index": "docs", "namespace": "", "id": "b", "values": [1, 1], "metadata": {"n": 0}}' : ();
	close $out;
	chmod 0644, $_[0];
	return $_[0];
}
my $a = Replica->new($t, index => 'docs:2:cosine', load => write_records("$file.a", 0));
my $b = Replica->new($t, index => 'docs:2:cosine', load => write_records("$file.b", 1));
my $asked_on = 0;
my ($ha, $hb) = ($a->host, $b->host);
my $more = $a->options;
my $quick = "request_timeout '2s', connect_timeout '2s', max_retries '1'$more";

sub make
{
	my ($name, $options, $table) = @_;

	$t->sql(<<"END");
DROP SERVER IF EXISTS $name CASCADE;
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text COLLATE "C", embedding real[], n int) SERVER $name @{[$table ? "OPTIONS ($table)" : '']};
END
}

# Which host has answered? a, b, or the error
sub who
{
	my ($s, $sql) = @_;
	my $r = $s->query($sql // "SELECT count(*) FROM x WHERE id IN ('b', 'r001')");

	return $r->{err} =~ /ERROR/ ? $r->{err} : $r->{out} eq '1' ? 'a' : $r->{out} eq '2' ? 'b' : $r->{out};
}

# ---- One that refuses connections ----

make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
my $s = $t->session;
is(who($s), 'a', 'the first host is read');
$a->kill;
my $r = $s->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001')");
is($r->{out}, '2', 'the first is gone: the second answers');
like($r->{err}, qr/^WARNING:  reads of server "x" go to host "\Q$hb\E".*^DETAIL:  Host "\Q$ha\E" does not answer: .*^HINT:  What was written/ms, 'with a warning');
like($t->log, qr/LOG:  host "\Q$ha\E" of server "x" does not answer/, 'and a line in the log');
$r = $s->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001')");
is("$r->{out}$r->{err}", '2', 'the next statement says nothing any more');
my $s2 = $t->session;
$r = $s2->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001')");
is($r->{out}, '2', 'another session knows');
like($r->{err}, qr/^NOTICE:  reads of server "x" go to host/m, 'and is told');
for (["SELECT count(*) FROM x", 251], ["SELECT count(*) FROM (SELECT id FROM x) q", 251], ["SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1", '(b|r001)'], ["SELECT count(*) FROM x WHERE n < 3", 3],
	["SELECT min(n) FROM x", 0], ["SELECT id FROM x WHERE id >= 'r249' ORDER BY id", "r249\nr250"], ["SELECT count(*) FROM x a JOIN x b USING (id) WHERE a.n <= 100", 101])
{
	my ($sql, $expected) = @$_;
	$r = $s2->query($sql);
	like($r->{out}, qr/^$expected$/, "$sql: the second answers");
}
like($s2->query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM x WHERE id = 'b'")->{out}, qr/Pinecone Host: \Q$hb\E$/m, 'EXPLAIN says so');
is($s2->query("SELECT position, host, region, state, reads, writes, answered > 0, failures, last_error IS NOT NULL FROM pinecone_hosts('x')")->{out},
	"1|$ha||down|f|t|t|1|t\n2|$hb||up|t|f|t|0|f", 'pinecone_hosts()');

# ---- Writes ----

for my $sql ("INSERT INTO x VALUES ('new', '{1,2}', 1)", "UPDATE x SET n = 5 WHERE id = 'r001'", 'DELETE FROM x WHERE n = 3', "UPDATE x SET n = n + 1 WHERE n = 7", 'TRUNCATE x',
	"SELECT n FROM x WHERE id = 'r001' FOR UPDATE")
{
	my $result = $t->session->query($sql);
	like($result->{err}, qr/could not reach Pinecone host "\Q$ha\E".*go to the first of the server's hosts alone.*"failover_writes"/s, "$sql: the first is down, and says so");
}
is(who($s), 'b', 'the second is read all the same');
is($t->session->query("SELECT pinecone_diff('x', 'SELECT id, embedding, n FROM x')")->{err} =~ /first of the server's hosts alone/, 1, 'a comparison is one with the first');

# ---- Back ----

$a->start;
is(who($s), 'b', 'the first is left alone for hosts_retry');
$s->query("ALTER SERVER x OPTIONS (SET hosts_retry '0')");
$r = $s->query("INSERT INTO x VALUES ('back', '{1,2}', 9)");
is($r->{err}, '', 'who writes looks whether it is back');
like($t->log, qr/LOG:  host "\Q$ha\E" of server "x" answers again/, 'which is logged');
$r = $s->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001', 'back')");
is($r->{out}, '2', 'reads go to the first again');
is($s->query("SELECT state, reads, failures FROM pinecone_hosts('x')")->{out}, "up|t|1\nup|f|0", 'says pinecone_hosts()');
is($s->query("DELETE FROM x WHERE id = 'back'")->{err}, '', 'and so do writes');

# ---- By a pause: reads alone bring it back ----

$a->kill;
$s->query("ALTER SERVER x OPTIONS (SET hosts_retry '200ms')");
is(who($s), 'b', 'gone once more');
$a->start;
sleep 0.3;
$r = $s->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001')");
is($r->{out}, '1', 'after the pause the first is asked, and read');
like($r->{err}, qr/NOTICE:  reads of server "x" go to host "\Q$ha\E" again/, 'with a notice');

# ---- One that hangs: waited for once ----

make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
is(who($s), 'a', 'a new server reads from the first');
$a->freeze;
$r = $s->query("SELECT count(*) FROM x WHERE id IN ('b', 'r001')");
is($r->{out}, '2', 'the first hangs: the second answers');
like($r->{err}, qr/WARNING/, 'with a warning');
my $before = $s->query("SELECT failures FROM pinecone_hosts('x') LIMIT 1")->{out};
is(who($t->session), 'b', 'others do not ask the first') for 1 .. 2;
is($s->query("SELECT failures FROM pinecone_hosts('x') LIMIT 1")->{out}, $before, 'it has failed once');
like($t->session->query("INSERT INTO x VALUES ('new', '{1,2}', 1)")->{err}, qr/could not reach.*first of the server's hosts alone/s, 'a write asks it once more, and says so');
# cancelled while it waits
make('y', "hosts '$ha, $hb', hosts_retry '1h', request_timeout '30s', max_retries '0'$more");
my $waiting = $t->session;
my $pid = $waiting->pid;
$waiting->send('SELECT count(*) FROM y');
sleep 0.5;
kill INT => $pid;
$r = $waiting->result(10);
like($r->{err}, qr/canceling statement due to user request/, 'Ctrl-C ends the wait');
is($waiting->query("SELECT string_agg(state, ',') FROM pinecone_hosts('y')")->{out}, 'not tried,not tried', 'and is no failure of the host');
$a->thaw;

# ---- One that answers 503; and what is no failure of a host ----

make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
my %faults = (503 => 'b', 500 => 'b', 400 => qr/ERROR.*rejected the request/s, 401 => qr/ERROR.*rejected the API key/s, 403 => qr/ERROR.*refused the request/s,
	404 => qr/ERROR.*no such index/s, 429 => qr/ERROR.*rate limit/s);
for my $status (sort keys %faults)
{
	make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
	my $one = $t->session;
	is(who($one), 'a', 'before');
	$a->server->fault({status => $status + 0, count => -1, path => $_}) for '/vectors/fetch', '/namespaces/*';
	my $got = who($one);
	ref $faults{$status} ? like($got, $faults{$status}, "HTTP status $status stays an error") : is($got, $faults{$status}, "HTTP status $status, after its retries: the second answers");
	$a->server->clear_faults;
}

# ---- A statement has answers of one host ----

make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
# pages of ids, with and without records; neighbours; records by id, by condition, and of outer rows
for my $sql ('SELECT id FROM x', 'SELECT id, n FROM x', "SELECT id FROM x ORDER BY embedding <=> '{1,1}'", "SELECT id FROM x WHERE id = ANY (ARRAY(SELECT 'r' || lpad(i::text, 3, '0') FROM generate_series(1, 250) i))",
	'SELECT id FROM x WHERE n >= 0', 'SELECT id FROM x ORDER BY id DESC', "SELECT q.id FROM generate_series(1, 250) i, LATERAL (SELECT id FROM x WHERE id = 'r' || lpad(i::text, 3, '0') OFFSET 0) q")
{
	make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
	$s = $t->session;
	$s->query("SET pinecone_fdw.prefetch = 64; SET pinecone_fdw.enable_readahead = off");
	$s->query("BEGIN; DECLARE c CURSOR FOR $sql");
	is(($s->query('FETCH 5 FROM c')->{out} =~ tr/\n//) + 1, 5, "a cursor has begun: $sql");
	$a->kill;
	$r = $s->query('FETCH 300 FROM c');
	# all of it may have come before
	my $whole = $r->{err} eq '' && $r->{out} !~ /^b$/m && ($r->{out} =~ tr/\n//) + 1 == 245;
	ok($whole || $r->{err} =~ /ERROR.*(had answers of that host|stopped answering while it was read).*repeat/is, 'and is not continued by another host, but to be repeated') or diag("$r->{err}$r->{out}");
	$asked_on += !$whole;
	$s->query('ROLLBACK');
	is($s->query("SELECT count(*) FROM ($sql) q")->{out}, $sql =~ /r'/ ? 250 : 251, 'repeated, the second answers');
	$a->start;
}
cmp_ok($asked_on, '>=', 4, 'most of them had more to ask');
# nor when another statement of the session has gone to that meanwhile
make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
$s = $t->session;
$s->query('SET pinecone_fdw.enable_readahead = off');
$s->query("BEGIN; DECLARE c CURSOR FOR SELECT q.id FROM generate_series(1, 250) i, LATERAL (SELECT id FROM x WHERE id = 'r' || lpad(i::text, 3, '0') OFFSET 0) q");
$s->query('FETCH 5 FROM c');
$a->kill;
is(who($s), 'b', 'a cursor is open on the first, and another statement reads the second');
$r = $s->query('FETCH 300 FROM c');
like($r->{err}, qr/ERROR:  host "\Q$ha\E" of server "x" stopped answering while it was read\nHINT:  Repeat the statement/, 'the cursor is not continued there');
is($r->{out}, '', 'and has no row of it');
$s->query('ROLLBACK');
$a->start;
make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
$s = $t->session;
$s->query('SET pinecone_fdw.prefetch = 64');
$a->kill;
# an open cursor keeps its host, though the first is back
$s->query('BEGIN; DECLARE c CURSOR FOR SELECT id FROM x');
$s->query('FETCH 5 FROM c');
$a->start;
$s->query("SELECT 1");
$t->sql("ALTER SERVER x OPTIONS (SET hosts_retry '0')");
is($t->session->query("INSERT INTO x VALUES ('again', '{1,2}', 9)")->{err}, '', 'the first is back');
is(($s->query('FETCH 500 FROM c')->{out} =~ tr/\n//) + 1, 246, 'a cursor reads on where it began');
$s->query('COMMIT');
is($s->query("SELECT count(*) FROM x WHERE id IN ('b', 'again')")->{out}, 1, 'afterwards the first is read');
$s->query("DELETE FROM x WHERE id = 'again'");

# ---- consistency 'session' ----

make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick", "consistency 'session'");
$s = $t->session;
$s->query("INSERT INTO x VALUES ('mine', '{1,2}', 9)");
$a->kill;
like(who($s), qr/could not reach Pinecone host "\Q$ha\E".*what has to show them go to the first/s, 'what a session has written the second need not have');
is(who($t->session), 'b', 'a session that has written nothing reads it');
$a->start;

# and of a transaction that has written, whatever the table's options
make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
$s = $t->session;
$s->query("BEGIN; INSERT INTO x VALUES ('mine', '{1,2}', 9)");
is($s->query("SELECT n FROM x WHERE id = 'mine'")->{out}, 9, 'a transaction sees what it has written');
$a->kill;
like(who($s), qr/could not reach Pinecone host "\Q$ha\E".*what has to show them go to the first/s, 'which is not laid over what the second has');
$s->query('ROLLBACK');
is(who($s), 'b', 'after it the second is read');
$s->query("BEGIN; SELECT count(*) FROM x");
$a->start;
is($s->query("INSERT INTO x VALUES ('mine', '{1,2}', 9)")->{err}, '', 'who has read the second may write to the first when that is back');
$a->kill;
like($s->query('COMMIT')->{err}, qr/could not reach Pinecone host "\Q$ha\E".*go to the first of the server's hosts alone/s, 'and is told at commit when it is not');
$a->start;

# ---- Other hosts, other indexes ----

my $c = Replica->new($t, index => 'docs:3:cosine');
SKIP: {
skip 'statistics of documents tell of no vectors', 3 if PineconeLocal::makes_documents();
make('x', "hosts '$ha, @{[$c->host]}', hosts_retry '1h', $quick");
$s = $t->session;
$s->query('SELECT count(*) FROM x');
is(who($s), 'a', 'the second has another dimension');
$a->kill;
like(who($s), qr/ERROR:  host "\Q@{[$c->host]}\E" of server "x" has another index than the first host: dimension 3, and not 2.*HINT:  All hosts/s, 'which is refused');
like(who($t->session), qr/has another index than the first host/, 'by all sessions');
$a->start;
}

# ---- pinecone_ping() asks each ----

{
	my $third = $c->host;
	make('x', "hosts '$ha, $hb, $third, http://127.0.0.1:1', hosts_retry '1h', $quick");
	my $hosts = "SELECT step, ok, coalesce(detail, ''), coalesce(hint, '') FROM pinecone_ping('x') WHERE step LIKE 'host _'";
	my @rows = split /\n/, $t->sql($hosts);
	is($rows[0], "host 2|t|$hb|", 'the second answers as the first does');
	like($rows[1], qr/^host 3\|f\|\Q$third\E: host "\Q$third\E" of server "x" has another index than the first host: dimension 3, and not 2\|All hosts/, 'the third has another index')
		if !PineconeLocal::makes_documents();
	like($rows[2], qr/^host 4\|f\|http:\/\/127.0.0.1:1: .*[Cc]onnect.*\|Check the server's "hosts" option and the network: reads could not go there\./, 'the fourth does not answer');
	$b->server->fault({status => 403, count => 1, body => {code => 7, message => 'not you', details => []}});
	like((split /\n/, $t->sql($hosts))[0], qr/^host 2\|f\|\Q$hb\E: HTTP status 403: not you\|Check/, 'what a host says is shown');
	$b->server->clear_faults;
	is($t->sql("SELECT string_agg(step || ' ' || ok, ', ') FROM pinecone_ping('x') WHERE step IN ('index', 'read', 'host 2')"), 'index true, read true, host 2 true', 'and all is well again');
}
$a->kill;
$c->kill;

# ---- None answers; three hosts ----

$b->kill;
make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
like(who($t->session), qr/could not reach Pinecone host.*None of the server's hosts answers/s, 'none answers');
$b->start;
make('x', "host '$ha', hosts '@{[$c->host]}, $hb', hosts_retry '1h', $quick");
is(who($t->session), 'b', 'the third answers');

# ---- A control plane that does not answer: nobody knows where the first is ----

$a->start;
my $other = "connect_timeout '2s', request_timeout '2s', max_retries '0'$more";
make('x', "index 'docs', control_host 'http://127.0.0.1:$a->{control}', hosts '$hb', hosts_retry '1h', $other");
is(who($t->session), 'a', 'an index by its name is the first');
make('x', "index 'docs', control_host 'http://127.0.0.1:1', hosts '$hb', hosts_retry '1h', $other");
is(who($t->session), 'b', 'without a control plane the second answers') for 1 .. 2;
like($t->session->query("INSERT INTO x VALUES ('new', '{1,2}', 1)")->{err}, qr/could not reach Pinecone host "http:\/\/127.0.0.1:1"/, 'and nothing can be written');
my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1');
make('x', "index 'docs', control_host 'http://127.0.0.1:@{[$silent->sockport]}', hosts '$hb', hosts_retry '1h', $other");
is(who($t->session), 'b', 'nor with one that hangs') for 1 .. 2;
is($t->sql("SELECT state, failures FROM pinecone_hosts('x') LIMIT 1"), 'down|1', 'which is waited for once');
# and back, when it has answered
make('x', "index 'docs', control_host 'http://127.0.0.1:$a->{control}', hosts '$hb', hosts_retry '0', $other");
$s = $t->session;
is(who($s), 'a', 'the first again');
$a->kill;
is(who($s), 'b', 'gone, with its control plane');
is(who($t->session), 'b', 'for others, too');
$a->start;
ok($t->wait_until(sub { who($s) eq 'a' }), 'and back');
ok($t->wait_until(sub { who($t->session) eq 'a' }), 'for others, too');
$a->kill;

# ---- pinecone_ping() asks another host while writes of its session wait to be sent again ----

$a->start;
make('x', "hosts '$ha, $hb', max_concurrency '1'$more", "write_mode 'immediate', write_concurrency '8', batch_size '20', namespace 'pinged'");
$s = $t->session;
$a->server->fault({path => $_, status => 503, count => 3}) for '/vectors/upsert', '/namespaces/*';
$b->server->fault({kind => 'delay', delay_ms => 700, count => 1});
$r = $s->query("INSERT INTO x SELECT 'p' || i, ARRAY[i, 1], CASE WHEN i = 25 THEN (SELECT count(*) FROM pinecone_ping('x') WHERE ok AND i > 0) ELSE 0 END FROM generate_series(1, 60) i");
is("$r->{err}" . $s->query('SELECT count(*), max(n) > 9 FROM x')->{out}, '60|t', 'a ping beside writes that are sent again');
$_->server->clear_faults for $a, $b;
$a->kill;

# ---- failover_writes ----

make('x', "hosts '$ha, $hb', failover_writes 'true', hosts_retry '1h', $quick");
$s = $t->session;
$r = $s->query("INSERT INTO x VALUES ('w', '{1,2}', 9)");
unlike($r->{err}, qr/ERROR/, 'writes go to the second if they may');
like($r->{err}, qr/WARNING:  reads and writes of server "x" go to host/, 'with a warning');
is($s->query("SELECT n FROM x WHERE id = 'w'")->{out}, 9, 'where they are read');
is($s->query("UPDATE x SET n = n + 1 WHERE id = 'w' RETURNING n")->{out}, 10, 'and changed');
# under consistency 'session' what it has written to one host is not looked for at another
$s->query("ALTER FOREIGN TABLE x OPTIONS (ADD consistency 'session')");
is($s->query("SELECT n FROM x WHERE id = 'w'")->{out}, 10, 'read where it was written');
$a->start;
is($t->session->query("ALTER SERVER x OPTIONS (SET hosts_retry '1ms'); SELECT pg_sleep(0.01); SELECT count(*) FROM x WHERE id IN ('b', 'r001')")->{out} =~ s/.*\n//sr, 1, 'the first is back');
$s->query("INSERT INTO x VALUES ('v', '{1,2}', 9)");
is($s->query("SELECT n FROM x WHERE id = 'v'")->{out}, 9, 'what is written now is read now');
$a->kill;
like($s->query("SELECT count(*) FROM x WHERE id IN ('v', 'b')")->{err}, qr/ERROR:  host "\Q$hb\E" of server "x" need not have what this session has written/, 'but not from another host');
is(who($t->session), 'b', 'which others may read');

# each server of a statement has its own host
make('x', "hosts '$ha, $hb', hosts_retry '1h', $quick");
make('y', "hosts '$hb, $ha', hosts_retry '1h', $quick");
is(who($s), 'b', 'one server is read from its second host');
for my $sql ('SELECT count(*) FROM x JOIN y USING (id)', 'SELECT count(*) FROM y JOIN x USING (id)', "SELECT count(*) FROM y, LATERAL (SELECT id FROM x WHERE x.id = y.id OFFSET 0) q")
{
	$r = $s->query($sql);
	like("$r->{err}$r->{out}", qr/^\d+$/, "another from its first: $sql");
}

# a write that the first may have carried out is not one for the second as well
$a->start;
make('x', "hosts '$ha, $hb', failover_writes 'true', hosts_retry '1h', $quick");
is(who($s), 'a', 'the first is read once more');
$a->server->fault({kind => 'close_after', count => -1, path => $_}) for '/vectors/upsert', '/namespaces/*';
like($s->query("INSERT INTO x VALUES ('u', '{1,2}', 9)")->{err}, qr/ERROR:.*may have been applied|ERROR:.*not known whether/s, 'a write of which nobody knows whether it was carried out');
$a->server->clear_faults;
make('z', "host '$hb', max_retries '0'$more");
is($s->query("SELECT string_agg(id, ' ') FROM z WHERE id IN ('u', 'b')")->{out}, 'b', 'is not sent to the second');

ok($t->wait_until(sub { $s->query("SELECT n FROM z WHERE id = 'w'")->{out} eq '10' }), 'in the second');

done_testing();
