# What depends on a session being new: ON CONFLICT before the module is loaded,
# warnings that come once, and what children of a backend inherit.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $host = $t->server->create_index('sessions', dimension => 2, metric => 'cosine');
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], ticketId int) SERVER s;
INSERT INTO t (id, embedding) VALUES ('a', '{1,0}');
END
$t->server->data('sessions', 'POST', '/vectors/upsert', '{"vectors": [{"id": "b", "values": [1, 1], "metadata": {"ticketId": 5}}]}');

# PostgreSQL looks for an index before it loads the module, unless that is loaded ahead
my $upsert = 'INSERT INTO t (id, embedding) VALUES (\'a\', \'{0,1}\') ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, ticketid = EXCLUDED.ticketid';
my $nothing = 'INSERT INTO t (id, embedding) VALUES (\'a\', \'{1,1}\') ON CONFLICT (id) DO NOTHING';
like($t->error_of($upsert), qr/no unique or exclusion constraint/, 'the first statement of a session without the module');
$t->sql("SELECT count(*) FROM t; $upsert");
is($t->sql('SELECT embedding FROM t WHERE id = \'a\''), '{0,1}', 'a later one');
$t->sql('ALTER DATABASE postgres SET session_preload_libraries = \'pinecone_fdw\'');
$t->sql($upsert);
$t->sql($nothing);
is($t->sql('SELECT embedding FROM t WHERE id = \'a\''), '{0,1}', 'the first of one that has loaded it');
like($t->error_of('INSERT INTO t (id, embedding) VALUES (\'a\', \'{0,1}\') ON CONFLICT (id) DO UPDATE SET embedding = \'{1,2}\''),
	qr/this form of ON CONFLICT is not supported.*"embedding" is not set/s, 'and what is refused is so in our words');

# Warnings
my $r = $t->psql('SELECT * FROM t; SELECT * FROM t;');
is(scalar(() = $r->{err} =~ /WARNING:/g), 1, 'a column that misses its field is told once a session');
$r = $t->psql('SELECT * FROM t');
like($r->{err}, qr/there is a field "ticketId"/, 'and in the next one again');

# A connection to the service, and its key, are not a program's
my $file = "$t->{dir}/inherited";
$t->sql("SELECT count(*) FROM t WHERE ticketid > 0; COPY (SELECT 1) TO PROGRAM 'for f in /proc/self/fd/*; do readlink \$f || true; done > $file'");
my %tcp = map { (split)[9] => 1 } grep { /^\s*\d+:/ } map { split /\n/, `cat $_ 2>/dev/null` } '/proc/net/tcp', '/proc/net/tcp6';
open my $fh, '<', $file or die "$file: $!\n";
my @connections = grep { /^socket:\[(\d+)\]/ && $tcp{$1} } <$fh>;
is(scalar @connections, 0, 'no connection is inherited');
done_testing;
