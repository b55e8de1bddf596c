#!/usr/bin/env perl
#
# The temporary file of a transaction's writes cannot grow: what was caught or
# rolled back is not sent, the rest is, and disk space comes back.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(conf => ["pinecone_fdw.write_buffer = '64kB'", "temp_file_limit = '2MB'", 'pinecone_fdw.unseen_time = 0']);
my $host = $t->server->create_index('full', dimension => 2);

$t->sql(<<"END");
CREATE ROLE limited LOGIN;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text, embedding real[], pad text) SERVER s OPTIONS (namespace 'a');
CREATE TABLE here (id text);
GRANT ALL ON t, here TO limited;
END

my $rows = sub { "INSERT INTO t SELECT '$_[0]' || i, '{1,1}', repeat('x', 1000) FROM generate_series(1, $_[1]) i" };

sub stored
{
	return ($t->server->data('full', 'POST', '/describe_index_stats', {}))[0]{namespaces}{a}{vectorCount} // 0;
}

# Bytes of temporary files
sub disk
{
	my $dir = $t->dir;
	return 0 + (`find $dir -path '*pgsql_tmp*' -type f -printf '%s\n' | awk '{n += \$1} END {print n + 0}'`);
}

my $s = $t->session;
$s->query('SET ROLE limited');
$s->query($_) for 'BEGIN', $rows->('a', 100), 'SAVEPOINT one';
like($s->query($rows->('b', 5000))->{err}, qr/temporary file size exceeds/, 'the file may not grow');
$s->query('ROLLBACK TO one');
$s->query($rows->('b', 1000));
cmp_ok(disk(), '>', 900000, 'it is large');
$s->query('ROLLBACK TO one');
cmp_ok(disk(), '<', 200000, 'rolled back to the savepoint it is as it was');
$s->query("INSERT INTO here VALUES ('1')");
is($s->query('COMMIT')->{err}, '', 'and the rest commits');
is(stored(), 100, 'and is sent');
is($t->sql('SELECT count(*) FROM here'), '1', 'and is here');

is($s->query("DO \$\$ BEGIN " . $rows->('c', 100) . "; BEGIN " . $rows->('d', 5000) . "; EXCEPTION WHEN OTHERS THEN NULL; END; " . $rows->('e', 100) . "; END \$\$")->{err}, '', 'caught in PL/pgSQL');
is(stored(), 300, 'and the rest is sent');

like($s->query($rows->('f', 5000))->{err}, qr/temporary file size exceeds/, 'not caught');
is(stored(), 300, 'nothing is sent');
is($s->query($rows->('g', 1000))->{err}, '', 'the session works on');
is(stored(), 1300, 'with a file');

done_testing;
