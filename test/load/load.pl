#!/usr/bin/env perl
#
# Many sessions that read and write at once, for a while, against a service that
# takes 50 ms, keeps to its documented rate limits, and fails at random: 429, 500,
# 503, connections that are cut before and after a request was carried out, and
# replies that come too late.  Each session owns some records, and there are
# records that nobody writes: so every answer is known, and looked at (Model.pm
# says what of a write that failed).  Statements are canceled at random.  What
# each backend has of memory, descriptors and connections stays within bounds.
# At the end all that is stored is compared with what was confirmed.
#
#	test/load/load.pl [SECONDS [SESSIONS [SEED]]]        (300 100)
#
# PINECONE_LOCAL_KIND=documents makes an index of documents, PINECONE_LOCAL_ARGS='--lag 700'
# has writes shown later.
#
# Times are printed.  That cancels act within 300 ms, 99 of 100, is asked of runs
# of two minutes or more alone.  Where it is not so, and a cancel of pg_sleep() takes
# half of that already, the machine is busy with other things, and nothing is told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t", $FindBin::Bin;
use Harness;
use IO::Select;
use List::Util qw(max min);
use Model;
use Statements;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ARGV[0] // 300;
my $nsessions = $ARGV[1] // 100;
my $seed = $ARGV[2] // time % 100000;

my $max_connections = 6;    # of a session
# A backend's own memory, in kB; what it has open besides connections: PostgreSQL's files
my ($max_memory, $max_files) = (48 * 1024, 60);
my $cancel_share = 0.06;    # of the steps
my ($cancel_bound, $timed_from) = (300, 120);

srand $seed;
diag "$nsessions sessions, $seconds s, seed $seed";

my $t = Harness->new(
	pinecone => ['--latency', 50, '--rate-limits', '--log-size', 0],
	conf => ["shared_preload_libraries = 'pinecone_fdw'", 'max_connections = ' . ($nsessions + 30), 'max_worker_processes = 16']);
my $server = $t->server;
$server->create_index('load', dimension => Statements::DIMENSION, metric => 'euclidean');
my $where = $server->where('load');
my $documents = PineconeLocal::makes_documents();

# ---- Setup ----

$t->sql(<<"END");
CREATE SERVER load FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, connect_timeout '2s', request_timeout '1s', max_retries '2',
	rate_limits 'query 100');
CREATE USER MAPPING FOR CURRENT_USER SERVER load OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE shared (id text COLLATE "C", embedding real[], n int, s text) SERVER load OPTIONS (namespace 'shared');
CREATE FOREIGN TABLE shared_kept (id text COLLATE "C", embedding real[], n int, s text) SERVER load OPTIONS (namespace 'shared', cache_ttl '3s');
CREATE TABLE wanted (k int, id text COLLATE "C", v real[]);
ALTER DATABASE postgres SET pinecone_fdw.max_connections = $max_connections;
END
for my $group (0 .. Statements::GROUPS - 1)
{
	my $mode = Statements::mode($group);
	$t->sql("CREATE FOREIGN TABLE own_$group (id text COLLATE \"C\", embedding real[], owner int, n int, s text) SERVER load
		OPTIONS (namespace 'own$group', write_mode '$mode', consistency_timeout '20s')");
}

$server->upsert('load', 'shared', [map { +{id => $_->{id}, values => $_->{vector}, metadata => {n => $_->{n} + 0, s => $_->{s}}} } @{Statements::shared()}]);
$t->sql('INSERT INTO wanted VALUES ' . join ', ', map { "($_->{k}, '$_->{id}', '$_->{v}')" } Statements::wanted());

my @clients = map { Client->new($t, $_) } 0 .. $nsessions - 1;
{
	my %first;
	push @{$first{$_->{group}}}, $_->{statements}->first_records for @clients;
	$server->upsert('load', "own$_", $first{$_}) for keys %first;
}

# What others write is shown in time
my $lag = $server->control('GET', '/_local/settings')->{lag} / 1000;
sleep 2 * $lag;

# ---- Faults, by a process of its own ----

my @kinds = (
	{status => 429}, {status => 429, retry_after => 1}, {status => 500}, {status => 503}, {kind => 'close'}, {kind => 'close_after'},
	{delay_ms => 1500}, {kind => 'truncate'}, {kind => 'garbage'});
my @paths = qw(/vectors/upsert /vectors/update /vectors/delete /vectors/fetch /query /vectors/list);

# Now and then so many in a row that retries do not get through
sub make_faults
{
	srand $seed + 1;
	for (;;)
	{
		my %fault = %{$kinds[rand @kinds]};
		$fault{count} = rand() < 0.15 ? 10 + int rand 40 : 1 + int rand 2;
		$fault{path} = $paths[rand @paths] if rand() < 0.6 && !$documents;
		$server->fault(\%fault);
		sleep 0.1 + rand 0.5;
	}
}

my $faults = fork // die "no process: $!\n";
make_faults() if $faults == 0;

# ---- The load ----

my %stat = map { $_ => 0 } qw(steps statements failed canceled);
my (%errors, @cancel_ms, @sleep_ms, %slow_cancels, @wrong);
my ($most_memory, $most_files, $most_connections) = (0, 0, 0);
my (%early_memory, %late_memory);
my $begin = time;
my $select = IO::Select->new;
my %client_of;

for my $client (@clients)
{
	$client->{wake} = $begin + rand 1;
	for my $handle ($client->handles)
	{
		$select->add($handle);
		$client_of{$handle} = $client;
	}
}

sub cancel_due
{
	my ($now) = @_;

	for my $client (grep { defined $_->{cancel_at} && $_->{cancel_at} <= $now } @clients)
	{
		delete $client->{cancel_at};
		next unless $client->{step};
		$client->{canceled_at} = time;
		kill INT => $client->{pid};
		$stat{canceled}++;
	}
}

sub begin_due
{
	my ($now) = @_;

	for my $client (grep { !$_->{step} && $_->{wake} <= $now } @clients)
	{
		$client->begin;
		$stat{steps}++;
		$client->{cancel_at} = $now + rand 0.4 if rand() < ($client->is_asleep ? 1 : $cancel_share);
	}
}

# How long one took, of statements that ask Pinecone for something and of others,
# which tell what the machine itself is good for
sub note_cancel
{
	my ($client, $now) = @_;
	my $ms = 1000 * ($now - delete $client->{canceled_at});
	my $what = $client->doing;

	push @{$what =~ /^SELECT pg_sleep/ ? \@sleep_ms : \@cancel_ms}, $ms;
	$slow_cancels{$ms} = $what if $ms > $cancel_bound;
}

# A look at some of the backends
my $looked = 0;
sub look_at_backends
{
	my ($now) = @_;
	my $half = $now < $begin + $seconds / 2 ? \%early_memory : \%late_memory;

	for (1 .. min(3, $nsessions))
	{
		my $pid = $clients[$looked++ % $nsessions]{pid};
		my $memory = $t->memory($pid);
		my $connections = $t->connections($pid);
		my $files = () = $t->descriptors($pid);

		$most_memory = max($most_memory, $memory);
		$most_files = max($most_files, $files - $connections);
		$most_connections = max($most_connections, $connections);
		$half->{$pid} = max($half->{$pid} // 0, $memory);
	}
}

# What a step came to
sub finish
{
	my ($client) = @_;

	for my $problem ($client->finish)
	{
		push @wrong, "session $client->{number}: $problem";
		diag $wrong[-1] if @wrong <= 20;
	}
	delete $client->{cancel_at};
}

# Begin steps until then, unless told not to, and see the last ones through.
sub run_until
{
	my ($until, $begin_none) = @_;
	my $look_at = time;

	for (;;)
	{
		my $now = time;
		last if $now >= $until && !grep { $_->{step} } @clients;
		die "statements do not end\n" if $now > $until + 120;
		cancel_due($now);
		begin_due($now) if $now < $until && !$begin_none;
		if ($now >= $look_at)
		{
			look_at_backends($now);
			$look_at = $now + 0.25;
		}
		my @ready = $select->can_read(0.01);
		my $arrived = time;
		for my $handle (@ready)
		{
			my $client = $client_of{$handle};
			my $ended = $client->read_from($handle);

			# a cancel has acted when the statement that it met has ended
			note_cancel($client, $arrived) if $ended && $client->{canceled_at};
			finish($client) if $client->{step} && $client->is_done;
		}
	}
}

run_until($begin + $seconds);
my $took = time - $begin;
kill TERM => $faults;
waitpid $faults, 0;
$server->clear_faults;

# ---- What is left ----

# Of what nobody knows, each session writes again what it wants
$_->begin_repair for @clients;
run_until(time, 1);
my @unclear = map { my $client = $_; map { "\"$_\"" } $client->{model}->unclear } @clients;
is(scalar @unclear, 0, 'a write that is repeated leaves no doubt') or diag "@unclear";
ok($t->wait_until(sub { $t->sql('SELECT coalesce(sum(depth), 0) FROM pinecone_outbox_status') eq '0' }, 60), 'the outbox is delivered');
is($t->sql('SELECT coalesce(sum(dead), 0) FROM pinecone_outbox_status'), '0', 'and has no dead letter');

# What is stored in a namespace, by id, as the model has it
sub stored
{
	my ($namespace) = @_;
	my @zero = (0.5) x Statements::DIMENSION;

	if ($documents)
	{
		my $found = $server->data('load', 'POST', "/namespaces/$namespace/documents/search",
			{score_by => [{type => 'dense_vector', field => 'embedding', values => \@zero}], top_k => 10000, include_fields => ['*']});
		return map { $_->{_id} => {id => $_->{_id}, n => $_->{n}, s => $_->{s} // '', e => Statements::array($_->{embedding})} } @{$found->{matches}};
	}
	my $found = $server->data('load', 'POST', '/query',
		{namespace => $namespace, topK => 10000, vector => \@zero, includeValues => JSON::PP::true, includeMetadata => JSON::PP::true});
	return map { $_->{id} => {id => $_->{id}, n => $_->{metadata}{n}, s => $_->{metadata}{s} // '', e => Statements::array($_->{values})} } @{$found->{matches}};
}

# That against what was confirmed
sub differences
{
	my ($group) = @_;
	my %stored = stored("own$group");
	my @differences;

	for my $model (map { $_->{model} } grep { $_->{group} == $group } @clients)
	{
		for my $id (grep { $model->can_be_there($_) } $model->ids)
		{
			my $record = delete $stored{$id};
			my $wrong = $record ? $model->wrong_with($record) : "\"$id\" is not stored";
			push @differences, $wrong if $wrong;
		}
	}
	return @differences, map { "\"$_\" is stored" } sort keys %stored;
}

sleep 2 * $lag;
my @differences = map { differences($_) } 0 .. Statements::GROUPS - 1;
is(scalar @differences, 0, 'what is stored is what was confirmed') or diag join "\n", @differences[0 .. min(20, $#differences)];
is(scalar @wrong, 0, 'every answer was right');
cmp_ok($most_connections, '<=', $max_connections, "connections of a backend: $most_connections at most");
cmp_ok($most_files, '<=', $max_files, "other descriptors of a backend: $most_files at most");
cmp_ok($most_memory, '<=', $max_memory, "memory of a backend: $most_memory kB at most");
my $died = () = $t->log =~ /PANIC|terminated by signal|TRAP/g;
is($died, 0, 'no backend died');
cmp_ok($stat{statements}, '>', $seconds, "statements: $stat{statements}");

# ---- Figures ----

diag sprintf '%d steps, %d statements in %.0f s; %d failed for a fault or a cancel; %d canceled', @stat{qw(steps statements)}, $took, @stat{qw(failed canceled)};
diag sprintf '%5d %s', $errors{$_}, $_ for sort { $errors{$b} <=> $errors{$a} } keys %errors;
diag 'requests: ' . $t->sql("SELECT string_agg(operation || ' ' || n || ' (' || r || ' of them again)', ', ' ORDER BY n DESC)
	FROM (SELECT operation, sum(requests) AS n, sum(retries) AS r FROM pinecone_fdw_stats WHERE requests > 0 AND operation <> 'commit' GROUP BY 1) s");
my @grown = sort { $a <=> $b } map { $late_memory{$_} - $early_memory{$_} } grep { $early_memory{$_} } keys %late_memory;
diag sprintf 'memory in the second half against the first: %+d kB at the median, %+d kB at most', $grown[$#grown / 2], $grown[-1] if @grown;

# Prints percentiles; the 99th
sub percentiles
{
	my ($what, @ms) = @_;
	my @sorted = sort { $a <=> $b } @ms or return 0;
	my @at = map { $sorted[min($#sorted, int $_ * @sorted)] } 0.5, 0.95, 0.99;

	diag sprintf '%s: p50 %.0f ms, p95 %.0f ms, p99 %.0f ms, most %.0f ms (of %d)', $what, @at, $sorted[-1], scalar @sorted;
	return $at[2];
}
my $sleep_p99 = percentiles('cancel of pg_sleep()', @sleep_ms);
my $p99 = percentiles('cancel', @cancel_ms);
my @slowest = sort { $b <=> $a } keys %slow_cancels;
diag sprintf '%.0f ms: %s', $_, $slow_cancels{$_} for @slowest[0 .. min(9, $#slowest)];
SKIP:
{
	skip 'cancels are measured in runs that are longer', 1 if $seconds < $timed_from;
	skip "this machine takes $sleep_p99 ms to cancel pg_sleep()", 1 if $p99 >= $cancel_bound && $sleep_p99 > $cancel_bound / 2;
	cmp_ok($p99, '<', $cancel_bound, "99 of 100 cancels act within $cancel_bound ms");
}
done_testing();


# A session with what it is doing, and the model of what is its own.
package Client;

use strict;
use warnings;

use Time::HiRes qw(time);

# Errors that a fault or a cancel has, or that come of those
my $expected;
BEGIN
{
	$expected = qr/^(?:
		canceling\ statement\ due\ to\ user\ request |
		current\ transaction\ is\ aborted |
		savepoint\ "a"\ does\ not\ exist |
		Pinecone\ rate\ limit\ reached |
		Pinecone\ could\ not\ answer\ the\ request |
		request\ to\ Pinecone\ timed\ out |
		lost\ the\ connection\ to\ Pinecone |
		could\ not\ reach\ Pinecone\ host |
		invalid\ response\ from\ Pinecone |
		# the control plane did not tell in time what kind of index it is
		Pinecone\ index\ "load"\ is\ an\ index\ of\ documents |
		the\ index\ of\ foreign\ table\ "\w+"\ is\ of\ another\ kind
	)/x;
}

sub new
{
	my ($class, $t, $number) = @_;
	my $self = bless {number => $number, session => $t->session, group => $number % Statements::GROUPS, model => Model->new}, $class;

	$self->{pid} = $self->{session}->pid;
	$self->{statements} = Statements->new($number, $self->{group}, $self->{model});
	return $self;
}

sub handles
{
	my ($self) = @_;
	return $self->{session}->handles;
}

sub is_done
{
	my ($self) = @_;
	return $self->{session}->is_done;
}

sub begin
{
	my ($self) = @_;

	return if rand() < 0.5 && $self->begin_repair;
	$self->start($self->{statements}->step);
}

# Write again what nobody knows of; true if there is something
sub begin_repair
{
	my ($self) = @_;
	my @unclear = $self->{model}->unclear or return 0;

	$self->start($self->{statements}->repair(@unclear));
	return 1;
}

# Statements go out together, with a mark after each that says how it ended.
sub start
{
	my ($self, @step) = @_;

	$self->{step} = \@step;
	$self->{session}->send(join "\n", map { "$_->{sql};\n\\echo ==end :ERROR :ROW_COUNT\n\\warn ==end" } @step);
}

sub is_asleep
{
	my ($self) = @_;
	return $self->{step}[0]{sql} =~ /^SELECT pg_sleep/;
}

# What the statement that ended last was
sub doing
{
	my ($self) = @_;
	my $ended = () = $self->{session}{text}{out} =~ /^==end /mg;

	return $self->{step}[$ended - 1]{sql} . ' (' . $self->{step}[0]{sql} . ', ' . Statements::mode($self->{group}) . ')';
}

# How many statements have ended meanwhile
sub read_from
{
	my ($self, $handle) = @_;
	my $new = $self->{session}->read_some($handle);

	return scalar(() = $new =~ /^==end /mg);
}

# Look at all results: what is wrong with them.
sub finish
{
	my ($self) = @_;
	my $result = $self->{session}->result;
	my @step = @{delete $self->{step}};
	my @out = split /^==end .*\n?/m, $result->{out}, -1;
	my @ends = $result->{out} =~ /^==end (\S+ \d+)$/mg;
	my @err = split /^==end\n/m, $result->{err}, -1;
	my $mode = Statements::mode($self->{group});
	my $view = $self->{model};    # as it is in the transaction
	my (@problems, @between, $saved, $in_transaction, $broken);

	delete $self->{canceled_at};
	return "session lost: $result->{out}$result->{err}" if @ends != @step;
	for my $i (0 .. $#step)
	{
		my $statement = $step[$i];
		my ($failed, $count) = split / /, $ends[$i];
		my $err = $err[$i];
		my %answer = (count => $count, rows => [map { [split /\|/, $_, -1] } grep { $_ ne '' } split /\n/, $out[$i]]);

		$failed = $failed eq 'true';
		$stat{statements}++;
		push @problems, "$statement->{sql}: $err" if $failed && !is_expected($err);
		if ($statement->{begin})
		{
			$in_transaction = 1;
			$broken = $failed;
			$view = $self->{model}->copy;
		}
		elsif ($statement->{savepoint})
		{
			$broken ||= $failed;
			$saved = $view->copy unless $broken;
		}
		elsif ($statement->{rollback_to})
		{
			# what failed since then has not been
			$broken = $failed;
			$view = $saved->copy unless $broken;
		}
		elsif ($statement->{end})
		{
			# COMMIT of a transaction that has failed is a ROLLBACK, and no error
			if (!$broken && $statement->{end} eq 'commit')
			{
				$self->{model}{records} = $view->{records} unless $failed;
				$self->{model}->join_with($_) for $failed && may_be_applied($err, $mode) ? (@between, $view) : ();
			}
			$view = $self->{model};
			($in_transaction, $broken) = (0, 0);
		}
		elsif ($failed)
		{
			$broken = $in_transaction;
			$view->perhaps($statement->{write}) if !$in_transaction && $statement->{write} && may_be_applied($err, $mode);
		}
		elsif (!$broken)
		{
			my $problem = $statement->{look} ? $statement->{look}->($view, \%answer) : undef;

			push @problems, "$statement->{sql}: $problem; rows: " . Statements::as_rows(@{$answer{rows}}) if $problem;
			$statement->{write}->($view, \%answer) if $statement->{write};
			push @between, $view->copy if $statement->{write} && $in_transaction;
		}
	}
	# what may still be on its way is done with soon
	$self->{wake} = time + ($self->{model}->unclear ? 0.5 : 0) + rand 1.2;
	return @problems;
}

sub is_expected
{
	my ($err) = @_;
	my ($message) = $err =~ /^(?:ERROR|FATAL):  (.*)$/m;

	$message //= $err;
	$stat{failed}++;
	$errors{$message =~ s/"[^"]*"/"..."/gr}++;
	# a refusal that is spoilt on its way is no other than that
	return $message =~ $expected || $message eq 'Pinecone rejected the request' && $err =~ /the reply \(.*\) is not one of Pinecone's/;
}

# What an error says of that: nothing, if nothing was sent.  The outbox is a
# table, which a transaction that fails leaves as it was.
sub may_be_applied
{
	my ($err, $mode) = @_;

	return $mode ne 'outbox' && $err =~ /may have been|not known whether|\b[1-9]\d* writes? had been applied/;
}
