#!/usr/bin/env perl
#
# Lines of the documents are at most 120 characters long, so that a change shows
# in few of them.  Tables and code are as long as they are.
#
#	test/docs/wrap.pl [--write] [FILE...]
#
# tells the lines that are longer, by default of README.md, CHANGELOG.md, docs/ and
# findings/; or wraps their paragraphs.  Exit status 1: there are some.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));

use File::Basename qw(dirname);

use constant LONGEST => 120;

my $write = @ARGV && $ARGV[0] eq '--write' ? shift : 0;
my @files = @ARGV;
if (!@files)
{
	chdir dirname(__FILE__) . '/../..' or die "$!\n";
	@files = ('README.md', 'CHANGELOG.md', glob('docs/*.md findings/*.md'));
}

# One paragraph or item of a list, its first line and the others with their indents
sub wrapped
{
	my (@lines) = @_;
	my ($first) = $lines[0] =~ m{^(\s*(?:[-*]\s+|\d+\.\s+)?)};
	my $rest = $first =~ m{\S} ? ' ' x length $first : $first;
	my $text = join ' ', map { s{^\s+|\s+$}{}gr } @lines;
	my $line = $first;
	my @result;

	$text =~ s{^\s*(?:[-*]\s+|\d+\.\s+)}{} if $first =~ m{\S};
	# code stays in one piece, and a line that begins with these would be something else
	$text =~ s{(`[^`]+`)}{$1 =~ tr/ /\x{a0}/r}ge;
	for my $word (split m{ (?![-*+#>|] |\d+\. )}, $text)
	{
		if (length("$line $word") > LONGEST && $line =~ m{\S} && $line ne $first)
		{
			push @result, $line;
			$line = $rest;
		}
		$line .= ($line eq $first && !@result || $line eq $rest && @result ? '' : ' ') . $word;
	}
	return map { tr/\x{a0}/ /r } (@result, $line);
}

my $longer = 0;
for my $file (@files)
{
	open my $in, '<', $file or die "$file: $!\n";
	chomp(my @lines = <$in>);
	close $in;

	my (@out, @paragraph);
	my ($code, $start) = (0, 0);
	my $flush = sub {
		return if !@paragraph;
		if (grep { length > LONGEST } @paragraph)
		{
			my @new = wrapped(@paragraph);
			if (join("\n", @new) ne join("\n", @paragraph))
			{
				for (0 .. $#paragraph)
				{
					next if length $paragraph[$_] <= LONGEST;
					$longer++;
					print "$file:", $start + $_, ": more than ", LONGEST, " characters (test/docs/wrap.pl --write wraps it)\n" if !$write;
				}
				@paragraph = @new;
			}
		}
		push @out, @paragraph;
		@paragraph = ();
	};
	for my $n (0 .. $#lines)
	{
		my $line = $lines[$n];
		my $fence = $line =~ m{^\s*```};

		if ($code || $fence || $line =~ m{^\s*$|^\s*\||^#|^ {4,}(?![ ]*[-*] )|^\s*<} && !(@paragraph && $line =~ m{^ {4,}\S} && $paragraph[0] =~ m{^\s*(?:[-*]|\d+\.)\s}))
		{
			$code = !$code if $fence;
			$flush->();
			push @out, $line;
			next;
		}
		$flush->() if $line =~ m{^\s*(?:[-*]|\d+\.)\s};
		$start = $n + 1 if !@paragraph;
		push @paragraph, $line;
	}
	$flush->();
	next if !$write || join("\n", @out) eq join("\n", @lines);
	open my $to, '>', $file or die "$file: $!\n";
	print $to map { "$_\n" } @out;
	close $to or die "$file: $!\n";
}
exit($longer && !$write ? 1 : 0);
