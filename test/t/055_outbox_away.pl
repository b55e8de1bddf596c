# The outbox while Pinecone is away, slow to show what was written, or in the
# hands of several at once: writes go on, and nothing is lost, doubled or early.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new(pinecone => ['--lag', '400']);
my $server = $t->server;
my $host = $server->create_index('box', dimension => 2);

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '0', request_timeout '3s');
CREATE SERVER gone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://127.0.0.1:9', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE USER MAPPING FOR CURRENT_USER SERVER gone OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE box (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE FOREIGN TABLE away (id text COLLATE "C", embedding real[], n int) SERVER gone
	OPTIONS (namespace 'kb', write_mode 'outbox', verify_deletes 'false');
END

sub shown { return $t->sql(q{SELECT coalesce(string_agg(id || '=' || n, ' ' ORDER BY id), '') FROM box}); }

# Nobody answers
is($t->error_of(q{INSERT INTO away VALUES ('a', '{1,2}', 1), ('b', '{1,2}', 2)}), '', 'INSERT without Pinecone');
is($t->error_of(q{DELETE FROM away WHERE id IN ('b', 'c')}), '', 'DELETE of given ids');
like($t->error_of('UPDATE away SET n = 3'), qr/could not reach Pinecone|refused/, 'UPDATE has to read');
is($t->error_of(q{TRUNCATE away}), '', 'TRUNCATE');
is($t->error_of(q{COPY away (id, embedding) FROM PROGRAM 'printf "d\t{1,2}\n"'}), '', 'COPY');
is($t->sql(q{SELECT string_agg(kind::text || coalesce(id, ''), ' ' ORDER BY seq) FROM pinecone_outbox}), 'ua ub db dc a ud', 'all of it waits, in order');

# One server that is away holds up no other
$t->sql(q{INSERT INTO box VALUES ('x', '{1,2}', 1)});
is($t->sql('SELECT * FROM pinecone_deliver()'), '1|0|6', 'another server goes on');
like($t->sql(q{SELECT last_error FROM pinecone_outbox_status WHERE server = 'gone'}), qr/127\.0\.0\.1:9/, 'and what is wrong is shown');
is(shown(), 'x=1', 'what was delivered is shown, before the service does');
$t->sql(q{UPDATE box SET n = 2; UPDATE box SET n = n + 1});
is(shown(), 'x=3', 'and changed');
is($t->sql('SELECT * FROM pinecone_deliver()'), '2|0|6', 'in order');
is(shown(), 'x=3', 'before and after');

# What is away for long is asked seldom
my $before = $t->sql(q{SELECT failures FROM pinecone_outbox_state WHERE server = 'gone'});
$t->sql('SELECT pinecone_deliver()') for 1 .. 5;
cmp_ok($t->sql(q{SELECT failures FROM pinecone_outbox_state WHERE server = 'gone'}) - $before, '<=', 2, 'a server that fails is left alone for a while');
$t->sql(q{DROP FOREIGN TABLE away});
is($t->sql('SELECT * FROM pinecone_deliver()'), '0|6|0', 'without its table all are dead letters');
is($t->sql('SELECT pinecone_outbox_drop()'), 6, 'which go');

# Two at once: the second waits for the first, and finds nothing
$server->fault({kind => 'delay', delay_ms => 700, path => '/vectors/upsert', count => 1});
$t->sql(q{INSERT INTO box SELECT 'p' || i, '{1,2}', i FROM generate_series(1, 20) i});
$server->clear_requests;
my ($one, $two) = ($t->session, $t->session);
$one->send('SELECT delivered FROM pinecone_deliver()');
sleep 0.2;
$two->send('SELECT delivered FROM pinecone_deliver()');
is($one->result->{out} . ' ' . $two->result->{out}, '20 0', 'two deliveries do not overlap');
is(scalar(grep { $_->{path} eq '/vectors/upsert' } $server->requests), 1, 'nothing is sent twice');

# Cancelled, and rolled back: it is sent again
$server->fault({kind => 'delay', delay_ms => 2500, path => '/vectors/upsert', count => 1});
$t->sql(q{INSERT INTO box VALUES ('late', '{1,2}', 1)});
$one->query(q{SET statement_timeout = '300ms'});
like($one->query('SELECT pinecone_deliver()')->{err}, qr/canceling statement due to statement timeout/, 'a delivery can be cancelled');
is($t->sql('SELECT count(*) FROM pinecone_outbox'), 1, 'and nothing is lost');
$one->query(q{RESET statement_timeout});
is($one->query('BEGIN; SELECT delivered FROM pinecone_deliver(); ROLLBACK')->{out}, 1, 'delivered, and rolled back');
is($one->query('SELECT delivered FROM pinecone_deliver()')->{out}, 1, 'it is delivered again');
like(shown(), qr/^late=1 p1=1 /, 'with the same result');

# Order within one delivery: a record's writes, and all of a namespace
$server->clear_requests;
$t->sql(q{INSERT INTO box VALUES ('o', '{1,2}', 1); DELETE FROM box WHERE id = 'o'; INSERT INTO box VALUES ('o', '{1,3}', 2);
	UPDATE box SET n = 3 WHERE id = 'o'; TRUNCATE box; INSERT INTO box VALUES ('o', '{1,4}', 4)});
is($t->sql('SELECT * FROM pinecone_deliver()'), '6|0|0', 'six writes of a record');
is(join(' ', map { $_->{path} =~ m{/vectors/(\w+)$} ? $1 : () } grep { !($_->{body} && ref $_->{body} && $_->{body}{dryRun}) && $_->{path} =~ /upsert|update|delete/ } $server->requests),
	'upsert delete upsert update delete upsert', 'in their order');
is(shown(), 'o=4', 'to the right end');

# A batch that is refused for two of its records
$t->sql(q{SELECT count(pinecone_outbox_put('box', NULL, 'm' || i, CASE WHEN i IN (77, 400) THEN '{1}' ELSE '{1,2}' END::real[])) FROM generate_series(1, 500) i});
$server->clear_requests;
is($t->sql('SELECT * FROM pinecone_deliver()'), '498|2|0', 'two of 500 are refused');
is($t->sql(q{SELECT string_agg(id, ' ' ORDER BY id) FROM pinecone_outbox_dead_rows}), 'm400 m77', 'those two');
cmp_ok(scalar(grep { $_->{path} eq '/vectors/upsert' } $server->requests), '<', 40, 'found in few requests');
is($t->sql('SELECT count(*) FROM box'), 499, 'and the others are there');

# A record that no request can carry
$t->sql(q{SELECT pinecone_outbox_put('box', NULL, 'vast', array_fill(0.123456::real, ARRAY[250000]))});
$t->sql(q{SELECT pinecone_outbox_put('box', NULL, 'beside', '{1,2}')});
is($t->sql('SELECT * FROM pinecone_deliver()'), '1|1|0', 'a record too large is a dead letter, and the next goes on');
like($t->sql(q{SELECT reason FROM pinecone_outbox_dead_rows WHERE id = 'vast'}), qr/more than the \d+ that a request can carry/, 'with the reason');

# Texts that delivery has embedded
$t->sql(q{CREATE SERVER texts FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'texts', control_host '} . $t->server->{url} . q{');
	CREATE USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE text (id text, embedding real[], n int) SERVER texts OPTIONS (write_mode 'outbox')});
$server->create_index('texts', dimension => 1024);
$server->clear_requests;
$t->sql(q{SELECT count(pinecone_outbox_put('text', NULL, 't' || i, NULL, metadata => jsonb_build_object('n', i),
	model => 'multilingual-e5-large', source => 'text number ' || i)) FROM generate_series(1, 200) i});
$t->sql(q{SELECT pinecone_outbox_put('text', NULL, 't7', NULL, metadata => '{"n": 7}', model => 'multilingual-e5-large', source => 'another text')});
is($t->sql('SELECT * FROM pinecone_deliver()'), '201|0|0', 'texts are embedded and stored');
is(scalar(grep { $_->{path} eq '/embed' } $server->requests), 3, '96 a request');
is($t->sql(q{SELECT count(*) FROM text WHERE embedding = pinecone_embed('texts', 'multilingual-e5-large', 'text number ' || n, 'passage') AND id <> 't7'}), 199, 'each with its vector');
is($t->sql(q{SELECT embedding = pinecone_embed('texts', 'multilingual-e5-large', 'another text', 'passage') FROM text WHERE id = 't7'}), 't', 'the last of an id counts');

# What is refused for another reason than the records is delivered when that has passed
for my $status (402, 403, 412, 429)
{
	$server->fault({path => '/vectors/upsert', status => $status, count => -1});
	$t->sql(qq{INSERT INTO box VALUES ('held', '{1,2}', $status)});
	is($t->sql('SELECT * FROM pinecone_deliver()'), '0|0|1', "status $status: it waits");
	$server->clear_faults;
	$t->sql('UPDATE pinecone_outbox_state SET retry_at = NULL');
	is($t->sql('SELECT * FROM pinecone_deliver()'), '1|0|0', '... and is delivered then');
}

# Texts that the model refuses are dead letters, found among the others; those of a model that fails wait
$server->fault({path => '/embed', contains => 'unspeakable', status => 400, count => -1, body => {error => {code => 'INVALID_ARGUMENT', message => 'Input 1 is too long'}, status => 400}});
my $texts = q{SELECT count(pinecone_outbox_put('text', NULL, 'u' || i, NULL, metadata => jsonb_build_object('n', i), model => 'multilingual-e5-large',
	source => CASE WHEN i IN (3, 40) THEN 'unspeakable' ELSE 'text number ' || i END)) FROM generate_series(1, 60) i};
$t->sql('SELECT pinecone_outbox_drop()');
$t->sql($texts);
is($t->sql('SELECT * FROM pinecone_deliver()'), '58|2|0', 'two of 60 texts are refused');
is($t->sql(q{SELECT string_agg(id, ' ' ORDER BY id) FROM pinecone_outbox_dead_rows}), 'u3 u40', 'those two');
like($t->sql(q{SELECT DISTINCT reason FROM pinecone_outbox_dead_rows}), qr/Input 1 is too long/, 'with the model\'s words');
is($t->sql(q{SELECT count(*) FROM text WHERE id LIKE 'u%' AND embedding = pinecone_embed('texts', 'multilingual-e5-large', 'text number ' || n, 'passage')}), 58, 'the others have their own vectors');
$server->clear_faults;
$t->sql(q{SELECT pinecone_outbox_drop(); ALTER SERVER texts OPTIONS (ADD max_retries '0')});
$server->fault({path => '/embed', status => 503, count => 1});
$t->sql(q{SELECT pinecone_outbox_put('text', NULL, 'w', NULL, metadata => '{"n": 1}', model => 'multilingual-e5-large', source => 'a text')});
is($t->sql('SELECT * FROM pinecone_deliver()'), '0|0|1', 'a model that fails');
like($t->sql(q{SELECT last_error FROM pinecone_outbox_status WHERE server = 'texts'}), qr/HTTP status 503/, 'is told of');
$t->sql('UPDATE pinecone_outbox_state SET retry_at = NULL');
is($t->sql('SELECT * FROM pinecone_deliver()'), '1|0|0', 'and its texts wait until it does not');
# a model that embeds sparsely
$t->sql(q{CREATE SERVER words FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'words', control_host '} . $t->server->{url} . q{');
	CREATE USER MAPPING FOR CURRENT_USER SERVER words OPTIONS (api_key 'test-key');
	CREATE FOREIGN TABLE word (id text, sparse jsonb OPTIONS (role 'sparse_values'), n int) SERVER words OPTIONS (write_mode 'outbox')});
$server->create_index('words', dimension => 0, metric => 'dotproduct');
$t->sql(q{SELECT pinecone_outbox_put('word', NULL, 's', NULL, metadata => '{"n": 1}', model => 'pinecone-sparse-english-v0', source => 'a sparse text')});
is($t->sql('SELECT * FROM pinecone_deliver()'), '1|0|0', 'a sparse model');
is($t->sql(q{SELECT jsonb_array_length(sparse -> 'indices') > 0 FROM word WHERE id = 's'}), 't', 'makes a sparse vector');

# DROP EXTENSION is in nobody's way
$t->sql(q{INSERT INTO box VALUES ('end', '{1,2}', 1)});
is($t->error_of('SET client_min_messages = error; DROP EXTENSION pinecone_fdw CASCADE'), '', 'the extension goes, with what waits');
done_testing;
