# FakeServer.pm
#	An HTTP server that answers what a test tells it to, for what no real server
#	does: replies that contradict themselves, endless pages, hostile headers.
#
#	my $fake = FakeServer->new(sub {
#		my ($request) = @_;         # {method, path, query, headers, body, n, connection, time}
#		return {status => 503} if $request->{n} == 1;
#		return FakeServer::stats(2, 10) if $request->{path} eq '/describe_index_stats';
#		return {body => '{"vectors":[]}', headers => {'X-More' => 'x'}, delay => 0.5};
#	});
#	... $fake->url, $fake->port, $fake->requests ...
#
# The handler runs in the server's process; "n" counts the requests of a path.
# A reply may also be {raw => bytes} (then the connection ends) or {close => 1}.
package FakeServer;

use strict;
use warnings;

use File::Temp qw(tempfile);
use IO::Select;
use IO::Socket::IP;
use JSON::PP;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new
{
	my ($class, $handler, %args) = @_;
	my $listener = IO::Socket::IP->new(Listen => 64, LocalHost => $args{address} // '127.0.0.1', LocalPort => $args{port} // 0, ReuseAddr => 1)
		or die "could not listen: $@\n";
	my ($log, $log_file) = tempfile(UNLINK => 0);
	my $self = bless {port => $listener->sockport, log => $log_file, starter => $$}, $class;

	# Whose other end is closed when the test ends, however it does: the server has the
	# test's output open, and who reads that would wait for it
	pipe my $ended, $self->{alive} or die "no pipe: $!\n";
	$self->{address} = $args{address} // '127.0.0.1';
	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		$log->autoflush(1);
		close $self->{alive};
		serve($listener, $handler, $log, $ended);
		require POSIX;
		POSIX::_exit(0);
	}
	return $self;
}

sub port { return $_[0]{port} }

sub url
{
	my ($self) = @_;
	my $address = $self->{address} =~ /:/ ? "[$self->{address}]" : $self->{address};

	return "http://$address:$self->{port}";
}

# The requests so far.
sub requests
{
	my ($self) = @_;
	open my $file, '<', $self->{log} or die $!;
	return map { $json->decode($_) } <$file>;
}

# How many there were of a path.
sub count
{
	my ($self, $path) = @_;
	return scalar grep { $_->{path} eq $path } $self->requests;
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
	delete $self->{pid};
}

sub DESTROY
{
	my ($self) = @_;
	return unless $self->{starter} == $$;

	local ($?, $!, $@);
	$self->stop;
	unlink $self->{log};
}

# ---- Common replies ----

sub reply
{
	my ($value, %more) = @_;
	return {body => ref $value ? $json->encode($value) : $value, %more};
}

sub stats
{
	my ($dimension, $records, %more) = @_;
	return reply({dimension => $dimension, metric => 'cosine', totalVectorCount => $records, namespaces => {'' => {vectorCount => $records}}, %more});
}

sub list
{
	my ($ids, $token) = @_;
	return reply({vectors => [map { {id => $_} } @$ids], namespace => '', usage => {readUnits => 1}, defined $token ? (pagination => {next => $token}) : ()});
}

# The ids that a fetch asks for.
sub ids
{
	my ($request) = @_;
	return map { s/%([0-9A-F]{2})/chr hex $1/ger } $request->{query} =~ /\bids=([^&]*)/g;
}

sub fetched
{
	my (@ids) = @_;
	return reply({vectors => {map { $_ => {id => $_, values => [1, 1], metadata => {n => 1}} } @ids}, namespace => ''});
}

# ---- The server ----

sub serve
{
	my ($listener, $handler, $log, $ended) = @_;
	my $select = IO::Select->new($listener, $ended);
	my (%buffer, @waiting, %seen, %number);
	my $connections = 0;

	local $SIG{PIPE} = 'IGNORE';
	for (;;)
	{
		my ($next) = sort { $a <=> $b } map { $_->[0] } @waiting;
		for my $socket ($select->can_read(defined $next ? ($next > time ? $next - time : 0) : undef))
		{
			return if $socket == $ended;
			if ($socket == $listener)
			{
				my $new = $listener->accept or next;
				$select->add($new);
				$buffer{$new} = '';
				$number{$new} = ++$connections;
				next;
			}
			if (!sysread $socket, $buffer{$socket}, 65536, length $buffer{$socket})
			{
				@waiting = grep { $_->[1] != $socket } @waiting;
				$select->remove($socket);
				close $socket;
				next;
			}
			while (my $request = take_request(\$buffer{$socket}))
			{
				$request->{n} = ++$seen{$request->{path}};
				$request->{connection} = $number{$socket};
				$request->{time} = time;
				print $log $json->encode($request) . "\n";
				my $reply = $handler->($request);
				push @waiting, [time + ($reply->{delay} // 0), $socket, $reply];
			}
		}
		my @due = grep { $_->[0] <= time } @waiting;
		@waiting = grep { my $w = $_; !grep { $_ == $w } @due } @waiting;
		for (@due)
		{
			my (undef, $socket, $reply) = @$_;
			next unless defined fileno $socket;
			send_reply($socket, $reply);
			if ($reply->{close} || defined $reply->{raw})
			{
				$select->remove($socket);
				close $socket;
			}
		}
	}
}

sub take_request
{
	my ($buffer) = @_;

	$$buffer =~ /\A(\S+) (\S+) HTTP\/1\.1\r\n(.*?)\r\n\r\n/s or return;
	my ($method, $target, $head, $end) = ($1, $2, $3, $+[0]);
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head;
	my $length = $headers{'content-length'} // 0;

	return if length $$buffer < $end + $length;
	my $body = substr $$buffer, $end, $length;
	substr($$buffer, 0, $end + $length) = '';
	my ($path, $query) = split /\?/, $target, 2;
	return {method => $method, path => $path, query => $query // '', headers => \%headers, body => $body};
}

sub send_reply
{
	my ($socket, $reply) = @_;
	my $text = $reply->{raw};

	return if $reply->{close};
	if (!defined $text)
	{
		my %headers = ('Content-Type' => 'application/json', %{$reply->{headers} // {}});
		my $body = $reply->{body} // '';

		$text = 'HTTP/1.1 ' . ($reply->{status} // 200) . " Status\r\nContent-Length: " . length($body) . "\r\n";
		$text .= join '', map { "$_: $headers{$_}\r\n" } sort keys %headers;
		$text .= "\r\n$body";
	}
	$socket->blocking(1);
	while (length $text)
	{
		my $n = syswrite $socket, $text or return;
		substr($text, 0, $n) = '';
	}
}

1;
