# Models that fail, and replies of theirs that are none: a statement gets all
# embeddings, each its own row's, or an error.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use FakeServer;
use Harness;
use JSON::PP;
use Test::More;

my $json = JSON::PP->new->utf8;

# The vector of a text is its number, twice.  What "fault" says a text of number 50 brings about.
my $fault_file = "/tmp/embed-fault-$$";
my $fake = FakeServer->new(sub {
	my ($request) = @_;

	if ($request->{path} eq '/rerank')
	{
		open my $ranking, '<', $fault_file or die $!;
		return {body => <$ranking>};
	}
	my @numbers = map { $_->{text} =~ /(\d+)/ ? $1 : 0 } @{$json->decode($request->{body})->{inputs}};
	my $fault = '';

	if (open my $in, '<', $fault_file)
	{
		$fault = <$in> // '';
	}
	my @data = map { {vector_type => 'dense', values => [$_ + 0, $_ + 0]} } @numbers;
	if (grep { $_ == 50 } @numbers)
	{
		return {status => 503, body => '{}'} if $fault eq '503 once' && unlink $fault_file;
		return {status => 503, body => '{}'} if $fault eq '503';
		return {status => 400, body => '{"error":{"code":"INVALID_ARGUMENT","message":"too long"},"status":400}'} if $fault eq '400' && @numbers > 0;
		return {status => 429, body => '{}', headers => {'Retry-After' => '0'}} if $fault eq '429 once' && unlink $fault_file;
		return {close => 1} if $fault eq 'close once' && unlink $fault_file;
		pop @data if $fault eq 'fewer';
		push @data, $data[0] if $fault eq 'more';
		$data[0]{values} = [1] if $fault eq 'shorter' && @data > 1;
		$data[0]{values} = [] if $fault eq 'empty';
		$data[0]{values} = ['x'] if $fault eq 'no numbers';
		$data[0] = {vector_type => 'sparse', sparse_values => [1], sparse_indices => [1]} if $fault eq 'mixed' && @data > 1;
		return {body => '<html>'} if $fault eq 'html';
		return {body => substr $json->encode({data => \@data}), 0, -5} if $fault eq 'cut';
		return {body => '{"model":"m"}'} if $fault eq 'no data';
		return {body => $json->encode({data => \@data}), delay => 5} if $fault eq 'late';
	}
	return {body => $json->encode({model => 'm', vector_type => 'dense', data => \@data, usage => {total_tokens => 1}})};
});
my $t = Harness->new(pinecone => 0);
my $url = $fake->url;

sub set_fault
{
	open my $out, '>', $fault_file or die $!;
	print $out $_[0];
	close $out;
}

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'none', control_host '$url', max_retries '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'secret-key');
CREATE TABLE texts AS SELECT n, 'text ' || n AS body FROM generate_series(1, 300) n;
CREATE TABLE made (n int, v real[]);
END
my $insert = "INSERT INTO made SELECT n, pinecone_embed('s', 'm', body) FROM texts";
my $right = 'SELECT count(*) FILTER (WHERE v = ARRAY[n, n]::real[]), count(*) FROM made';

for my $fault ('', '503 once', '429 once', 'close once')
{
	set_fault($fault);
	$t->sql("TRUNCATE made; $insert");
	is($t->sql($right), '300|300', 'all embeddings, each its own row\'s' . ($fault && ": $fault"));
}
for (['503', qr/could not answer the request/], ['400', qr/rejected the request\n.*too long\nRow 50: "text 50"\./],
	map { [$_, qr/invalid response from Pinecone/] } 'fewer', 'more', 'empty', 'no numbers', 'html', 'cut', 'no data', 'shorter', 'mixed')
{
	my ($fault, $error) = @$_;

	set_fault($fault);
	my $message = $t->error_of("TRUNCATE made; $insert");
	like($message, $error, "an error: $fault");
	unlike($message, qr/secret-key/, 'without the key');
	set_fault('');
	$t->sql("TRUNCATE made; $insert");
	is($t->sql($right), '300|300', 'repeated');
}

# an error that is caught: what was known before it is, and what comes next is right
set_fault('400');
is($t->sql(<<'END'), '299', 'a refused text among others, caught');
DO $$
DECLARE r record;
BEGIN
	TRUNCATE made;
	FOR r IN SELECT n, body FROM texts LOOP
		BEGIN
			INSERT INTO made SELECT r.n, pinecone_embed('s', 'm', r.body);
		EXCEPTION WHEN fdw_error THEN NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) FROM made WHERE v = ARRAY[n, n]::real[];
END

# cancelled while a reply is waited for, with others on their way
set_fault('late');
my $began = time;
like($t->error_of("SET statement_timeout = 300; $insert"), qr/statement timeout/, 'cancelled');
cmp_ok(time - $began, '<', 4, 'at once');
set_fault('');
is($t->sql("TRUNCATE made; $insert; $right"), '300|300', 'and again');

# a ranking of what was sent, and of nothing else
my $rank = q{SELECT string_agg(position || ' ' || score, ', ' ORDER BY score DESC) FROM pinecone_rerank('s', 'm', 'q', ARRAY['a', 'b', 'c'])};
set_fault('{"data": [{"index": 2, "score": 0.9}, {"index": 0, "score": 0.5}, {"index": 1, "score": 0.25}]}');
is($t->sql($rank), '3 0.9, 1 0.5, 2 0.25', 'a ranking');
for my $index (3, -1, 1.5, '"x"', 'null', '1e300')
{
	set_fault(qq({"data": [{"index": 0, "score": 0.9}, {"index": $index, "score": 0.5}]}));
	like($t->error_of($rank), qr/invalid response from Pinecone.*a document that was not sent/s, "... of a document $index");
}
unlink $fault_file;
done_testing;
