# Service.pm
#	Calls of an index's API, for questions that SQL does not ask; and a guard that
#	removes a namespace when its starter is gone.
#
#	my $service = Service->new(key => ..., host => 'https://...');
#	my $reply = $service->call(POST => '/query', {...});    # {status, headers, body}
#	$service->guard($namespace, $directory);
#	... at the end: $service->dismiss
#
# curl is given the key on its standard input: no list of processes shows it.
package Service;

use strict;
use warnings;

use IPC::Open3;
use JSON::PP;
use POSIX ();

use constant VERSION => '2025-10';

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new
{
	my ($class, %args) = @_;
	return bless {%args, calls => 0}, $class;
}

# Headers beyond the usual ones are "Name: value"
sub call
{
	my ($self, $method, $path, $body, @headers) = @_;
	my $text = !defined $body ? undef : ref $body ? $json->encode($body) : $body;
	my $mark = "\n-- status ";
	my @command = ('curl', '-sS', '-i', '--max-time', 60, '-K', '-', '-X', $method, '-w', $mark . '%{http_code}', $self->{host} . $path);
	my $config = join '', map { my $line = $_; $line =~ s/(["\\])/\\$1/g; qq{header = "$line"\n} }
		"Api-Key: $self->{key}", 'X-Pinecone-Api-Version: ' . VERSION, 'Expect:', (defined $text ? 'Content-Type: application/json' : ()), @headers;
	if (defined $text)
	{
		$text =~ s/(["\\])/\\$1/g;
		$config .= qq{data-binary = "$text"\n};
	}
	$self->{calls}++;
	my $pid = open3(my $in, my $out, undef, @command);
	binmode $_ for $in, $out;
	print $in $config;
	close $in;
	my $output = do { local $/; <$out> };
	waitpid $pid, 0;
	return {status => 0, headers => {}, body => undef, text => $output} unless $output =~ s/\Q$mark\E(\d+)\z//;
	my $status = $1;
	$output =~ s/\AHTTP\S+ 1\d\d.*?\r\n\r\n//s;
	my ($head, $content) = split /\r\n\r\n/, $output, 2;
	my %headers = map { /^([^:]+):\s*(.*?)\r?$/ ? (lc $1 => $2) : () } split /\n/, $head;
	return {status => $status, headers => \%headers, text => $content // '', body => eval { $json->decode($content) }};
}

# Until no statistics name it any more.  What was sent before may be carried out late,
# so that once is not enough.
sub remove
{
	my ($self, $namespace) = @_;

	for my $attempt (1 .. 30)
	{
		my $emptied = $self->call(POST => '/vectors/delete', {deleteAll => JSON::PP::true, namespace => $namespace});
		my $removed = $self->call(DELETE => "/namespaces/$namespace");
		my $stats = $self->call(POST => '/describe_index_stats', {});
		return 1 if $attempt > 1 && ($removed->{status} =~ /^2/ || $removed->{status} == 404) && $stats->{status} == 200 && !exists $stats->{body}{namespaces}{$namespace};
		sleep($attempt == 1 ? 1 : 2);
	}
	return 0;
}

# A process of its own session, which no Ctrl-C reaches, waits until nobody holds the other end of its pipe.
sub guard
{
	my ($self, $namespace, $directory) = @_;

	pipe(my $wait, my $hold) or die "pipe: $!\n";
	pipe(my $answer, my $tell) or die "pipe: $!\n";
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		close $hold;
		close $answer;
		POSIX::setsid();
		$SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE QUIT);
		# what the starter shares must not be held open by a guard that outlives it
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		sysread $wait, my $byte, 1;
		if (-d $directory)
		{
			# backends may be at work yet
			local $ENV{CLUSTER_DIR} = $directory;
			system 'bash', '-c', 'source test/cluster.sh && cluster_end';
		}
		my $removed = $self->remove($namespace);
		syswrite $tell, $removed ? 'y' : 'n';
		POSIX::_exit(0);
	}
	close $wait;
	close $tell;
	$self->{hold} = $hold;
	$self->{answer} = $answer;
	$self->{guard} = $pid;
}

# Has the guard do its work, and tells whether it could.
sub dismiss
{
	my ($self) = @_;
	close delete $self->{hold};
	sysread $self->{answer}, my $byte, 1;
	waitpid $self->{guard}, 0;
	return ($byte // '') eq 'y';
}

1;
