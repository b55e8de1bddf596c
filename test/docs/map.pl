#!/usr/bin/env perl
#
# Print the map of the source for docs/internals.md: each C file with the
# sentence it opens with.  test/layers.pl checks that the page has it.
use strict;
use warnings;

use File::Basename qw(dirname);

chdir dirname(__FILE__) . '/../..' or die "$!\n";
my $folder = '';
for my $file (sort { ($a =~ m{(.*)/})[0] cmp ($b =~ m{(.*)/})[0] || $a cmp $b } glob('src/*.c src/*/*.c'))
{
	my ($dir, $name) = $file =~ m{^src/(?:(\w+)/)?(\w+\.c)$};
	my $text = '';

	$dir //= '';
	open my $in, '<', $file or die "$file: $!\n";
	while (<$in>)
	{
		last if m{^ \*/} || ($text ne '' && m{^ \*\s*$});
		$text .= " $1" if m{^ \*\t+(.*)$};
	}
	$text =~ s{^ }{};
	$text =~ s{^(.*?[.])\s.*$}{$1};
	$text =~ s{\|}{\\|}g;
	print "\n### `src/$dir`\n\n| file | what |\n|---|---|\n" if $dir ne $folder || $file eq 'src/hooks.c';
	$folder = $dir;
	print "| `$name` | $text |\n";
}
