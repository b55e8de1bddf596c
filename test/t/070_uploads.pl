# Large bodies do not go over HTTP/2, whose windows let them pass a little at a
# time; everything else does.  NGINX and NGHTTPX name the programs, if they are not
# on the PATH.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use IO::Socket::IP;
use Test::More;

sub program
{
	my ($name) = @_;
	my ($found) = grep { -x } $ENV{uc $name} // (), map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/sbin', "$FindBin::Bin/../.tools/usr/sbin";

	return $found;
}

my $nginx = program('nginx');
plan skip_all => 'nginx is not installed' unless $nginx;
plan skip_all => 'openssl is not installed' if system('openssl version >/dev/null 2>&1') != 0;

my $t = Harness->new;
my $host = $t->server->create_index('h2', dimension => 768);
my $backend = $host =~ s{^http://}{}r;
my $dir = $t->dir . '/proxy';
my @pids;

END
{
	local $?;
	kill KILL => @pids;
	waitpid $_, 0 for @pids;
}

mkdir $dir or die $!;
system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key.pem -out $dir/cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1") == 0 or die 'openssl';
chmod 0755, $dir;
chmod 0644, "$dir/cert.pem";

# Start a program that is to listen on a port; false: it does not.
sub start
{
	my ($port, @command) = @_;
	my $pid = fork // die $!;

	if ($pid == 0)
	{
		@pids = ();
		open STDERR, '>', '/dev/null';
		exec @command;
		exit 1;
	}
	push @pids, $pid;
	return $t->wait_until(sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) });
}

sub free_port { return IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1')->sockport }

sub make
{
	my ($name, $port) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://localhost:$port', ca_file '$dir/cert.pem');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text COLLATE "C", embedding real[], n int) SERVER $name OPTIONS (namespace '$name');
END
}

my $insert = q{SELECT 'r' || i, array_fill((1 + i)::real / 7, ARRAY[768]), i FROM generate_series(1, 600) i};

my $port = free_port();
open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf <<"END";
daemon off;
master_process off;
pid $dir/pid;
error_log $dir/error.log;
events {}
http {
	log_format uploads '\$server_protocol \$uri \$request_length';
	access_log $dir/access.log uploads;
	client_max_body_size 4m;
	client_body_temp_path $dir/1; proxy_temp_path $dir/2; fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
	server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $dir/cert.pem;
		ssl_certificate_key $dir/key.pem;
		location / { proxy_pass http://$backend; }
	}
}
END
close $conf;
start($port, $nginx, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf") or die 'nginx does not start';
make('proxied', $port);

my $s = $t->session;
$s->query(q{SELECT n FROM proxied WHERE id = 'x'});
is($s->query("INSERT INTO proxied $insert")->{err}, '', 'records are written');
is($s->query(q{INSERT INTO proxied VALUES ('small', array_fill(1::real, ARRAY[768]), 0)})->{err}, '', 'a single one, too');
is($s->query('SELECT count(*), sum(n) FROM proxied WHERE n >= 0')->{out}, '601|180300', 'all of them');
open my $log, '<', "$dir/access.log" or die $!;
my %seen;
while (<$log>)
{
	my ($protocol, $path, $length) = split;
	$seen{$length > 65535 ? 'large' : 'small'}{$protocol}++;
}
is_deeply([sort keys %{$seen{large}}], ['HTTP/1.1'], 'large bodies went over HTTP/1.1');
is_deeply([sort keys %{$seen{small}}], ['HTTP/2.0'], 'all others over HTTP/2');

SKIP:
{
	my $nghttpx = program('nghttpx') or skip 'nghttpx is not installed', 2;
	my $only = free_port();
	start($only, $nghttpx, "-f127.0.0.1,$only", '-b' . ($backend =~ s/:/,/r), '--no-ocsp', '--conf=/dev/null', '--npn-list=h2', "$dir/key.pem", "$dir/cert.pem")
		or skip 'nghttpx does not start', 2;
	make('h2_only', $only);
	my $result = $t->psql("INSERT INTO h2_only $insert");
	is($result->{err}, '', 'where nothing but HTTP/2 is spoken, large bodies go over it');
	is($t->sql('SELECT count(*) FROM h2_only'), 600, 'all of them');
}
$s->close;
done_testing;
