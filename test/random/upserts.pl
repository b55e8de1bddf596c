#!/usr/bin/env perl
#
# Random INSERT ... ON CONFLICT (id) DO UPDATE, of all and of some columns, and DO
# NOTHING, to a foreign table and to a local one: what RETURNING shows, how many rows
# there were, and what is there afterwards are the same.  In transactions with other
# writes, some of them rolled back; at once; while the service lags.
#
#	test/random/upserts.pl [SEED [STATEMENTS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use Test::More;

my $seed = $ARGV[0] // time;
my $nstatements = $ARGV[1] // 150;
my @columns = qw(embedding t n tags);

srand $seed;
diag("seed $seed");

sub pick { return $_[rand @_] }

sub value
{
	my ($column) = @_;

	return "'{" . join(',', map { int(rand 9) + 1 } 1 .. 3) . "}'" if $column eq 'embedding';
	return pick('NULL', "'text'", "'o''clock'", "''") if $column eq 't';
	return pick('NULL', 0, 1, 2020, -5) if $column eq 'n';
	return pick('NULL', "'{red}'", "'{red,green}'");
}

# A statement, with %T for the table.
sub statement
{
	my $kind = int rand 10;
	my $id = sub { "'k" . int(rand 12) . "'" };

	return 'UPDATE %T SET n = ' . value('n') . ', t = ' . value('t') . ' WHERE id = ' . $id->() if $kind == 0;
	return 'DELETE FROM %T WHERE id = ' . $id->() if $kind == 1;
	my @given = grep { $_ eq 'embedding' || rand() < 0.6 } @columns;
	my @set = $kind < 5 ? grep { rand() < 0.5 } @columns : @columns;
	my $n = $kind == 9 ? 12 : int(rand 4) + 1;
	my %seen;
	my @rows = map { my $i = $_; "($i, " . join(', ', map { value($_) } @given) . ')' } grep { !$seen{$_}++ } map { $id->() } 1 .. $n;
	my $set = @set ? join(', ', map { "$_ = EXCLUDED.$_" } @set) : 'id = EXCLUDED.id';

	return 'INSERT INTO %T (' . join(', ', 'id', @given) . ') VALUES ' . join(', ', @rows) . ' ON CONFLICT (id) ' .
		($kind == 8 ? 'DO NOTHING' : "DO UPDATE SET $set") . pick('', ' RETURNING *');
}

for my $config (
	{mode => 'transactional', args => []},
	{mode => 'transactional', args => ['--lag', 30]},
	{mode => 'immediate', args => []})
{
	my $t = Harness->new(pinecone => $config->{args});
	my $types = 'id text COLLATE "C", embedding real[], t text, n int, tags text[]';
	my $name = join ' ', $config->{mode}, @{$config->{args}};
	my $wrong = 0;

	$t->server->create_index('upserts', dimension => 3, metric => 'cosine');
	$t->sql("CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('upserts')]})");
	$t->sql(q{CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key')});
	$t->sql("CREATE FOREIGN TABLE there ($types) SERVER s OPTIONS (namespace 'a', write_mode '$config->{mode}')");
	$t->sql("CREATE TABLE here ($types, PRIMARY KEY (id))");
	my $session = $t->session;
	$session->query("LOAD 'pinecone_fdw'");
	my $open = 0;
	my @history;
	my $same = sub {
		my ($what) = @_;
		my %shown = map { my $table = $_; $table => $session->query($what =~ s/%T/$table/gr) } qw(there here);

		# a statement's rows come in its order
		return if $shown{there}{out} eq $shown{here}{out} && ($shown{there}{err} eq '') == ($shown{here}{err} eq '');
		$wrong++ or diag("$name, seed $seed:\n", join(";\n", @history, $what), "\nthere: $shown{there}{out}$shown{there}{err}\nhere: $shown{here}{out}$shown{here}{err}");
	};
	for (1 .. $nstatements / 3)
	{
		if (!$open && $config->{mode} eq 'transactional' && rand() < 0.2)
		{
			$session->query('BEGIN');
			push @history, 'BEGIN';
			$open = 1;
		}
		my $statement = statement();
		$same->($statement);
		push @history, $statement;
		if ($open && rand() < 0.3)
		{
			my $end = pick('COMMIT', 'ROLLBACK');
			$session->query($end);
			push @history, $end;
			$open = 0;
		}
		$same->('SELECT * FROM %T ORDER BY id');
	}
	$session->query('COMMIT') if $open;
	$same->('SELECT * FROM %T ORDER BY id');
	is($wrong, 0, $name);
	cmp_ok($t->sql('SELECT count(*) FROM here'), '>', 3, 'there are rows');
	$session->close;
}
done_testing();
