# Writes and transactions: what is sent at commit is what was not rolled back,
# in order; what may not be written is refused before anything is sent.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(conf => ['max_prepared_transactions = 5']);
my $server = $t->server;
my $host = $server->create_index('tx', dimension => 2);
my $columns = 'id text COLLATE "C", embedding real[], v int';

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r ($columns) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE r2 ($columns) SERVER s OPTIONS (namespace 'kb2');
CREATE FOREIGN TABLE ri ($columns) SERVER s OPTIONS (namespace 'kb', write_mode 'immediate');
CREATE FOREIGN TABLE fixed ($columns) SERVER s OPTIONS (namespace 'kb', updatable 'false');
CREATE FOREIGN TABLE lasting ($columns) SERVER s OPTIONS (namespace 'kb', truncatable 'false');
CREATE FOREIGN TABLE own ($columns) SERVER s
	OPTIONS (namespace 'kb', consistency 'session', consistency_timeout '3s');
CREATE FOREIGN TABLE own_i ($columns) SERVER s
	OPTIONS (namespace 'kb', consistency 'session', consistency_timeout '300ms', write_mode 'immediate');
CREATE FOREIGN TABLE own_warned ($columns) SERVER s
	OPTIONS (namespace 'kb', consistency 'session', consistency_timeout '300ms', on_consistency_timeout 'warning');
CREATE TABLE local (n int PRIMARY KEY, parent int REFERENCES local DEFERRABLE INITIALLY DEFERRED);
END
my $s = $t->session;

# What one session prints, errors and all, for statements sent one by one
sub run
{
	my @results = map { $s->query($_) } @_;
	return join '', map { ($_->{out} eq '' ? '' : "$_->{out}\n") . ($_->{err} =~ s/^(?:HINT|DETAIL|CONTEXT|LINE \d+|\s+\^).*\n//mgr) } @results;
}

# The writes that have been sent since last time: "upsert kb a,b", "delete kb a"
sub sent
{
	my @sent;

	for my $request ($server->requests)
	{
		my $body = $request->{body};
		my ($what) = $request->{path} =~ m{^/vectors/(upsert|update|delete)$} or next;

		next if $body->{dryRun};
		my $ids = $body->{deleteAll} ? 'all' : $body->{filter} ? 'filter' : join ',', $body->{id} // (), @{$body->{ids} // []}, map { $_->{id} } @{$body->{vectors} // []};
		push @sent, "$what $body->{namespace} $ids";
	}
	$server->clear_requests;
	return join '; ', @sent;
}

# "a=1 b=2": ids and values of v, empty both namespaces first if asked to
sub state
{
	my ($table) = @_;
	my $state = $t->sql("SELECT string_agg(id || '=' || v, ' ' ORDER BY id) FROM " . ($table // 'r'));

	$server->clear_requests;
	return $state;
}

sub clear
{
	$t->sql('TRUNCATE r, r2; TRUNCATE local');
	$t->sql("INSERT INTO r VALUES $_[0]") if $_[0];
	$server->clear_requests;
}

# ---- Savepoints ----

clear();
is(run('BEGIN', "INSERT INTO r VALUES ('a', '{1,1}', 1)", 'SAVEPOINT x', "INSERT INTO r VALUES ('b', '{1,1}', 1)", 'SAVEPOINT y',
		"INSERT INTO r VALUES ('c', '{1,1}', 1)", 'ROLLBACK TO y', "INSERT INTO r VALUES ('d', '{1,1}', 1)", 'RELEASE x',
		"INSERT INTO r2 VALUES ('e', '{1,1}', 1)"), '', 'savepoints');
is(sent(), '', 'nothing is sent before commit');
is(run('COMMIT'), '', 'savepoints: COMMIT');
is(join('; ', sort split /; /, sent()), 'upsert kb a,b,d; upsert kb2 e', 'savepoints: what was not rolled back is sent');

run('BEGIN', 'SAVEPOINT x', "INSERT INTO r VALUES ('z', '{1,1}', 1)", 'SAVEPOINT y', "INSERT INTO r VALUES ('z', '{1,1}', 2)", 'RELEASE y', 'ROLLBACK TO x', 'COMMIT');
is(sent(), '', 'what a released savepoint did goes with the outer one');
run('BEGIN', "INSERT INTO r VALUES ('z', '{1,1}', 1)", 'ROLLBACK');
is(sent(), '', 'ROLLBACK sends nothing');
like(run('BEGIN', "INSERT INTO r VALUES ('z', '{1,1}', 1)", 'SELECT 1/0', 'COMMIT'), qr/division by zero/, 'an error');
is(sent(), '', 'an aborted transaction sends nothing');
run('BEGIN', 'SAVEPOINT x', "INSERT INTO r VALUES ('z', '{1,1}', 1)", 'SELECT 1/0', 'ROLLBACK TO x', "INSERT INTO r VALUES ('y', '{1,1}', 1)", 'ROLLBACK TO x',
	"INSERT INTO r VALUES ('x', '{1,1}', 1)", 'COMMIT');
is(sent(), 'upsert kb x', 'rolled back to twice');

# many levels, half of them rolled back
run('BEGIN', (map { ("SAVEPOINT s$_", "INSERT INTO r VALUES ('n$_', '{1,1}', 1)") } 1 .. 40), 'ROLLBACK TO s21', "INSERT INTO r VALUES ('n', '{1,1}', 1)",
	(map { "RELEASE s$_" } reverse 11 .. 21), 'ROLLBACK TO s6', 'COMMIT');
is(sent(), 'upsert kb n1,n2,n3,n4,n5', 'nested savepoints');

# ---- PL/pgSQL ----

clear();
is(run(<<'END'), '', 'exception blocks');
DO $$
BEGIN
	FOR i IN 1 .. 6 LOOP
		BEGIN
			INSERT INTO r VALUES ('p' || i, '{1,1}', i);
			UPDATE r SET v = 10 * i WHERE id = 'p' || (i - 1);
			IF i % 2 = 0 THEN RAISE EXCEPTION 'no'; END IF;
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END LOOP;
END $$
END
is(sent(), 'upsert kb p1,p3,p5', 'exception blocks discard their part');

$t->sql(<<'END');
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 6 LOOP
		INSERT INTO r VALUES ('q' || i, '{1,1}', i);
		IF i % 3 = 0 THEN COMMIT; ELSIF i % 3 = 1 THEN ROLLBACK; END IF;
	END LOOP;
END $$
END
run('CALL steps()');
is(sent(), 'upsert kb q2,q3; upsert kb q5,q6', 'a procedure that commits');
run('BEGIN', "INSERT INTO r VALUES ('c1', '{1,1}', 1)", 'COMMIT AND CHAIN', "INSERT INTO r VALUES ('c2', '{1,1}', 1)", 'ROLLBACK AND CHAIN', "INSERT INTO r VALUES ('c3', '{1,1}', 1)", 'COMMIT');
is(sent(), 'upsert kb c1; upsert kb c3', 'chained transactions');

# ---- The order of an id's writes ----

for (["INSERT INTO r VALUES ('a', '{1,1}', 2)", 'a=2 b=1'],
	["DELETE FROM r WHERE id = 'a'", "INSERT INTO r VALUES ('a', '{1,1}', 3)", 'a=3 b=1'],
	["INSERT INTO r VALUES ('a', '{1,1}', 4)", "DELETE FROM r WHERE id = 'a'", 'b=1'],
	["UPDATE r SET v = 5 WHERE id = 'a'", "UPDATE r SET v = v + 1 WHERE id = 'a'", 'a=6 b=1'],
	["INSERT INTO r VALUES ('c', '{1,1}', 7)", "UPDATE r SET v = v + 1 WHERE v >= 1", 'a=2 b=2 c=8'],
	["UPDATE r SET v = 9 WHERE v = 1", "INSERT INTO r VALUES ('c', '{1,1}', 1)", 'a=9 b=9 c=1'],
	["INSERT INTO r VALUES ('c', '{1,1}', 1)", "DELETE FROM r WHERE v = 1", ''],
	["DELETE FROM r WHERE v = 1", "INSERT INTO r VALUES ('c', '{1,1}', 1)", 'c=1'],
	["TRUNCATE r", "INSERT INTO r VALUES ('c', '{1,1}', 1)", 'c=1'],
	["INSERT INTO r VALUES ('c', '{1,1}', 1)", "TRUNCATE r", ''],
	["INSERT INTO r VALUES ('c', '{1,1}', 1)", "UPDATE r SET id = 'd' WHERE id = 'c'", "UPDATE r SET id = 'c' WHERE id = 'a'", 'b=1 c=1 d=1'],
	["INSERT INTO r VALUES ('c', '{1,1}', 1), ('c', '{1,1}', 2)", "INSERT INTO r VALUES ('c', '{1,1}', 3)", 'a=1 b=1 c=3'])
{
	my @statements = @$_;
	my $state = pop @statements;

	clear("('a', '{1,1}', 1), ('b', '{1,1}', 1)");
	is(run('BEGIN', @statements, "SELECT coalesce(string_agg(id || '=' || v, ' ' ORDER BY id), '(none)') FROM r"), ($state || '(none)') . "\n", "@statements: within the transaction");
	is(sent(), '', "@statements: nothing is sent before commit");
	is(run('COMMIT'), '', "@statements: COMMIT");
	is(state(), $state, "@statements: after it");
}

# ---- What a statement sees ----

clear("('a', '{1,1}', 1)");
$t->sql("CREATE FUNCTION put(text) RETURNS int LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO r VALUES (\$1, '{1,1}', 1); RETURN 1; END \$\$");
is(run('BEGIN', "INSERT INTO r VALUES ('b', '{1,1}', 1)", 'DECLARE c CURSOR FOR SELECT id FROM r ORDER BY id', 'SAVEPOINT x',
		"INSERT INTO r VALUES ('c', '{1,1}', 1)", 'FETCH 1 FROM c', 'ROLLBACK TO x', "INSERT INTO r VALUES ('d', '{1,1}', 1)", 'FETCH ALL FROM c', 'ROLLBACK'),
	"a\nb\n", 'a cursor sees what was written before it was declared');
is(run('BEGIN', "SELECT g, put('p' || g), (SELECT count(*) FROM r WHERE length(id) > g * 0) FROM generate_series(1, 3) g", 'ROLLBACK'),
	"1|1|1\n2|1|1\n3|1|1\n", 'a query does not see what its functions write');
is(run('BEGIN', "INSERT INTO r SELECT 'q' || g, '{1,1}', c FROM generate_series(1, 3) g, LATERAL (SELECT count(*) c FROM r WHERE length(id) > g * 0) x",
		"SELECT id, v FROM r ORDER BY id", 'ROLLBACK'), "a|1\nq1|1\nq2|1\nq3|1\n", 'an INSERT does not see its own rows');
is(run('BEGIN', "INSERT INTO r SELECT 'u' || g, '{1,1}', g FROM generate_series(1, 4) g",
		'UPDATE r SET v = (SELECT sum(v) FROM r x WHERE length(x.id) + r.v > 0)', 'SELECT id, v FROM r ORDER BY id', 'ROLLBACK'),
	"a|11\nu1|11\nu2|11\nu3|11\nu4|11\n", 'nor an UPDATE');
is(run('BEGIN', "WITH x AS (INSERT INTO r VALUES ('w', '{1,1}', 1) RETURNING id) UPDATE r SET v = 2 WHERE v = 1", 'SELECT id, v FROM r ORDER BY id', 'ROLLBACK'),
	"a|2\nw|1\n", 'nor does another part of a statement');
is(sent(), '', 'nothing of it is sent');

# ---- At commit ----

$t->sql(<<'END');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO r VALUES ('t' || new.n, '{1,1}', new.n);
	IF new.n > 100 THEN RAISE EXCEPTION 'too great'; END IF;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT ON local DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
END
clear();
is(run('BEGIN', 'INSERT INTO local VALUES (1), (2)'), '', 'a deferred trigger');
is(sent(), '', 'a deferred trigger has not run before commit');
is(run("INSERT INTO r VALUES ('a', '{1,1}', 1)", 'COMMIT'), '', 'a deferred trigger: COMMIT');
is(sent(), 'upsert kb a,t1,t2', 'a deferred trigger: what it writes at commit is sent');
like(run('BEGIN', "INSERT INTO r VALUES ('a', '{1,1}', 2)", 'INSERT INTO local VALUES (101)', 'COMMIT'), qr/too great/, 'a deferred trigger that fails');
is(sent(), '', 'then nothing is sent');
like(run('BEGIN', "INSERT INTO r VALUES ('a', '{1,1}', 2)", 'INSERT INTO local VALUES (3, 99)', 'COMMIT'), qr/violates foreign key constraint/, 'a deferred constraint that fails');
is(sent(), '', 'then nothing is sent either');

# two transactions that each read what the other writes
$t->sql('CREATE TABLE skew (n int); INSERT INTO skew VALUES (1)');
{
	my $other = $t->session;
	my $read = 'SELECT count(*) FROM skew';

	$_->query('BEGIN ISOLATION LEVEL SERIALIZABLE') for $s, $other;
	$_->query($read) for $s, $other;
	$_->query('INSERT INTO skew VALUES (2)') for $s, $other;
	$s->query("INSERT INTO r VALUES ('s1', '{1,1}', 1)");
	is($other->query('COMMIT')->{err}, '', 'serializable: the first');
	like($s->query('COMMIT')->{err}, qr/could not serialize access/, 'serializable: the second');
	is(sent(), '', 'serializable: it has sent nothing');
	$s->query('ROLLBACK');
}

# the catalog changes before commit
is(run('BEGIN', 'SAVEPOINT x', "CREATE SERVER s2 FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host')", "CREATE USER MAPPING FOR CURRENT_USER SERVER s2 OPTIONS (api_key 'test-key')",
		'CREATE FOREIGN TABLE away (id text, embedding real[]) SERVER s2', "INSERT INTO away VALUES ('x', '{1,1}')", 'ROLLBACK TO x', 'COMMIT'),
	'', 'a server that is rolled back with its writes');
like(run('BEGIN', "CREATE SERVER s2 FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host')", "CREATE USER MAPPING FOR CURRENT_USER SERVER s2 OPTIONS (api_key 'test-key')",
		'CREATE FOREIGN TABLE away (id text, embedding real[]) SERVER s2', "INSERT INTO away VALUES ('x', '{1,1}')", 'DROP USER MAPPING FOR CURRENT_USER SERVER s2', 'COMMIT'),
	qr/user mapping not found/, 'a user mapping that is dropped before commit');
is($t->sql("SELECT count(*) FROM pg_foreign_server WHERE srvname = 's2'"), '0', 'undoes the transaction');
like(run('BEGIN', "INSERT INTO r VALUES ('k', '{1,1}', 1)", "ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'wrong')", 'COMMIT'),
	qr/Pinecone rejected the API key/, 'the key of the moment of commit is used');
is(run('BEGIN', "INSERT INTO r VALUES ('k', '{1,1}', 1)", 'DROP FOREIGN TABLE r2', 'ROLLBACK', 'SELECT count(*) FROM r2'), "0\n", 'and the old one is back');
clear();

# ---- PREPARE TRANSACTION ----

like(run('BEGIN', "INSERT INTO r VALUES ('a', '{1,1}', 1)", "PREPARE TRANSACTION 'one'"), qr/cannot PREPARE a transaction that has written to a Pinecone foreign table/, 'PREPARE is refused');
is(run('COMMIT', 'SELECT count(*) FROM pg_prepared_xacts'), "WARNING:  there is no transaction in progress\n0\n", 'and the transaction over');
is(sent(), '', 'nothing is sent');
is(run('BEGIN', 'SAVEPOINT x', "INSERT INTO r VALUES ('a', '{1,1}', 1)", 'ROLLBACK TO x', 'INSERT INTO skew VALUES (7)', "PREPARE TRANSACTION 'one'"), '', 'PREPARE after a rollback of all writes');
is(run('BEGIN', 'SELECT count(*) FROM r', 'INSERT INTO skew VALUES (8)', "PREPARE TRANSACTION 'two'"), "0\n", 'PREPARE after a read');
is(run('BEGIN', "INSERT INTO ri VALUES ('a', '{1,1}', 1)", 'INSERT INTO skew VALUES (9)', "PREPARE TRANSACTION 'three'"), '', 'PREPARE after immediate writes');
is(run(map { "COMMIT PREPARED '$_'" } 'one', 'two', 'three'), '', 'COMMIT PREPARED');
is(run("INSERT INTO r VALUES ('b', '{1,1}', 1)"), '', 'the session works on');
is(sent(), 'upsert kb a; upsert kb b', 'and nothing else has been sent');

# ---- What is refused ----

my @writes = (
	['INSERT', "INSERT INTO TABLE VALUES ('a', '{1,1}', 2)"],
	['UPDATE', "UPDATE TABLE SET v = 2 WHERE id = 'a'"],
	['UPDATE', 'UPDATE TABLE SET v = 2 WHERE v = 1'],
	['DELETE', "DELETE FROM TABLE WHERE id = 'a'"],
	['DELETE', 'DELETE FROM TABLE WHERE v = 1'],
	['COPY FROM', "COPY TABLE FROM PROGRAM 'echo a'"],
	['TRUNCATE TABLE', 'TRUNCATE TABLE'],
);

clear("('a', '{1,1}', 1)");
for (@writes)
{
	my ($command, $statement) = @$_;
	my $sql = $command eq 'TRUNCATE TABLE' ? 'TRUNCATE r' : $statement =~ s/TABLE/r/r;

	like(run('BEGIN READ ONLY', $sql, 'ROLLBACK'), qr/cannot execute \Q$command\E in a read-only transaction/, "READ ONLY: $sql");
	like(run('SET default_transaction_read_only = on', $sql, 'RESET default_transaction_read_only'), qr/cannot execute \Q$command\E in a read-only transaction/, "default_transaction_read_only: $sql");
	like(run($sql =~ s/ r\b/ fixed/r), qr/foreign table "fixed" does not allow (?:inserts|updates|deletes|truncates)/, "updatable 'false': $sql");
}
is(run('BEGIN READ ONLY', 'SELECT v FROM r', 'COMMIT'), "1\n", 'READ ONLY: reading');
is(sent(), '', 'nothing is sent');

$t->sql('CREATE ROLE writer; CREATE ROLE reader; CREATE ROLE keyless;');
$t->sql('GRANT SELECT ON r TO reader; GRANT ALL ON r, r2, local TO writer; GRANT ALL ON r TO keyless; GRANT SELECT, INSERT, UPDATE, DELETE ON ri TO writer');
$t->sql("CREATE USER MAPPING FOR $_ SERVER s OPTIONS (api_key 'test-key')") for 'writer', 'reader';
for (@writes)
{
	my ($command, $statement) = @$_;
	my $sql = $command eq 'TRUNCATE TABLE' ? 'TRUNCATE r' : $statement =~ s/TABLE/r/r;

	next if $command eq 'COPY FROM';
	like(run('SET ROLE reader', $sql, 'RESET ROLE'), qr/permission denied for foreign table r/, "a role that may read: $sql");
	like(run('SET ROLE keyless', $sql, 'RESET ROLE'), qr/user mapping not found for (user )?"keyless"/, "a role without a user mapping: $sql");
}
like(run('SET ROLE writer', 'TRUNCATE ri', 'RESET ROLE'), qr/permission denied for foreign table ri/, 'TRUNCATE has a privilege of its own');
is(sent(), '', 'nothing is sent');
is(run('SET ROLE writer', "INSERT INTO r VALUES ('w', '{1,1}', 1)", 'RESET ROLE'), '', 'a role that may write');
is(sent(), 'upsert kb w', 'and it is sent');
is(run('SET ROLE writer', 'BEGIN', "INSERT INTO r VALUES ('w', '{1,1}', 2)", 'RESET ROLE', "INSERT INTO r2 VALUES ('w', '{1,1}', 2)", 'COMMIT'), '', 'two roles in a transaction');
is(join('; ', sort split /; /, sent()), 'upsert kb w; upsert kb2 w', 'and it is sent');

like(run('TRUNCATE r2, lasting'), qr/foreign table "lasting" does not allow truncates/, "truncatable 'false'");
like(run('TRUNCATE r2, fixed'), qr/foreign table "fixed" does not allow truncates/, "updatable 'false'");
is(sent(), '', 'no table is emptied then');
is(run("DELETE FROM lasting WHERE id = 'w'"), '', "truncatable 'false' is for TRUNCATE alone");
is(sent(), 'delete kb w', 'a row is deleted');
is(run('BEGIN', 'TRUNCATE r, r2', 'SELECT count(*) FROM r', 'ROLLBACK', 'SELECT count(*) FROM r'), "0\n1\n", 'TRUNCATE is rolled back');
is(run('TRUNCATE local, r, r2', 'SELECT count(*) FROM r'), "0\n", 'TRUNCATE of several tables, local and foreign');
$t->sql("ALTER SERVER s OPTIONS (ADD updatable 'false')");
like(run("INSERT INTO r VALUES ('a', '{1,1}', 1)"), qr/foreign table "r" does not allow inserts/, "updatable 'false' of the server");
$t->sql("ALTER SERVER s OPTIONS (DROP updatable); ALTER SERVER s OPTIONS (ADD truncatable 'false')");
like(run('TRUNCATE r'), qr/foreign table "r" does not allow truncates/, "truncatable 'false' of the server");
$t->sql('ALTER SERVER s OPTIONS (DROP truncatable)');

# in a parallel worker
my $force = $t->sql("SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");
$t->sql("CREATE FUNCTION put_parallel(text) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS \$\$ BEGIN INSERT INTO r VALUES (\$1, '{1,1}', 1); RETURN 1; END \$\$");
like(run("SET $force = on", "SELECT put_parallel('x') FROM skew", "RESET $force"), qr/during a parallel operation/, 'a parallel worker');

# a statement that takes too long, and a commit
for (["INSERT INTO ri VALUES ('slow', '{1,1}', 1)"], ["INSERT INTO r VALUES ('slow', '{1,1}', 1)"], ['BEGIN', "INSERT INTO r VALUES ('slow', '{1,1}', 1)", 'COMMIT'])
{
	$server->fault({kind => 'delay', delay_ms => 800, path => '/vectors/upsert'});
	my @results = map { $s->query($_) } "SET statement_timeout = '300ms'", @$_;
	like($results[-1]{err}, qr/canceling statement due to statement timeout/, "statement_timeout: @$_");
	cmp_ok($results[-1]{seconds}, '<', 0.7, "statement_timeout: @$_: in time");
	$server->clear_faults;
	run('RESET statement_timeout');
	sleep 0.8;
}

# ---- Waiting for one's own writes, where they are not laid over what is read ----

run('SET pinecone_fdw.unseen_time = 0');

sub set_lag
{
	$server->control('POST', '/_local/settings', {lag => $_[0]});
}

clear("('a', '{1,1}', 1)");
set_lag(700);
is(run("INSERT INTO r VALUES ('b', '{1,1}', 1)", 'SELECT count(*) FROM r'), "1\n", 'without "consistency" a write shows late');
set_lag(0);
set_lag(700);
for my $read ('SELECT count(*) FROM own', 'SELECT count(v) FROM own', 'SELECT count(*) FROM own WHERE v = 3',
	"SELECT count(*) FROM (SELECT id FROM own ORDER BY embedding <=> '{1,1}' LIMIT 10) s")
{
	$server->upsert('tx', 'kb', [{id => 'c', values => [1, 1], metadata => {v => 4}}]);
	set_lag(0);
	set_lag(700);
	my $result = run("INSERT INTO own VALUES ('c', '{1,1}', 3), ('d', '{1,1}', 3)", $read);
	is($result, ($read =~ /v = 3/ ? 2 : 4) . "\n", "consistency 'session': $read");
	is(run("DELETE FROM own WHERE id = 'd'", $read), ($read =~ /v = 3/ ? 1 : 3) . "\n", "consistency 'session', after a DELETE: $read");
	is(run('BEGIN', "INSERT INTO own VALUES ('d', '{1,1}', 3)", $read, 'ROLLBACK', $read), ($read =~ /v = 3/ ? "2\n1\n" : "4\n3\n"), "consistency 'session', in a transaction: $read");
}
set_lag(0);
set_lag(1500);
like(run("INSERT INTO own_warned VALUES ('e', '{1,1}', 3)", 'SELECT count(*) FROM own_warned'),
	qr/\A3\nWARNING:  Pinecone does not show this session's writes to foreign table "own_warned" yet\n\z/, 'consistency_timeout as a warning');
like(run('SELECT count(*) FROM own_i'), qr/\AERROR:  Pinecone does not show this session's writes to foreign table "own_i" yet\n\z/, 'and as an error');
is($t->session->query('SELECT count(*) FROM own_i')->{out}, '3', 'another session does not wait');
sleep 1.5;
is(run('SELECT count(*) FROM own_i'), "4\n", 'after a while it shows');
like(run("INSERT INTO own_i VALUES ('f', '{1,1}', 3)", 'SELECT count(*) FROM own_i'), qr/\AERROR:  Pinecone does not show this session's writes/, 'a table with immediate writes');
set_lag(0);
is(run('SELECT count(*) FROM own_i'), "5\n", 'the session works on');

# a write that fails half way is waited for too
set_lag(700);
$t->sql("ALTER FOREIGN TABLE own OPTIONS (ADD batch_size '2', ADD write_concurrency '1')");
$server->fault({status => 400, path => '/vectors/upsert', skip => 1});
like(run("INSERT INTO own SELECT 'g' || n, ARRAY[n, 1], 5 FROM generate_series(1, 6) n"), qr/Pinecone rejected the request/, 'a write that fails half way');
is(run('SELECT count(*) FROM own WHERE v = 5'), "2\n", "consistency 'session': what it has left is seen");
set_lag(0);
# ---- Another session alters the server, or the key, before the commit ----

my $elsewhere = $server->create_index('tx2', dimension => 2);
sub commit_after
{
	my ($change, $back) = @_;
	run('BEGIN', "INSERT INTO r VALUES ('late', '{1,1}', 1)");
	$t->sql($change);
	$server->clear_requests;
	my $result = run('COMMIT');
	$t->sql($back);
	return $result . sent();
}
like(commit_after("ALTER SERVER s OPTIONS (SET host '$elsewhere')", "ALTER SERVER s OPTIONS (SET host '$host')"),
	qr/\AERROR:  server "s" was altered after the transaction had written to it\n(?!.*upsert)/s, 'another host: nothing is sent');
like(commit_after("ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'revoked')", "ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'test-key')"),
	qr/\AERROR:  Pinecone rejected the API key/, 'another key');
is(commit_after("ALTER SERVER s OPTIONS (SET max_retries '1')", "ALTER SERVER s OPTIONS (SET max_retries '0')"), 'upsert kb late', 'what does not lead elsewhere does no harm');
done_testing;
