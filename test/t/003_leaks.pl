# Thousands of failing statements leave no descriptor, connection or memory behind.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $statements = $ENV{PINECONE_FDW_STATEMENTS} // 10000;
my $t = Harness->new;
my $host = $t->server->create_index('leaks', dimension => 2);

$t->server->upsert('leaks', '', [map { +{id => "r$_", values => [$_, 1]} } 1 .. 50]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[], n int) SERVER s;
CREATE FUNCTION fail(times int) RETURNS int LANGUAGE plpgsql AS \$\$
DECLARE failures int := 0;
BEGIN
  FOR i IN 1..times LOOP
    BEGIN
      PERFORM id FROM r ORDER BY embedding <=> '{1,1}' LIMIT 3;
    EXCEPTION WHEN OTHERS THEN
      failures := failures + 1;
    END;
  END LOOP;
  RETURN failures;
END \$\$;
END

my $s = $t->session;
my $pid = $s->pid;

is($s->query('SELECT count(*) FROM r')->{out}, 50, 'a statement that works');
my @kinds = ({kind => 'status', status => 500}, {kind => 'close'}, {kind => 'status', status => 401, body => 'Invalid API Key'},
	{kind => 'truncate'}, {kind => 'garbage'});
for my $round (0, 1)
{
	for my $fault (@kinds)
	{
		my $times = $round ? $statements / @kinds : 50;

		$t->server->fault({%$fault, path => '/query', count => -1});
		is($s->query("SELECT fail($times)")->{out}, $times, "$fault->{kind}: $times statements fail");
		$t->server->clear_faults;
	}
	$t->{before} //= {memory => Harness::memory($t, $pid), descriptors => scalar(Harness::descriptors($t, $pid))} if !$round;
}
my $memory = Harness::memory($t, $pid) - $t->{before}{memory};
my $descriptors = Harness::descriptors($t, $pid) - $t->{before}{descriptors};

cmp_ok($memory, '<', 4096, "memory grew by $memory kB");
cmp_ok($descriptors, '<=', 1, "descriptors grew by $descriptors");
is($s->query('SELECT count(*) FROM (SELECT id FROM r ORDER BY embedding <=> \'{1,1}\' LIMIT 3) s')->{out}, 3, 'and the session works on');
done_testing;
