# Memory and descriptors that run out: an error, and the session goes on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use Faulty;
use Harness;
use Test::More;
use Time::HiRes qw(time);

my $faulty = Faulty->new;
my $t = $faulty->harness(conf => ['max_files_per_process = 64']);
my $host = $t->server->create_index('real', dimension => 2);
$t->server->upsert('real', '', [map { +{id => sprintf('r%03d', $_), values => [$_, 1], metadata => {n => $_}} } 1 .. 250]);
$t->sql(<<"END");
CREATE SERVER real FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', request_timeout '2s', connect_timeout '2s', max_retries '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER real OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE real (id text, embedding real[], n int) SERVER real;
CREATE EXTENSION dblink;
END

my %statements = (
	'SELECT count(*), sum(n) FROM real' => '250|31375',
	"SELECT count(*) FROM (SELECT id FROM real ORDER BY embedding <=> '{3,1}' LIMIT 7) x" => 7,
	"SELECT n FROM real WHERE id IN ('r001', 'r002') ORDER BY n" => "1\n2",
);

# ---- One allocation inside a library fails ----

# a few of libcurl's in each run: there are hundreds
my %step = (libcurl => $ENV{PINECONE_ALL_POINTS} ? 1 : 7);
for my $library (sort keys %step)
{
	for my $statement (sort keys %statements)
	{
		my ($points, $errors, $slow) = (0, 0, 0);
		my (@wrong, $s);

		# in a session that has not used it, and in one that has
		for my $warm (0, 1)
		{
			$s = $t->session if $warm;
			$s->query($statement) if $warm;
			for (my $n = 1; $n < 3000; $n += $step{$library})
			{
				my $fresh = $warm ? $s : $t->session;
				my $pid = $fresh->pid;
				my $failed = $faulty->get('failed');
				$faulty->set(library => $library, process => $pid, countdown => $n);
				my $result = eval { $fresh->query($statement, 10) } // {err => "no result\n", out => '', seconds => 10, lost => 0};
				my $hit = $faulty->get('failed') > $failed;
				$faulty->set(countdown => 0);
				my $again = $result->{lost} ? $result : eval { $fresh->query($statement, 10) } // {err => "no result\n", out => ''};
				$points++ if $hit;
				$errors++ if $result->{err} ne '';
				push @wrong, "$n: $result->{out}" if $result->{err} eq '' && $result->{out} ne $statements{$statement};
				push @wrong, "$n: $result->{err}" if $result->{lost} || $result->{err} =~ /no result/;
				push @wrong, "$n: afterwards $again->{err}$again->{out}" if $again->{out} ne $statements{$statement};
				push @wrong, "$n: took $result->{seconds} s" if $result->{seconds} > 3.5;
				$fresh->close if !$warm;
				# what a session ended by tells the server's log alone
				diag grep { /terminated by|PANIC|FATAL/ } split /^/, $t->log if $again->{lost};
				last if !$hit || @wrong > 5 || $again->{lost};
			}
		}
		cmp_ok($points, '>', 5, "$library: $statement: points");
		is(join("\n", @wrong), '', "$library: an allocation that fails is an error ($errors of $points), and no more than that");
	}
}

# ---- One allocation in the start of the module fails ----

{
	my (@wrong, $points);
	for my $n (1 .. 200)
	{
		my $s = $t->session;
		my $failed = $faulty->get('failed');
		my $pid = $s->pid;
		$s->query('SELECT 1');
		$faulty->set(library => '', process => $pid, countdown => $n);
		my $result = $s->query("LOAD 'pinecone_fdw'");
		my $hit = $faulty->get('failed') > $failed;
		$faulty->set(countdown => 0);
		# PostgreSQL itself ends a session that has no memory for a setting's text
		next if $result->{lost} && $result->{err} =~ /^FATAL:  out of memory/ && ++$points;
		my $again = $s->query('SELECT count(*) FROM real');
		push @wrong, "$n: $result->{err}$again->{err}" if $again->{out} ne '250' || $again->{err} =~ /redefine/;
		push @wrong, "$n: lost" if $result->{lost};
		$s->close;
		last if !$hit;
		$points++;
	}
	# from PostgreSQL 16 on settings take none of malloc's
	cmp_ok($points, '>', 1, 'points in the start of the module');
	is(join("\n", @wrong), '', 'it is started again after each of them');
}

# ---- Descriptors run out ----

{
	my $s = $t->session;
	my ($refused, $answered) = (0, 0);
	my @wrong;

	for my $n (0 .. 24)
	{
		for (1 .. 2)
		{
			my $result = $s->query('SELECT count(*) FROM real');
			$answered++ if $result->{out} eq '250';
			$refused++ if $result->{err} =~ /^ERROR/;
			push @wrong, "$n: $result->{err}" if $result->{lost} || $result->{out} ne '250' && $result->{err} !~ /^ERROR/;
		}
		$s = $t->session if $n == 0;
		last if $s->query("SELECT dblink_connect('c$n', 'dbname=$ENV{PGDATABASE} host=$ENV{PGHOST} port=$ENV{PGPORT} user=$ENV{PGUSER}')")->{err} ne '';
	}
	is(join("\n", @wrong), '', 'a session with ever more connections is not lost');

	# with no descriptor left from the beginning
	my $full = $t->session;
	$full->query("SELECT dblink_connect('c$_', 'dbname=$ENV{PGDATABASE} host=$ENV{PGHOST} port=$ENV{PGPORT} user=$ENV{PGUSER}')") for 1 .. 20;
	my @results = map { $full->query('SELECT count(*) FROM real') } 1 .. 3;
	is(join('', map { $_->{lost} } @results), '000', 'nor is one that has none left');
	# PostgreSQL's own, where it comes first
	like($results[$_]{err}, qr/could not create.*max_files_per_process|epoll_create1,? failed: Too many open files/s, 'an error each time') for 0 .. 2;
	$full->query('SELECT dblink_disconnect(c) FROM unnest(dblink_get_connections()) c');
	is($full->query('SELECT count(*) FROM real')->{out}, 250, 'and with some again it works');
}
done_testing();
