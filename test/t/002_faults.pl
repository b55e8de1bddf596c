# Every kind of fault gives the right rows after a retry, or one clear error;
# the session works on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $host = $t->server->create_index('faults', dimension => 2);

$t->server->upsert('faults', 'kb', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_}} } 1 .. 150]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', request_timeout '700ms', max_retries '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'kb');
END

my %statements = (
	'/query' => ["SELECT string_agg(id, ',') FROM (SELECT id FROM r ORDER BY embedding <=> '{1,1}' LIMIT 3) s", 'r1,r2,r3'],
	'/vectors/fetch' => ["SELECT count(n) || ',' || sum(n) FROM r", '150,11325'],
	'/vectors/list' => ['SELECT count(*) FROM (SELECT id FROM r OFFSET 0) s', '150'],
	'/vectors/fetch_by_metadata' => ['SELECT count(n) FROM r WHERE n > 100 AND length(id) > 1', '50'],
	'/describe_index_stats' => ['SELECT count(*) FROM r', '150'],
	'/vectors/update' => ['SELECT count(*) FROM r WHERE n > 100', '50'],
);

# What passes after a retry, and the error when it does not pass.
my @transient = (
	[{kind => 'status', status => 429}, qr/Pinecone rate limit reached/],
	[{kind => 'status', status => 429, retry_after => 1}, qr/Pinecone rate limit reached/],
	[{kind => 'status', status => 500}, qr/Pinecone could not answer the request/],
	[{kind => 'status', status => 503}, qr/Pinecone could not answer the request/],
	[{kind => 'status', status => 503, body => '<html>'}, qr/Pinecone could not answer the request/],
	[{kind => 'truncate'}, qr/lost the connection to Pinecone/],
	[{kind => 'close'}, qr/lost the connection to Pinecone/],
	[{kind => 'garbage'}, qr/invalid response from Pinecone/],
	[{kind => 'status', status => 200, body => '{"vectors":{"a":'}, qr/invalid response from Pinecone/],
	[{kind => 'status', status => 200, body => '{"hello":1}'}, qr/invalid response from Pinecone|does not/],
);
my $s = $t->session;

for my $path (sort keys %statements)
{
	my ($statement, $answer) = $statements{$path}->@*;

	is($s->query($statement)->{out}, $answer, "$path: the answer without a fault");
	for (@transient)
	{
		my ($fault, $error) = @$_;
		my $name = join ' ', "$path:", map { "$_ $fault->{$_}" } sort keys %$fault;

		# statistics may hold anything
		next if $path eq '/describe_index_stats' && ($fault->{body} // '') eq '{"hello":1}';
		next if ($fault->{retry_after} && $path ne '/query');
		$t->server->fault({%$fault, path => $path, count => 1});
		is($s->query($statement)->{out}, $answer, "$name once");
		$t->server->clear_faults;

		$t->server->fault({%$fault, path => $path, count => -1});
		my $result = $s->query($statement);
		like($result->{err}, $error, "$name for ever");
		is(() = $result->{err} =~ /^ERROR/mg, 1, "$name for ever: one error");
		$t->server->clear_faults;
		is($s->query($statement)->{out}, $answer, "$name: the session works on");
	}
}

# harmless ones
for my $fault ({kind => 'content_type'}, {kind => 'drip', interval_ms => 5})
{
	$t->server->fault({%$fault, path => '/query', count => 1});
	is($s->query($statements{'/query'}[0])->{out}, $statements{'/query'}[1], "$fault->{kind} is harmless");
	$t->server->clear_faults;
}

# too slow: a clear error, no retry
$t->server->clear_requests;
$t->server->fault({kind => 'delay', delay_ms => 1500, path => '/query', count => 1});
like($s->query($statements{'/query'}[0])->{err}, qr/request to Pinecone timed out after 700 ms/, 'a reply that does not come');
$t->server->clear_faults;

# final: not asked again
for (
	[400, qr/Pinecone rejected the request.*the words/s], [401, qr/Pinecone rejected the API key/],
	[403, qr/Pinecone refused the request/], [404, qr/has no such index/])
{
	my ($status, $error) = @$_;

	sleep 2 if $status == 400;    # the delayed request above is over and logged
	$t->server->clear_requests;
	$t->server->fault({kind => 'status', status => $status, path => '/query', count => -1, body => '{"code":3,"message":"the words"}'});
	like($s->query($statements{'/query'}[0])->{err}, $error, "status $status");
	is(scalar(grep { $_->{path} eq '/query' } $t->server->requests), 1, "status $status is not asked again");
	$t->server->clear_faults;
}
is($s->query($statements{'/query'}[0])->{out}, $statements{'/query'}[1], 'and the session works on');
done_testing;
