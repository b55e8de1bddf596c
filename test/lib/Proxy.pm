# Proxy.pm
#	Proxies that speak HTTP/2 over TLS, in front of pinecone-local, for tests:
#
#	my $proxy = Proxy->new($t->dir . '/proxy');     # makes the directory, and a certificate in it
#	my $port = $proxy->nginx($host, 'keepalive_requests 7;')    # lines of its "server"
#		or plan skip_all => $proxy->missing;
#	... "host 'https://localhost:$port', ca_file '" . $proxy->ca_file . "'"
#	$proxy->log                                     # lines "protocol path bytes status" of requests
#
#	my $port = Proxy::free_port();
#	$proxy->start($port, Proxy::program('nghttpx'), ...);
#
# NGINX and NGHTTPX name the programs, if they are not on the PATH; test/install.sh
# unpacks them.  They end with the test.
package Proxy;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::IP;
use Time::HiRes qw(sleep);

my $tools = abs_path(dirname(__FILE__) . '/..') . '/.tools/usr';

sub program
{
	my ($name) = @_;
	my ($found) = grep { -x } $ENV{uc $name} // (), map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/sbin', "$tools/sbin";

	return $found;
}

sub free_port { return IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1')->sockport }

sub new
{
	my ($class, $dir) = @_;
	my $self = bless {dir => $dir, pids => [], starter => $$}, $class;

	mkdir $dir or die "$dir: $!";
	if (system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key.pem -out $dir/cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1") != 0)
	{
		$self->{missing} = 'openssl is not installed';
		return $self;
	}
	chmod 0755, $dir;
	chmod 0644, "$dir/cert.pem";
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	return unless $self->{starter} == $$;

	local $?;
	kill KILL => @{$self->{pids}};
	waitpid $_, 0 for @{$self->{pids}};
}

sub missing { return $_[0]->{missing} }
sub ca_file { return "$_[0]->{dir}/cert.pem" }
sub key_file { return "$_[0]->{dir}/key.pem" }

# Start a program that is to listen on a port; false: it does not.
sub start
{
	my ($self, $port, @command) = @_;
	my $pid = fork // die $!;

	if ($pid == 0)
	{
		open STDERR, '>', '/dev/null';
		$ENV{LD_LIBRARY_PATH} = join ':', glob "$tools/lib/*-linux-gnu";
		{ exec @command }
		require POSIX;
		POSIX::_exit(1);
	}
	push @{$self->{pids}}, $pid;
	for (1 .. 1000)
	{
		return 1 if IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port);
		sleep 0.01;
	}
	return 0;
}

# An nginx with HTTP/2 in front of a host; its port, or undef.
sub nginx
{
	my ($self, $host, $lines) = @_;
	my $program = program('nginx');
	my $dir = $self->{dir};
	my $port = free_port();

	$self->{missing} //= 'nginx is not installed' unless $program;
	return undef if $self->{missing};
	open my $conf, '>', "$dir/nginx.conf" or die $!;
	print $conf <<"END";
daemon off;
master_process off;
pid $dir/pid;
error_log $dir/error.log;
events {}
http {
	log_format lines '\$server_protocol \$uri \$request_length \$status';
	access_log $dir/access.log lines;
	client_max_body_size 4m;
	client_body_temp_path $dir/1; proxy_temp_path $dir/2; fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
	server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $dir/cert.pem;
		ssl_certificate_key $dir/key.pem;
		$lines
		location / { proxy_pass $host; }
	}
}
END
	close $conf;
	$self->start($port, $program, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf") or die "nginx does not start\n";
	return $port;
}

# The requests that nginx has had: [protocol, path, bytes, status] each
sub log
{
	my ($self) = @_;

	open my $log, '<', "$self->{dir}/access.log" or die $!;
	return map { [split] } <$log>;
}

1;
