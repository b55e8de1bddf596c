#!/usr/bin/env perl
#
# The manifest of mutations, test/mutations/*.txt, and their edits of the source.
#
#	edit.pl list [NAME...]		NAME, FILE and TEST of all, or of these, a line each
#	edit.pl check				can all be made?  Says which not
#	edit.pl make NAME			make it, in the current directory
#
# A mutation is a paragraph:
#
#	NAME
#	file	the file that it is made in
#	why		the defect that it brings back
#	after	(or absent) a piece of one line of the file, which occurs there once
#	old		a piece of one line: it occurs once in the file, or it is the first after that
#	new		what stands in its place; nothing takes it away
#	test	what has to turn red: "regress NAME", "tap NAME", "random NAME [ARGUMENT...]", "unit" or "fuzz TARGET"
use strict;
use warnings;

use File::Basename qw(dirname);

my @fields = qw(file why after old new test);
my (@names, %mutation);

sub read_manifest
{
	my ($path) = @_;
	my $name;

	open my $in, '<', $path or die "$path: $!\n";
	while (my $line = <$in>)
	{
		chomp $line;
		next if $line =~ m{^#};
		if ($line =~ m{^\s*$})
		{
			undef $name;
		}
		elsif (!defined $name)
		{
			$name = $line;
			die "$path:$.: \"$name\" is no name\n" if $name !~ m{^\w+$};
			die "$path:$.: there are two of the name \"$name\"\n" if $mutation{$name};
			$mutation{$name} = {};
			push @names, $name;
		}
		else
		{
			my ($field, $value) = $line =~ m{^(\w+)(?:\t(.*))?$} or die "$path:$.: no field and its value\n";

			die "$path:$.: \"$field\" is none of: @fields\n" if !grep { $_ eq $field } @fields;
			$mutation{$name}{$field} = $value // '';
		}
	}
}

# The file's text with the edit made; dies where that cannot be.
sub edited
{
	my ($name) = @_;
	my $m = $mutation{$name};
	my $from = 0;
	my $text;

	for (qw(file why old new test))
	{
		die "$name: no \"$_\"\n" if !defined $m->{$_} || ($m->{$_} eq '' && $_ ne 'new');
	}
	open my $in, '<', $m->{file} or die "$name: $m->{file}: $!\n";
	$text = do { local $/; <$in> };
	if (defined $m->{after})
	{
		my $times = () = $text =~ m{\Q$m->{after}\E}g;

		die "$name: \"$m->{after}\" is $times times in $m->{file}\n" if $times != 1;
		$from = index($text, $m->{after}) + length $m->{after};
	}
	else
	{
		my $times = () = $text =~ m{\Q$m->{old}\E}g;

		die "$name: \"$m->{old}\" is $times times in $m->{file}\n" if $times != 1;
	}
	my $at = index($text, $m->{old}, $from);
	die "$name: \"$m->{old}\" is not in $m->{file}, or not after that\n" if $at < 0;
	die "$name: nothing is changed\n" if $m->{old} eq $m->{new};
	substr($text, $at, length $m->{old}) = $m->{new};
	return $text;
}

# Is there such a test?
sub check_test
{
	my ($name) = @_;
	my ($kind, $what) = split ' ', $mutation{$name}{test};
	my %file = (
		regress => "sql/%s.sql",
		tap => "test/t/%s.pl",
		random => "test/random/%s.pl",
		unit => "test/unit/run.sh",
		fuzz => "test/fuzz/corpus/%s",);

	die "$name: there is no kind of test \"$kind\"\n" if !$file{$kind};
	my $file = $file{$kind} =~ m{%s} ? sprintf($file{$kind}, $what // '') : $file{$kind};
	die "$name: there is no $file\n" if !-e $file;
}

my ($command, @wanted) = @ARGV;

read_manifest($_) for sort glob(dirname(__FILE__) . '/*.txt');
if (($command // '') eq 'list')
{
	for my $name (@names)
	{
		next if @wanted && !grep { $name =~ m{^\Q$_\E$} || "$mutation{$name}{file}" =~ m{^src/\Q$_\E/} } @wanted;
		print "$name\t$mutation{$name}{file}\t$mutation{$name}{test}\n";
	}
}
elsif (($command // '') eq 'check')
{
	my $bad = 0;

	for my $name (@names)
	{
		next if eval { edited($name); check_test($name); 1 };
		print $@;
		$bad++;
	}
	printf "%d passed, %d failed\n", @names - $bad, $bad;
	exit($bad > 0);
}
elsif (($command // '') eq 'make' && @wanted == 1 && $mutation{$wanted[0]})
{
	my $text = edited($wanted[0]);

	open my $out, '>', $mutation{$wanted[0]}{file} or die "$mutation{$wanted[0]}{file}: $!\n";
	print $out $text;
	close $out or die "$mutation{$wanted[0]}{file}: $!\n";
}
else
{
	die "usage: edit.pl list [NAME...] | check | make NAME\n";
}
