# What services answer to those who administer, when it is not what was hoped for: what is said, and what to do.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $url = $server->{url};
$server->create_index('films', dimension => 3);
$server->upsert('films', 'kb', [{id => 'a', values => [1, 1, 1]}, {id => 'b', values => [1, 1, 2]}]);
$server->upsert('films', 'other', [{id => 'a', values => [1, 1, 1]}]);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$url', max_retries '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
END
my $s = $t->session;

sub refusal
{
	my ($status, $code, $message) = @_;
	return (status => $status, body => {error => {code => $code, message => $message}, status => $status});
}

# What a statement says when these faults meet it
sub said
{
	my ($statement, @faults) = @_;
	$server->fault({count => 1, %$_}) for @faults;
	my $r = $s->query($statement);
	$server->clear_faults;
	return "$r->{out}$r->{err}";
}

# ---- A service without a list of namespaces ----

for my $status (404, 405, 501)
{
	is(said("SELECT namespace, records, size_bytes IS NULL FROM pinecone_namespaces('s') ORDER BY namespace", {path => '/namespaces', method => 'GET', refusal($status, 'NOT_FOUND', 'no such call'), count => -1}),
		"kb|2|t\nother|1|t", "HTTP status $status: its statistics tell the namespaces");
}
is(said("SELECT namespace FROM pinecone_namespaces('s', 'o')", {path => '/namespaces', method => 'GET', refusal(501, 'UNIMPLEMENTED', 'no')}), 'other', 'those with a prefix');
like(said("SELECT * FROM pinecone_namespaces('s', 'é')"), qr/ERROR:  invalid value for argument "prefix": "é"\nHINT:  Names of namespaces are ASCII/, 'a prefix that none can have');
like(said("SELECT * FROM pinecone_namespaces('s')", {path => '/namespaces', method => 'GET', refusal(403, 'FORBIDDEN', 'not you')}), qr/ERROR:  could not list namespaces\nDETAIL:.*not you\nHINT:  Check what the user mapping's API key may do/, 'a key that may not');

# ---- Lost, and then refused: what to do is said ----

my @refused = refusal(400, 'INVALID_ARGUMENT', 'no more');
for (["SELECT pinecone_create_namespace('s', 'n')", '/namespaces', 'POST', 'could not create namespace "n"', 'Repeat it with if_not_exists => true.'],
	["SELECT pinecone_delete_namespace('s', 'other')", '/namespaces/other', 'DELETE', 'could not delete namespace "other"', 'It is safe to repeat, with if_exists => true'],
	["SELECT pinecone_create_alias('s', 'a', 'kb')", '/namespace-aliases', 'POST', 'could not create alias "a"', 'Repeat it with if_not_exists => true.'],
	["SELECT pinecone_repoint_alias('s', 'a', 'kb')", '/namespace-aliases/a', 'PATCH', 'could not repoint alias "a"', 'It is safe to repeat.'],
	["SELECT pinecone_delete_alias('s', 'a')", '/namespace-aliases/a', 'DELETE', 'could not delete alias "a"', 'It is safe to repeat, with if_exists => true'],
	["SELECT * FROM pinecone_configure_index('s', 'films', tags => '{\"a\": \"b\"}')", '/indexes/films', 'PATCH', 'could not configure index "films"', 'It is safe to repeat.'],
	["SELECT pinecone_delete_index('s', 'films')", '/indexes/films', 'DELETE', 'could not delete index "films"', 'It is safe to repeat, with if_exists => true'])
{
	my ($statement, $path, $method, $error, $note) = @$_;
	like(said($statement, {path => $path, method => $method, status => 503}, {path => $path, method => $method, @refused}),
		qr/ERROR:  \Q$error\E\nDETAIL:.*no more\nIt is not known whether the write was applied\.\n\Q$note\E/, "$error: $note");
}
is(said("SELECT count(*) FROM pinecone_indexes('s')"), 1, 'the index is there');
is(said("SELECT string_agg(namespace, ' ' ORDER BY namespace) FROM pinecone_namespaces('s')"), 'kb other', 'and its namespaces');

# ---- Aliases ----

$s->query("SELECT pinecone_create_alias('s', 'live', 'kb')");
like(said("SELECT pinecone_create_alias('s', 'live', 'kb', if_not_exists => true)", {path => '/namespace-aliases/live', method => 'GET', @refused}), qr/ERROR:  could not describe alias "live"\nDETAIL:.*no more/, 'an alias that is not described');
like(said("SELECT pinecone_create_alias('s', 'live', 'kb', if_not_exists => true)", {path => '/namespace-aliases/live', method => 'GET', status => 200, body => {name => 'live'}}),
	qr/ERROR:  invalid response from Pinecone\nDETAIL:.*the reply describes no alias/s, 'nor by that');
like(said("SELECT pinecone_create_alias('s', 'live', 'kb', if_not_exists => true)", {path => '/namespace-aliases/live', method => 'GET', refusal(404, 'NOT_FOUND', 'gone')}), qr/ERROR:  alias "live" already existed/, 'one that is gone by then');
like(said("SELECT pinecone_repoint_alias('s', 'live', 'other')", {path => '/vectors/list', @refused}), qr/ERROR:  could not read through alias "live"\nDETAIL:.*no more/, 'one that cannot be read through');
is(said("SELECT alias FROM pinecone_aliases('s')", {path => '/namespace-aliases', method => 'GET', status => 200,
	body => {namespace_aliases => [{name => 'x'}, {target_namespace => 'y'}, {name => 'z', target_namespace => 'kb'}], pagination => {next => ''}}}), 'z', 'a list that has half of some');
$s->query("SELECT pinecone_delete_alias('s', 'live')");

# ---- Indexes ----

my @exists = refusal(409, 'ALREADY_EXISTS', 'Resource already exists');
like(said("SELECT * FROM pinecone_create_index('s', 'brief', 3, if_not_exists => true)", {path => '/indexes', method => 'POST', @exists}),
	qr/ERROR:  could not create index "brief"\nDETAIL:.*\nHINT:  It was there, and is gone by now: repeat the statement\./, 'an index that was there');
like(said("SELECT * FROM pinecone_create_index('s', 'odd', 3)", {path => '/indexes', method => 'POST', status => 201, body => {}}), qr/ERROR:  invalid response from Pinecone\nDETAIL:.*the reply describes no index/s, 'a creation that describes none');
like(said("SELECT * FROM pinecone_configure_index('s', 'films', tags => '{\"a\": \"b\"}')", {path => '/indexes/films', method => 'PATCH', status => 200, body => {}}), qr/ERROR:  invalid response from Pinecone\nDETAIL:.*the reply describes no index/s, 'nor does a configuration');
like(said("SELECT pinecone_delete_index('s', 'films')", {path => '/indexes/films', method => 'DELETE', refusal(403, 'FORBIDDEN', 'Deletion protection is enabled')},
	{path => '/indexes/films', method => 'GET', status => 200, body => {name => 'films', dimension => 3, metric => 'cosine', deletion_protection => 'enabled', status => {ready => JSON::PP::true, state => 'Ready'}}}),
	qr/ERROR:  index "films" is protected from deletion\n/, 'one that is protected');
like(said("SELECT * FROM pinecone_create_index('s', 'films', 3, cloud => 'gcp', region => 'us-central1', if_not_exists => true)"), qr/ERROR:  index "films" already exists, and is another one\nDETAIL:  .*cloud aws/, 'one in another cloud');
like(said("SELECT * FROM pinecone_create_index('s', 'texts', kind => 'document', metric => 'cosine', schema => '{\"fields\": {\"t\": {\"type\": \"string\", \"full_text_search\": {}}}}')"), qr/invalid value for argument "metric".*\nHINT:  That of documents stands in the schema/, 'a metric of documents');

# ---- Backups ----

my $id = $s->query("SELECT backup_id FROM pinecone_create_backup('s', 'films', 'one')")->{out};
my %backup = (backup_id => $id, name => 'two', source_index_name => 'films');
my $create = "SELECT status FROM pinecone_create_backup('s', 'films', 'two')";
my %made = (path => '/indexes/films/backups', method => 'POST', status => 201, body => {%backup, status => 'Initializing'});
for my $status ('Failed', 'Terminating')
{
	like(said($create, \%made, {path => "/backups/$id", method => 'GET', status => 200, body => {%backup, status => $status}}),
		qr/ERROR:  backup "\Q$id\E" will not get ready: its status is $status\nHINT:  Delete it, and make another one\.\n\z/, "a backup that is $status");
}
like(said($create, \%made, {path => "/backups/$id", method => 'GET', refusal(404, 'NOT_FOUND', 'no such')}), qr/ERROR:  backup "\Q$id\E" does not exist\n/, 'one that is gone meanwhile');
like(said($create, \%made, {path => "/backups/$id", method => 'GET', @refused}), qr/ERROR:  could not describe backup "\Q$id\E"\nDETAIL:.*no more/, 'one that is not described');
like(said($create, {path => '/indexes/films/backups', method => 'POST', refusal(404, 'NOT_FOUND', 'no such')}), qr/ERROR:  index "films" does not exist/, 'one of an index that is gone');
like(said("SELECT pinecone_delete_backup('s', '$id')", {path => "/backups/$id", method => 'DELETE', status => 503}, {path => "/backups/$id", method => 'DELETE', refusal(412, 'FAILED_PRECONDITION', 'in use')}),
	qr/ERROR:  could not delete backup "\Q$id\E"\nDETAIL:.*in use\n.*\nIt is safe to repeat.*\nHINT:  An index is being made from it: wait for that\./, 'one in use');
like(said("SELECT * FROM pinecone_restore_jobs('s')", {path => '/restore-jobs', @refused}), qr/ERROR:  could not list restore jobs\nDETAIL:.*no more/, 'jobs that are not listed');
my $restore = "SELECT status FROM pinecone_create_index_from_backup('s', '$id', 'again'";
my %job = (restore_job_id => 'j', backup_id => $id, target_index_name => 'again', percent_complete => 40);
my %begun = (path => "/backups/$id/create-index", method => 'POST', status => 202, body => {restore_job_id => 'j', index_id => 'i'});
for my $status ('Failed', 'Cancelled')
{
	like(said("$restore)", \%begun, {path => '/restore-jobs/j', method => 'GET', status => 200, body => {%job, status => $status}}), qr/ERROR:  restore job "j" has ended with status $status\n\z/, "a restore that is $status");
}
like(said("$restore, timeout => '10 ms')", \%begun, {path => '/restore-jobs/j', method => 'GET', status => 200, count => -1, body => {%job, status => 'Pending'}}),
	qr/NOTICE:.*restore job Pending, 40 %\nERROR:  restore job "j" is not over after 0\.0 s\nHINT:  Wait longer.*pinecone_describe_restore_job\(\)\.\nCONTEXT:.*accepted/s, 'one that takes long');
like(said("$restore)", {path => "/backups/$id/create-index", method => 'POST', status => 503}, {path => "/backups/$id/create-index", method => 'POST', @refused}),
	qr/ERROR:  could not create index "again" from backup "\Q$id\E"\nDETAIL:.*no more\n.*\npinecone_restore_jobs\(\) shows/, 'one that is refused the second time');
is(said("SELECT backup_id FROM pinecone_backups('s')", {path => '/backups', method => 'GET', status => 200, body => {data => [{name => 'x'}, {%backup, status => 'Ready'}]}}), $id, 'a list of backups of which one has no id');
is(said("SELECT restore_job_id FROM pinecone_restore_jobs('s')", {path => '/restore-jobs', method => 'GET', status => 200, body => {data => [{status => 'x'}, {%job, status => 'Pending'}]}}), 'j', 'and of jobs');

# ---- Models ----

my $rank = "SELECT position FROM pinecone_rerank('s', 'bge-reranker-v2-m3', 'fox', ARRAY['a fox', 'a whale']";
for (['{}', 'A ranking has no "data"'], ['{"data": [{"index": 2, "score": 1}, {"index": 0, "score": 0.5}]}', 'A ranking names a document that was not sent'],
	['{"data": [{"index": 0.5, "score": 1}]}', 'A ranking names a document that was not sent'], ['{"data": [{"index": 0}]}', 'A ranking names a document that was not sent'],
	['{"data": [{"index": 1, "score": 1}, {"index": 1, "score": 0.5}]}', 'A ranking names a document twice'], ['{"data": [{"index": 1, "score": 1}]}', 'A ranking has not as many documents as were asked for'])
{
	my ($body, $fault) = @$_;
	like(said("$rank)", {path => '/rerank', status => 200, body => $body}), qr/\AERROR:  invalid response from Pinecone\nDETAIL:  \Q$fault\E\.\n\z/, "a ranking: $body");
}
is(said("$rank, top_n => 1)"), 1, 'the best of two');
like(said("SELECT * FROM pinecone_rerank('s', 'bge-reranker-v2-m3', 'fox', NULL::text[])"), qr/argument "documents" must not be NULL/, 'no documents');
like(said("SELECT * FROM pinecone_models('s')", {path => '/models', status => 200, body => '{"models": 7}'}), qr/invalid response from Pinecone\nDETAIL:  The reply names no models/, 'models that are none');
is(said("SELECT dimensions FROM pinecone_models('s')", {path => '/models', status => 200, body => '{"models": [{"model": "m", "supported_dimensions": [], "type": "embed"}]}'}), '{}', 'a model of no dimension');
like(said("SELECT pinecone_embed('s', 'pinecone-sparse-english-v0', ARRAY['a', 'b'])"), qr/ERROR:.*sparse/, 'a sparse model makes no real[]');
like(said("SELECT pinecone_embed('s', 'multilingual-e5-large', NULL::text[])"), qr/argument "texts" must not be NULL/, 'no texts');

# ---- pinecone_ping() ----

like(said("SELECT step, hint FROM pinecone_ping('s') WHERE ok = false", {path => '/indexes/films', method => 'GET', status => 200, body => {}, count => -1}), qr/\Aindex\|.*"control_host"/, 'a control plane that describes nothing');
$server->fault({path => '/describe_index_stats', kind => 'close', count => -1});
like($s->query("SELECT step, detail FROM pinecone_ping('s') WHERE ok = false")->{out}, qr/\Ahost\|/, 'an index that does not answer');
$server->clear_faults;
my $host = $server->host('films');
$t->sql("CREATE SERVER h FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host'); CREATE USER MAPPING FOR CURRENT_USER SERVER h OPTIONS (api_key 'test-key')");
like(said("SELECT step, hint FROM pinecone_ping('h') WHERE ok = false", {path => '/describe_index_stats', refusal(404, 'NOT_FOUND', 'no such'), count => -1}), qr/\Aindex\|Check the server's "host" option: there is no index\./, 'a host without an index');

# ---- IMPORT FOREIGN SCHEMA ----

like(said("IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public OPTIONS (vector_type 'vector')"), qr/ERROR:  type "vector" does not exist\nHINT:  Install it with CREATE EXTENSION vector, or import vectors as real\[\]/, 'vectors of pgvector without it');
like(said("IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public OPTIONS (default_table '')"), qr/ERROR:.*"default_table".*\nHINT:  It is the name of a table\./, 'a table without a name');
done_testing;
