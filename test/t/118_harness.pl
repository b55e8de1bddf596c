# Tests end whatever happens to them: who waits for their output would wait for ever.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use FakeServer;
use Test::More;

# What a program in Perl prints, in 20 s, and the signal that ended it
sub output_of
{
	my ($program) = @_;
	my $out = '';

	eval {
		local $SIG{ALRM} = sub { die "it does not end\n" };
		alarm 20;
		open my $pipe, '-|', $^X, "-I$FindBin::Bin", "-I$FindBin::Bin/../lib", '-e', "\$| = 1; $program" or die "no perl: $!\n";
		$out = do { local $/; <$pipe> } // '';
		close $pipe;
		alarm 0;
	};
	return $@ ? "$out$@" : $out . ($? & 127 ? 'signal ' . ($? & 127) : 'end');
}

my $server = 'use FakeServer; my @servers = map { FakeServer->new(sub { return {} }) } 1 .. 3;';
is(output_of("$server print 1;"), '1end', 'a test with servers ends');
is(output_of("$server print 1; kill KILL => \$\$;"), '1signal 9', 'and they end when it is killed');

# There is no such server, and psql is gone at once
# What was not taken from Perl is tried again at every second write
is(output_of('use Harness; open STDERR, ">", "/dev/null";
	for my $n (1 .. 4)
	{
		my $s = Harness::Session->new({PGHOST => "/nowhere"});
		my ($lost) = map { $s->query("SELECT $_")->{lost} } 1 .. $n;
		$s->close;
		print $lost;
	}'), '1111end', 'a lost session is closed');

done_testing;
