# Large bodies do not go over HTTP/2, whose windows let them pass a little at a
# time; everything else does.  Where nothing else is spoken they go over it, each in
# a connection of its own.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Harness;
use Proxy;
use Test::More;

my $t = Harness->new;
my $host = $t->server->create_index('h2', dimension => 768);
my $proxy = Proxy->new($t->dir . '/proxy');
my $port = $proxy->nginx($host, '') or plan skip_all => $proxy->missing;

sub make
{
	my ($name, $port) = @_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://localhost:$port', ca_file '${\$proxy->ca_file}');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE $name (id text COLLATE "C", embedding real[], n int) SERVER $name OPTIONS (namespace '$name');
END
}

my $insert = q{SELECT 'r' || i, array_fill((1 + i)::real / 7, ARRAY[768]), i FROM generate_series(1, 600) i};

make('proxied', $port);

my $s = $t->session;
$s->query(q{SELECT n FROM proxied WHERE id = 'x'});
is($s->query("INSERT INTO proxied $insert")->{err}, '', 'records are written');
is($s->query(q{INSERT INTO proxied VALUES ('small', array_fill(1::real, ARRAY[768]), 0)})->{err}, '', 'a single one, too');
is($s->query('SELECT count(*), sum(n) FROM proxied WHERE n >= 0')->{out}, '601|180300', 'all of them');
my %seen;
for ($proxy->log)
{
	my ($protocol, $path, $length) = @$_;
	$seen{$length > 65535 ? 'large' : 'small'}{$protocol}++;
}
is_deeply([sort keys %{$seen{large}}], ['HTTP/1.1'], 'large bodies went over HTTP/1.1');
is_deeply([sort keys %{$seen{small}}], ['HTTP/2.0'], 'all others over HTTP/2');
is((grep { $_->{path} =~ /upsert/ && $_->{status} != 200 } $t->server->requests), 0, 'and none was larger than the service takes');

SKIP:
{
	my $nghttpx = Proxy::program('nghttpx') or skip 'nghttpx is not installed', 4;
	my $only = Proxy::free_port();
	my $backend = $host =~ s{^http://}{}r;
	my $log = $t->dir . '/nghttpx.log';
	$proxy->start($only, $nghttpx, "-f127.0.0.1,$only", '-b' . ($backend =~ s/:/,/r), '--no-ocsp', '--conf=/dev/null', '--npn-list=h2', 
		"--accesslog-file=$log", '--accesslog-format=$request $remote_port $status', $proxy->key_file, $proxy->ca_file)
		or skip 'nghttpx does not start', 4;
	make('h2_only', $only);
	my $result = $t->psql("INSERT INTO h2_only $insert");
	is($result->{err}, '', 'where nothing but HTTP/2 is spoken, large bodies go over it');
	is($t->sql('SELECT count(*) FROM h2_only'), 600, 'all of them');
	my (%uploads, %others);
	open my $lines, '<', $log or die $!;
	while (<$lines>)
	{
		my (undef, $path, $protocol, $connection, $status) = split;
		($path =~ /upsert/ ? \%uploads : \%others)->{$connection}++ if $protocol eq 'HTTP/2' && $status == 200;
	}
	cmp_ok(scalar keys %uploads, '>', 1, 'several at a time');
	is((grep { $others{$_} || $uploads{$_} > 1 } keys %uploads), 0, 'each over a connection of its own');
}
$s->close;
done_testing;
