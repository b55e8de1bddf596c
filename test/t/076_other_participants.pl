#!/usr/bin/env perl
#
# Any order of shared_preload_libraries, with one among them that insists on
# being first; and what becomes of a transaction of several servers, of which one
# cannot commit, under either pinecone_fdw.send_order.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Harness;
use Test::More;

my $dir = tempdir(CLEANUP => 1);
chomp(my $pg_config = `"$FindBin::Bin/../pg_config.sh" --path`);
chomp(my $headers = `"$pg_config" --includedir-server`);
chmod 0755, $dir;
system('cc', '-O1', '-shared', '-fPIC', "-I$headers", '-o', "$dir/first.so", "$FindBin::Bin/../lib/first.c") == 0
	or die "could not build first.c\n";

sub tables
{
	my ($t, $index) = @_;
	$t->server->create_index($index, dimension => 2);
	my $where = $t->server->where($index);
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE p (id text COLLATE "C", embedding real[], n int) SERVER s;
END
	return;
}

# ---- Any order ----

for my $libraries ("pinecone_fdw, $dir/first.so", "$dir/first.so, pinecone_fdw")
{
	my $name = $libraries =~ s/\S*\///r;
	my $t = Harness->new(conf => ["shared_preload_libraries = '$libraries'"]);
	tables($t, 'any');
	$t->sql(q{INSERT INTO p SELECT 'a' || i, ARRAY[cos(i), sin(i)]::real[], i FROM generate_series(1, 20) i});
	my $plan = $t->sql(q{EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT q, id FROM generate_series(1, 8) q, LATERAL (SELECT id FROM p ORDER BY embedding <=> ARRAY[cos(q), sin(q)]::real[] LIMIT 1) l});
	like($plan, qr/Pinecone Read Ahead.*Most Rows Ahead: 8/s, "$name: read-ahead is planned and run");
	like($t->sql('EXPLAIN (COSTS OFF) SELECT count(*) FROM p WHERE n > 3'), qr/Foreign Scan/, "$name: plans");
	is($t->sql('SELECT count(*) FROM pinecone_fdw_stats WHERE calls > 0') > 0 ? 1 : 0, 1, "$name: and counts");
}

# ---- First or last ----

sub servers
{
	my ($t) = @_;
	tables($t, 'order');
	$t->sql(<<"END");
CREATE EXTENSION postgres_fdw;
CREATE TABLE there (id text UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE here (id text);
DO \$\$ BEGIN EXECUTE format('CREATE SERVER l FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()); END \$\$;
CREATE USER MAPPING FOR CURRENT_USER SERVER l;
CREATE FOREIGN TABLE f (id text) SERVER l OPTIONS (table_name 'there');
END
	return;
}

my @orders = ([p => 'f'], [f => 'p'], [p => 'f', 'p']);

# The transaction, with one of its servers failing: what is left where
sub left
{
	my ($t, $order, $failing, $setting) = @_;
	my $s = $t->session;

	$t->sql(q{DELETE FROM p; DELETE FROM there; DELETE FROM here});
	$s->query("SET pinecone_fdw.send_order = $setting");
	$t->server->fault({kind => 'status', status => 400, path => PineconeLocal::makes_documents() ? '/namespaces/*' : '/vectors/upsert'}) if $failing eq 'p';
	$s->query($_) for 'BEGIN', q{INSERT INTO here VALUES ('x')},
		map { $_ eq 'p' ? q{INSERT INTO p (id, embedding) VALUES ('x', '{1,1}')} : q{INSERT INTO f VALUES ('x')} } @$order;
	$s->query(q{INSERT INTO f VALUES ('x')}) if $failing eq 'f';
	my $error = $s->query('COMMIT')->{err};
	$t->server->clear_faults;
	$s->close;
	like($error, qr/ERROR/, "$setting, @$order, $failing fails: COMMIT says so") if $failing ne 'none';
	return $t->sql(q{SELECT 'here ' || count(*) FROM here}) . $t->sql(q{SELECT ', there ' || count(*) FROM there}) . $t->sql(q{SELECT ', p ' || count(*) FROM p});
}

{
	my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw, pg_stat_statements'"]);
	servers($t);
	for my $order (@orders)
	{
		is(left($t, $order, 'none', $_), 'here 1, there 1, p 1', "$_, @$order: all commit") for 'first', 'last';
		# sent before the others commit: they do not when it fails, and what they fail at is repeated
		is(left($t, $order, 'p', 'first'), 'here 0, there 0, p 0', "first, @$order: what Pinecone refuses is nowhere");
		is(left($t, $order, 'f', 'first'), 'here 0, there 0, p 1', "first, @$order: what the other server refuses has been sent");
		# sent after the others have committed
		is(left($t, $order, 'f', 'last'), 'here 0, there 0, p 0', "last, @$order: what the other server refuses is not sent");
		is(left($t, $order, 'p', 'last'), 'here 0, there 1, p 0', "last, @$order: what Pinecone refuses has been committed there");
	}
}

# Who is not loaded first cannot be the last
for my $libraries ('', 'pg_stat_statements, pinecone_fdw')
{
	my $t = Harness->new(conf => ["shared_preload_libraries = '$libraries'"]);
	servers($t);
	is(left($t, [qw(f p)], 'f', 'first'), 'here 0, there 0, p 1', "'$libraries': first works");
	like($t->error_of(q{SET pinecone_fdw.send_order = last; INSERT INTO p (id, embedding) VALUES ('x', '{1,1}')}), qr/send_order is "last", and others may come after.*shared_preload_libraries/s, "'$libraries': last is refused");
	like($t->error_of(q{BEGIN; INSERT INTO p (id, embedding) VALUES ('y', '{1,1}'); SET pinecone_fdw.send_order = last; COMMIT}), qr/others may come after/, "'$libraries': at COMMIT too");
	is($t->sql(q{SELECT count(*) FROM p WHERE id = 'y'}), 0, 'and nothing is sent');
}

done_testing;
