# Runs of the snapshot pack: all of one or nothing, two at a time, as another
# user, and in a dump.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => 0);

# a user who owns nothing but a schema
$t->sql(<<'END');
CREATE ROLE analyst LOGIN;
GRANT CREATE ON DATABASE postgres TO analyst;
CREATE TABLE hits AS SELECT 'ns' || i % 3 AS namespace, 'id' || i AS id, 0.5 + 0.001 * i AS score, 100 - i AS divisor FROM generate_series(1, 90) i;
CREATE VIEW fragile AS SELECT namespace, id, score / divisor AS score FROM hits;
GRANT SELECT ON hits, fragile TO analyst;
END
my $s = $t->session('-U', 'analyst');
like($s->query("SELECT huf_install('mine')")->{out}, qr/schema mine/, 'a user can have the pack who can make a schema');
$s->query('SET search_path = public, mine');

# Everything that the pack has stored
my $stored = "SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM (SELECT q::text FROM mine.huf_run q UNION ALL SELECT q::text FROM mine.huf_snapshot q
	UNION ALL SELECT q::text FROM mine.huf_measure q UNION ALL SELECT q::text FROM mine.huf_alert q UNION ALL SELECT q::text FROM mine.huf_series q) r(r)";

like($s->query("SELECT hits FROM huf_take('fragile', as_of => '2026-01-05 12:00+00')")->{out}, qr/90/, 'a first run');
my $before = $t->sql($stored);

# the last row divides by zero
$t->sql('UPDATE hits SET divisor = 0 WHERE id = $$id90$$');
like($s->query("SELECT huf_take('fragile', as_of => '2026-01-06 12:00+00')")->{err}, qr/division by zero/, 'a source that fails half way');
is($t->sql($stored), $before, '... leaves what was stored');
like($s->query("SELECT huf_take('fragile', as_of => '2026-01-05 12:00+00', rerun => 'replace')")->{err}, qr/division by zero/, 'and also when it was to replace a run');
is($t->sql($stored), $before, '... that run stays');

# ended from outside
$t->sql('UPDATE hits SET divisor = 1 WHERE id = $$id90$$');
$t->sql('CREATE VIEW slow AS SELECT namespace, id, score + length(pg_sleep(0.2)::text) AS score FROM hits; GRANT SELECT ON slow TO analyst');
my $victim = $t->session('-U', 'analyst');
my $pid = $victim->pid;
$victim->send("SELECT mine.huf_take('slow', as_of => '2026-01-06 12:00+00', series => 'fragile')");
$t->wait_until(sub { $t->sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'PgSleep'") eq '1' }, 30);
# another one of the same series waits for its turn
my $other = $t->session('-U', 'analyst');
my $other_pid = $other->pid;
$other->send("SELECT hits FROM mine.huf_take('fragile', as_of => '2026-01-06 12:00+00')");
ok($t->wait_until(sub { $t->sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $other_pid AND wait_event_type = 'Lock'") eq '1' }, 30), 'two at a time wait for each other');
$t->sql("SELECT pg_terminate_backend($pid)");
like($other->result(60)->{out}, qr/90/, 'the first was ended: the second takes the run');
is($t->sql("SELECT count(*) FROM mine.huf_run WHERE run = '2026-01-06'"), 1, 'once');
like($s->query("SELECT huf_take('fragile', as_of => '2026-01-06 12:00+00')")->{err}, qr/has a run of 2026-01-06/, 'and a third is told so');

# a dump has it all
my $now = $t->sql($stored);
$t->sql('CREATE DATABASE copy');
my $dir = $t->dir;
is(system("pg_dump -Fc -f $dir/copy.dump postgres && pg_restore -d copy $dir/copy.dump"), 0, 'dumped and restored');
is($t->psql($stored, '-d', 'copy')->{out}, $now, '... with all runs');
like($t->psql("SELECT hits FROM mine.huf_take('fragile', as_of => '2026-01-07 12:00+00')", '-d', 'copy')->{out}, qr/90/, '... and the next can be taken there');

# the extension in a schema of its own, moved
$t->sql('CREATE SCHEMA ext; ALTER EXTENSION pinecone_fdw SET SCHEMA ext');
like($s->query("SELECT huf_take('fragile', as_of => '2026-01-08 12:00+00')")->{err}, qr/does not exist/, 'an extension that moved');
$t->sql('GRANT USAGE ON SCHEMA ext TO analyst');
like($s->query("SELECT ext.huf_install('mine')")->{out}, qr/schema mine/, "the pack is brought up to date");
my $moved = $s->query("SELECT hits FROM huf_take('fragile', as_of => '2026-01-08 12:00+00')");
like($moved->{out}, qr/90/, '... is found after huf_install()') or diag $moved->{err};
done_testing();
