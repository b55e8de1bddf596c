#!/usr/bin/env perl
#
# ALTER EXTENSION UPDATE makes of an older extension what a fresh installation is,
# compared object by object (objects.sql).
#
#	test/package/upgrade.pl EXTENSION-DIRECTORY MODULE
#
# with a server that PGHOST, PGPORT ... lead to, and with its extension directory,
# where scripts are put.  Prints TAP.
#
# Released versions are those of test/package/released/pinecone_fdw--VERSION.sql:
# each is installed and updated to the version of the control file.  While there is
# only one version, the present script is cut in two, and its second half is the
# update; and lest the comparison be blind, each kind of statement is left out of an
# update once, and has to be missed.
use strict;
use warnings;

use File::Basename qw(basename);
use File::Temp qw(tempfile);
use FindBin;
use Test::More;

my ($extension_directory, $module) = @ARGV;
chdir "$FindBin::Bin/../..";

sub text_of
{
	my ($file) = @_;
	open my $in, '<:raw', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

my @made;
sub install
{
	my ($name, $text) = @_;
	my $file = "$extension_directory/$name";
	open my $out, '>:raw', $file or die "$file: $!\n";
	print $out $text;
	close $out;
	chmod 0644, $file;
	push @made, $file;
}
END { unlink @made }

# The objects after some statements, of which nothing stays
sub objects_after
{
	my ($statements) = @_;
	my ($out, $file) = tempfile(UNLINK => 1);
	print $out "BEGIN;\n$statements;\n", text_of('test/package/objects.sql'), "ROLLBACK;\n";
	close $out;
	my $output = qx(psql -XqAt -v ON_ERROR_STOP=1 -f $file 2>&1);
	return $? ? "error: $output" : $output;
}

sub differences
{
	my ($left, $right) = @_;
	my %left = map { $_ => 1 } split /\n/, $left;
	my %right = map { $_ => 1 } split /\n/, $right;
	return join "\n", map({ "- $_" } grep { !$right{$_} } sort keys %left), map({ "+ $_" } grep { !$left{$_} } sort keys %right);
}

# The statements of a script.  A semicolon at the end of a line ends one, but inside
# of a body.
sub statements_of
{
	my ($script) = @_;
	my (@statements, $statement, $quote);

	$script =~ s{^/\*.*?\*/}{}gms;
	for my $line (split /^/, $script)
	{
		next if !defined $statement && ($line =~ /^\s*(?:--.*|\\echo.*)?$/);
		$statement .= $line;
		while ($line =~ /(\$\w*\$)/g)
		{
			if (!defined $quote) { $quote = $1 }
			elsif ($quote eq $1) { undef $quote }
		}
		next if defined $quote || $line !~ /;\s*(?:--.*)?$/;
		push @statements, $statement;
		undef $statement;
	}
	die "a statement has no end: $statement\n" if defined $statement;
	return @statements;
}

sub kind_of
{
	my ($statement) = @_;
	$statement =~ s/^(?:\s*--.*\n)+//;
	return 'pg_extension_config_dump' if $statement =~ /^SELECT pg_catalog\.pg_extension_config_dump/;
	return $statement =~ /^((?:CREATE (?:OR REPLACE )?|COMMENT ON |ALTER )?(?:FOREIGN DATA WRAPPER|[A-Z]+))/ ? $1 : 'other';
}

my ($version) = text_of('pinecone_fdw.control') =~ /^default_version = '(.*)'$/m;
my $fresh_script = text_of("$extension_directory/pinecone_fdw--$version.sql");
my $fresh = objects_after('CREATE EXTENSION pinecone_fdw');
my $objects = () = $fresh =~ /\|exists\|/g;
cmp_ok($objects, '>', 400, "a fresh installation has $objects objects, " . ($fresh =~ tr/\n//) . ' properties');
is(differences($fresh, objects_after('CREATE EXTENSION pinecone_fdw')), '', 'another one the same');

# ---- What was released ----

my %exported = map { /\sT\s(\w+)$/ ? ($1 => 1) : () } qx(nm -D --defined-only $module);
for my $file (glob('test/package/released/pinecone_fdw--*.sql'), "$extension_directory/pinecone_fdw--$version.sql")
{
	my $script = text_of($file);
	my @wanted = $script =~ /AS 'MODULE_PATHNAME'\s*,\s*'(\w+)'/g;
	# without a name of its own, the function's
	push @wanted, map { /CREATE (?:OR REPLACE )?FUNCTION (\w+)/ ? $1 : () } grep { /AS 'MODULE_PATHNAME'(?!\s*,)/ } statements_of($script);
	cmp_ok(scalar @wanted, '>', 100, basename($file) . ': ' . @wanted . ' functions in C');
	is(join(' ', sort grep { !$exported{$_} } @wanted), '', 'the module has all of them');
}
for my $file (glob 'test/package/released/pinecone_fdw--*.sql')
{
	my ($old) = $file =~ /pinecone_fdw--(.*)\.sql$/;
	next if $old eq $version;
	install(basename($file), text_of($file));
	is(differences($fresh, objects_after("CREATE EXTENSION pinecone_fdw VERSION '$old'; ALTER EXTENSION pinecone_fdw UPDATE")), '', "from $old: what a fresh installation has");
}

# ---- The present script in two ----

my @statements = statements_of($fresh_script);
my ($half) = grep { kind_of($statements[$_]) !~ /^COMMENT/ } int(@statements / 20) .. $#statements;
my @second = @statements[$half .. $#statements];
install("pinecone_fdw--0.1.sql", join '', @statements[0 .. $half - 1]);

sub after_update
{
	install("pinecone_fdw--0.1--$version.sql", join '', @_);
	return objects_after("CREATE EXTENSION pinecone_fdw VERSION '0.1'; ALTER EXTENSION pinecone_fdw UPDATE");
}

is(differences($fresh, after_update(@second)), '', "an update of the last " . @second . ': what a fresh installation has');

# ---- Statements left out ----

my @kinds = ('CREATE AGGREGATE', 'CREATE INDEX', 'COMMENT ON FUNCTION', 'GRANT', 'REVOKE', 'pg_extension_config_dump');
for my $kind (@kinds)
{
	my $difference;
	for my $i (grep { kind_of($second[$_]) eq $kind } reverse 0 .. $#second)
	{
		my ($name) = $second[$i] =~ /^CREATE \w+ (\w+)/m;
		# what something else needs cannot be left out alone
		next if defined $name && grep { $_ != $i && $second[$_] =~ /\b$name\b/ && $second[$_] !~ /^COMMENT/ } 0 .. $#second;
		my @without = grep { $_ != $i && !(defined $name && $second[$_] =~ /^COMMENT ON \w+ $name\b/) } 0 .. $#second;
		$difference = differences($fresh, after_update(@second[@without]));
		last;
	}
	like($difference // 'no statement can be left out', qr/^- /, "$kind left out: is missed");
}

# ---- Statements that say something else ----

my @changes = (
	['a volatility', 'CREATE FUNCTION', sub { s/\bIMMUTABLE\b/STABLE/ }],
	['parallel safety', 'CREATE FUNCTION', sub { s/\bPARALLEL SAFE\b// }],
	['a column of a view', 'CREATE VIEW', sub { s/\A((?:(?!\nFROM).)*\bAS )(\w+)\b(?=,?\n)/$1$2_too/s }],
	['a default', 'CREATE TABLE', sub { s/\bDEFAULT 0\b/DEFAULT 1/ }],
);
for my $change (@changes)
{
	my ($what, $kind, $edit) = @$change;
	my $difference;
	for my $i (grep { kind_of($second[$_]) eq $kind } 0 .. $#second)
	{
		my @edited = @second;
		my $changed = 0;
		for ($edited[$i]) { $changed = $edit->() }
		next unless $changed;
		my $after = after_update(@edited);
		next if $after =~ /^error/;
		$difference = differences($fresh, $after);
		last;
	}
	like($difference // 'no statement has it', qr/^- /, "$what: is missed");
}
done_testing();
