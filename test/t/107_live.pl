#!/usr/bin/env perl
#
# test/live, which is for the real service, with pinecone-local in its place: it
# passes, tells what it is told, shows no key, writes to its own namespace alone, and
# removes that even when it is killed.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use IPC::Open3;
use Test::More;
use Time::HiRes qw(sleep);

my $key = q{pc"sk\\it's-a-secret};
my $t = Harness->new(pinecone => ['--ne-missing', 'skip', '--null-metadata', 'drop', '--lag', 100, '--api-key', $key]);
my $server = $t->server;
my $host = $server->create_index('live', dimension => 5, metric => 'dotproduct');
my @kept = map { {id => "r$_", values => [$_, 1, 1, 1, 1], metadata => {n => $_}} } 1 .. 3;
$server->upsert('live', $_, \@kept) for '', 'pinecone-fdw-live';
my $run = "$FindBin::Bin/../live/run.sh";
my $own = qr/^pinecone-fdw-live-\d+-[a-z0-9]{8}(-none)?$/;

# Begins it, in a process group of its own
sub begin
{
	my (%env) = @_;
	delete local @ENV{grep { /^(PG|PINECONE_|CLUSTER_DIR)/ && $_ ne 'PG_CONFIG' } keys %ENV};
	local @ENV{keys %env} = values %env;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		setpgrp;
		open STDOUT, '>', $t->dir . '/live.out';
		open STDERR, '>&', \*STDOUT;
		exec $run or die;
	}
	return $pid;
}

sub output
{
	open my $in, '<', $t->dir . '/live.out' or die;
	local $/;
	return scalar <$in>;
}

sub end_of
{
	my ($pid) = @_;
	waitpid $pid, 0;
	return $?;
}

sub command_of
{
	my ($process) = @_;
	open my $in, '<', "$process/cmdline" or return '';
	return scalar(<$in>) // '';
}

my %with_host = (PINECONE_API_KEY => $key, PINECONE_INDEX_HOST => $host);

is(end_of(begin()), 0, 'without a key');
like(output(), qr/\A# left out: .*\n0 passed, 0 failed\n\z/, 'it is left out, in a line');

$server->clear_requests;
my $status = end_of(begin(PINECONE_API_KEY => $key, PINECONE_INDEX => 'live', PINECONE_CONTROL_HOST => 'http://127.0.0.1:' . $t->port));
my $output = output();
is($status, 0, 'with one, and an index by name: it passes') or diag($output);
is(scalar(() = $output =~ /^not ok/mg), 0, 'all of it');
cmp_ok(scalar(() = $output =~ /^ok/mg), '>', 100, 'which is more than a hundred tests');
like($output, qr/^# \$ne where the field is missing +\| does not match /m, 'it tells what it is told: $ne');
like($output, qr/^# null as a metadata value +\| dropped /m, 'and null');
unlike($output, qr/secret/, 'the key is not shown');

# What it wrote, and what is there now
sub writes
{
	my @writes = grep { $_->{path} =~ m{/vectors/(upsert|update|delete)$} && ($_->{status} // 0) == 200 } $server->requests;
	return map { $_->{body}{namespace} // '' } map { ref $_->{body} ? $_ : {body => {namespace => $_->{body} =~ /"namespace":"([^"]*)"/}} } @writes;
}
is(scalar(grep { !/$own/ } writes()), 0, 'it writes to its own namespace alone');
is(join(' ', sort keys %{$server->data('live', 'POST', '/describe_index_stats', '{}')->{namespaces}}), ' pinecone-fdw-live', 'which is gone, and the others are there');
is_deeply([map { my $ns = $_; map { @{$server->data('live', 'GET', "/vectors/fetch?ids=r$_&namespace=$ns")->{vectors}{"r$_"}{values}} } 1 .. 3 } '', 'pinecone-fdw-live'],
	[map { map { @{$_->{values}} } @kept } 1 .. 2], 'as they were');

is(end_of(begin(%with_host, PINECONE_API_KEY => "wrong $key")) == 0, '', 'a wrong key fails');
unlike(output(), qr/secret/, 'and is not shown');

for my $signal ('INT', 'KILL')
{
	$server->clear_requests;
	my $pid = begin(%with_host);
	ok($t->wait_until(sub { grep { $_->{path} eq '/vectors/upsert' && ($_->{status} // 0) == 200 } $server->requests }, 60), "SIG$signal when it has written");
	kill $signal => -$pid;
	isnt(end_of($pid), 0, 'it ends');
	ok($t->wait_until(sub { join(' ', sort keys %{$server->data('live', 'POST', '/describe_index_stats', '{}')->{namespaces}}) eq ' pinecone-fdw-live'
		&& grep { $_->{path} eq '/vectors/delete' } $server->requests }, 60), 'the namespace is removed');
	# its guard, too, ends
	ok($t->wait_until(sub { my @left = grep { m{live/live\.pl} } map { command_of($_) } glob '/proc/[0-9]*'; !@left }, 60), 'nothing of it runs any more');
}
done_testing;
