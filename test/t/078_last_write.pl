#!/usr/bin/env perl
#
# pinecone_last_write() and pinecone_wait_for(): a session waits for what another
# one has written, also on a hot standby, which shares no memory with the primary.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
$t->server->create_index('told', dimension => 2);
my $where = $t->server->where('told');
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where);
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE warned (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb', on_consistency_timeout 'warning');
CREATE FOREIGN TABLE several (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[]) SERVER s OPTIONS (namespaces 'kb, other');
CREATE FOREIGN TABLE boxed (id text, embedding real[]) SERVER s OPTIONS (namespace 'boxed', write_mode 'outbox');
END

# The standby
my $started = system 'bash', '-c', <<'END', 'bash', "$FindBin::Bin/../cluster.sh", $t->dir;
source "$1" && CLUSTER_DIR=$2 && cluster_set_user &&
"${cluster_as[@]}" pg_basebackup -R -D "$2/standby" -c fast >/dev/null &&
"${cluster_as[@]}" pg_ctl -D "$2/standby" -l "$2/standby.log" -o '-c port=5434' -w start >/dev/null
END
is($started, 0, 'a standby runs') or diag(`cat "$ENV{CLUSTER_DIR}/standby.log"`);
sub standby
{
	my ($sql) = @_;
	local $t->{env}{PGPORT} = 5434;
	return $t->psql($sql);
}
my $search = q{SELECT id FROM t ORDER BY embedding <-> '{0,0}' LIMIT 1};
$search =~ s/<->/<=>/;
is(standby('SELECT pg_is_in_recovery()')->{out}, 't', 'in recovery');

# ---- One session to another ----

my $s = $t->session;
is($s->query(q{SELECT pinecone_last_write('t')})->{out}, '{}', 'nothing has been written');
is($s->query(q{SELECT pinecone_wait_for('t', pinecone_last_write('t'))})->{out}, 't', 'and is waited for at once');
$t->server->control('POST', '/_local/settings', {lag => 700});
$s->query(q{INSERT INTO t VALUES ('a', '{1,1}', 1)});
my $told = $s->query(q{SELECT pinecone_last_write('t')})->{out};
like($told, qr/^\{"kb": \d+\}$/, "a write: $told");
is(standby($search)->{out}, '', 'the standby is not shown it yet');
my $waited = standby(qq{SELECT pinecone_wait_for('t', '$told'); $search});
is($waited->{out}, "t\na", 'after waiting it is');
like(standby(qq{SELECT pinecone_wait_for('t', '$told', '0')})->{out}, qr/^t$/, 'and need not wait again');

# More than will be
(my $number) = $told =~ /(\d+)/;
my $later = $number + 1;
like(standby(qq{SELECT pinecone_wait_for('t', '$later', '100 ms')})->{err}, qr/Pinecone does not show all of these writes to foreign table "t" yet.*indexed up to $number, the last write is $later/s, 'a timeout is an error');
my $warned = standby(qq{SELECT pinecone_wait_for('warned', '{"kb": $later}', '100 ms')});
is($warned->{out}, 'f', 'or false,');
like($warned->{err}, qr/WARNING:  Pinecone does not show all of these/, 'with a warning');

# In a transaction: what has been sent counts, and nothing else
$t->server->control('POST', '/_local/settings', {lag => 0});
$s->query('BEGIN');
$s->query(q{INSERT INTO t VALUES ('b', '{1,2}', 1)});
is($s->query(q{SELECT pinecone_last_write('t')})->{out}, $told, 'what waits for COMMIT has no number');
$s->query('COMMIT');
isnt($told = $s->query(q{SELECT pinecone_last_write('t')})->{out}, qq{{"kb": $number}}, 'after COMMIT it has');
$s->query(q{DELETE FROM t WHERE id = 'b'});
isnt($s->query(q{SELECT pinecone_last_write('t')})->{out}, $told, 'a DELETE has one');
$told = $s->query(q{SELECT pinecone_last_write('t')})->{out};
$s->query(q{UPDATE t SET n = 7 WHERE n = 1});
isnt($s->query(q{SELECT pinecone_last_write('t')})->{out}, $told, 'and an UPDATE by a filter');
is($t->sql(q{SELECT pinecone_last_write('t')}), '{}', 'another session has written nothing');

# Several namespaces
$s->query(q{INSERT INTO several VALUES ('other', 'c', '{3,4}')});
like($told = $s->query(q{SELECT pinecone_last_write('several')})->{out}, qr/^\{"kb": \d+, "other": \d+\}$/, 'several namespaces have a number each');
is(standby(qq{SELECT pinecone_wait_for('several', '$told')})->{out}, 't', 'and are waited for');
like(standby(qq{SELECT pinecone_wait_for('t', '$told')})->{err}, qr/foreign table "t" does not show namespace "other"/, 'not through a table that lacks one');
like(standby(q{SELECT pinecone_wait_for('several', '5')})->{err}, qr/last_write must be what pinecone_last_write\(\) has returned/, 'a number alone is of one namespace');

# What makes no sense
for my $writes ('[1]', '"a"', '{"kb": "1"}', '{"kb": {}}', '{"kb": [1]}', 'true', q({"kb": 1.5}), q({"kb": -1}), q({"kb": 1e30}))
{
	like($t->error_of("SELECT pinecone_wait_for('t', '$writes')"), qr/last_write must be/, "refused: $writes");
}
like($t->error_of(q{SELECT pinecone_wait_for('t', NULL)}), qr/last_write must be/, 'refused: NULL');
like($t->error_of(q{SELECT pinecone_wait_for('t', '{"kb": null}')}), qr/nobody can tell when the last write to namespace "kb" is shown/, 'what nobody knows is an error');
like($t->error_of(q{SELECT pinecone_wait_for('t', '{"kb": 1}', '-1 s')}), qr/Valid waits are/, 'refused: a wait below 0');
like($t->error_of(q{SELECT pinecone_last_write('pg_class')}), qr/not a foreign table of pinecone_fdw/, 'refused: another table');
like($t->error_of(q{SELECT pinecone_last_write('boxed')}), qr/not sent by the session that makes them/, 'refused: a table with an outbox');
$t->sql('CREATE ROLE nobody_else');
like($t->error_of(q{SET ROLE nobody_else; SELECT pinecone_wait_for('t', '1')}), qr/permission denied/, 'refused: who may not read it');

# Ctrl-C
$t->server->control('POST', '/_local/settings', {lag => 60000});
$s->query(q{INSERT INTO t VALUES ('d', '{1,3}', 1)});
$told = $s->query(q{SELECT pinecone_last_write('t')})->{out};
my $w = $t->session;
my $pid = $w->pid;
$w->send(qq{SELECT pinecone_wait_for('t', '$told', '1 hour')});
sleep 1;
kill INT => $pid;
like($w->result(5)->{err}, qr/canceling statement due to user request/, 'waiting can be cancelled');

done_testing;
