# TLS with a private authority; anything else is refused.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Temp;
use Harness;
use Test::More;

plan skip_all => 'openssl is not installed' if system('openssl version >/dev/null 2>&1') != 0;

my $dir = File::Temp->newdir;
chmod 0755, $dir;

sub openssl
{
	system("cd '$dir' && openssl $_[0] >/dev/null 2>&1") == 0 or die "openssl $_[0]";
}

sub certificate
{
	my ($name, $ca, $host) = @_;

	open my $ext, '>', "$dir/$name.ext" or die $!;
	print $ext "subjectAltName=$host\n";
	close $ext;
	openssl("req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name");
	openssl("x509 -req -in $name.csr -CA $ca.pem -CAkey $ca.key -CAcreateserial -days 2 -extfile $name.ext -out $name.pem");
	chmod 0644, "$dir/$name.key", "$dir/$name.pem";
}

for my $ca ('ca', 'stranger')
{
	openssl("req -x509 -newkey rsa:2048 -nodes -keyout $ca.key -out $ca.pem -days 2 -subj /CN=$ca -addext basicConstraints=critical,CA:TRUE");
	chmod 0644, "$dir/$ca.pem";
}
certificate('good', 'ca', 'DNS:localhost');
certificate('other', 'ca', 'DNS:elsewhere.example.com');

for (['good', 'ca', 1, 'the right authority'], ['good', 'stranger', 0, 'another authority'], ['good', '', 0, "the system's authorities"],
	['other', 'ca', 0, 'a certificate for another host'])
{
	my ($certificate, $ca, $works, $name) = @$_;
	my $t = Harness->new(pinecone => 0);
	my $port_file = $t->dir . '/tls-port';
	my $pid = fork // die $!;

	if ($pid == 0)
	{
		exec "$FindBin::Bin/../server/pinecone-local", '--port', 0, '--port-file', $port_file, '--api-key', 'test-key',
			'--index', 'tls:2:cosine', '--tls-cert', "$dir/$certificate.pem", '--tls-key', "$dir/$certificate.key";
	}
	$t->wait_until(sub { -s $port_file }) or die 'pinecone-local does not start';
	open my $in, '<', $port_file or die $!;
	chomp(my $port = <$in>);
	my $option = $ca ? ", ca_file '$dir/$ca.pem'" : '';

	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'tls', control_host 'localhost:$port', max_retries '1' $option);
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text) SERVER s;
END
	my $result = $t->psql('SELECT count(*) FROM r');
	if ($works)
	{
		is($result->{out}, 0, $name);
		is($result->{err}, '', "$name: no error");
		# a proxy that is not there, and hosts that go without it
		for (['example.com, .localhost', 1], ['localhost.example.com, 127.0.0.1', 0])
		{
			my ($exceptions, $direct) = @$_;
			local @ENV{qw(https_proxy no_proxy)} = ('http://127.0.0.1:1', $exceptions);
			my $p = Harness->new(pinecone => 0);
			$p->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'tls', control_host 'localhost:$port', max_retries '0', ca_file '$dir/$ca.pem');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text) SERVER s;
END
			my $through = $p->psql('SELECT count(*) FROM r');
			$direct ? is("$through->{out}$through->{err}", '0', "no_proxy has it: $exceptions") :
				like($through->{err}, qr/could not reach Pinecone host "localhost:$port"/, "no_proxy does not: $exceptions");
		}
	}
	else
	{
		like($result->{err}, qr/could not establish a trusted connection to Pinecone host "localhost:$port"/, "$name is refused");
		like($result->{err}, qr/ca_file/, "$name: with a hint");
		# that is no outage, for which another host would stand in
		$t->sql(<<"END");
CREATE SERVER h FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'https://localhost:$port, http://127.0.0.1:1', max_retries '0' $option);
CREATE USER MAPPING FOR CURRENT_USER SERVER h OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE h (id text) SERVER h;
END
		like($t->error_of('SELECT id FROM h'), qr/could not establish a trusted connection to Pinecone host "https:\/\/localhost:$port"/, "$name: also as one of several hosts");
		is($t->sql(q{SELECT string_agg(state, ',') FROM pinecone_hosts('h')}), 'not tried,not tried', '... which is not down');
	}
	kill TERM => $pid;
	waitpid $pid, 0;
}
done_testing;
