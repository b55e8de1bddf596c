#!/usr/bin/env perl
#
# Print the map of the source for docs/internals.md: each C file with the
# sentence it opens with.  test/layers.pl checks that the page has it.
#
#	test/docs/map.pl			prints it
#	test/docs/map.pl --write	puts it into the page
use strict;
use warnings;

use File::Basename qw(dirname);

chdir dirname(__FILE__) . '/../..' or die "$!\n";

my $map = '';
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
	$map .= "\n### `src/$dir`\n\n| file | what |\n|---|---|\n" if $dir ne $folder || $file eq 'src/hooks.c';
	$folder = $dir;
	$map .= "| `$name` | $text |\n";
}
if (!@ARGV || $ARGV[0] ne '--write')
{
	print $map;
	exit;
}

my $page = 'docs/internals.md';
open my $in, '<', $page or die "$page: $!\n";
my $text = join '', <$in>;
close $in;
$map =~ s{^\s+|\s+$}{}g;
$text =~ s{(<!-- map -->\n).*(\n<!-- end of map -->)}{$1$map$2}s or die "$page has no place for the map\n";
open my $out, '>', $page or die "$page: $!\n";
print $out $text;
close $out or die "$page: $!\n";
