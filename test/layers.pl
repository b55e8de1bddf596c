#!/usr/bin/env perl
#
# Check that the house keeps its walls.  Each breach is a line "FILE:LINE: what",
# and a "not ok"; the rules are those of docs/internals.md, "The folders".
#
#	test/layers.pl [DIRECTORY]		the source tree, by default the one this is in
#
# Calls are looked up in object files: build first.
use strict;
use warnings;

use File::Basename qw(basename dirname);

my $root = shift // dirname(__FILE__) . '/..';
chdir $root or die "cannot enter $root: $!\n";

# A file may include and call files of its own folder and of those before it
my @order = qw(base option wire client value request pending outbox scan plan modify admin);
my %rank = map { $order[$_] => $_ } 0 .. $#order;

# huf stands aside: it may use these alone
my %huf_may = (base => 1, huf => 1);

use constant LINES_MAX => 700;

# Longer functions open with what they do
use constant FUNCTION_MAX => 35;

my @breaches;

sub breach
{
	my ($file, $line, $what) = @_;

	push @breaches, "$file:$line: $what";
}

sub lines_of
{
	my ($file) = @_;

	open my $in, '<', $file or die "$file: $!\n";
	my @lines = <$in>;
	return @lines;
}

sub folder
{
	my ($file) = @_;

	return $file =~ m{^src/(\w+)/} ? $1 : '';
}

# May a file of $from know $path (folder/name)?
sub may_know
{
	my ($from, $path) = @_;
	my ($to) = $path =~ m{^(\w+)/};

	return 1 if $from eq '';
	return 0 if !defined $to; # none of the folders may know what stands after them all
	return $huf_may{$to} || $huf_may{$path} if $from eq 'huf';
	return 0 if !exists $rank{$from} || !exists $rank{$to};
	return $rank{$to} <= $rank{$from};
}

my $internals = join '', lines_of('docs/internals.md');

# The table of callbacks there has a row for each function and file
sub callback_is_told
{
	my ($function, $file) = @_;
	my $name = $file =~ s{^src/}{}r;

	return $internals =~ m{^\| `\Q$function\E` \| `\Q$name\E` \|}m;
}

my @sources = sort glob('src/*.[ch] src/*/*.[ch]');
my @checked = (@sources, sort glob('test/server/*.[ch]'));
my %is_own = map { s{^src/}{}r => 1 } @sources;

# One sentence of the opening comment, without the file's name
sub opening
{
	my @lines = @_;
	my $text = '';

	for (@lines[1 .. ($#lines < 12 ? $#lines : 12)])
	{
		last if m{\*/} || m{^ \*\s*$};
		$text .= " $1" if m{^ \*\s+(.*)$};
	}
	$text =~ s{^ \w+\.[ch] *}{};
	$text =~ s{\s+}{ }g;
	return $text =~ m{^(.*?[.:])( |$)} ? $1 : $text;
}

# The long functions that no comment stands before, as [line, name, length]
sub unexplained
{
	my @lines = @_;
	my @found;
	my $end;

	for (my $i = 0; $i < @lines; $i = $end + 1)
	{
		my $start = $i;

		$end = $i;
		next if $lines[$i] !~ m{^\{};
		$end++ while $end < $#lines && $lines[$end] !~ m{^\}};
		next if $end - $i - 1 <= FUNCTION_MAX;
		$start-- while $start > 0 && $lines[$start - 1] !~ m{^\s*$|\*/\s*$};
		my ($name) = join('', @lines[$start .. $i - 1]) =~ m{(\w+)\(};
		push @found, [$start + 1, $name, $end - $i - 1] if defined $name && ($start == 0 || $lines[$start - 1] !~ m{\*/\s*$});
	}
	return @found;
}

# ---- What single files hold ----

# What other majors have in headers of their own, or not at all: 15 brings it along
my @apart = (
	[qr{\b(?:SET_)?VAR(?:DATA|SIZE)(?:_[A-Z_]+)?\(|\bpg_noreturn\b|\bstrtoi64\b}, 'base/compat.h'],
	[qr{\bPG_WAIT_EXTENSION\b}, 'utils/wait_event.h', 'base/compat.h'],
	[qr{\b(?:heap_form_tuple|heap_getattr|heap_deform_tuple|GETSTRUCT)\(|\bMINIMAL_TUPLE|\btuple->t_len\b}, 'access/htup_details.h'],
);

# The headers that a file includes, its own ones' too
my %headers_of;
sub headers_of
{
	my ($file) = @_;

	if (!$headers_of{$file})
	{
		my %found;

		$headers_of{$file} = \%found;
		for my $line (lines_of($file))
		{
			next if $line !~ m{^#include "([\w/.]+)"};
			$found{$1} = 1;
			%found = (%found, %{headers_of("src/$1")}) if $is_own{$1};
		}
	}
	return $headers_of{$file};
}

my %opening;
for my $file (@checked)
{
	my @lines = lines_of($file);
	my $number = 0;

	breach($file, scalar @lines, 'more than ' . LINES_MAX . ' lines: look for the seam') if @lines > LINES_MAX;
	breach($file, $_->[0], "$_->[1]() has $_->[2] lines and does not open with what it does") for unexplained(@lines);
	for my $line (@lines)
	{
		$number++;
		next if $file !~ m{^src/};
		if ($line =~ m{^#include "([\w/.]+)"} && $is_own{$1} && !may_know(folder($file), $1))
		{
			breach($file, $number, "\"" . folder($file) . "\" stands before \"$1\" and may not include it");
		}
		breach($file, $number, 'libcurl is client/http.c\'s alone')
			if $line =~ m{^#include <curl/} && $file ne 'src/client/http.c';
		breach($file, $number, 'json-c is wire/parsed.h\'s alone, and this is wire/message*.c\'s')
			if ($line =~ m{^#include <json-c/} && $file ne 'src/wire/parsed.h') ||
			($line =~ m{^#include "wire/parsed\.h"} && $file !~ m{^src/wire/(?:parsed|message\w*)\.c$});
		breach($file, $number, 'PostgreSQL\'s versions are base/compat\'s alone')
			if $line =~ m{PG_VERSION_NUM} && $file !~ m{^src/base/compat\.[ch]$};
		breach($file, $number, 'PostgreSQL 18 has no pg_attribute_noreturn(): pg_noreturn stands in front, with base/compat.h')
			if $line =~ m{\bpg_attribute_noreturn\b} && $file ne 'src/base/compat.h';
		breach($file, $number, 'PostgreSQL 19 has other arguments: pinecone_push_jsonb()')
			if $line =~ m{\bpushJsonbValue\b} && $file ne 'src/base/compat.h';
		breach($file, $number, "PostgreSQL 19 has no list of them: pinecone_is_result_relation()")
			if $line =~ m{es_plannedstmt->resultRelations\b} && $file ne 'src/base/compat.h';
		breach($file, $number, 'PostgreSQL 19 is not built with comments that let cases fall through: list them together')
			if $line =~ m{/\*\s*fall[- ]?s?\s?through}i;
		breach($file, $number, 'hooks are installed in hooks.c')
			if $line =~ m{^\s+\w+_hook = } && $file ne 'src/hooks.c';
		breach($file, $number, "registers a callback ($1) that docs/internals.md does not list")
			if $line =~ m{\b(Register(?:Sub)?XactCallback|CacheRegisterSyscacheCallback|RegisterResourceReleaseCallback|on_proc_exit|before_shmem_exit)\(}
			&& !callback_is_told($1, $file);
	}
	for my $apart ($file =~ m{^src/.*\.c$} ? @apart : ())
	{
		my ($name, @headers) = @$apart;
		my ($first) = grep { $lines[$_] =~ $name } 0 .. $#lines;

		breach($file, $first + 1, "uses what other majors have in \"$headers[0]\" alone, without including it")
			if defined $first && !grep { headers_of($file)->{$_} } @headers, 'varatt.h';
	}
	$opening{$file} = opening(@lines);
}

for my $header (grep { m{\.h$} } @checked)
{
	my $source = $header =~ s{h$}{c}r;

	breach($header, 3, "opens with the sentence that opens $source: the header says the contract, the file how")
		if defined $opening{$source} && $opening{$source} ne '' && $opening{$source} eq $opening{$header};
}

# ---- What files call ----

my (%defined_in, %needs, %calls);
for my $source (grep { m{\.c$} } @sources)
{
	my $object = $source =~ s{c$}{o}r;

	die "$object is not there: build first\n" if !-e $object;
	for (`nm '$object'`)
	{
		my @word = split;
		if (@word == 3 && $word[1] =~ m{^[TDBRC]$})
		{
			$defined_in{$word[2]} = $source;
		}
		elsif (@word == 2 && $word[0] eq 'U')
		{
			push @{$needs{$source}}, $word[1];
		}
	}
}
for my $source (sort keys %needs)
{
	for my $symbol (@{$needs{$source}})
	{
		my $other = $defined_in{$symbol};

		next if !defined $other || $other eq $source || folder($source) eq '';
		push @{$calls{$source}{$other}}, $symbol;
		breach($source, 1, "calls $symbol of $other, which stands after it")
			if !may_know(folder($source), $other =~ s{^src/}{}r) && $other !~ m{^src/\w+\.c$};
		breach($source, 1, "calls $symbol of $other, which stands after all folders")
			if $other =~ m{^src/\w+\.c$};
	}
}

# Circles: two files that call each other are let pass where internals.md says why
my %reaches;
for my $source (sort keys %calls)
{
	my @todo = keys %{$calls{$source}};

	while (defined(my $next = shift @todo))
	{
		push @todo, keys %{$calls{$next} // {}} if !$reaches{$source}{$next}++;
	}
}
my %told;
for my $source (sort keys %reaches)
{
	next if !$reaches{$source}{$source} || $told{$source};
	my @circle = grep { $reaches{$source}{$_} && $reaches{$_}{$source} } sort keys %reaches;
	my $names = join ' and ', map { '`' . s{^src/}{}r . '`' } @circle;

	$told{$_} = 1 for @circle;
	next if @circle == 2 && index($internals, $names) >= 0;
	breach($source, 1, @circle == 2 ? "is in a circle, $names: open it, or say why in docs/internals.md" : "is in a circle of @{[scalar @circle]} files: $names");
}

# ---- The map ----

my ($map) = $internals =~ m{<!-- map -->\n(.*)\n<!-- end of map -->}s;
my $made = `test/docs/map.pl`;
$made =~ s{^\s+|\s+$}{}g;
breach('docs/internals.md', 1, 'its map is not what test/docs/map.pl prints') if !defined $map || $map ne $made;

# ---- One version ----

my %version = (
	'pinecone_fdw.control' => qr{^default_version = '([\d.]+)'}m,
	'Makefile' => qr{^EXTVERSION = ([\d.]+)$}m,
	'debian/changelog' => qr{\A\S+ \(([\d.]+)\)},
	'META.json' => qr{"version": "([\d]+\.[\d]+)\.\d+",\s+"maintainer"},
	'src/client/call.c' => qr{USER_AGENT "pinecone_fdw/([\d.]+);},
);
my %found;
for my $file (sort keys %version)
{
	my ($number) = join('', lines_of($file)) =~ $version{$file};

	push @{$found{$number // 'none'}}, $file;
}
breach('pinecone_fdw.control', 1, 'versions differ: ' . join ', ', map { "$_ in @{$found{$_}}" } sort keys %found) if keys %found > 1;

print "not ok - $_\n" for @breaches;
print "ok - the layers hold\n" if !@breaches;
exit(@breaches ? 1 : 0);
