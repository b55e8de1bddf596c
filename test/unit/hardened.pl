#!/usr/bin/env perl
#
# Is the pinecone-local that is built hardened?  Read from the program itself, by
# readelf: it listens, and others run it.
#
#	test/unit/hardened.pl [PROGRAM]
use strict;
use warnings;

use FindBin;
use Test::More;

# Where another machine is emulated (test/arm64.sh) a script is in the program's place
my $built = "$FindBin::Bin/../server/pinecone-local";
my $program = $ARGV[0] // (-e "$built.arm64" ? "$built.arm64" : $built);

# What readelf prints with an option.
sub read_elf
{
	my ($option) = @_;

	open my $pipe, '-|', 'readelf', '--wide', $option, $program or die "could not run readelf: $!\n";
	my $text = do { local $/; <$pipe> };
	close $pipe or die "readelf fails for $program\n";
	return $text;
}

my ($header, $segments, $dynamic, $symbols) = map { read_elf($_) } '-h', '-l', '-d', '--dyn-syms';

like($header, qr/^\s*Type:\s+DYN/m, 'it is loaded anywhere (PIE)');
like($dynamic, qr/\(FLAGS_1\).*\bPIE\b/, '... being a program, no library');
like($segments, qr/^\s*GNU_RELRO\b/m, 'what the loader has set is read-only afterwards');
like($dynamic, qr/\(FLAGS_1\).*\bNOW\b|\(FLAGS\).*\bBIND_NOW\b/, '... the table of functions with it, for they are bound at the start');
like($segments, qr/^\s*GNU_STACK(?:\s+0x\S+){5}\s+RW\s/m, 'the stack is not executable');
unlike($segments, qr/^\s*LOAD(?:\s+0x\S+){5}\s+RWE\s/m, 'and nothing is writable and executable');
unlike($dynamic, qr/\(TEXTREL\)|\(RPATH\)|\(RUNPATH\)/, 'the code is not changed when it is loaded, nor are libraries looked for in odd places');
like($symbols, qr/\b__stack_chk_fail\b/, 'functions check that their frame was not overwritten');
like($symbols, qr/\b__\w+_chk\b/, 'and the C library that what it writes fits (_FORTIFY_SOURCE)');

done_testing;
