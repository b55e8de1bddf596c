#!/usr/bin/env perl
#
# Random number literals in a reply, against what PostgreSQL reads from the same
# text: short and long ones, with exponents, denormal, and half way between two
# floats, where a second rounding would show.  And the same numbers in requests:
# what is sent reads back as the float that was meant.
#
#	test/random/floats.pl [SEED [ROUNDS]]
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use JSON::PP;
use Math::BigFloat;
use Test::More;

my $seed = $ARGV[0] // time;
my $rounds = $ARGV[1] // 10;

sub digits
{
	return join '', map { int rand 10 } 1 .. $_[0];
}

# Just half way between two neighbouring floats, and a little beside it.
sub half_way
{
	my $mantissa = 2**23 + int rand 2**23;
	my $exact = Math::BigFloat->new($mantissa)->badd('0.5')->bmul(Math::BigFloat->new(2)->bpow(int(rand 40) - 40));
	my $text = $exact->bsstr =~ /e/ ? $exact->bstr : "$exact";

	$text .= '.0' unless $text =~ /\./;
	return $text . (rand() < 0.5 ? '' : '0000000' . int rand 3);
}

sub number
{
	my $kind = int rand 9;
	my $sign = rand() < 0.4 ? '-' : '';

	return $sign . int(rand 10) . '.' . digits(1 + int rand 9) if $kind < 3;
	return $sign . int(rand 1e6) . '.' . digits(1 + int rand 20) if $kind == 3;
	return $sign . '0.' . '0' x int(rand 12) . digits(1 + int rand 12) if $kind == 4;
	return $sign . int(rand 10) . '.' . digits(1 + int rand 17) . (rand() < 0.5 ? 'e' : 'E') . (int(rand 70) - 34) if $kind == 5;
	return $sign . int(rand 2**31) if $kind == 6;
	return $sign . half_way() if $kind == 7;
	return ('0', '0.0', '-0.0', '1', '1e0', '3.4028234e38', '1.17549435e-38', '1.4e-45', '16777217', '0.1', '9007199254740993.0')[rand 11];
}

# A reply to a fetch of one record with these numbers, and what a request sends, on either plane
my $documents = ($ENV{PINECONE_LOCAL_KIND} // '') eq 'documents';
my ($fetch, $upsert) = $documents ? ('/namespaces/__default__/documents/fetch', '/namespaces/__default__/documents/upsert') : ('/vectors/fetch', '/vectors/upsert');

sub reply
{
	my ($values) = @_;
	return $documents ? "{\"documents\":{\"a\":{\"_id\":\"a\",\"embedding\":[$values]}},\"namespace\":\"__default__\",\"usage\":{\"read_units\":1}}" :
		"{\"vectors\":{\"a\":{\"id\":\"a\",\"values\":[$values],\"metadata\":{}}},\"namespace\":\"\"}";
}

srand $seed;
my $t = Harness->new;
my $host = $t->server->create_index('floats', dimension => 1000);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('floats')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE r (id text, embedding real[]) SERVER s;
END
my $s = $t->session;
for my $round (1 .. $rounds)
{
	my @numbers = map { number() } 1 .. 1000;
	my $space = ('', ' ', "\n")[$round % 3];
	my $values = join ",$space", @numbers;

	$t->server->fault({kind => 'status', status => 200, path => $fetch, count => 1, body => reply("$space$values$space")});
	my $result = $s->query("SELECT count(*), coalesce(string_agg(text || ' ' || x, ', ') FILTER (WHERE x::text <> text::real::text), 'same') FROM (SELECT unnest(embedding) AS x, unnest('{" . join(',', @numbers) .
			"}'::text[]) AS text FROM r WHERE id = 'a') u");
	is($result->{out} . $result->{err}, '1000|same', "1000 numbers, seed $seed, round $round");
}

my $printed = $t->server->create_index('printed', dimension => 1000, metric => 'euclidean');
$t->sql(<<"END");
CREATE SERVER p FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (@{[$t->server->where('printed')]});
CREATE USER MAPPING FOR CURRENT_USER SERVER p OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE p (id text, embedding real[]) SERVER p;
END
for my $round (1 .. $rounds)
{
	my $array = "'{" . join(',', map { number() } 1 .. 1000) . "}'::real[]";

	$t->server->clear_requests;
	$s->query("INSERT INTO p VALUES ('a', $array)");
	my ($request) = grep { $_->{path} eq $upsert } $t->server->requests;
	my $body = ref $request->{body} ? $request->{body} : decode_json($request->{body});
	my $sent = join ',', map { sprintf '%.17g', $_ } @{ $documents ? $body->{documents}[0]{embedding} : $body->{vectors}[0]{values} };
	my $result = $s->query("SELECT count(*), count(*) FILTER (WHERE x IS DISTINCT FROM sent::real) FROM unnest($array, '{$sent}'::float8[]) u (x, sent)");
	is($result->{out} . $result->{err}, '1000|0', "1000 numbers sent, seed $seed, round $round");
}
for my $bad ('1e39', '-3.5e38', '01', '1.', '.5', '1e', '+1', 'NaN', '1 2', '0x1', '')
{
	$t->server->fault({kind => 'status', status => 200, path => $fetch, count => -1, body => reply('1,' x 999 . $bad)});
	$t->sql("ALTER SERVER s OPTIONS (" . ($bad eq '1e39' ? 'ADD' : 'SET') . " max_retries '0')");
	like($s->query("SELECT * FROM r WHERE id = 'a'")->{err}, qr/invalid response from Pinecone/, "not a number: \"$bad\"");
	$t->server->clear_faults;
}
done_testing;
