# HTTP/2 over TLS, behind an nginx that closes its connections (GOAWAY) every few
# requests and takes few at a time.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Harness;
use Proxy;
use Test::More;

my $t = Harness->new;
my $host = $t->server->create_index('h2', dimension => 2);
my $proxy = Proxy->new($t->dir . '/proxy');
my $port = $proxy->nginx($host, 'keepalive_requests 7; http2_max_concurrent_streams 5;') or plan skip_all => $proxy->missing;

$t->server->upsert('h2', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 2000]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://localhost:$port', ca_file '${\$proxy->ca_file}');
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
is(scalar(grep { "$_->[0] $_->[3]" ne 'HTTP/2.0 200' } $proxy->log), 0, 'all by HTTP/2');
done_testing;
