# What services refuse, and what the error makes of it: keys that may do little,
# quotas, indexes that are gone or of documents, hosts that are not Pinecone.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";
use FakeServer;
use Harness;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Harness->new(pinecone => ['--read-only-key', 'reader', '--data-key', 'worker']);
my $host = $t->server->create_index('real', dimension => 2);
$t->server->upsert('real', '', [map { +{id => "r$_", values => [$_, 1], metadata => {n => $_, cat => $_ % 2 ? 'odd' : 'even'}} } 1 .. 20]);
my $control = $t->server->{url};

sub make
{
	my ($name, $options, %more) = @_;

	$t->sql(<<"END");
DROP SERVER IF EXISTS $name CASCADE;
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (@{[$more{mapping} // "api_key 'test-key'"]});
CREATE FOREIGN TABLE $name (id text, embedding real[], n int, cat text) SERVER $name @{[$more{table} // '']};
END
}

# A server that answers everything so
sub answers
{
	my (%reply) = @_;
	return FakeServer->new(sub { return {%reply} });
}

# ---- A key that only reads ----

make('reads', "index 'real', control_host '$control'", mapping => "api_key 'reader'");
{
	my $s = $t->session;
	my $count = "SELECT count(*) FROM reads WHERE cat = 'odd'";
	my $result = $s->query($count);
	is($result->{out}, 10, 'a key that only reads counts by reading');
	like($result->{err}, qr/NOTICE:.*dry run.*"count_from_dry_run"/s, 'and is told how to have it so at once');
	is($s->query($count)->{err}, '', 'once');
	unlike($s->query("EXPLAIN $count")->{out}, qr/Pinecone Operation: count/, 'the session knows from then on');
	is($s->query("SELECT count(*) FROM reads WHERE cat = 'even' AND n > 4")->{out}, 8, 'other conditions');
	is($s->query('SELECT count(*) FROM reads')->{out}, 20, 'without one');
	$s->query("PREPARE p AS $count");
	is($s->query('EXECUTE p')->{out}, 10, 'a prepared statement');
	like($s->query("INSERT INTO reads VALUES ('x', '{1,1}', 1, 'x')")->{err}, qr/Pinecone refused the request.*HTTP status 403.*may write/s, 'it does not write');
	like($s->query("UPDATE reads SET n = 2 WHERE cat = 'odd'")->{err}, qr/Pinecone refused the request/, 'nor by a condition');
	is($s->query("SELECT id FROM reads ORDER BY embedding <=> '{1,1}' LIMIT 1")->{out}, 'r1', 'it searches');
}
make('never', "host '$host', updatable 'false'", mapping => "api_key 'reader'");
{
	my $result = $t->psql("SELECT count(*) FROM never WHERE cat = 'odd'");
	is($result->{out} . $result->{err}, 10, 'a server that is not updatable does not count by a dry run');
	unlike($t->sql("EXPLAIN SELECT count(*) FROM never WHERE cat = 'odd'"), qr/Operation: count/, 'by its plan neither');
}
make('wrong', "host '$host'", mapping => "api_key 'nobody'");
{
	my $result = $t->psql("SELECT count(*) FROM wrong WHERE cat = 'odd'");
	like($result->{err}, qr/Pinecone rejected the API key/, 'a key that is not known is an error');
	unlike($result->{err}, qr/dry run of/, 'and no matter of dry runs');
}

# ---- A key without rights on the control plane ----

make('works', "index 'real', control_host '$control'", mapping => "api_key 'worker'");
like($t->error_of('SELECT id FROM works'), qr/Pinecone refused the request.*describe index.*"host" option in place of "index"/s,
	'a key that may not describe indexes: option host');
make('works', "host '$host'", mapping => "api_key 'worker'");
is($t->sql('SELECT count(*) FROM works'), 20, 'with which it works');
is($t->sql("INSERT INTO works VALUES ('w', '{1,1}', 1, 'w'); DELETE FROM works WHERE id = 'w'; SELECT count(*) FROM works WHERE id = 'w'"), 0, 'and writes');

# ---- An index that is deleted ----

for my $pause (0, 1.2)
{
	$t->server->create_index("gone$pause" =~ tr/.//dr, dimension => 2);
	make('gone', "index '@{['gone' . $pause =~ tr/.//dr]}', control_host '$control'");
	my $s = $t->session;
	$s->query('SELECT id FROM gone');
	sleep $pause;
	$t->server->drop_index('gone' . $pause =~ tr/.//dr);
	for my $which ('first', 'second', 'third')
	{
		my $error = $s->query('SELECT id FROM gone')->{err};
		like($error, qr/Pinecone index "gone\d+" does not exist/,
			"a deleted index: the $which statement after $pause s says so");
		unlike($error, qr/could not reach Pinecone host "\Q$control\E"/, 'and does not blame the control plane');
	}
}

# ---- Quotas ----

{
	my $message = "Request failed. You've reached your egress limit for the current month. To continue reading data, upgrade your plan.";
	for (['application/json', qq({"code":8,"message":"$message","details":[]})], ['text/plain', $message])
	{
		my ($type, $body) = @$_;
		my $used_up = answers(status => 429, headers => {'Content-Type' => $type}, body => $body);
		make('quota', "host '" . $used_up->url . "'");
		my $result = $t->psql('SELECT id FROM quota');
		like($result->{err}, qr/quota of the current month is used up.*egress limit.*HINT:  Neither waiting/s, "the month's egress, as $type");
		unlike($result->{err}, qr/max_retries|rate_limits/, 'no hint at what does not help');
		is($used_up->count('/vectors/list'), 1, 'and it is not asked again');
	}
	my $unpaid = answers(status => 402, body => '{"error":{"code":"PAYMENT_REQUIRED","message":"Request failed. Pay all past due invoices"},"status":402}');
	make('unpaid', "host '" . $unpaid->url . "'");
	like($t->error_of('SELECT id FROM unpaid'), qr/past due.*billing/s, 'unpaid invoices');
	my $full = answers(status => 403, body => qq({"code":7,"message":"Request failed. You've reached the max storage allowed for project x.","details":[]}));
	make('filled', "host '" . $full->url . "'");
	like($t->error_of('SELECT id FROM filled'), qr/max storage.*limit of the Pinecone project/s, 'a limit of the project');
}

# ---- An index of documents ----

{
	my $documents = FakeServer->new(sub {
		my ($request) = @_;
		return FakeServer::reply({namespaces => {}, totalVectorCount => 3, dimension => undef, metric => undef}) if $request->{path} =~ /stats/;
		return {status => 400, body => '{"code":3,"message":"This index has a document schema, so writes must go through the documents API. Use POST /namespaces/{namespace}/documents/upsert (2026-07).","details":[]}'}
			if $request->{path} =~ /upsert/;
		return {status => 400, body => '{"code":3,"message":"This index has a document schema; use the documents API to read it.","details":[]}'};
	});
	make('documents', "host '" . $documents->url . "'");
	like($t->error_of($_), qr/is an index of documents|has an index of documents.*indexes of vectors/s, "an index of documents: $_")
		for 'SELECT id FROM documents', "SELECT n FROM documents WHERE id = 'a'", "INSERT INTO documents VALUES ('a', '{1,2}', 1, 'x')",
		"SELECT id FROM documents WHERE cat = 'x'";
}

# ---- Whose words are shown ----

for (['text/html', '<html>secret of the intranet</html>'], ['application/json', '{"secret":"of the intranet"}'],
	['application/json', '{"message":"secret of the intranet"}'], ['text/plain', 'secret of the intranet'],
	['text/plain', ''], ['application/json', '"secret of the intranet"'])
{
	my ($type, $body) = @$_;
	for my $status (400, 401, 403, 404, 429, 500, 302)
	{
		my $other = answers(status => $status, headers => {'Content-Type' => $type}, body => $body);
		make('other', "host '" . $other->url . "', max_retries '0'");
		for my $statement ('SELECT id FROM other', "INSERT INTO other VALUES ('a', '{1,1}', 1, 'x')", "IMPORT FOREIGN SCHEMA x FROM SERVER other INTO public",
			"SELECT count(*) FROM other WHERE cat = 'x'")
		{
			my $error = $t->error_of($statement);
			like($error, qr/^ERROR/m, "$status, $type: $statement");
			unlike($error, qr/secret/, 'what others answer is not shown');
		}
	}
}
{
	my $own = answers(status => 400, body => '{"code":3,"message":"Vector dimension 2 does not match","details":[]}');
	make('own', "host '" . $own->url . "'");
	like($t->error_of('SELECT id FROM own'), qr/Vector dimension 2 does not match/, "Pinecone's own words are");
}

# ---- Loopback ----

{
	make('local', "host '$host'");
	my $s = $t->session;
	is($s->query('SELECT count(*) FROM local')->{out}, 20, 'loopback is allowed');
	$s->query('SET pinecone_fdw.allow_loopback = off');
	for my $name ('127.0.0.1', 'localhost', '[::1]', '127.0.0.2', 'LOCALHOST')
	{
		for my $scheme ('http://', 'https://', '')
		{
			make('closed', "host '$scheme$name:1'");
			like($s->query('SELECT count(*) FROM closed')->{err}, qr/may not be sent an API key.*allow_loopback/s, "$scheme$name is not, where it is turned off");
		}
	}
	like($s->query('SELECT count(*) FROM local')->{err}, qr/may not be sent an API key/, 'nor what was asked before');
	make('resolved', "index 'real', control_host '$control'");
	like($s->query('SELECT count(*) FROM resolved')->{err}, qr/may not be sent an API key/, 'nor a control plane');
	$s->query("SET pinecone_fdw.allowed_hosts = '127.0.0.1'; SET pinecone_fdw.allow_http_hosts = '127.0.0.1'");
	is($s->query('SELECT count(*) FROM local')->{out}, 20, 'unless it is on the lists');
	$t->sql('CREATE ROLE somebody');
	like($t->error_of("LOAD 'pinecone_fdw'; SET ROLE somebody; SET pinecone_fdw.allow_loopback = on"), qr/permission denied/, 'only superusers turn it on');
}

# ---- http:// or not ----

make('plain', "host 'http://x.pinecone.io'");
like($t->error_of('SELECT id FROM plain'), qr/without TLS.*HINT:  Write https:\/\/ before the host, or nothing/s, 'http:// to a service that speaks TLS');
make('tls', "index 'real', control_host '" . $control =~ s/^http:\/\///r . "', max_retries '0'");
like($t->error_of('SELECT id FROM tls'), qr/could not reach Pinecone host.*write "http:\/\/" before the host in the server's "control_host" option/s, 'no http:// to one that does not: control_host');
make('tls', "host '" . $host =~ s/^http:\/\///r . "', max_retries '0'");
like($t->error_of('SELECT id FROM tls'), qr/could not reach Pinecone host.*write "http:\/\/" before the host in the server's "host" option/s, 'host');

like($t->error_of("CREATE SERVER nowhere FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (api_version '2025-10')"), qr/WARNING:.*neither a "host" nor an "index" option/, 'neither host nor index: said when it is made');

# ---- A copy of the database ----

{
	make('copied', "host '$host', write_cluster 'production'");
	is($t->sql('SELECT count(*) FROM copied'), 20, 'a copy reads');
	for my $statement ("INSERT INTO copied VALUES ('x', '{1,1}', 1, 'x')", "UPDATE copied SET n = 3 WHERE id = 'r3'", "UPDATE copied SET n = 3 WHERE cat = 'odd'",
		"DELETE FROM copied WHERE id = 'none'", "DELETE FROM copied WHERE cat = 'odd'", 'TRUNCATE copied', "COPY copied (id, embedding) FROM PROGRAM 'printf \"x\\t{1,1}\\n\"'")
	{
		like($t->error_of($statement), qr/foreign table "copied" is not written to from this cluster/, "and does not write: $statement");
	}
	$t->sql("ALTER SYSTEM SET cluster_name = 'production'");
	$t->program('pg_ctl', '-D', $t->dir . '/data', '-w', '-l', $t->dir . '/postgres.log', 'restart');
	is($t->error_of("INSERT INTO copied VALUES ('y', '{1,1}', 1, 'x'); DELETE FROM copied WHERE id = 'y'"), '', 'the cluster of that name writes');
}

# ---- Key files ----

{
	my $file = $t->dir . '/readable';
	open my $f, '>', $file or die $!;
	print $f "test-key\n";
	close $f;
	chmod 0644, $file;
	make('filed', "host '$host'", mapping => "api_key_file '$file'");
	my $s = $t->session;
	my $first = $s->query('SELECT count(*) FROM filed');
	is($first->{out}, 20, 'a key file that everybody may read');
	like($first->{err}, qr/WARNING:  API key file ".*" can be read by every user/, 'is warned of');
	is($s->query('SELECT count(*) FROM filed')->{err}, '', 'once');
	my (undef, undef, undef, undef, $uid, $gid) = stat $t->dir . '/data';
	chmod 0600, $file;
	chown $uid, $gid, $file;
	is($t->psql('SELECT count(*) FROM filed')->{err}, '', 'one of its own is not');
}
done_testing();
