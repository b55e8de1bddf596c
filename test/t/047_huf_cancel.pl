# Statistics over millions of values end soon after they are cancelled, wherever
# in them that is.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

# What a backend may do after a cancel, in seconds of its processor time: how long that takes
# depends on what else the machine does
my $SOON = 0.5;

my $t = Harness->new(pinecone => 0, conf => ['jit = off', 'max_parallel_workers_per_gather = 0']);

$t->sql(<<'END');
CREATE UNLOGGED TABLE sample AS SELECT hashint8(i)::float8 / 1e4 AS x, i % 2 = 0 AS later FROM generate_series(1, 6000000) i;
VACUUM ANALYZE sample;
CREATE UNLOGGED TABLE many AS SELECT array_agg((CASE WHEN i % 3 = 0 THEN 'a' END, hashint8(i)::text || i, 1 + i % 1000)::huf_hit) AS hits FROM generate_series(1, 400000) i;
END

sub processor_time
{
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or die "no /proc/$pid/stat: $!\n";
	my (undef, @fields) = split /\) /, <$file>;
	my @ticks = (split / /, $fields[-1])[11, 12];
	return ($ticks[0] + $ticks[1]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

for (
	['SELECT huf_ks(x, later) FROM sample', 'Kolmogorov-Smirnov, both signs'],
	['SELECT huf_w1(x, later) FROM sample', 'W1, both signs'],
	['SELECT huf_ks(abs(x), later) FROM sample', 'Kolmogorov-Smirnov, one sign'],
	['SELECT count(*) FROM many, huf_active_set(hits, 0)', 'a cycle'],
  )
{
	my ($query, $what) = @$_;
	my $s = $t->session;
	my $pid = $s->pid;
	my $start = time;

	$s->query($query, 60);
	my $whole = time - $start;
	for my $share (0.5, 0.7, 0.8, 0.9, 0.97)
	{
		$s->send($query);
		sleep $whole * $share;
		my $used = processor_time($pid);
		kill INT => $pid;
		$s->result(60);
		my $late = processor_time($pid) - $used;
		cmp_ok($late, '<', $SOON, sprintf '%s: %.0f %% of %.1f s', $what, 100 * $share, $whole);
	}
	$s->close;
}
done_testing();
