# Foreign tables in single-user mode, which has no postmaster to watch.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
$t->server->create_index('single', dimension => 2);
$t->server->upsert('single', '', [map { {id => "r$_", values => [$_, 1]} } 1 .. 3]);
my $host = $t->server->host('single');
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[]) SERVER s;
END

my $data = $t->dir . '/data';
$t->program('pg_ctl', '-D', $data, '-m', 'fast', '-w', 'stop');
is($?, 0, 'the server stops');
my $input = $t->dir . '/single.sql';
open my $file, '>', $input or die "no $input: $!\n";
print $file "SELECT string_agg(id, ' ' ORDER BY id) AS ids FROM r;\n",
	"SELECT id AS nearest FROM r ORDER BY embedding <=> '{1,1}' LIMIT 1;\n",
	"INSERT INTO r VALUES ('r4', '{4,1}');\n", "SELECT id AS added FROM r WHERE id = 'r4';\n";
close $file;
open STDIN, '<', $input or die "no $input: $!\n";
my $output = $t->program('postgres', '--single', '-D', $data, 'postgres');

like($output, qr/ids = "r1 r2 r3"/, 'a scan');
like($output, qr/nearest = "r1"/, 'a search');
like($output, qr/added = "r4"/, 'a write');
unlike($output, qr/ERROR/, 'no error') or diag($output);
done_testing;
