# tools/huf-plot: pictures of few and of many namespaces, and what it says when
# something is missing.  Without gnuplot here, one that keeps its script plays it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => 0);
my $dir = $t->dir;
my $plot = "$FindBin::Bin/../../tools/huf-plot";

sub run_plot
{
	my $output = `'$plot' @_ 2>&1`;
	return ($? >> 8, $output);
}

sub contents
{
	open my $file, '<', $_[0] or return '';
	local $/;
	return <$file> // '';
}

# a fake one, where there is none, and to see what a real one would be told
my $drawn = system('command -v gnuplot >/dev/null 2>&1') == 0;
mkdir "$dir/bin";
open my $fake, '>', "$dir/bin/gnuplot";
print $fake "#!/bin/sh\ncat >>'$dir/script'\n";
close $fake;
chmod 0755, "$dir/bin/gnuplot";
$ENV{PATH} .= ":$dir/bin";

my ($status, $output) = run_plot();
is($status, 1, 'no pack');
like($output, qr/huf_install\('huf'\)/, '... and what to do');

$t->sql(<<'END');
SELECT huf_install();
CREATE TABLE few AS SELECT namespace, 0.5 AS score FROM unnest(ARRAY['kb', 'docs', '`touch pwned`', 'a "quoted"	name''s $(touch pwned)']) namespace, generate_series(1, 10);
SELECT huf.huf_take('few', as_of => '2026-01-01 12:00+00');
END
{
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	($status, $output) = run_plot('-o', $dir, '-f', 'svg');
	is($status, 0, 'one run of the only series') or diag $output;
	is(scalar(() = $output =~ /\.svg$/mg), 5, 'five pictures');
	my $script = contents("$dir/script");
	unlike($script, qr/pwned|quoted/, 'names are no part of the script');
}
$t->sql(<<'END');
INSERT INTO few SELECT 'wiki', 0.4 FROM generate_series(1, 12);
DELETE FROM few WHERE namespace = 'docs';
SELECT huf.huf_take('few', as_of => '2026-01-02 12:00+00');
CREATE TABLE many AS SELECT 'tenant-' || i % 200 AS namespace, 0.2 + (i % 7) / 10.0 AS score FROM generate_series(1, 1000) i;
SELECT huf.huf_take('many', as_of => timestamptz '2026-01-01 12:00+00' + d * interval '1 day') FROM generate_series(1, 3) d;
END
($status, $output) = run_plot('-o', $dir);
is($status, 1, 'two series');
like($output, qr/name a series with -s; there are:\nfew\nmany/, '... are named');
is((run_plot('-s', 'none'))[0], 1, 'one that has no runs');
is((run_plot('-f', 'gif'))[0], 2, 'a format that it does not have');
is((run_plot('-d', 'week'))[0], 2, 'days that are no number');
{
	mkdir "$dir/none";
	symlink $_, "$dir/none/" . ($_ =~ s,.*/,,r) for grep { -x } map { my $p = $_; map { "$_/$p" } split /:/, $ENV{PATH} } qw(bash env sed psql mktemp rm);
	local $ENV{PATH} = "$dir/none";
	($status, $output) = run_plot('-s', 'few');
	is($status, 1, 'without gnuplot');
	like($output, qr/gnuplot \(Debian: gnuplot-nox\) is missing/, '... it says what is missing');
}
SKIP:
{
	skip 'gnuplot is not here', 7 if !$drawn;
	for my $series (qw(few many))
	{
		($status, $output) = run_plot('-s', $series, '-o', "$dir/$series");
		is($status, 0, "$series drawn") or diag $output;
		is(scalar(grep { -s "$dir/$series/$series-$_.svg" && contents("$dir/$series/$series-$_.png") =~ /^.PNG/ } qw(shares coherence activity concentration heatmap)),
			5, '... as SVG and PNG');
	}
	my $shares = contents("$dir/few/few-shares.svg");
	like($shares, qr/\+ wiki/, 'a new namespace is marked');
	like($shares, qr/- docs/, 'and one that vanished');
	like(contents("$dir/many/many-heatmap.svg"), qr/160 others/, 'of many, the small are together');
}
ok(!-e 'pwned' && !-e "$dir/pwned", 'and nothing of a name was run');
done_testing();
