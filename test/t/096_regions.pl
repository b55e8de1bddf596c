# allowed_regions: nothing is sent to an index that is elsewhere, or nobody knows where.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Harness;
use JSON::PP;
use Replica;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(pinecone => ['--data-key', 'data']);
my $server = $t->server;
my $url = $server->{url};

# an index of the harness's pinecone-local, wherever it is to be
sub create
{
	my ($name, $cloud, $region) = @_;

	$server->drop_index($name);
	if (PineconeLocal::makes_documents())
	{
		local $server->{version} = PineconeLocal::DOCUMENTS_VERSION;
		$server->control('POST', '/indexes', {name => $name, schema => {fields => PineconeLocal::fields_like(dimension => 2)},
			deployment => {deployment_type => 'managed', cloud => $cloud, region => $region}});
	}
	else
	{
		$server->control('POST', '/indexes', {name => $name, dimension => 2, metric => 'cosine', spec => {serverless => {cloud => $cloud, region => $region}}});
	}
	return $server->wait_for_index($name);
}
my $here = create('here', 'aws', 'eu-west-1');
my $there = create('there', 'aws', 'us-east-1');
$server->upsert($_, '', [{id => 'r1', values => [1, 1], metadata => {n => 1}}]) for 'here', 'there';

my $s = $t->session;

sub make
{
	my ($options, $key) = @_;

	$key //= 'test-key';
	$s->query(<<"END");
SET client_min_messages = error;
DROP SERVER IF EXISTS x CASCADE;
CREATE SERVER x FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options, control_host '$url', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER x OPTIONS (api_key '$key');
CREATE FOREIGN TABLE x (id text, embedding real[], n int) SERVER x;
RESET client_min_messages;
END
	$server->clear_requests;
}

# what others write takes a while to be shown, perhaps
make("index '$_'") && $t->wait_until(sub { $s->query("SELECT n FROM x WHERE id = 'r1'")->{out} eq '1' }) for 'here', 'there';

# What went to an index's own host, and not to the control plane
sub sent
{
	return join ' ', map { "$_->{method} $_->{path}" } grep { defined $_->{index} } $server->requests;
}

my $schema = PineconeLocal::makes_documents() ? ", schema '{\"schema\": {\"fields\": {\"embedding\": {\"type\": \"dense_vector\", \"dimension\": 2, \"metric\": \"cosine\"}}}}'" : '';
my @statements = (
	'SELECT id FROM x',
	"SELECT id FROM x ORDER BY embedding <=> '{1,1}' LIMIT 1",
	"SELECT n FROM x WHERE id = 'r1'",
	'SELECT count(*) FROM x WHERE n = 1',
	"INSERT INTO x VALUES ('new', '{1,1}', 1)",
	"UPDATE x SET n = 2 WHERE id = 'r1'",
	'DELETE FROM x WHERE n = 1',
	'TRUNCATE x',
	'ANALYZE x',
	'IMPORT FOREIGN SCHEMA pinecone FROM SERVER x INTO public',
	"SELECT * FROM pinecone_namespaces('x')",
	"SELECT * FROM pinecone_index_stats('x')",
);

# ---- By the description ----

make("index 'here', allowed_regions 'eu-west-1'");
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'an index that is where it may be');
make("index 'here', allowed_regions 'us-west-2, aws:eu-west-1'");
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'by cloud and region');
for my $regions ('eu-west-1', 'gcp:us-east-1', 'us-east-10')
{
	make("index 'there', allowed_regions '$regions'");
	for my $sql ($regions eq 'eu-west-1' ? @statements : $statements[0])
	{
		like($s->query($sql)->{err}, qr/^ERROR:  host "[^"]+" is in aws:us-east-1, where server "x" may not send anything\nHINT:  The server's "allowed_regions" option allows \Q$regions\E\.$/m, "$regions: $sql");
	}
	is(sent(), '', 'nothing has been sent to it');
}
like($s->query("SELECT string_agg(detail, ',') FROM pinecone_ping('x') WHERE NOT ok")->{out}, qr/is in aws:us-east-1/, 'pinecone_ping()');

# ---- Other descriptions ----

{
	my $description;
	my $fake = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::reply({name => 'd', host => '127.0.0.1:1', status => {ready => JSON::PP::true, state => 'Ready'}, %{JSON::PP->new->decode($request->{path} =~ m{/indexes/(.*)} ? {
			pod => '{"spec": {"pod": {"environment": "us-east1-gcp"}}}',
			byoc => '{"spec": {"byoc": {"environment": "aws-us-east-1-b921"}}}',
			deployment => '{"deployment": {"deployment_type": "byoc", "environment": "aws-us-east-1-b921"}}',
			own => '{"deployment": {"deployment_type": "byoc", "environment": "cellar"}}',
			none => '{}', odd => '{"spec": 7}', empty => '{"spec": {"serverless": {}}}'}->{$1} : '{}')}});
	});
	my %expected = (pod => 'is in gcp:us-east1,', byoc => 'is in aws:us-east-1,', deployment => 'is in aws:us-east-1,', own => 'is in cellar,',
		map { $_ => "is cannot be told: the index's description does not say" } 'none', 'odd', 'empty');
	for my $kind (sort keys %expected)
	{
		$s->query("SET client_min_messages = error; DROP SERVER IF EXISTS f CASCADE; CREATE SERVER f FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$kind', control_host '"
			. $fake->url . "', max_retries '0', allowed_regions 'eu-west-1'); CREATE USER MAPPING FOR CURRENT_USER SERVER f OPTIONS (api_key 'k'); CREATE FOREIGN TABLE f (id text) SERVER f");
		like($s->query('SELECT id FROM f')->{err}, qr/host "127.0.0.1:1" \Q$expected{$kind}\E/, "a description: $kind");
		my $error = $s->query("ALTER SERVER f OPTIONS (SET allowed_regions 'us-east1, aws:us-east-1, cellar'); SELECT id FROM f")->{err};
		$kind =~ /none|odd|empty/ ? like($error, qr/cannot be told/, 'no region will do') : like($error, qr/could not reach/, 'which may be allowed');
	}
}

# ---- By a list, where the server names the host ----

make("host '$here', allowed_regions 'eu-west-1'$schema");
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'a host that is where it may be');
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'again');
is(scalar(grep { $_->{path} eq '/indexes' } $server->requests), 1, 'that was asked once');
make("host '$there', allowed_regions 'eu-west-1'$schema");
like($s->query($_)->{err}, qr/^ERROR:  host "\Q$there\E" is in aws:us-east-1, where server "x" may not send anything$/m, $_) for @statements;
is(sent(), '', 'nothing has been sent to it');
make("host '$here', allowed_regions 'eu-west-1'$schema", 'data');
like($s->query($statements[0])->{err}, qr/^ERROR:  where host "\Q$here\E" is cannot be told: the control plane answers with HTTP status 40[13]\nHINT:  .*"index".*"hosts"/m, 'a key that may not list indexes');
is(sent(), '', 'nothing has been sent');
make("hosts 'aws:eu-west-1=$here', allowed_regions 'eu-west-1'$schema", 'data');
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'until the owner says where that is');
make("hosts 'aws:us-east-1=$here', allowed_regions 'eu-west-1'$schema", 'data');
like($s->query($statements[0])->{err}, qr/is in aws:us-east-1, where/, 'or where not');
my $b = Replica->new($t, index => 'other:2:cosine', arguments => ['--region', 'aws:eu-west-1']);
make("host '@{[$b->host]}', allowed_regions 'eu-west-1'$schema");
like($s->query($statements[0])->{err}, qr/cannot be told: no index of this key's project has that host/, 'a host that is not in the list');
is($b->server->control('GET', '/_local/requests?count=1')->{count}, 0, 'nothing has been sent');
# the name of a host tells it, where that is one of Pinecone's
for (['i-p.svc.us-east1-gcp.pinecone.io', 'eu-west-1', 'is in gcp:us-east1,'], ['i-p.svc.us-east1-gcp.pinecone.io.example', 'us-east1', 'cannot be told'])
{
	my ($host, $regions, $error) = @$_;
	make("host 'http://$host:1', allowed_regions '$regions', connect_timeout '100ms'$schema");
	like($s->query("SET pinecone_fdw.allowed_hosts = '*'; $statements[0]")->{err}, qr/$error/, "$host, where $regions is allowed");
}
$s->query('RESET pinecone_fdw.allowed_hosts');
$server->fault({path => '/indexes', status => 503, count => -1});
make("host '$here', allowed_regions 'eu-west-1'$schema");
like($s->query($statements[0])->{err}, qr/cannot be told: the control plane answers with HTTP status 503/, 'a control plane that does not answer');
$server->clear_faults;
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'once it does the index is read');

# ---- Several hosts: each of them ----

make("index 'here', hosts 'eu-west-1=@{[$b->host]}', allowed_regions 'eu-west-1'");
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'two hosts that are where they may be');
make("index 'here', hosts 'us-east-1=@{[$b->host]}', allowed_regions 'eu-west-1'");
like($s->query("SELECT n FROM x WHERE id = 'r1'")->{err}, qr/is in us-east-1, where/, 'one that is not is refused before it is needed');
is(sent(), '', 'nothing has been sent to either');
make("index 'here', hosts '$there', hosts_retry '1h', allowed_regions 'eu-west-1'");
is($s->query("SELECT n FROM x WHERE id = 'r1'")->{out}, 1, 'the first is where it may be');
$server->fault({path => '/vectors/fetch', status => 503, count => -1, index => 'here'});
$server->fault({path => '/namespaces/*', status => 503, count => -1, index => 'here'});
like($s->query("SELECT n FROM x WHERE id = 'r1'")->{err}, qr/host "\Q$there\E" is in aws:us-east-1, where/, 'when it fails the second is not asked');
is(scalar(grep { ($_->{index} // '') eq 'there' } $server->requests), 0, 'nothing has been sent to it');
$server->clear_faults;

# ---- It moves ----

make("index 'moves', allowed_regions 'eu-west-1'");
create('moves', 'aws', 'eu-west-1');
$server->upsert('moves', '', [{id => 'r1', values => [1, 1], metadata => {n => 1}}]);
ok($t->wait_until(sub { $s->query("SELECT n FROM x WHERE id = 'r1'")->{out} eq '1' }), 'an index that is where it may be');
create('moves', 'aws', 'us-east-1');
sleep 0.2; # it is not asked for more often
$server->clear_requests;
like($s->query("SELECT n FROM x WHERE id = 'r1'")->{err}, qr/is in aws:us-east-1, where/, 'made anew elsewhere, it is refused');
is(sent(), '', 'nothing has been sent there');

# ---- What else leaves ----

make("index 'here', allowed_regions 'eu-west-1'");
like($s->query("SELECT pinecone_embed('x', 'multilingual-e5-large', 'a text')")->{err}, qr/^ERROR:  texts of server "x" may not be sent to Pinecone's models.*"allowed_regions"/s, 'texts to models');
is(scalar(grep { $_->{path} eq '/embed' } $server->requests), 0, 'none was');
like($s->query("SELECT pinecone_create_index('x', 'made', 2, cloud => 'aws', region => 'us-east-1')")->{err}, qr/^ERROR:  invalid value for argument "region".*"allowed_regions"/s, 'an index made elsewhere');
unlike($s->query("SELECT pinecone_create_index('x', 'made', 2, cloud => 'aws', region => 'eu-west-1')")->{err}, qr/ERROR/, 'and not elsewhere');

done_testing();
