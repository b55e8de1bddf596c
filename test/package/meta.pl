#!/usr/bin/env perl
#
# META.json is what PGXN takes (PGXN Meta Spec 1.0), and says of the distribution
# what is so.
#
#	test/package/meta.pl FILE...	the files of the distribution
#
# Prints TAP.
use strict;
use warnings;

use FindBin;
use JSON::PP;
use Test::More;

chdir "$FindBin::Bin/../..";
my %files = map { $_ => 1 } @ARGV;

sub text_of
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

my $meta = JSON::PP->new->utf8->decode(text_of('META.json'));
my $version = qr/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?$/;
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3
	lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);

sub is_text
{
	my ($value) = @_;
	return defined $value && !ref $value && length $value;
}

# A range such as ">= 1.0.0, != 1.2.0", or any version: 0
sub is_range
{
	my ($range) = @_;
	return 1 if "$range" eq '0';
	return !grep { !/^(?:(?:[<>]=?|[!=]=)\s*)?(\S+)$/ || $1 !~ $version } split /\s*,\s*/, $range;
}

is_deeply([grep { !exists $meta->{$_} } qw(name version abstract maintainer license provides meta-spec)], [], 'all that is required is there');
my %known = map { $_ => 1 } qw(name version abstract maintainer license provides meta-spec description generated_by tags no_index prereqs release_status resources);
is_deeply([grep { !$known{$_} && !/^x_/i } sort keys %$meta], [], 'nothing else is');
ok(is_text($meta->{$_}), "$_ is a text") for qw(name abstract description maintainer);
like($meta->{name}, qr{^[^\s/\\.-][^\s/\\]+$}, 'the name is a term');
like($meta->{version}, $version, 'the version is a semantic one');
is($meta->{'meta-spec'}{version}, '1.0.0', 'version of the specification');
ok($licenses{$meta->{license}}, 'the license is one that PGXN knows');
like(text_of('LICENSE'), qr/PostgreSQL License/, 'and the one that LICENSE has');
is_deeply([grep { ref $_ || !/^[^\/\\\x00-\x1f]{1,255}$/ } @{$meta->{tags}}], [], 'tags');

for my $phase (sort keys %{$meta->{prereqs}})
{
	ok(scalar(grep { $phase eq $_ } qw(configure build test runtime develop)), "phase $phase");
	for my $relation (sort keys %{$meta->{prereqs}{$phase}})
	{
		ok(scalar(grep { $relation eq $_ } qw(requires recommends suggests conflicts)), "$phase $relation");
		my $needed = $meta->{prereqs}{$phase}{$relation};
		is_deeply([grep { !is_range($needed->{$_}) } keys %$needed], [], "versions that it $relation");
	}
}
my ($oldest) = text_of('src/base/compat.h') =~ /#if PG_VERSION_NUM < (\d+)0000\n#error/;
is($meta->{prereqs}{runtime}{requires}{PostgreSQL}, "$oldest.0.0", 'PostgreSQL as compat.h has it');

my ($control) = text_of('pinecone_fdw.control') =~ /^default_version = '(.*)'$/m;
is($meta->{version}, "$control.0", 'the version is that of the control file');
is_deeply([keys %{$meta->{provides}}], ['pinecone_fdw'], 'it provides the extension');
my $provided = $meta->{provides}{pinecone_fdw};
is($provided->{version}, $meta->{version}, 'of that version');
ok($files{$provided->{$_}}, "$_ $provided->{$_} is in the distribution") for qw(file docfile);
ok($files{$_}, "so is $_") for qw(META.json Makefile README.md LICENSE CHANGELOG.md);
is_deeply([grep { /\.(o|so|bc)$|node_modules|\/\.git\// } @ARGV], [], 'and nothing that was built');
done_testing();
