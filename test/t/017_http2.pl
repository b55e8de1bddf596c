# HTTP/2 over TLS, behind an nginx that closes its connections (GOAWAY) every few
# requests and takes few at a time.  NGINX names the program, if it is not on the
# PATH.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use IO::Socket::IP;
use Test::More;
use Time::HiRes qw(sleep);

my ($nginx) = grep { -x } $ENV{NGINX} // (), map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin', "$FindBin::Bin/../.tools/usr/sbin";
plan skip_all => 'nginx is not installed' unless $nginx;
plan skip_all => 'openssl is not installed' if system('openssl version >/dev/null 2>&1') != 0;

my $t = Harness->new;
my $host = $t->server->create_index('h2', dimension => 2);
my $backend = $host =~ s{^http://}{}r;
my $dir = $t->dir . '/nginx';
my $port = do { IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1')->sockport };

$t->server->upsert('h2', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 2000]);
mkdir $dir or die $!;
system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key.pem -out $dir/cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1") == 0 or die 'openssl';
chmod 0755, $dir;
chmod 0644, "$dir/cert.pem";
open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf <<"END";
daemon off;
master_process off;
pid $dir/pid;
error_log $dir/error.log;
events {}
http {
	access_log $dir/access.log;
	client_body_temp_path $dir/1; proxy_temp_path $dir/2; fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
	server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $dir/cert.pem;
		ssl_certificate_key $dir/key.pem;
		keepalive_requests 7;
		http2_max_concurrent_streams 5;
		location / { proxy_pass http://$backend; }
	}
}
END
close $conf;
my $pid = fork // die $!;
if ($pid == 0)
{
	open STDERR, '>', '/dev/null';
	exec $nginx, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf";
	exit 1;
}
$t->wait_until(sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) }) or die 'nginx does not start';

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://localhost:$port', ca_file '$dir/cert.pem');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[], n int) SERVER s;
END
my $s = $t->session;
for my $round (1 .. 3)
{
	my $result = $s->query('SELECT count(n), sum(n), count(embedding) FROM r');
	is($result->{out}, '2000|2001000|2000', "a scan, round $round");
	is($result->{err}, '', 'no error');
	is($s->query("SELECT count(x.id) FROM generate_series(1, 50) g, LATERAL (SELECT id FROM r WHERE g > 0 ORDER BY embedding <=> ARRAY[g, 1]::real[] LIMIT 1) x")->{out}, 50, 'searches');
}
cmp_ok($t->connections($s->pid, $port), '<', 32, 'over fewer connections than requests at a time');
open my $log, '<', "$dir/access.log" or die $!;
my @lines = <$log>;
is(scalar(grep { !m{HTTP/2\.0" 200} } @lines), 0, 'all by HTTP/2');

kill TERM => $pid;
waitpid $pid, 0;
done_testing;
