# An index found by its name is found again when it has moved.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $url = $t->server->{url};

$t->server->create_index('moving', dimension => 2);
$t->server->upsert('moving', '', [{id => 'old', values => [1, 1]}]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'moving', control_host '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[]) SERVER s;
END
my $s = $t->session;
my $search = "SELECT id FROM r ORDER BY embedding <=> '{1,1}' LIMIT 1";

is($s->query($search)->{out}, 'old', 'an index by its name');
$t->server->clear_requests;
is($s->query($search)->{out}, 'old', 'again');
is(scalar(grep { $_->{path} =~ m{^/indexes} } $t->server->requests), 0, 'its host is remembered');

$t->server->drop_index('moving');
like($s->query($search)->{err}, qr/Pinecone (index "moving" does not exist|host)/, 'an index that is gone is an error');
$t->server->create_index('moving', dimension => 2);
$t->server->upsert('moving', '', [{id => 'new', values => [1, 1]}]);
sleep 2;
is($s->query($search)->{out}, 'new', 'and is found when it is back, elsewhere');

$t->sql("ALTER SERVER s OPTIONS (SET index 'nothing')");
like($s->query($search)->{err}, qr/Pinecone index "nothing" does not exist/, 'a name that is not there');
$t->sql("ALTER SERVER s OPTIONS (SET index 'moving')");
is($s->query($search)->{out}, 'new', 'the session works on');
done_testing;
