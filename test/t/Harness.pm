# Harness.pm
#	What TAP tests need: a PostgreSQL cluster and a pinecone-local of their
#	own, SQL with the time it took, sessions to interrupt, and a look at a
#	backend's memory and files.
#
#	use FindBin;
#	use lib $FindBin::Bin;
#	use Harness;
#	use Test::More;
#
#	my $t = Harness->new;                       # both are gone when the test ends
#	my $host = $t->server->create_index('movies', dimension => 4);
#	$t->sql("CREATE SERVER ...");               # dies on an error
#	is($t->sql('SELECT 1'), '1');
#	like($t->error_of('SELECT 1/0'), qr/division by zero/);
#
#	my $s = $t->session;                        # a psql that stays
#	$s->send('SELECT pg_sleep(60)');            # does not wait
#	kill INT => $s->pid;                        # the backend
#	my $r = $s->result(5);                      # waits, at most 5 s
#	like($r->{err}, qr/canceling/);
#	cmp_ok($r->{seconds}, '<', 1);
#
#	$t->server->fault({...});                   # see PineconeLocal.pm
#
# Postgres alone runs with Harness->new(pinecone => 0), pinecone-local's options
# are given by pinecone => ['--tls-cert', $file, ...], lines of postgresql.conf
# by conf => [...].
package Harness;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/../lib';
use PineconeLocal;
use Time::HiRes qw(sleep time);

my $source = abs_path(dirname(__FILE__) . '/../..');
# Under a sanitizer everything takes a few times as long: so may what is waited for
my $patience = $ENV{SANITIZE} ? 4 : 1;

sub new
{
	my ($class, %args) = @_;
	my $self = bless {starter => $$}, $class;
	my $pinecone = $args{pinecone} // [];

	# One implementation of starting and stopping: test/cluster.sh
	my $script = 'source "$0" && cluster_begin && trap - EXIT';
	$script .= ' && n=$1 && shift && cluster_postgres "${@:1:n}" && shift "$n"';
	$script .= ' && cluster_pinecone "$@"' if $pinecone;
	$script .= ' && env -0';
	$script .= ' || { cluster_end; exit 1; }';
	my @conf = @{$args{conf} // []};

	open my $pipe, '-|', 'bash', '-c', $script, "$source/test/cluster.sh", scalar @conf, @conf, ($pinecone ? @$pinecone : ())
		or die "could not run bash: $!\n";
	my $environment = do { local $/; <$pipe> } // '';
	close $pipe or die "could not start the servers\n";
	my %env = map { split /=/, $_, 2 } split /\0/, $environment;

	# The programs that the test starts find the servers through these: those of
	# the harness made last, but each harness's own sessions its own
	$self->{env} = {map { $_ => $env{$_} } grep { /^(PG|PINECONE_|CLUSTER_DIR$|PATH$)/ } keys %env};
	@ENV{keys %{$self->{env}}} = values %{$self->{env}};
	$self->{dir} = $env{CLUSTER_DIR};
	if ($pinecone)
	{
		my ($ca_file) = map { $pinecone->[$_ + 1] } grep { $pinecone->[$_] eq '--tls-cert' } 0 .. $#$pinecone - 1;
		my $url = $env{PINECONE_LOCAL_URL};
		$url =~ s/^http:/https:/ if defined $ca_file;
		$self->{server} = PineconeLocal->new(url => $url, key => $env{PINECONE_LOCAL_KEY}, ca_file => $args{ca_file} // $ca_file);
	}
	$self->sql('CREATE EXTENSION pinecone_fdw') if $args{extension} // 1;
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	return unless $self->{dir} && $self->{starter} == $$;

	local ($?, $@);
	$_->close for grep { defined } @{$self->{sessions} // []};
	local $ENV{CLUSTER_DIR} = $self->{dir};
	system 'bash', '-c', 'source "$0" && cluster_end', "$source/test/cluster.sh";
}

# The PineconeLocal of this test, the directory of its servers, the port of the
# control plane.
sub server
{
	my ($self) = @_;
	return $self->{server};
}

sub dir
{
	my ($self) = @_;
	return $self->{dir};
}

sub port
{
	my ($self) = @_;
	return $self->{env}{PINECONE_LOCAL_PORT};
}

# Run SQL in a psql of its own: {out, err, seconds}.  Options go to psql.
sub psql
{
	my ($self, $sql, @options) = @_;
	my $session = Harness::Session->new($self->{env}, @options);
	my $result = $session->query($sql);

	$session->close;
	return $result;
}

# The output of SQL that must not fail: rows by line, columns by "|".
sub sql
{
	my ($self, $sql) = @_;
	my $result = $self->psql($sql);

	die "$sql\n$result->{err}" if $result->{err} =~ /^(?:psql: .*|ERROR|FATAL|PANIC):/m;
	return $result->{out};
}

# The message of SQL that must fail.
sub error_of
{
	my ($self, $sql) = @_;
	return $self->psql($sql)->{err};
}

# A session that stays until it is closed or the test ends.
sub session
{
	my ($self, @options) = @_;
	my $session = Harness::Session->new($self->{env}, @options);

	push @{$self->{sessions}}, $session;
	return $session;
}

# The server's log so far.
sub log
{
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/postgres.log" or die "no log: $!\n";
	local $/;
	return <$file>;
}

# Run one of the server's programs on its data directory, as the user that runs
# the server: pg_ctl, postgres.  Returns all it has printed; sets $?.
sub program
{
	my ($self, $program, @arguments) = @_;
	my @shell = ('bash', '-c', 'source "$0" && cluster_set_user && ' .
		'"${cluster_as[@]}" "$("$PG_CONFIG" --bindir)/$1" "${@:2}" 2>&1', "$source/test/cluster.sh");

	local $ENV{CLUSTER_DIR} = $self->{dir};
	open my $output, '-|', @shell, $program, @arguments or die "no bash: $!\n";
	local $/;
	my $text = <$output>;
	close $output;
	return $text;
}

# Wait until a condition holds; true if it did in time.
sub wait_until
{
	my ($self, $condition, $seconds) = @_;
	my $end = time + ($seconds // 10) * $patience;

	until ($condition->())
	{
		return 0 if time > $end;
		sleep 0.01;
	}
	return 1;
}

# Kill a process of the server, whose others then start anew; true when they have.  The
# postmaster may take a while to notice, and answers until then.
sub crash
{
	my ($self, $pid) = @_;
	my $witness = $self->session;

	$witness->query('SELECT 1');
	kill KILL => $pid;
	my $crashed = $self->wait_until(sub { $witness->query('SELECT 1')->{lost} }, 60);
	$witness->close;
	return $crashed && $self->wait_until(sub { $self->psql('SELECT 1')->{out} eq '1' }, 60);
}

# kB of a process that are its own: what it would give back if it ended.  Under a
# sanitizer, which keeps what is freed, none: nothing is said of memory there.
sub memory
{
	my ($self, $pid) = @_;
	my $kb = 0;

	return 0 if $ENV{SANITIZE};
	open my $file, '<', "/proc/$pid/smaps_rollup" or die "no /proc/$pid/smaps_rollup: $!\n";
	while (<$file>)
	{
		$kb += $1 if /^Private_(?:Clean|Dirty):\s+(\d+) kB/;
	}
	return $kb;
}

# The greatest resident set so far, in kB, shared memory included; under a sanitizer none.
sub peak_memory
{
	my ($self, $pid) = @_;

	return 0 if $ENV{SANITIZE};
	open my $file, '<', "/proc/$pid/status" or die "no /proc/$pid/status: $!\n";
	my ($kb) = map { /^VmHWM:\s+(\d+) kB/ ? $1 : () } <$file>;
	return $kb;
}

# Run a statement in a session of its own, after a first one that makes it
# ready: {out, err, seconds, grown, kept}, the kB by which its peak_memory grew
# and by which its memory is larger afterwards.
sub query_memory
{
	my ($self, $ready, $statement) = @_;
	my $session = Harness::Session->new($self->{env});
	my $pid = $session->pid;

	$session->query('SET jit = off');    # LLVM alone is larger than what is measured
	$session->query($ready);
	my ($before, $own) = ($self->peak_memory($pid), memory($self, $pid));
	my $result = $session->query($statement);
	$result->{grown} = $self->peak_memory($pid) - $before;
	$result->{kept} = memory($self, $pid) - $own;
	$session->close;
	return $result;
}

# Let peak_memory start anew.
sub reset_peak_memory
{
	my ($self, $pid) = @_;

	open my $file, '>', "/proc/$pid/clear_refs" or die "no /proc/$pid/clear_refs: $!\n";
	print $file '5';
	close $file or die "could not write /proc/$pid/clear_refs: $!\n";
}

# What the descriptors of a process are open on: paths, socket:[...], ...
sub descriptors
{
	my ($self, $pid) = @_;

	opendir my $dir, "/proc/$pid/fd" or die "no /proc/$pid/fd: $!\n";
	return grep { defined } map { readlink "/proc/$pid/fd/$_" } grep { !/^\./ } readdir $dir;
}

# How many of them are TCP connections to a port (any: to all).
sub connections
{
	my ($self, $pid, $port) = @_;
	my %inodes = map { /^socket:\[(\d+)\]/ ? ($1 => 1) : () } $self->descriptors($pid);
	my %found;    # a table that changes while it is read may have one twice

	for my $table ('tcp', 'tcp6')
	{
		open my $file, '<', "/proc/$pid/net/$table" or next;
		while (<$file>)
		{
			my (undef, undef, $remote, $state, undef, undef, undef, undef, undef, $inode) = split;
			next unless defined $inode && $inodes{$inode};
			my $to = hex((split /:/, $remote)[1]);
			$found{$inode} = 1 if $to != 0 && (!defined $port || $to == $port);
		}
	}
	return scalar keys %found;
}


# A psql with one connection.
package Harness::Session;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;
use Symbol qw(gensym);
use Time::HiRes qw(time);

my $counter = 0;

sub new
{
	my ($class, $env, @options) = @_;
	my $self = bless {err => gensym, text => {out => '', err => ''}}, $class;

	local @ENV{keys %$env} = values %$env;

	$self->{psql} = open3($self->{in}, $self->{out}, $self->{err}, 'psql', '-XqAt', '-v', 'VERBOSITY=default', @options);
	$self->{in}->autoflush(1);
	$self->{select} = IO::Select->new($self->{out}, $self->{err});
	return $self;
}

# Start a statement (or several), without waiting.
sub send
{
	my ($self, $sql) = @_;
	my $mark = '-- mark ' . ++$counter . ' --';

	die "the last statement was not finished\n" if $self->{mark};
	$self->{mark} = $mark;
	$self->{started} = time;
	local $SIG{PIPE} = 'IGNORE';
	print {$self->{in}} "$sql\n;\n\\echo $mark\n\\warn $mark\n";
}

# Wait for what was sent: {out, err, seconds}; dies after so many seconds.  When
# the connection breaks {lost} is true.
sub result
{
	my ($self, $seconds) = @_;
	my $limit = ($seconds // 180) * $patience;
	my $end = time + $limit;
	my $text = $self->{text};
	my $mark = $self->{mark} // die "nothing was sent\n";
	my %result = (lost => 0);

	until ($text->{out} =~ /\Q$mark\E\n/ && $text->{err} =~ /\Q$mark\E\n/)
	{
		# for good, whatever is asked of it afterwards
		$result{lost} = 1, last if $self->{select}->count == 0;
		my $rest = $end - time;
		my @ready = $rest > 0 ? $self->{select}->can_read($rest) : ();

		die "no result after $limit s; so far: $text->{out}$text->{err}\n" unless @ready;
		for my $handle (@ready)
		{
			my $which = $handle == $self->{out} ? 'out' : 'err';
			if (!sysread $handle, $text->{$which}, 65536, length $text->{$which})
			{
				$self->{select}->remove($handle);
				$result{lost} = 1;
			}
		}
	}
	$result{seconds} = time - $self->{started};
	for my $which ('out', 'err')
	{
		$text->{$which} =~ s/\A(.*?)(?:\Q$mark\E\n|\z)//s;
		$result{$which} = $1;
	}
	$result{lost} ||= $result{err} =~ /connection to server was lost|terminating connection/ ? 1 : 0;
	chomp $result{out};
	delete $self->{mark};
	return \%result;
}

# For who drives many sessions at once: what to wait for, what has come on one
# of them (of the output; of errors nothing), and whether result() need not wait.
sub handles
{
	my ($self) = @_;
	return @$self{qw(out err)};
}

sub read_some
{
	my ($self, $handle) = @_;
	my $which = $handle == $self->{out} ? 'out' : 'err';
	my $before = length $self->{text}{$which};

	sysread $handle, $self->{text}{$which}, 65536, $before or die "the session is lost: $self->{text}{err}\n";
	return $which eq 'out' ? substr $self->{text}{out}, $before : '';
}

sub is_done
{
	my ($self) = @_;
	my $mark = $self->{mark} // return 0;

	return !grep { $self->{text}{$_} !~ /\Q$mark\E\n/ } 'out', 'err';
}

sub query
{
	my ($self, $sql, $seconds) = @_;

	$self->send($sql);
	return $self->result($seconds);
}

# The process id of the backend; ask before sending what keeps it busy.
sub pid
{
	my ($self) = @_;
	return $self->{pid} //= $self->query('SELECT pg_backend_pid()')->{out};
}

sub close
{
	my ($self) = @_;
	return unless $self->{psql};

	local $SIG{PIPE} = 'IGNORE';    # a psql that has lost its connection may be gone, and what was sent is still kept
	close $self->{in};
	kill TERM => $self->{psql} if $self->{mark};
	waitpid $self->{psql}, 0;
	delete $self->{psql};
}

1;
