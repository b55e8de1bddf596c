#!/usr/bin/env perl
#
# A transaction that Pinecone refuses at its commit is not committed elsewhere:
# rows written through postgres_fdw, whichever wrapper was used first.  And a
# condition on the score that postgres_fdw sends without the search is an error.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;

plan skip_all => 'there is no postgres_fdw'
	if $t->sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0';

my $host = $t->server->create_index('both', dimension => 2);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE p (id text, embedding real[], n int) SERVER s;
CREATE EXTENSION postgres_fdw;
CREATE TABLE there (id text);
END
$t->sql("DO \$\$ BEGIN EXECUTE format('CREATE SERVER l FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()); END \$\$;
CREATE USER MAPPING FOR CURRENT_USER SERVER l;
CREATE FOREIGN TABLE f (id text) SERVER l OPTIONS (table_name 'there')");

my $pinecone = "INSERT INTO p (id, embedding) VALUES ('x', '{1,1}')";
my $postgres = "INSERT INTO f VALUES ('x')";

for my $order ([$pinecone, $postgres], [$postgres, $pinecone], [$pinecone, $postgres, $pinecone])
{
	for my $used ('', 'SELECT count(*) FROM f', 'SELECT count(*) FROM p')
	{
		my $s = $t->session;
		my $name = join ', ', map { /INTO (\w)/ } @$order;
		$s->query($used) if $used;
		$t->server->fault({kind => 'status', status => 400, path => '/vectors/upsert'});
		$s->query($_) for 'BEGIN', @$order;
		like($s->query('COMMIT')->{err}, qr/ERROR/, "$name, $used before: the commit is refused");
		$t->server->clear_faults;
		is($t->sql('SELECT count(*) FROM there'), '0', "$name, $used before: no row is left");
		$s->query($_) for 'BEGIN', @$order, 'COMMIT';
		is($t->sql('DELETE FROM there RETURNING id'), 'x', "$name, $used before: and otherwise it is there");
		$s->close;
	}
}

# ---- Scores ----

$t->sql(<<"END");
CREATE FOREIGN TABLE scored (id text COLLATE "C", embedding real[], score float8) SERVER s OPTIONS (namespace 'scored');
INSERT INTO scored SELECT 'a' || i, ARRAY[cos(i * 0.1), sin(i * 0.1)]::real[] FROM generate_series(1, 30) i;
CREATE FOREIGN TABLE front (id text COLLATE "C", embedding real[], score float8) SERVER l OPTIONS (table_name 'scored');
ALTER SERVER l OPTIONS (ADD application_name 'of the user');
END
my $searched = q{SELECT id FROM front WHERE score > 0.9 ORDER BY embedding <=> '{1,0}' LIMIT 9};
my $bounded = q{SELECT count(*) FROM front WHERE score > 0.9 AND embedding <=> '{1,0}' < 0.5};

for my $estimate ('false', 'true')
{
	$t->sql("ALTER SERVER l OPTIONS (ADD use_remote_estimate '$estimate')");
	for my $query ($searched, $bounded, q{DELETE FROM front WHERE score < 0.5}, q{SELECT id FROM front ORDER BY score DESC LIMIT 3})
	{
		like($t->error_of($query), qr/ERROR:  the score of rows of foreign table "scored" is NULL.*extensions 'pinecone_fdw, vector'/s, "no search has been sent, remote estimates $estimate: $query");
	}
	is($t->sql('SELECT count(*), count(score) FROM front WHERE score IS NULL'), '30|0', "who asks for none gets it, remote estimates $estimate");
	$t->sql("ALTER SERVER l OPTIONS (ADD extensions 'pinecone_fdw')");
	is($t->sql($searched), "a1\na2\na3\na4", "the order is sent, remote estimates $estimate");
	is($t->sql($bounded), 4, "a bound is sent, remote estimates $estimate");
	$t->sql('ALTER SERVER l OPTIONS (DROP extensions, DROP use_remote_estimate)');
}
is($t->sql(q{SELECT count(*) FROM scored WHERE score > 0.9}), 0, 'otherwise it is a warning');

done_testing;
