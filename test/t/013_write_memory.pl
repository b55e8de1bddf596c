# Writes of any length hold a bounded part of them in memory, and leave no
# files.  PINECONE_FDW_BIG=1 makes it 100,000 vectors of 768 dimensions.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $big = $ENV{PINECONE_FDW_BIG};
my $rows = 100_000;
my $dimension = $big ? 768 : 64;
my $most = 64 * 1024;    # kB

my $t = Harness->new;
my $host = $t->server->create_index('memory', dimension => $dimension);
my $file = $t->dir . '/rows.txt';

open my $out, '>', $file or die "$file: $!";
for my $n (1 .. $rows)
{
	print $out "v$n\t{", join(',', map { ($n * $_ * 7919 % 20011 + 1) / 10007 } 1 .. $dimension), "}\t$n\n";
}
close $out;
chmod 0644, $file;

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE transactional (id text, embedding real[], n int) SERVER s OPTIONS (namespace 't');
CREATE FOREIGN TABLE immediate (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'i', write_mode 'immediate');
END

# Files that are open, and those in the directory of temporary files
sub temporary_files
{
	my ($pid) = @_;
	return grep { m{/pgsql_tmp/} } $t->descriptors($pid), grep { -f } glob($t->dir . '/data/base/pgsql_tmp/*');
}

sub records
{
	my ($namespace) = @_;
	my $stats = $t->server->data('memory', 'POST', '/describe_index_stats', {});
	return ($stats->{namespaces}{$namespace} // {})->{vectorCount} // 0;
}

my $s;

# A session that has written a row: what it allocates once is not counted
sub begin_session
{
	my ($table) = @_;

	$s = $t->session;
	$s->query('SET jit = off; SET pinecone_fdw.write_buffer = 1024');
	$s->query("INSERT INTO $table SELECT 'first', array_fill(1::real, ARRAY[$dimension]), 0");
	$t->reset_peak_memory($s->pid);
	return $t->peak_memory($s->pid);
}

# Statements in a transaction; the memory that they take
sub check
{
	my ($name, $table, $end, @statements) = @_;
	my $before = begin_session($table);
	my @written;

	$s->query('BEGIN');
	for (@statements)
	{
		my $result = $s->query($_, 600);

		is($result->{err}, '', "$name, $table: $_");
	}
	@written = temporary_files($s->pid);
	if ($table eq 'transactional')
	{
		ok(@written > 0, "$name, $table: writes wait in a file");
	}
	my $result = $s->query($end, 600);
	is($result->{err}, '', "$name, $table: $end");
	my $grown = $t->peak_memory($s->pid) - $before;
	cmp_ok($grown, '<', $most, "$name, $table: memory grew by $grown kB");
	is(scalar temporary_files($s->pid), 0, "$name, $table: no file is left");
	note(sprintf '%s, %s: %.1f s for the end', $name, $table, $result->{seconds});
}

for my $table ('transactional', 'immediate')
{
	my $namespace = substr $table, 0, 1;

	if ($table eq 'transactional')
	{
		check('rolled back', $table, 'ROLLBACK', "COPY $table FROM '$file'");
		is(records($namespace), 1, "rolled back, $table: nothing is written");
		check('rolled back to a savepoint', $table, 'COMMIT', 'SAVEPOINT a', "COPY $table FROM '$file'", 'ROLLBACK TO a',
			"INSERT INTO $table SELECT 'later' || g, array_fill(g::real, ARRAY[$dimension]), 0 FROM generate_series(1, 10) g");
		is(records($namespace), 11, "rolled back to a savepoint, $table: what came after it is written");
	}
	if ($table eq 'transactional')
	{
		check('reading pending writes', $table, 'ROLLBACK', "COPY $table FROM '$file'",
			"DO 'BEGIN ASSERT (SELECT count(*) FROM (SELECT id, embedding FROM $table OFFSET 0) s) = $rows + 11; END'");
	}
	check('COPY', $table, 'COMMIT', "COPY $table FROM '$file'");
	is(records($namespace), $rows + ($table eq 'transactional' ? 11 : 1), "COPY, $table: all is written");
	check('INSERT SELECT', $table, 'COMMIT', "INSERT INTO $table SELECT 'w' || id, embedding, n FROM $table WHERE n > 0");
	is(records($namespace), 2 * $rows + ($table eq 'transactional' ? 11 : 1), "INSERT SELECT, $table: all is written");
	check('UPDATE', $table, 'COMMIT', "UPDATE $table SET n = NULL WHERE n > $rows - 20000 AND length(id) > 0");
	check('DELETE', $table, 'COMMIT', "DELETE FROM $table WHERE length(id) > 0");
	is(records($namespace), 0, "DELETE, $table: nothing is left");
}

# a statement that fails half way leaves no file either
for my $table ('transactional', 'immediate')
{
	begin_session($table);
	$s->query("COPY $table FROM '$file'");
	$s->query('BEGIN');
	my $result = $s->query(<<"STATEMENT");
DO \$\$
BEGIN
	INSERT INTO $table SELECT 'x' || id, embedding, 1 / (n - 77777) FROM $table;
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'caught';
END
\$\$
STATEMENT
	like($result->{err}, qr/caught/, "caught, $table: the error");
	is($s->query('COMMIT')->{err}, '', "caught, $table: COMMIT");
	is(scalar temporary_files($s->pid), 0, "caught, $table: no file is left");
}
unlike($t->log, qr/temporary file leak/, 'no file leaked');
done_testing;
