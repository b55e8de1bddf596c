#!/usr/bin/env perl
#
# Random transactions under write_mode 'outbox' against a model in memory: several
# sessions, of two users, take turns, with savepoints, rollbacks, exception blocks, prepared
# transactions, changes of keys, TRUNCATE and records that Pinecone refuses.
# Workers deliver meanwhile, and meet faults at any place: 429, 500, connections
# that are cut before and after the service has done what it was asked, time-outs
# and replies that nobody can read.  Workers are killed, the server is stopped as
# in a crash, a standby is promoted.  Whenever all is quiet, what is stored must be
# the model; what was rolled back must never have been sent.
#
#	test/random/outbox.pl [SEED [STEPS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ARGV[0] // int(time);
my $steps = $ARGV[1] // 260;
my $verbose = $ENV{VERBOSE};
my $quick = @ARGV < 2;

srand $seed;
diag "seed $seed, $steps steps";

my @conf = (
	q{shared_preload_libraries = 'pinecone_fdw'}, 'max_prepared_transactions = 10', 'pinecone_fdw.outbox_naptime = 1',
	'pinecone_fdw.unseen_time = 0', 'wal_level = replica', 'max_wal_senders = 4');
my $t = Harness->new(conf => \@conf, pinecone => ['--log-size', '1000000']);
my $server = $t->server;
$server->create_index('box', dimension => 2);
my $where = $server->where('box');
my $documents = PineconeLocal::makes_documents();

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, max_retries '1', request_timeout '700ms', batch_size '7');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE box (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], n int) SERVER s
	OPTIONS (write_mode 'outbox', namespaces 'a,b');
CREATE FOREIGN TABLE stored (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], n int) SERVER s
	OPTIONS (namespaces 'a,b');
CREATE ROLE other;
CREATE USER MAPPING FOR other SERVER s OPTIONS (api_key 'test-key');
GRANT ALL ON box TO other;
END

my @namespaces = ('a', 'b');
my $nids = 12;

# What is committed: by namespace and id, n and whether the last write of the record was refused
my %model = map { $_ => {} } @namespaces;
my %refused = map { $_ => {} } @namespaces;
my $token = 0;    # values of n, each used once
my %never;        # those that were rolled back

# ---- A standby ----

my $standby = $t->dir . '/standby';
my @as = $> == 0 ? ('setpriv', '--reuid=' . (getpwnam('postgres') ? 'postgres' : 'nobody'), '--regid=' . (getpwnam('postgres') ? 'postgres' : 'nogroup'), '--clear-groups') : ();
@as = (@as, 'env', '-C', $t->dir, 'HOME=' . $t->dir);

my $data = $t->dir . '/data';

sub pg_ctl
{
	my ($dir, @arguments) = @_;
	return system(@as, 'pg_ctl', '-D', $dir, '-s', '-w', '-l', "$dir.log", @arguments) == 0;
}

system(@as, 'pg_basebackup', '-D', $standby, '-R', '-c', 'fast', '--no-sync') == 0 or die "no copy of the cluster\n";
pg_ctl($standby, '-o', '-p 5433', 'start') or die "no standby\n";
my $promoted = 0;
END
{
	local $?;
	system(@as, 'pg_ctl', '-D', $standby, '-s', '-m', 'immediate', 'stop') if defined $standby && -d $standby;
}

# ---- Sessions ----

# Each writes ids of its own; "ops" are what its transaction has done, "marks" where
# its savepoints are in them
my @sessions = map { {name => $_} } qw(p q r);
my @prepared;

sub connect_session
{
	my ($s) = @_;

	$s->{sql} = Harness::Session->new($t->{env});
	$s->{sql}->query('SET ROLE other') if $s->{name} eq 'q';
	delete $s->{ops};
	delete $s->{marks};
}

connect_session($_) for @sessions;

# Run SQL that must not fail.
sub run
{
	my ($s, $sql) = @_;
	my $result = $s->{sql}->query($sql, 60);

	diag "$s->{name}: $sql" if $verbose;
	die "seed $seed: $s->{name}: $sql\n$result->{err}" if $result->{err} =~ /ERROR|FATAL|PANIC/;
	return $result->{out};
}

# ---- The model ----

sub apply
{
	my ($model, $refused, $op) = @_;
	my ($what, $ns, @rest) = @$op;

	if ($what eq 'put')
	{
		$model->{$ns}{$rest[0]} = $rest[1];
		delete $refused->{$ns}{$rest[0]};
	}
	elsif ($what eq 'set')
	{
		$model->{$ns}{$rest[0]} = $rest[1] if exists $model->{$ns}{$rest[0]} && !$refused->{$ns}{$rest[0]};
	}
	elsif ($what eq 'delete')
	{
		delete $model->{$ns}{$rest[0]};
		delete $refused->{$ns}{$rest[0]};
	}
	elsif ($what eq 'bad')
	{
		$refused->{$ns}{$rest[0]} = 1;
	}
	elsif ($what eq 'empty')
	{
		$model->{$ns} = {};
		$refused->{$ns} = {};
	}
}

# As a session sees it: (records, refused), by namespace
sub view
{
	my ($s) = @_;
	my %view = map { $_ => {%{$model{$_}}} } @namespaces;
	my %bad = map { $_ => {%{$refused{$_}}} } @namespaces;

	apply(\%view, \%bad, $_) for @{$s->{ops} // []};
	return (\%view, \%bad);
}

sub tokens_of
{
	return map { $_->[3] } grep { $_->[0] =~ /put|set/ && !$_->[4] } @_;
}

sub forget
{
	$never{$_} = 1 for tokens_of(@_);
}

# Has another transaction that is not over done something to the namespace, or to all of it?
sub is_busy
{
	my ($s, $ns, $what) = @_;

	for my $ops (map({ $_->{ops} // [] } grep { $_ != $s } @sessions), map { $_->{ops} } @prepared)
	{
		return 1 if grep { $_->[1] eq $ns && (!defined $what || $_->[0] eq $what) } @$ops;
	}
	return 0;
}

# ---- Statements ----

sub pick { return $_[rand @_]; }

sub own_id { return $_[0]{name} . int(rand $nids); }

sub add_op { my ($s, @op) = @_; push @{$s->{ops}}, [@op]; }

sub statement
{
	my ($s, $block) = @_;
	my $ns = pick(@namespaces);
	my $id = own_id($s);
	my ($view, $bad) = view($s);
	my @good = grep { /^$s->{name}/ && !$bad->{$ns}{$_} } sort keys %{$view->{$ns}};
	my $list = join ',', map { "'$_'" } @good;
	my $dice = rand;
	my @ops;
	my $sql;

	return if is_busy($s, $ns, 'empty');
	if ($dice < 0.4)
	{
		my %rows = map { own_id($s) => ++$token } 0 .. rand 12;

		@ops = map { ['put', $ns, $_, $rows{$_}] } sort keys %rows;
		$sql = 'INSERT INTO box VALUES ' . join ', ', map { "('$ns', '$_', '{1,$rows{$_}}', $rows{$_})" } sort keys %rows;
	}
	elsif ($dice < 0.5)
	{
		$token++;
		@ops = ['set', $ns, $id, $token];
		$sql = "UPDATE box SET n = $token WHERE ns = '$ns' AND id = '$id'";
	}
	elsif ($dice < 0.6 && @good)
	{
		$token++;
		@ops = map { ['set', $ns, $_, $token] } grep { $view->{$ns}{$_} % 3 == 0 } @good;
		$sql = "UPDATE box SET n = $token WHERE ns = '$ns' AND n % 3 = 0 AND id = ANY ('{" . join(',', @good) . "}')";
	}
	elsif ($dice < 0.7)
	{
		@ops = ['delete', $ns, $id];
		$sql = "DELETE FROM box WHERE ns = '$ns' AND id = '$id'";
	}
	elsif ($dice < 0.78 && @good)
	{
		@ops = map { ['delete', $ns, $_] } grep { $view->{$ns}{$_} % 2 == 0 } @good;
		$sql = "DELETE FROM box WHERE ns = '$ns' AND n % 2 = 0 AND id = ANY ('{" . join(',', @good) . "}')";
	}
	elsif ($dice < 0.86 && @good)
	{
		my $old = pick(@good);

		return if $old eq $id;
		@ops = (['delete', $ns, $old], ['put', $ns, $id, $view->{$ns}{$old}, 'seen']);
		$sql = "UPDATE box SET id = '$id' WHERE ns = '$ns' AND id = '$old'";
	}
	elsif ($dice < 0.94)
	{
		@ops = ['bad', $ns, $id];
		$sql = "SELECT pinecone_outbox_put('box', '$ns', '$id', '{1,2,3}', metadata => '{\"n\": " . ($view->{$ns}{$id} // 0) . "}')";
	}
	else
	{
		return if is_busy($s, $ns);
		$token++;
		@ops = ['empty', $ns];
		$sql = "SELECT pinecone_outbox_delete_all('box', '$ns')";
	}
	if ($block)
	{
		# what an exception takes back
		$sql =~ s/^SELECT/PERFORM/;
		run($s, "DO \$\$ BEGIN $sql; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$");
		forget(@ops);
		return;
	}
	run($s, $sql);
	add_op($s, @$_) for @ops;
}

sub finish
{
	my ($s, $commit) = @_;

	run($s, $commit ? 'COMMIT' : 'ROLLBACK');
	if ($commit)
	{
		apply(\%model, \%refused, $_) for @{$s->{ops}};
	}
	else
	{
		forget(@{$s->{ops}});
	}
	delete $s->{ops};
	delete $s->{marks};
}

sub finish_prepared
{
	my $prepared = splice @prepared, rand @prepared, 1;
	my $commit = rand() < 0.7;

	$t->sql(($commit ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$prepared->{gid}'");
	if ($commit)
	{
		apply(\%model, \%refused, $_) for @{$prepared->{ops}};
	}
	else
	{
		forget(@{$prepared->{ops}});
	}
}

sub turn
{
	my ($s) = @_;
	my $dice = rand;

	if (!$s->{ops})
	{
		return finish_prepared() if @prepared && rand() < 0.5;
		# its ids are in the hands of a prepared one
		return if grep { $_->{name} eq $s->{name} } @prepared;
		run($s, 'BEGIN');
		$s->{ops} = [];
		$s->{marks} = [];
	}
	if ($dice < 0.5) { statement($s, 0); }
	elsif ($dice < 0.56) { statement($s, 1); }
	elsif ($dice < 0.64)
	{
		run($s, 'SAVEPOINT s' . @{$s->{marks}});
		push @{$s->{marks}}, scalar @{$s->{ops}};
	}
	elsif ($dice < 0.7 && @{$s->{marks}})
	{
		my $at = int rand @{$s->{marks}};

		run($s, "ROLLBACK TO s$at");
		forget(splice @{$s->{ops}}, $s->{marks}[$at]);
		$#{$s->{marks}} = $at;
	}
	elsif ($dice < 0.74 && @{$s->{marks}})
	{
		my $at = int rand @{$s->{marks}};

		run($s, "RELEASE s$at");
		$#{$s->{marks}} = $at - 1;
	}
	elsif ($dice < 0.78)
	{
		my $gid = "g" . ++$token;

		run($s, "PREPARE TRANSACTION '$gid'");
		push @prepared, {gid => $gid, name => $s->{name}, ops => $s->{ops}};
		delete $s->{ops};
		delete $s->{marks};
	}
	elsif ($dice < 0.94) { finish($s, 1); }
	else { finish($s, 0); }
}

# ---- Faults ----

my @kinds = (
	{kind => 'status', status => 429, retry_after => 0}, {kind => 'status', status => 500}, {kind => 'status', status => 503},
	{kind => 'close'}, {kind => 'close_after'}, {kind => 'delay', delay_ms => 1000}, {kind => 'garbage'}, {kind => 'truncate'});

sub fault
{
	my $path = $documents ? '/namespaces/*' : pick(qw(/vectors/upsert /vectors/update /vectors/delete));
	my %fault = (%{pick(@kinds)}, path => $path, skip => int(rand 3), count => 1 + int(rand 3), $documents ? (contains => '"documents"') : ());

	diag join ' ', 'fault', map { "$_=$fault{$_}" } sort keys %fault if $verbose;
	$server->fault(\%fault);
}

# What was under way is over, and never was
sub reconnect
{
	for my $s (@sessions)
	{
		forget(@{$s->{ops} // []});
		$s->{sql}->close;
	}
	for (1 .. 300)
	{
		last if $t->psql('SELECT 1')->{out} eq '1';
		sleep 0.1;
	}
	connect_session($_) for @sessions;
}

my %done;

sub kill_worker
{
	my $pid = $t->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pinecone_fdw outbox worker' AND datname = 'postgres'});

	return if $pid eq '';
	diag 'worker killed' if $verbose;
	$t->crash($pid) or die "the cluster does not come back\n";
	$done{killed}++;
	reconnect();
}

sub crash
{
	my $dir = $promoted ? $standby : $data;

	diag 'crash' if $verbose;
	pg_ctl($dir, '-m', 'immediate', 'stop') or die "not stopped\n";
	pg_ctl($dir, $promoted ? ('-o', '-p 5433') : (), 'start') or die "not started\n";
	$done{crashed}++;
	reconnect();
}

# The standby has what was committed; what the worker has just sent, it may not know of
sub promote
{
	return if $promoted;
	diag 'promotion' if $verbose;
	my $lsn = $t->sql('SELECT pg_current_wal_flush_lsn()');
	my $there = Harness::Session->new({%{$t->{env}}, PGPORT => 5433});
	for (1 .. 300)
	{
		last if $there->query("SELECT pg_last_wal_replay_lsn() >= '$lsn'")->{out} eq 't';
		sleep 0.05;
	}
	$there->close;
	pg_ctl($data, '-m', 'immediate', 'stop') or die "not stopped\n";
	pg_ctl($standby, 'promote') or die "not promoted\n";
	$promoted = 1;
	$t->{env}{PGPORT} = 5433;
	$done{promoted}++;
	reconnect();
}

# ---- Quiet ----

sub shown
{
	my ($records) = @_;
	return join ' ', map { my $ns = $_; map { "$ns.$_=$records->{$ns}{$_}" } sort keys %{$records->{$ns}} } @namespaces;
}

sub check
{
	my ($what) = @_;

	$server->clear_faults;
	for my $s (@sessions)
	{
		finish($s, rand() < 0.7) if $s->{ops};
	}
	finish_prepared() while @prepared;
	my $left = -1;
	for (1 .. 100)
	{
		$t->sql('UPDATE pinecone_outbox_state SET retry_at = NULL, failures = 0');
		$left = $t->sql('SELECT waiting FROM pinecone_deliver()');
		last if $left eq '0';
	}
	my $stored = $t->sql(q{SELECT coalesce(string_agg(ns || '.' || id || '=' || n, ' ' ORDER BY ns, id), '') FROM stored});
	my $shown = $t->sql(q{SELECT coalesce(string_agg(ns || '.' || id || '=' || n, ' ' ORDER BY ns, id), '') FROM box});
	my $wanted = join ' ', sort split / /, shown(\%model);

	is($left, 0, "$what: all is delivered");
	is(join(' ', sort split / /, $stored), $wanted, "$what: the namespaces are the model (seed $seed)") or BAIL_OUT('differs');
	is(join(' ', sort split / /, $shown), $wanted, "$what: and what the outbox shows");
	is($t->sql(q{SELECT count(*) FROM pinecone_outbox_dead WHERE reason !~ 'HTTP status 400|earlier write of the record'}), 0,
		"$what: nothing else was refused");
}

# ---- All of it ----

my $rounds = $quick ? 4 : int($steps / 60) + 1;
for my $round (1 .. $rounds)
{
	for my $step (1 .. $steps / $rounds)
	{
		turn(pick(@sessions));
		fault() if rand() < 0.12;
		kill_worker() if rand() < 0.01;
		crash() if rand() < 0.004;
	}
	if ($round == 1) { kill_worker(); }
	if ($round == 2) { crash(); }
	if ($round == 3) { promote(); }
	check("round $round");
}

# Nothing of what was rolled back has ever been asked for
my $sent = 0;
my $leaked = 0;
for my $request ($server->requests)
{
	next unless $request->{path} =~ m{/(?:upsert|update)$} && ref $request->{body};
	for my $n (map({ $_->{metadata}{n} // () } @{$request->{body}{vectors} // []}), map({ $_->{n} // () } @{$request->{body}{documents} // []}),
		$request->{body}{setMetadata}{n} // ())
	{
		$sent++;
		$leaked++ if $never{$n};
	}
}
cmp_ok($sent, '>', 0, 'records were sent');
is($leaked, 0, 'and none of those that were rolled back: ' . scalar(keys %never));
diag join ', ', map { "$_ $done{$_}" } sort keys %done;
unlike($t->log, qr/PANIC|TRAP/, 'nothing has gone wrong');
done_testing;
