# Cancel, timeout and terminate act at once while a backend waits: for a slow
# reply, in a retry's back-off, and for a connection that does not answer.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

# The wait may be so long, in seconds.
my $most = 0.3;

my $t = Harness->new;
my $host = $t->server->create_index('slow', dimension => 2);

# A listener that never answers: TLS gets no further
my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
my $silent_port = $silent->sockport;

$t->server->upsert('slow', '', [{id => 'a', values => [1, 1]}]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE slow (id text, embedding real[]) SERVER s;
CREATE SERVER silent FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://127.0.0.1:$silent_port');
CREATE USER MAPPING FOR CURRENT_USER SERVER silent OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE silent (id text, embedding real[]) SERVER silent;
END

my $search = "SELECT id FROM slow ORDER BY embedding <=> '{1,1}' LIMIT 1";
my %waits = (
	'a slow reply' => [$search, {kind => 'delay', delay_ms => 8000, path => '/query', count => -1}],
	'a slow drip' => [$search, {kind => 'drip', interval_ms => 2000, path => '/query', count => -1}],
	'back-off' => [$search, {kind => 'status', status => 503, retry_after => 8, path => '/query', count => -1}],
	'a connection' => ['SELECT id FROM silent'],
);

for my $wait (sort keys %waits)
{
	my ($statement, $fault) = $waits{$wait}->@*;
	my $s = $t->session;

	$s->query('SELECT count(*) FROM slow');
	$t->server->fault($fault) if $fault;

	my $pid = $s->pid;
	for my $how (['cancel', 'pg_cancel_backend', qr/canceling statement due to user request/],
		['terminate', 'pg_terminate_backend', qr/terminating connection/])
	{
		my ($name, $function, $error) = @$how;

		$s->send($statement);
		sleep 0.7;
		my $start = time;
		$t->sql("SELECT $function($pid)");
		my $result = $s->result(20);
		my $took = time - $start;
		like($result->{err}, $error, "$name during $wait");
		cmp_ok($took, '<', $most, sprintf('%s during %s acts at once: %.3f s', $name, $wait, $took));
	}

	$s = $t->session;
	$s->query('SELECT count(*) FROM slow');
	$s->query("SET statement_timeout = '500ms'");
	my $result = $s->query($statement);
	like($result->{err}, qr/canceling statement due to statement timeout/, "statement_timeout during $wait");
	cmp_ok($result->{seconds}, '<', 0.5 + $most, sprintf('statement_timeout during %s acts at once: %.3f s', $wait, $result->{seconds}));
	$t->server->clear_faults;
	is($s->query($search)->{out}, 'a', "the session works on after $wait");
}
done_testing;
