# Backups, and indexes made from them, that are cut off: what is known is said, and nothing is made twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $t = Harness->new(pinecone => ['--assume', 'backup=slow']);
my $server = $t->server;
my $url = $server->{url};
$server->create_index('films', dimension => 3);
$server->upsert('films', 'kb', [{id => 'a', values => [1, 1, 1]}]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
END
my $s = $t->session;
my $pid = $s->pid;

sub posts
{
	my ($path) = @_;
	return scalar grep { $_->{method} eq 'POST' && $_->{path} =~ $path } $server->requests;
}

# it takes half a second
my $r = $s->query("SELECT name, status FROM pinecone_create_backup('s', 'films', 'one')");
is($r->{out}, 'one|Ready', 'a backup is waited for');
like($r->{err}, qr/^NOTICE:  creation of backup "one": Initializing\n$/, 'and its status is told');
like($s->query("SELECT * FROM pinecone_create_backup('s', 'films', 'two', timeout => '50 ms')")->{err}, qr/is not ready after 0\.1 s.*CONTEXT:.*accepted.*safe to repeat/s, 'a wait that is too short');
like($s->query("SELECT * FROM pinecone_create_backup('s', 'films', 'two')")->{err}, qr/backup "two" of index "films" already exists/, 'repeated: it is there');

# cancelled while it is made
$server->clear_requests;
$s->send("SELECT * FROM pinecone_create_backup('s', 'films', 'three')");
ok($t->wait_until(sub { grep { $_->{path} =~ m{^/backups/} } $server->requests }), 'it is being made');
my $start = time;
kill INT => $pid;
$r = $s->result(5);
cmp_ok(time - $start, '<', 0.3, 'cancelled at once');
like($r->{err}, qr/canceling statement.*CONTEXT:  creation of backup "three": Pinecone has accepted it/s, 'it goes on there');

# lost, on a connection that was used before: not sent a second time by anybody
for my $kind ('close_after', 'truncate', 'garbage')
{
	$server->fault({path => '/indexes/films/backups', method => 'POST', kind => $kind, count => 1});
	$server->clear_requests;
	like($s->query("SELECT * FROM pinecone_create_backup('s', 'films', '$kind')")->{err}, qr/It is not known whether the write was applied\.\npinecone_backups\(\) shows/, "$kind: not known");
	is(posts(qr/backups$/), 1, 'asked for once');
	is($s->query("SELECT count(*) FROM pinecone_backups('s', 'films') WHERE name = '$kind'")->{out}, 1, 'there is one');
	like($s->query("SELECT * FROM pinecone_create_backup('s', 'films', '$kind')")->{err}, qr/already exists/, 'and repeating makes no second');
}
# what will never be ready is not waited for
for my $status ('Failed', 'Terminating')
{
	$server->fault({path => '/backups/', method => 'GET', status => 200, count => 1,
		body => {backup_id => '01234567-89ab-cdef-0123-456789abcdef', name => $status, source_index_name => 'films', status => $status}});
	like($s->query("SELECT * FROM pinecone_create_backup('s', 'films', 'is $status')")->{err}, qr/will not get ready: its status is $status/, "a backup that is $status");
	$server->clear_faults;
}
# refused for its rate, it was not made
$server->fault({path => '/indexes/films/backups', method => 'POST', status => 429, count => 1, body => {error => {code => 'RESOURCE_EXHAUSTED', message => 'slow down'}, status => 429}});
is($s->query("SELECT status FROM pinecone_create_backup('s', 'films', 'four', wait => false)")->{out}, 'Initializing', 'a rate limit is waited for');
like($s->query("SELECT * FROM pinecone_backups('s') b, LATERAL pinecone_create_index_from_backup('s', b.backup_id, 'early') WHERE b.name = 'four'")->{err}, qr/could not create index "early" from backup.*412.*is not ready/s, 'a backup that is not ready');

# restores: a lost reply, and the repeat that finds the job
my $id = $s->query("SELECT backup_id FROM pinecone_backups('s') WHERE name = 'one'")->{out};
for my $kind ('close_after', 'garbage')
{
	my $name = $kind =~ s/_.*//r;

	$server->fault({path => "/backups/$id/create-index", method => 'POST', kind => $kind, count => 1});
	$server->clear_requests;
	$r = $s->query("SELECT index, status FROM pinecone_create_index_from_backup('s', '$id', '$name')");
	is($r->{out}, "$name|Completed", "an index from a backup, $kind");
	like($r->{err}, qr/^NOTICE:  creation of index "$name" from a backup: restore job InProgress/, 'progress is told');
	is(posts(qr/create-index$/), 2, 'asked for twice');
	is($s->query("SELECT count(*) FROM pinecone_restore_jobs('s') WHERE index = '$name'")->{out}, 1, 'made once');
}
$server->create_index('taken', dimension => 3);
$server->fault({path => "/backups/$id/create-index", method => 'POST', kind => 'close', count => 1});
like($s->query("SELECT * FROM pinecone_create_index_from_backup('s', '$id', 'taken')")->{err}, qr/index "taken" already exists/, 'an index that another one has made is not taken for ours');

# nor one that was made from another backup
my $other = $s->query("SELECT backup_id FROM pinecone_backups('s') WHERE name = 'three'")->{out};
$server->fault({path => "/backups/$other/create-index", method => 'POST', kind => 'close', count => 1});
like($s->query("SELECT * FROM pinecone_create_index_from_backup('s', '$other', 'close')")->{err}, qr/index "close" already exists/, 'nor one from another backup');

# deleted while an index is made from it, and with a lost reply
$s->query("SELECT * FROM pinecone_create_index_from_backup('s', '$id', 'busy', wait => false)");
like($s->query("SELECT pinecone_delete_backup('s', '$id')")->{err}, qr/could not delete backup.*HINT:  An index is being made from it/s, 'a backup in use');
ok($t->wait_until(sub { $s->query("SELECT status FROM pinecone_restore_jobs('s') WHERE index = 'busy'")->{out} eq 'Completed' }), 'until that is over');
$server->fault({path => "/backups/$id", method => 'DELETE', kind => 'close_after', count => 1});
$r = $s->query("SELECT pinecone_delete_backup('s', '$id')");
is("$r->{out}$r->{err}", 't', 'deleted, though the reply was lost');
is($s->query("SELECT pinecone_delete_index('s', 'early', if_exists => true)")->{out}, 'f', 'what was refused has made nothing');

# administration is counted and logged as other writes are
$s->query("SET pinecone_fdw.audit = on; SELECT pinecone_create_namespace('s', 'n'); SELECT pinecone_delete_namespace('s', 'n'); SELECT pinecone_delete_index('s', 'taken')");
my $user = $s->query('SELECT current_user')->{out};
for ('"namespace": "n", "operation": "create_namespace"', '"namespace": "n", "operation": "delete_namespace"', '"index": "taken", "operation": "delete_index"')
{
	like($t->log, qr/pinecone_fdw audit: \{"user": "$user", "server": "s", \Q$_\E\}\n/, "logged: $_");
}
is($s->query("SELECT string_agg(operation || ':' || coalesce(namespace, ''), ' ' ORDER BY operation) FROM pinecone_fdw_stats WHERE operation ~ '_(index|namespace)\$' AND operation !~ 'describe'")->{out},
	'create_namespace: delete_index: delete_namespace:n', 'and counted');
done_testing;
