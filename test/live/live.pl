#!/usr/bin/env perl
#
# What run.sh tells of.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t";
use Harness;
use JSON::PP;
use Service;
use Test::More;
use Time::HiRes qw(sleep time);

chdir "$FindBin::Bin/../.." or die;

my $key = delete $ENV{PINECONE_API_KEY} // die "PINECONE_API_KEY is not set\n";
my $name = $ENV{PINECONE_INDEX};
my $control = $ENV{PINECONE_CONTROL_HOST} // 'https://api.pinecone.io';
my $host = $ENV{PINECONE_INDEX_HOST};
my ($t, $service);

# Whatever is printed, the key is not
tie *Hidden::OUT, 'Hidden', $key, \*STDOUT;
tie *Hidden::ERR, 'Hidden', $key, \*STDERR;
Test::More->builder->$_(\*Hidden::OUT) for qw(output todo_output);
Test::More->builder->failure_output(\*Hidden::ERR);
$SIG{__WARN__} = sub { print {*Hidden::ERR} @_ };
$SIG{__DIE__} = sub { die @_ if $^S; my $text = join '', @_; $text =~ s/\Q$key\E/***/g; die $text };
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

{
	package Hidden;
	sub TIEHANDLE { my ($class, $key, $to) = @_; $to->autoflush(1); return bless {key => $key, to => $to}, $class }
	sub PRINT { my ($self, @text) = @_; my $text = join '', @text; $text =~ s/\Q$self->{key}\E/***/g; return print {$self->{to}} $text }
	sub PRINTF { my ($self, $format, @values) = @_; return $self->PRINT(sprintf $format, @values) }
	sub FILENO { return fileno $_[0]{to} }
	sub BINMODE { return 1 }
}

sub with_scheme
{
	my ($address) = @_;
	return $address =~ m{^https?://} ? $address =~ s{/+$}{}r : "https://$address";
}

# ---- Which index ----

if (!defined $host)
{
	my $reply = Service->new(key => $key, host => with_scheme($control))->call(GET => "/indexes/$name");
	$reply->{status} == 200 && $reply->{body}{host} or die "index \"$name\" was not found: $reply->{status} $reply->{text}\n";
	$host = $reply->{body}{host};
}
$service = Service->new(key => $key, host => with_scheme($host));
my $stats = $service->call(POST => '/describe_index_stats', {});
$stats->{status} == 200 or die "the index does not answer: $stats->{status} $stats->{text}\n";
my ($dimension, $metric) = @{$stats->{body}}{'dimension', 'metric'};
$dimension && ($stats->{body}{vectorType} // 'dense') eq 'dense' or die "this is for an index of dense vectors\n";

my $random = join '', map { ('a' .. 'z', 0 .. 9)[int rand 36] } 1 .. 8;
my $namespace = "pinecone-fdw-live-" . time =~ s/\..*//r . "-$random";
die "there is a namespace \"$namespace\"\n" if exists $stats->{body}{namespaces}{$namespace};
diag("namespace $namespace, $dimension dimensions" . (defined $metric ? ", $metric" : ''));

$t = Harness->new(pinecone => 0);
$service->guard($namespace, $t->dir);

# ---- As SQL ----

my $operator = {cosine => '<=>', euclidean => '<->', dotproduct => '<#>'}->{$metric // 'cosine'};
my $at_server = defined $ENV{PINECONE_INDEX_HOST} ? "host '$host'" : "index '$name', control_host '$control'";
$t->sql(<<"END");
CREATE SERVER live FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($at_server);
CREATE USER MAPPING FOR CURRENT_USER SERVER live OPTIONS (api_key '@{[$key =~ s/'/''/gr]}');
CREATE FOREIGN TABLE there (id text COLLATE "C", embedding real[], n int, genre text, price float8, seen bool, tags text[])
SERVER live OPTIONS (namespace '$namespace');
CREATE TABLE here (id text COLLATE "C", embedding real[], n int, genre text, price float8, seen bool, tags text[]);
-- no two directions alike
CREATE FUNCTION point(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS
\$\$ SELECT array_agg((CASE g WHEN 1 THEN i WHEN 2 THEN 60 - i WHEN 3 THEN 7 ELSE 0.01 END)::real ORDER BY g) FROM generate_series(1, $dimension) g \$\$;
INSERT INTO here SELECT 'r' || lpad(i::text, 3, '0'), point(i), i, CASE WHEN i % 3 > 0 THEN (ARRAY['drama', 'noir'])[i % 3] END, i / 8.0,
  CASE WHEN i % 5 > 0 THEN i % 2 = 0 END, CASE WHEN i % 4 > 0 THEN ARRAY['t' || i % 4, 'all'] END FROM generate_series(1, 50) i;
END

my @conditions = ('true', q{id = 'r007'}, q{id IN ('r001', 'r050', 'none')}, q{id LIKE 'r01%'}, 'n = 12', 'n <> 12', 'n BETWEEN 10 AND 20', q{genre = 'drama'},
	q{genre <> 'drama'}, q{genre NOT IN ('drama', 'none')}, 'genre IS NULL', 'genre IS NOT NULL', q{genre IS DISTINCT FROM 'noir'}, 'price < 2.5', 'seen', 'NOT seen',
	'seen IS NOT TRUE', q{'t2' = ANY (tags)}, q{NOT ('t2' = ANY (tags))}, q{tags @> '{t1,all}'}, q{genre = 'drama' OR price > 5}, q{NOT (genre = 'drama' AND n > 20)});

# Once they are the same, they are: the service shows writes later than it confirms them
sub same
{
	my ($what, $sql, $seconds) = @_;
	my $here = $t->sql($sql =~ s/\bTABLE_\b/here/gr);
	my ($there, $waited) = ('', time);

	while (1)
	{
		my $result = $t->psql($sql =~ s/\bTABLE_\b/there/gr);
		$there = $result->{err} ne '' ? "error: $result->{err}" : $result->{out};
		last if $there eq $here || time - $waited > ($seconds // 90);
		sleep 0.5;
	}
	is($there, $here, $what);
}

sub compare_all
{
	my ($when) = @_;
	same("$when: all rows", 'SELECT id, n, genre, price, seen, tags FROM TABLE_ ORDER BY id COLLATE "C"');
	same("$when: count(*)", 'SELECT count(*) FROM TABLE_');
	same("$when: $_", "SELECT id FROM TABLE_ WHERE $_ ORDER BY id COLLATE \"C\"") for @conditions;
	same("$when: count(*) of $_", "SELECT count(*) FROM TABLE_ WHERE $_") for @conditions[6, 7, 9];
	for my $condition (@conditions[0, 6, 8, 10])
	{
		same("$when: nearest of $_, $condition", "SELECT id, round((embedding $operator point($_))::numeric, 3) FROM TABLE_ WHERE $condition ORDER BY embedding $operator point($_), id LIMIT 5") for 3, 41;
	}
	same("$when: vectors", q{SELECT id, embedding FROM TABLE_ WHERE id IN ('r003', 'r044')  ORDER BY id});
}

$t->sql('INSERT INTO there SELECT * FROM here');
is($t->sql(q{BEGIN; INSERT INTO there VALUES ('rolled', point(1)); SELECT count(*) FROM there WHERE id = 'rolled'; ROLLBACK}), '1', 'a transaction sees what it has written');
compare_all('inserted');
is($t->sql(q{SELECT count(*) FROM there WHERE id = 'rolled'}), '0', 'what was rolled back is not there');
for my $write (q{UPDATE TABLE_ SET price = price + 100, genre = 'new' WHERE id = 'r010'}, q{UPDATE TABLE_ SET genre = 'filtered' WHERE n > 40},
	q{UPDATE TABLE_ SET embedding = point(59) WHERE id = 'r002'}, q{DELETE FROM TABLE_ WHERE id IN ('r020', 'r021')}, q{DELETE FROM TABLE_ WHERE genre = 'noir' AND n < 9})
{
	$t->sql($write =~ s/\bTABLE_\b/$_/r) for 'here', 'there';
	same($write =~ s/TABLE_/there/r, 'SELECT id, n, genre, price, seen, tags FROM TABLE_ ORDER BY id COLLATE "C"');
}
compare_all('changed');
is($t->sql(q{ALTER FOREIGN TABLE there OPTIONS (ADD consistency 'session'); INSERT INTO there VALUES ('fresh', point(30), 30); SELECT count(*) FROM there WHERE n = 30}), '2',
	'consistency session: what was written is seen at once');

# ---- What is open ----

my @answers;
sub answer
{
	my ($question, $answer, $assumes, $holds) = @_;
	push @answers, [$question, $answer, $assumes, $holds];
}

sub vector
{
	my (@begin) = @_;
	return [@begin[0 .. ($dimension < @begin ? $dimension - 1 : $#begin)], (0) x ($dimension - @begin)];
}

sub post
{
	my ($path, $body, @headers) = @_;
	return $service->call(POST => $path, ref $body ? {namespace => $namespace, %$body} : $body, @headers);
}

sub refusal
{
	my ($reply) = @_;
	my $message = ref $reply->{body} eq 'HASH' ? $reply->{body}{message} // $reply->{body}{error}{message} // $reply->{text} : $reply->{text};
	return "$reply->{status}: " . substr($message // '', 0, 60) =~ s/\s+/ /gr;
}

# Ids of the records that a search with a filter finds, "e" first in their ids
sub found
{
	my ($filter, $top_k) = @_;
	my $reply = post('/query', {vector => vector(1, 1), topK => $top_k // 100, filter => $filter});
	return undef unless $reply->{status} == 200;
	return join ' ', sort grep { /^e/ } map { $_->{id} } @{$reply->{body}{matches}};
}

sub until_found
{
	my ($filter, $wanted) = @_;
	my $end = time + 90;
	while (time < $end)
	{
		return 1 if (found($filter) // '') eq $wanted;
		sleep 0.5;
	}
	return 0;
}

post('/vectors/upsert', {vectors => [
	{id => 'e1', values => vector(1, 1), metadata => {open => JSON::PP::true, f => 'x', big => 9007199254740993, list => ['a', 'b']}},
	{id => 'e2', values => vector(1, 1), metadata => {open => JSON::PP::true, f => 'y'}},
	{id => 'e3', values => vector(1, 1), metadata => {open => JSON::PP::true}},
	map { {id => "et$_", values => vector(3, 4), metadata => {tie => JSON::PP::true}} } qw(b d a c e)]});
ok(until_found({open => {'$eq' => JSON::PP::true}}, 'e1 e2 e3'), 'records to ask about') and until_found({tie => {'$eq' => JSON::PP::true}}, 'eta etb etc etd ete');

my $open = {open => {'$eq' => JSON::PP::true}};
for my $operator ('$ne', '$nin')
{
	my $found = found({'$and' => [$open, {f => {$operator => $operator eq '$ne' ? 'x' : ['x']}}]});
	answer("$operator where the field is missing", $found eq 'e2 e3' ? 'matches' : $found eq 'e2' ? 'does not match' : "finds \"$found\"", 'either: it pairs it with $exists', scalar($found =~ /^e2(?: e3)?$/));
}
my $found = found({'$and' => [$open, {f => {'$exists' => JSON::PP::false}}]});
answer('$exists false', defined $found ? ($found eq 'e3' ? 'the field is missing' : "finds \"$found\"") : 'refused', 'the field is missing', ($found // '') eq 'e3');
$found = found({'$and' => [$open, {list => {'$eq' => 'b'}}]});
answer('$eq on a list', $found eq 'e1' ? 'an element equals' : "finds \"$found\"", 'an element equals', $found eq 'e1');
$found = found({'$and' => [$open, {f => {'$eq' => 1}}]});
answer('a number against a text', defined $found ? ($found eq '' ? 'no match' : "finds \"$found\"") : 'refused', 'no match', ($found // 'x') eq '');
$found = found({}, 1000);
answer('an empty filter in a query', defined $found && $found ne '' ? 'no filter' : defined $found ? 'finds nothing' : 'refused', 'never sent', 1);

my $reply = post('/vectors/upsert', {vectors => [{id => 'enull', values => vector(1, 1), metadata => {f => JSON::PP::null}}]});
answer('null as a metadata value', $reply->{status} == 200 ? 'dropped' : refusal($reply), 'never sent', 1);
$reply = post('/vectors/upsert', {vectors => [map { {id => 'edup', values => vector(1, 1), metadata => {dup => $_}} } 1, 2]});
if ($reply->{status} == 200)
{
	until_found({dup => {'$gt' => 0}}, 'edup');
	my $kept = $service->call(GET => "/vectors/fetch?ids=edup&namespace=$namespace")->{body}{vectors}{edup}{metadata}{dup} // 'none';
	answer('an id twice in one upsert', {1 => 'the first is kept', 2 => 'the last is kept'}->{$kept} // $kept, 'never sent', 1);
}
else { answer('an id twice in one upsert', refusal($reply), 'never sent', 1) }
$reply = post('/query', {vector => vector(0), topK => 3, filter => $open});
answer('a query vector of zeros', $reply->{status} == 200 ? scalar(@{$reply->{body}{matches}}) . ' matches, scores ' . join(' ', map { $_->{score} // 'null' } @{$reply->{body}{matches}}) : refusal($reply),
	'of a cosine index never sent: it reads all', 1);
$reply = post('/vectors/upsert', {vectors => [{id => 'ezero', values => vector(0)}]});
answer('a stored vector of zeros', $reply->{status} == 200 ? 'taken' : refusal($reply), 'never sent: an error', 1);
my @orders = map { join '', map { substr $_->{id}, 2 } @{post('/query', {vector => vector(3, 4), topK => 5, filter => {tie => {'$eq' => JSON::PP::true}}})->{body}{matches} // []} } 1 .. 5;
my %orders = map { $_ => 1 } @orders;
answer('order of equal scores', keys %orders > 1 ? 'changes: ' . join(', ', sort keys %orders) : $orders[0] eq 'abcde' ? 'by id' : "$orders[0], where bdace was written", 'none', 1);

my (@listed, $token);
do
{
	$reply = $service->call(GET => "/vectors/list?limit=20&namespace=$namespace" . (defined $token ? "&paginationToken=$token" : ''));
	push @listed, map { $_->{id} } @{$reply->{body}{vectors} // []};
	$token = $reply->{body}{pagination}{next};
	$token =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge if defined $token;
} while (defined $token && $reply->{status} == 200 && @listed < 1000);
my $sorted = "@listed" eq join ' ', sort @listed;
answer('order of a list', $sorted ? 'bytewise' : 'another', 'bytewise', $sorted);
my $list_headers = join ' ', sort grep { /lsn/ } keys %{$reply->{headers}};
$reply = $service->call(GET => "/vectors/list?limit=101&namespace=$namespace");
answer('a list of 101', $reply->{status} == 200 ? 'taken' : refusal($reply), 'asks for 100', 1);
$reply = post('/vectors/upsert', qq({"namespace":"$namespace","vectors":[{"id":"enul","values":@{[JSON::PP->new->encode(vector(1, 1))]},"metadata":{"nul":"a\\u0000b"}}]}));
answer('NUL in metadata', $reply->{status} == 200 ? 'taken' : refusal($reply), 'never sent: text has none; read, it is an error', 1);
for my $top_k (10000, 10001)
{
	$reply = post('/query', {vector => vector(1, 1), topK => $top_k});
	answer("topK $top_k", $reply->{status} == 200 ? 'taken' : refusal($reply), $top_k == 10000 ? 'taken' : 'never sent', $top_k == 10001 || $reply->{status} == 200);
}
$reply = post('/query', {vector => vector(1, 1), topK => 10000, includeValues => JSON::PP::true, includeMetadata => JSON::PP::true});
answer('topK 10000 with values', $reply->{status} == 200 ? 'taken' : refusal($reply), 'either: it asks for fewer', 1);
$reply = post('/query', {vector => vector(1, 1), topK => 100, includeValues => JSON::PP::true}, 'Accept-Encoding: gzip');
answer('replies for who accepts gzip', $reply->{headers}{'content-encoding'} // 'plain', 'not asked for', 1);
answer('log sequence numbers in headers', join(', ', map { "$_->[0]: " . ($_->[1] || 'none') } ['query', join ' ', sort grep { /lsn/ } keys %{$reply->{headers}}], ['list', $list_headers]), 'either', 1);
my $fetched = $service->call(GET => "/vectors/fetch?ids=e1&namespace=$namespace");
my ($big) = $fetched->{text} =~ /"big"\s*:\s*([0-9.eE+]+)/;
answer('9007199254740993 in metadata', $big // 'missing', 'a float64, so another number', ($big // '') ne '9007199254740993');
$reply = $service->call(GET => "/vectors/fetch?ids=absent&namespace=$namespace");
answer('a fetch of an id that is not there', $reply->{status} == 200 && !%{$reply->{body}{vectors} // {}} ? 'empty' : refusal($reply), 'empty', $reply->{status} == 200);
$reply = post('/vectors/update', {id => 'absent', setMetadata => {f => 'x'}});
answer('an update of an id that is not there', $reply->{status} == 200 ? '200' : refusal($reply), '200', $reply->{status} == 200);
$reply = $service->call(POST => '/vectors/delete', {ids => ['absent'], namespace => "$namespace-none"});
answer('a delete in a namespace that is not there', $reply->{status} == 200 ? '200' : refusal($reply), '404 or 200', scalar($reply->{status} =~ /^(?:200|404)$/));
$reply = $service->call(POST => '/query', {vector => vector(1, 1), topK => 1, namespace => "$namespace-none"});
answer('a query in a namespace that is not there', $reply->{status} == 200 ? @{$reply->{body}{matches}} . ' matches' : refusal($reply), 'no matches', $reply->{status} == 200);

my @head = ('question', 'answer', 'the extension assumes', 'so it is');
my @rows = (\@head, map { [@$_[0 .. 2], $_->[3] ? 'yes' : 'NO'] } @answers);
my @widths = map { my $i = $_; my @lengths = sort { $b <=> $a } map { length $_->[$i] } @rows; $lengths[0] } 0 .. 3;
for my $row (@rows)
{
	note(join(' | ', map { sprintf '%-*s', $widths[$_], $row->[$_] } 0 .. 3) =~ s/\s+$//r);
}
ok($_->[3], "as the extension assumes: $_->[0]") for @answers;

undef $t;
ok($service->dismiss, 'the namespace is removed');
done_testing;
