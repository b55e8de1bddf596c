# Writes that fail at any point: Pinecone holds what the error says, what the
# transaction did locally is undone, the same statement sent again gets there,
# and nothing is left for the next transaction.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Harness;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $timeout = 1000;    # of a request, ms
my $rows = 35;         # in batches of 10

my $saved = tempdir('pinecone_fdw.XXXXXX', TMPDIR => 1, CLEANUP => 1);
# What the test itself changes in between is to be seen at once
my $t = Harness->new(pinecone => ['--store', "$saved/store"], conf => ['pinecone_fdw.unseen_time = 0']);
chmod 0777, $saved;    # for whoever the server runs as
my $server = $t->server;
my $host = $server->create_index('faults', dimension => 2);
my $columns = 'id text COLLATE "C", embedding real[], v int';
my $copied = $t->dir . '/rows.txt';

open my $out, '>', $copied or die "$copied: $!";
print $out "r$_\t{$_,1}\t2\n" for map { sprintf '%04d', $_ } 1 .. $rows;
close $out;
chmod 0644, $copied;

# "one": a request at a time, so that it is known which come before a fault
for (['one', 1], ['many', 4])
{
	my ($name, $concurrency) = @$_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw
	OPTIONS (host '$host', request_timeout '${timeout}ms', max_retries '1', max_concurrency '$concurrency',
		batch_size '10', write_concurrency '$concurrency');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ${name}_t ($columns) SERVER $name OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE ${name}_i ($columns) SERVER $name OPTIONS (namespace 'kb', write_mode 'immediate');
CREATE FOREIGN TABLE ${name}_t2 ($columns) SERVER $name OPTIONS (namespace 'kb2');
CREATE FOREIGN TABLE ${name}_i2 ($columns) SERVER $name OPTIONS (namespace 'kb2', write_mode 'immediate');
END
}
$t->sql('CREATE TABLE local (n int)');

# One that is waited for
$t->sql(<<"END");
CREATE SERVER patient FOREIGN DATA WRAPPER pinecone_fdw
	OPTIONS (host '$host', max_retries '1', max_concurrency '1', batch_size '10', write_concurrency '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER patient OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE patient_t ($columns) SERVER patient OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE patient_i ($columns) SERVER patient OPTIONS (namespace 'kb', write_mode 'immediate');
END

# ---- What Pinecone holds ----

# id => "first component of the vector/v"
sub stored
{
	my ($namespace) = @_;
	my ($status, $reply) = $server->try_request('POST', "$host/query",
		{namespace => $namespace, topK => 10000, vector => [1, 1], includeValues => JSON::PP::true, includeMetadata => JSON::PP::true});

	return {} if $status == 404;
	die "query: status $status\n" if $status != 200;
	return {map { $_->{id} => $_->{values}[0] . '/' . $_->{metadata}{v} } @{$reply->{matches}}};
}

# Empty both namespaces, and put so many records into each.
sub seed
{
	my ($n, $n2) = @_;

	for (['kb', $n], ['kb2', $n2])
	{
		my ($namespace, $count) = @$_;

		$server->try_request('POST', "$host/vectors/delete", {namespace => $namespace, deleteAll => JSON::PP::true});
		$server->upsert('faults', $namespace, [map { +{id => sprintf('r%04d', $_), values => [$_, 1], metadata => {v => 1}} } 1 .. $count])
			if $count;
	}
}

# Requests that write, other than dry runs
sub writes
{
	return grep { $_->{path} =~ m{^/vectors/(?:upsert|update|delete)$} && !(ref $_->{body} && $_->{body}{dryRun}) } $server->requests;
}

# What an error says: {namespace => [applied, at most so many more]}
sub told
{
	my ($error) = @_;
	my %told;

	while ($error =~ /(\d+) writes? had been applied to namespace "(\w+)" of server "\w+"(?:, (\d+) more may have been)?\./g)
	{
		$told{$2} = [$1, $3 // 0];
	}
	return \%told;
}

# ---- Statements ----

# A statement on TABLE (and TABLE2), the records there are before (in the second
# namespace too), the path that faults are ordered for and the requests of
# that path that come before the first write, the sizes of its batches, and how
# many of its writes a namespace's contents show.
my $changed = sub { my ($kb) = @_; scalar grep { m{/2$} } values %$kb };
my %statements = (
	'INSERT' => {
		sql => "INSERT INTO TABLE SELECT 'r' || to_char(n, 'FM0000'), ARRAY[n, 1], 2 FROM generate_series(1, $rows) n",
		path => '/vectors/upsert', batches => [10, 10, 10, 5], done => $changed,
	},
	'COPY' => {
		sql => "COPY TABLE FROM '$copied'",
		path => '/vectors/upsert', batches => [10, 10, 10, 5], done => $changed,
	},
	'UPDATE of metadata' => {
		sql => 'UPDATE TABLE SET v = 2 WHERE length(id) > 1',
		path => '/vectors/update', seed => 5, batches => [(1) x 5], done => $changed,
	},
	'UPDATE of vectors' => {
		sql => 'UPDATE TABLE SET v = 2, embedding = ARRAY[embedding[1], 2] WHERE length(id) > 1',
		path => '/vectors/upsert', seed => $rows, batches => [10, 10, 10, 5], done => $changed,
	},
	'UPDATE by filter' => {
		sql => 'UPDATE TABLE SET v = 2 WHERE v = 1',
		path => '/vectors/update', before => 1, seed => $rows, batches => [1], done => sub { $changed->(@_) == $rows },
	},
	'DELETE' => {
		sql => 'DELETE FROM TABLE WHERE length(id) > 1',
		path => '/vectors/delete', seed => 2100, batches => [1000, 1000, 100], done => sub { 2100 - keys %{$_[0]} },
	},
	'DELETE by filter' => {
		sql => 'DELETE FROM TABLE WHERE v = 1',
		path => '/vectors/delete', seed => $rows, batches => [1], done => sub { !%{$_[0]} },
	},
	'TRUNCATE' => {
		sql => 'TRUNCATE TABLE',
		path => '/vectors/delete', seed => $rows, batches => [1], done => sub { !%{$_[0]} },
	},
);

# ---- Faults ----

# "effect": the request has been carried out all the same; "sure": it is known
# that it has not been.  "error" is for a fault that is met for ever; met once,
# all passes unless it is "final".
my @faults = (
	{name => '429', order => {status => 429}, error => qr/Pinecone rate limit reached/, sure => 1},
	{name => '500', order => {status => 500}, error => qr/Pinecone could not answer the request/},
	{name => 'close', order => {kind => 'close'}, error => qr/lost the connection to Pinecone/},
	{name => 'close after', order => {kind => 'close_after'}, error => qr/lost the connection to Pinecone/, effect => 1},
	{name => 'truncated reply', order => {kind => 'truncate'}, error => qr/lost the connection to Pinecone/, effect => 1},
	{name => 'garbage', order => {kind => 'garbage'}, error => qr/invalid response from Pinecone/, effect => 1},
	{name => 'success that is none', order => {status => 200, body => '<p>Welcome'}, error => qr/invalid response from Pinecone/},
	{name => 'wrong count', order => {status => 200, body => '{"upsertedCount":3}'}, only => '/vectors/upsert',
		error => qr/invalid response from Pinecone.*answered with a count of 3/s},
	{name => '400', order => {status => 400, body => '{"code":3,"message":"the words"}'}, error => qr/Pinecone rejected the request.*the words/s, sure => 1, final => 1},
	{name => '401', order => {status => 401}, error => qr/Pinecone rejected the API key/, sure => 1, final => 1},
	{name => 'timeout', order => {kind => 'delay', delay_ms => 2 * $timeout}, error => qr/request to Pinecone timed out/, effect => 1, final => 1},
);

my $s = $t->session;

sub run
{
	my ($sql) = @_;
	return $s->query("BEGIN;\nINSERT INTO local VALUES (1);\n$sql;\nCOMMIT");
}

sub local_rows
{
	return $t->sql('SELECT count(*) FROM local');
}

# Nothing is sent by a transaction that writes nothing to Pinecone, and the
# session can read.
sub check_session
{
	my ($name) = @_;

	$server->clear_requests;
	my $result = $s->query("BEGIN;\nINSERT INTO local VALUES (2);\nSELECT count(*) > -1 FROM one_t;\nROLLBACK;\nSELECT 1");
	is($result->{out} . $result->{err}, "t\n1", "$name: the session works on");
	is(scalar writes(), 0, "$name: nothing is left to write");
}

# The requests and states around one fault at one place
sub check_fault
{
	my ($name, $statement, $table, $fault, $position, $once) = @_;
	my @batches = @{$statement->{batches}};
	my $sql = $statement->{sql} =~ s/TABLE/$table/gr;
	my $exact = $table =~ /^one/;
	my $all = 0;
	my $before = 0;

	$sql = "TRUNCATE $table" if $statement->{sql} =~ /^TRUNCATE/;
	$all += $_ for @batches;
	$before += $batches[$_] for 0 .. $position - 1;
	seed($statement->{seed} // 0, 0);
	$t->sql('TRUNCATE local');
	$server->fault({%{$fault->{order}}, path => $statement->{path}, skip => ($statement->{before} // 0) + $position, count => $once ? 1 : -1});
	my $result = run($sql);
	$server->clear_faults;

	if ($once && !$fault->{final})
	{
		is($result->{err}, '', "$name: no error");
		is($statement->{done}->(stored('kb')), $all, "$name: all is written");
		is(local_rows(), 1, "$name: with what the transaction did locally");
		return;
	}
	like($result->{err}, $fault->{error}, "$name: the error");
	is(() = $result->{err} =~ /^ERROR/mg, 1, "$name: one error");
	my $told = told($result->{err});
	my ($applied, $unknown) = @{$told->{kb} // [0, 0]};
	sleep 2 * $timeout / 1000 if $fault->{name} eq 'timeout';
	my $done = $statement->{done}->(stored('kb')) || 0;
	if ($exact)
	{
		is($applied, $before, "$name: what it says has been applied");
		is($unknown, $fault->{sure} ? 0 : $batches[$position], "$name: what it says may have been");
		is($done, $before + ($fault->{effect} ? $batches[$position] : 0), "$name: what has been applied");
		like($result->{err}, qr/No write had been applied/, "$name: in words") if !$applied && !$unknown;
	}
	else
	{
		cmp_ok($done, '>=', $applied, "$name: what it says has been applied has");
		cmp_ok($done, '<=', $applied + $unknown, "$name: no more than what it says may have been");
	}
	is(local_rows(), 0, "$name: what the transaction did locally is undone");
	check_session($name);

	$result = run($sql);
	is($result->{err}, '', "$name: sent again");
	is($statement->{done}->(stored('kb')), $all, "$name: sent again, all is written");
	is(local_rows(), 1, "$name: sent again, with what the transaction did locally");
}

for my $mode ('t', 'i')
{
	for my $kind (sort keys %statements)
	{
		my $statement = $statements{$kind};
		my $last = $#{$statement->{batches}};
		my %positions = (first => 0, last => $last, $last > 1 ? (middle => 1) : ());

		for my $fault (@faults)
		{
			next if $fault->{only} && $fault->{only} ne $statement->{path};
			# many records, so some faults will do
			next if $kind eq 'DELETE' && $fault->{name} !~ /^(?:429|500|close after|success that is none|401)$/;
			for my $place (sort keys %positions)
			{
				next if $place eq 'last' && $last == 0;
				next if $mode eq 'i' && $place ne ($last > 1 ? 'middle' : 'first');
				# what takes long is tried in one place
				next if $fault->{name} eq 'timeout' && ($place ne 'first' || $kind !~ /^(?:INSERT|UPDATE of metadata|DELETE by filter)$/);
				for my $table ("one_$mode", "many_$mode")
				{
					my $name = "$kind, $table, $fault->{name}, $place batch";

					next if $table =~ /^many/ && ($last == 0 || $place ne 'middle');
					check_fault($name, $statement, $table, $fault, $positions{$place}, 0);
					check_fault("$name, once", $statement, $table, $fault, $positions{$place}, 1)
						unless $fault->{final} || $table =~ /^many/;
				}
			}
		}
	}
}

# ---- Interruptions ----

# Start an INSERT and wait until the request after $n others is on its way.
sub start_insert
{
	my ($session, $table, $n, $fault) = @_;
	my $pid = $session->pid;

	seed(0, 0);
	$t->sql('TRUNCATE local');
	$server->clear_requests;
	$server->fault({%$fault, path => '/vectors/upsert', skip => $n, count => -1});
	$session->send("BEGIN;\nINSERT INTO local VALUES (1);\n" . ($statements{INSERT}{sql} =~ s/TABLE/$table/r) . ";\nCOMMIT");
	$t->wait_until(sub { writes() > $n }, 10) or die "no request\n";
	sleep 0.1;
	return $pid;
}

# The INSERT that failed, sent again in the same session, gets there
sub check_again
{
	my ($name, $session, $table) = @_;

	$s = $session;
	check_session($name);
	my $result = run($statements{INSERT}{sql} =~ s/TABLE/$table/r);
	is($result->{err}, '', "$name: sent again");
	is($changed->(stored('kb')), $rows, "$name: sent again, all is written");
	is(local_rows(), 1, "$name: sent again, with what the transaction did locally");
}

# After it has ended, somehow, with $n batches applied and one perhaps
sub check_insert
{
	my ($name, $session, $table, $n, $at_most, $result) = @_;

	if ($result)
	{
		my $told = told($result->{err})->{kb} // [0, 0];

		is($told->[0], 10 * $n, "$name: what it says has been applied");
		is($told->[1], $at_most, "$name: what it says may have been");
	}
	my $done = $changed->(stored('kb'));
	ok($done == 10 * $n || $done == 10 * $n + $at_most, "$name: what has been applied") or diag "$done";
	is(local_rows(), 0, "$name: what the transaction did locally is undone");
	check_again($name, $session, $table);
}

my $delay = {kind => 'delay', delay_ms => 800};

for my $table ('patient_t', 'patient_i')
{
	for my $n (0, 1, 3)
	{
		my $size = $n == 3 ? 5 : 10;

		for (['cancel', 'pg_cancel_backend', qr/canceling statement due to user request/],
			['terminate', 'pg_terminate_backend', qr/terminating connection due to administrator command/])
		{
			my ($how, $function, $error) = @$_;
			my $session = $t->session;
			my $name = "$how after $n batches, $table";
			my $pid = start_insert($session, $table, $n, $delay);

			$t->sql("SELECT $function($pid)");
			my $result = $session->result(10);
			$server->clear_faults;
			like($result->{err}, $error, "$name: the error");
			sleep 1;    # until the server has done with the request
			$session = $t->session if $result->{lost};
			check_insert($name, $session, $table, $n, $size, $result);
		}
	}

	# between two attempts
	for ([429, 0], [503, 10])
	{
		my ($status, $at_most) = @$_;
		my $session = $t->session;
		my $name = "cancel in back-off after $status, $table";
		my $pid = start_insert($session, $table, 1, {status => $status, retry_after => 10});

		$t->sql("SELECT pg_cancel_backend($pid)");
		my $result = $session->result(5);
		$server->clear_faults;
		like($result->{err}, qr/canceling statement/, "$name: the error");
		check_insert($name, $session, $table, 1, $at_most, $result);
	}
}

# ---- Servers that stop ----

sub temporary_files
{
	return grep { -f } glob($t->dir . '/data/base/pgsql_tmp/*');
}

sub wait_for_postgres
{
	ok($t->wait_until(sub { $t->psql('SELECT 1')->{out} eq '1' }, 30), "$_[0]: PostgreSQL is back");
}

# pg_ctl as the user whom the cluster belongs to
sub pg_ctl
{
	# its output is the server's, too, from a start on
	$t->program('pg_ctl', '-D', $t->dir . '/data', '-l', $t->dir . '/postgres.log', '-w', @_);
}

for my $table ('patient_t', 'patient_i')
{
	my $session = $t->session;
	my $name = "SIGKILL, $table";
	my $pid;

	$session->query('SET pinecone_fdw.write_buffer = 64');
	$pid = start_insert($session, $table, 1, $delay);
	kill KILL => $pid;
	ok($session->result(10)->{lost}, "$name: the connection is lost");
	$server->clear_faults;
	sleep 1;
	wait_for_postgres($name);
	is(scalar temporary_files(), 0, "$name: no temporary files are left");
	check_insert($name, $t->session, $table, 1, 10);

	$session = $t->session;
	$name = "immediate shutdown, $table";
	start_insert($session, $table, 1, $delay);
	pg_ctl('-m', 'immediate', 'stop');
	ok($session->result(10)->{lost}, "$name: the connection is lost");
	$server->clear_faults;
	sleep 1;
	pg_ctl('start');
	wait_for_postgres($name);
	check_insert($name, $t->session, $table, 1, 10);
}

# pinecone-local dies in the middle, and comes back with what it had saved
sub stop_pinecone
{
	open my $file, '<', $t->dir . '/pinecone.pid' or die "no pid: $!\n";
	chomp(my $pid = <$file>);
	kill KILL => $pid;
	$t->wait_until(sub { waitpid($pid, WNOHANG) == $pid || !kill 0 => $pid }, 20) or die "pinecone-local does not stop\n";
}

sub signal_pinecone
{
	open my $file, '<', $t->dir . '/pinecone.pid' or die "no pid: $!\n";
	chomp(my $pid = <$file>);
	kill $_[0] => $pid;
}

# All its threads stand still: on a busy machine that takes a moment.
sub wait_until_stopped
{
	open my $file, '<', $t->dir . '/pinecone.pid' or die "pid: $!\n";
	my ($pid) = <$file> =~ /(\d+)/;

	$t->wait_until(sub {
		my @states = map { open my $stat, '<', $_ or return 0; (<$stat> // '') =~ /\) (\w)/ ? $1 : '' } glob "/proc/$pid/task/*/stat";
		return @states > 0 && !grep { $_ ne 'T' } @states;
	}, 10) or die "pinecone-local does not stop\n";
}

sub start_pinecone
{
	my ($dir, $port) = ($t->dir, $t->port);
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$dir/pinecone.log";
		open STDERR, '>&', \*STDOUT;
		exec "$dir/pinecone-local", '--port', $port, '--api-key', 'test-key', '--store', "$saved/store" or POSIX::_exit(1);
	}
	open my $file, '>', "$dir/pinecone.pid" or die "pid: $!\n";
	print $file "$pid\n";
	close $file;
	$t->wait_until(sub { eval { $server->clear_faults; 1 } }, 20) or die "pinecone-local does not start\n";
	delete $server->{hosts}{faults};
	$host = $server->host('faults');
	$t->sql("ALTER SERVER $_ OPTIONS (SET host '$host')") for 'one', 'many', 'patient';
}

for my $table ('one_t', 'one_i')
{
	my $session = $t->session;
	my $name = "the server stops, $table";
	my $result;

	seed(0, 0);
	$server->control('POST', '/_local/save');
	start_insert($session, $table, 1, $delay);
	stop_pinecone();
	$result = $session->result(20);
	like($result->{err}, qr/could not reach Pinecone/, "$name: the error");
	is_deeply(told($result->{err}), {kb => [10, 10]}, "$name: what it says has been applied, and may have been");
	like($session->query("INSERT INTO $table VALUES ('x', '{1,1}', 1)")->{err}, qr/could not reach Pinecone host.*No write had been applied/s, "$name: while it is away");
	start_pinecone();
	is(local_rows(), 0, "$name: what the transaction did locally is undone");
	check_again($name, $session, $table);

	# one that hangs: it goes on later
	$name = "the server hangs, $table";
	seed(0, 0);
	$t->sql('TRUNCATE local');
	signal_pinecone('STOP');
	wait_until_stopped();
	$result = run($statements{INSERT}{sql} =~ s/TABLE/$table/r);
	signal_pinecone('CONT');
	sleep 1;
	like($result->{err}, qr/request to Pinecone timed out/, "$name: the error");
	is_deeply(told($result->{err}), {kb => [0, 10]}, "$name: what it says may have been applied");
	check_insert($name, $session, $table, 0, 10);
}
done_testing;
