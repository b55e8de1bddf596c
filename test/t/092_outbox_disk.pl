#!/usr/bin/env perl
#
# The outbox cannot grow: what did not fit is rolled back with its transaction, what
# was committed is delivered, and there is room again afterwards.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

# Files of WAL have 16 MB: more than that a file may have for those who are limited here
my $limit = 17 * 1024 * 1024;

plan skip_all => 'there is no prlimit' if system('command -v prlimit >/dev/null') != 0;
my $t = Harness->new(conf => ['pinecone_fdw.unseen_time = 0']);
my $host = $t->server->create_index('full', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', write_mode 'outbox');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text, embedding real[], pad text) SERVER s OPTIONS (namespace 'a');
CREATE TABLE here (id text);
END

my $rows = sub { "INSERT INTO t SELECT '$_[0]' || i, '{1,1}', repeat(md5(i::text), 30) FROM generate_series(1, $_[1]) i" };

sub stored
{
	my $list = $t->server->data('full', 'GET', '/vectors/list?namespace=a&limit=100');
	return join ' ', sort map { $_->{id} } ($list->{vectors} // [])->@*;
}

my ($limited, $free) = ($t->session, $t->session);
my $pid = $limited->pid;
# as the user who runs it
my ($uid, $gid) = (stat "/proc/$pid")[4, 5];
my @as = $> == $uid ? () : ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups');
is(system(@as, 'prlimit', '--pid', $pid, "--fsize=$limit"), 0, 'a session whose files may not grow');
is($limited->query($rows->('a', 2))->{err}, '', 'a little fits');
$limited->query($_) for 'BEGIN', "INSERT INTO here VALUES ('1')";
like($limited->query($rows->('b', 60000))->{err}, qr/could not (extend|write)/, 'more does not');
like($limited->query('COMMIT')->{out}, qr/ROLLBACK|^$/, 'and is rolled back');
is($limited->query('SELECT count(*) FROM here')->{out}, '0', 'with what came before it');
$limited->query($_) for 'BEGIN', "INSERT INTO here VALUES ('2')", 'SAVEPOINT one';
like($limited->query($rows->('c', 60000))->{err}, qr/could not (extend|write)/, 'nor behind a savepoint');
$limited->query($_) for 'ROLLBACK TO one', 'COMMIT';
is($limited->query('SELECT count(*) FROM here')->{out}, '1', 'what came before that commits');
is($free->query($rows->('d', 2))->{err}, '', 'others go on');

like($limited->query('SELECT delivered FROM pinecone_deliver()')->{out} // '', qr/^4$/, 'what was committed is delivered, by who has no room');
is(stored(), 'a1 a2 d1 d2', 'and nothing else');
is($free->query('SELECT coalesce(sum(depth), 0) FROM pinecone_outbox_status')->{out}, '0', 'nothing waits');
$free->query('VACUUM pinecone_outbox');
is($limited->query($rows->('e', 2))->{err}, '', 'there is room again');
$free->query('SELECT pinecone_deliver()');
is(stored(), 'a1 a2 d1 d2 e1 e2', 'and that is delivered, too');
unlike($t->log, qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');

done_testing;
