# A service that refuses what is beyond its limits per second slows statements
# down; they do not fail as long as it grants anything.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

# a tenth of the documented limits: 10 queries and updates a second
my $t = Harness->new(pinecone => ['--index', 'slow:3:cosine', '--rate-limits=0.1']);
my $host = $t->server->host('slow');
my $key = $t->server->{key};

$t->sql("CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host')");
$t->sql("CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$key')");
$t->sql('CREATE FOREIGN TABLE t (id text, n int, embedding real[]) SERVER s');
$t->sql("INSERT INTO t SELECT 'r' || i, i, ARRAY[i, 1, 2] FROM generate_series(1, 100) i");

my $search = 'SELECT count(n.id) FROM generate_series(1, %d) i, LATERAL (SELECT id FROM t ORDER BY embedding <=> ARRAY[i, 2, 3]::real[] LIMIT 1) n';
is($t->sql(sprintf $search, 60), '60', 'searches beyond the limit');
$t->sql('UPDATE t SET n = n + 1000 WHERE n <= 40 AND id <> \'r7\'');
is($t->sql('SELECT count(*) FROM t WHERE n > 1000'), '39', 'updates beyond the limit');
my $refused = grep { $_->{status} == 429 } $t->server->requests;
cmp_ok($refused, '>', 0, 'some were refused');
like($t->error_of('SET statement_timeout = 500; ' . sprintf($search, 200)), qr/statement timeout/, 'but not longer than statement_timeout allows');

# nothing is granted at all: an error, after a while
$t->server->fault({path => '/query', status => 429, count => -1});
$t->sql("ALTER SERVER s OPTIONS (ADD max_retries '1')");
like($t->error_of(sprintf $search, 1), qr/Pinecone rate limit reached/, 'nothing is granted');
$t->server->clear_faults;
is($t->sql(sprintf $search, 1), '1', 'and then it is');

done_testing;
