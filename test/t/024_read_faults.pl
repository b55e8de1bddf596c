# A matrix of reads and faults: every kind of statement, with every kind of
# fault at the first, second, middle and last request of every path that it
# asks.  Each gives exactly the right rows, or one error; the session works on
# and nothing is left behind.
#
# PINECONE_FDW_EVERY_FAULT=1 tries all combinations; else one in 29, spread so that
# each statement, fault and position has its share.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $every = $ENV{PINECONE_FDW_EVERY_FAULT};
my $key = 'a-key-that-is-not-to-be-seen';
my $timeout = 1000;    # of a request, ms
my $records = 450;
my $t = Harness->new(pinecone => ['--api-key', $key], conf => ['jit = off']);
my $server = $t->server;
my $host = $server->create_index('faults', dimension => 2, metric => 'euclidean');
my $deep = $server->create_index('deep', dimension => 2, metric => 'euclidean');

sub records_of
{
	my ($from, $to) = @_;
	return [map { +{id => sprintf('r%05d', $_), values => [$_, 1], metadata => {n => $_, t => 't' . $_ % 5, tenant => int($_ / 1000)}} } $from .. $to];
}

$server->upsert('faults', 'kb', records_of(1, $records));
$server->upsert('faults', "ns$_", records_of($_ * 1000 + 1, $_ * 1000 + 60)) for 1 .. 3;
$server->upsert('deep', '', records_of(1, 10_200));


for (['s', $server->where('faults')], ['byname', "index 'faults', control_host '$server->{url}'"], ['deep', $server->where('deep')])
{
	my ($name, $where) = @$_;

	$t->sql(<<"END");
CREATE SERVER $name FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, request_timeout '${timeout}ms', max_retries '2', max_concurrency '4');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_key '$key');
END
}

# The same tables in two schemas, foreign and local
my $columns = 'id text COLLATE "C", embedding real[], n int, t text';
my $content = "'r' || to_char(n, 'FM00000'), ARRAY[n, 1]::real[], n, 't' || n % 5 FROM generate_series";
$t->sql(<<"END");
CREATE SCHEMA pinecone;
CREATE SCHEMA truth;
SET search_path = pinecone, public;
CREATE FOREIGN TABLE r ($columns) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE named ($columns) SERVER byname OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE deep ($columns) SERVER deep;
CREATE FOREIGN TABLE spread (ns text OPTIONS (role 'namespace') COLLATE "C", $columns) SERVER s OPTIONS (namespaces 'ns1,ns2,ns3');
CREATE TABLE parts (tenant int, $columns) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE parts_1 PARTITION OF parts FOR VALUES IN (1) SERVER s OPTIONS (namespace 'ns1');
CREATE FOREIGN TABLE parts_2 PARTITION OF parts FOR VALUES IN (2) SERVER s OPTIONS (namespace 'ns2');
CREATE FOREIGN TABLE parts_3 PARTITION OF parts FOR VALUES IN (3) SERVER s OPTIONS (namespace 'ns3');
SET search_path = truth;
CREATE TABLE r ($columns);
INSERT INTO r SELECT $content(1, $records) n;
CREATE TABLE named AS SELECT * FROM r;
CREATE TABLE deep ($columns);
INSERT INTO deep SELECT $content(1, 10200) n;
CREATE TABLE spread (ns text, $columns);
INSERT INTO spread SELECT 'ns' || n / 1000, $content(1001, 3060) n WHERE n % 1000 BETWEEN 1 AND 60;
CREATE TABLE parts AS SELECT right(ns, 1)::int AS tenant, id, embedding, n, n % 1000 AS t FROM spread;
SET search_path = public;
CREATE TABLE o (k int PRIMARY KEY, fid text, v real[]);
INSERT INTO o SELECT i, 'r' || to_char(i * 2, 'FM00000'), ARRAY[i * 3, 1] FROM generate_series(1, 120) i;
ANALYZE o, truth.r, truth.named, truth.deep, truth.spread, truth.parts;
END
# Rows as a whole: a sum over them, and their number
sub digest
{
	my ($rows) = @_;
	return "SELECT count(*), md5(coalesce(string_agg(s::text, ';'), '')) FROM ($rows) s";
}

my $near = "ORDER BY embedding <-> '{6.8,1}'";
my $rounded = "round((embedding <-> '{6.8,1}')::numeric, 3)";
my @statements = (
	['scan', digest('SELECT * FROM r ORDER BY n')],
	['list', digest('SELECT id FROM r ORDER BY id')],
	['id', digest("SELECT * FROM r WHERE id = 'r00007'")],
	['ids', digest("SELECT * FROM r WHERE id = ANY (ARRAY(SELECT 'r' || to_char(n, 'FM00000') FROM generate_series(1, 700, 2) n)) ORDER BY n")],
	['prefix', digest("SELECT * FROM r WHERE id LIKE 'r002%' ORDER BY n")],
	['filter', digest('SELECT * FROM r WHERE n > 100 ORDER BY n')],
	['filter in pages', digest("SELECT n, id FROM deep WHERE t = 't1' OR n > 4000 ORDER BY n")],
	['search', digest("SELECT id, $rounded FROM r $near LIMIT 3")],
	['search with OFFSET', digest("SELECT id, n, $rounded FROM r $near LIMIT 20 OFFSET 30")],
	['search with filter', digest("SELECT id, embedding, $rounded FROM r WHERE t = 't2' $near LIMIT 10")],
	['search that grows', digest("SELECT id, n FROM r WHERE length(id) + n % 7 < 7 $near LIMIT 50")],
	['search within', digest("SELECT id FROM r WHERE embedding <-> '{6.8,1}' < 200 ORDER BY n")],
	['search by id', digest("SELECT id FROM (SELECT id FROM r ORDER BY embedding <-> (SELECT embedding FROM r WHERE id = 'r00009') LIMIT 5) s ORDER BY id")],
	['deep search', digest("SELECT id, $rounded FROM deep $near LIMIT 10 OFFSET 10050")],
	['count', 'SELECT count(*) FROM r'],
	['count by filter', "SELECT count(*) FROM r WHERE t = 't3'"],
	['namespaces', digest('SELECT * FROM spread ORDER BY n')],
	['namespaces in order', digest('SELECT ns, id FROM spread ORDER BY id')],
	['namespaces searched', digest("SELECT ns, id, n FROM spread $near LIMIT 70")],
	['namespaces counted', digest('SELECT ns, count(*) FROM spread GROUP BY ns ORDER BY ns')],
	['namespaces counted by filter', digest("SELECT ns, count(*) FROM spread WHERE t = 't1' GROUP BY ns ORDER BY ns")],
	['partitions', digest('SELECT tenant, id, n FROM parts ORDER BY n')],
	['partitions searched', digest("SELECT id, n FROM parts $near LIMIT 9")],
	['LATERAL searches', digest('SELECT o.k, m.id FROM o, LATERAL (SELECT id FROM r ORDER BY embedding <-> o.v LIMIT 3) m ORDER BY 1, 2')],
	['join by id', digest('SELECT o.k, r.n, r.t FROM o JOIN r ON r.id = o.fid ORDER BY 1')],
	['semi-join', digest('SELECT o.k FROM o WHERE EXISTS (SELECT FROM r WHERE r.id = o.fid) ORDER BY 1')],
	['cursor', "BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM r; MOVE 5 IN c; FETCH 3 FROM c; MOVE 200 IN c; FETCH 2 FROM c; MOVE ALL IN c; COMMIT"],
	['by name', digest('SELECT * FROM named ORDER BY n'), fresh => 1],
	['by name, searched', digest("SELECT id, $rounded FROM named $near LIMIT 3"), fresh => 1],
	['by name, counted', 'SELECT count(*) FROM named', fresh => 1],
	['IMPORT', "SET client_min_messages = warning; BEGIN; CREATE SCHEMA i; IMPORT FOREIGN SCHEMA pinecone FROM SERVER s INTO i OPTIONS (vector_type 'real[]'); SELECT string_agg(relname || ':' || (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0), ',' ORDER BY relname) FROM pg_class c WHERE relnamespace = 'i'::regnamespace; ROLLBACK",
		truth => PineconeLocal::makes_documents() ? 'kb:9,ns1:9,ns2:9,ns3:9' : 'kb:7,ns1:7,ns2:7,ns3:7'],
	['ANALYZE', "ANALYZE r; SELECT null_frac, n_distinct FROM pg_stats WHERE schemaname = 'pinecone' AND tablename = 'r' AND attname = 'n'", truth => '0|-1'],
	['EXPLAIN', "EXPLAIN (COSTS OFF) SELECT id FROM r WHERE id = 'x'", like => qr/Foreign Scan on r/],
);

# [fault, what is expected of it at one request]: "rows", whatever it takes, or
# "error", or "any" of them
my $error_object = '{"code":13,"message":"something is wrong","details":[]}';
my @faults = (
	[{kind => 'status', status => 429}, 'rows'],
	[{kind => 'status', status => 408}, 'rows'],
	[{kind => 'status', status => 500}, 'rows'],
	[{kind => 'status', status => 502, body => '<html>Bad Gateway</html>', content_type => 'text/html'}, 'rows'],
	[{kind => 'status', status => 503}, 'rows'],
	[{kind => 'status', status => 504}, 'rows'],
	[{kind => 'truncate'}, 'rows'],
	[{kind => 'truncate', bytes => 0}, 'rows'],
	[{kind => 'truncate', bytes => 1}, 'rows'],
	[{kind => 'close'}, 'rows'],
	[{kind => 'close_after'}, 'rows'],
	[{kind => 'garbage'}, 'rows'],
	[{kind => 'status', status => 200, body => ''}, 'rows'],
	[{kind => 'status', status => 204, body => ''}, 'rows'],
	[{kind => 'status', status => 200, body => '{"vectors":{"a":'}, 'rows'],
	[{kind => 'status', status => 206, body => '{"matches":[{"id":"r00'}, 'rows'],
	[{kind => 'status', status => 200, body => $error_object}, 'rows'],
	[{kind => 'status', status => 200, body => '[]'}, 'rows'],
	[{kind => 'status', status => 200, body => 'null'}, 'rows'],
	[{kind => 'status', status => 200, body => '{}'}, 'rows'],
	[{kind => 'content_type'}, 'harmless'],
	[{kind => 'drip', bytes => 4096, interval_ms => 2}, 'harmless'],
	[{kind => 'delay', delay_ms => 40}, 'harmless'],
	[{kind => 'delay', delay_ms => $timeout + 300}, 'any'],    # time in which the backend was busy does not count
	[{kind => 'status', status => 301}, 'error'],
	[{kind => 'status', status => 304}, 'error'],
	[{kind => 'status', status => 400, body => '{"code":3,"message":"no"}'}, 'error'],
	[{kind => 'status', status => 401, body => "Invalid API Key $key"}, 'error'],
	[{kind => 'status', status => 403, body => $error_object}, 'error'],
	[{kind => 'status', status => 404}, 'error'],
	[{kind => 'status', status => 409}, 'error'],
	[{kind => 'status', status => 413}, 'any'],
	[{kind => 'status', status => 429, retry_after => 3600}, 'error'],
);

my $known = qr/^ERROR:  (?:invalid response from Pinecone|lost the connection to Pinecone|Pinecone rate limit reached|Pinecone could not answer the request|Pinecone rejected the request|Pinecone rejected the API key|Pinecone refused the request|request to Pinecone timed out after $timeout ms|Pinecone index "faults" does not exist|Pinecone host "[^"]*" has no such index or operation)\nDETAIL:  /m;
# who cannot be told the kind of the index plans for vectors, and is told then
$known = qr/$known|^ERROR:  Pinecone index "faults" is an index of documents\nDETAIL:  /m if PineconeLocal::makes_documents();
my $ncases = 0;
my $nfailed = 0;
my $all_errors = '';

sub new_session
{
	my ($former) = @_;
	my $session = $t->session;

	$former->close if $former;
	$session->query(<<'END');
SET search_path = pinecone, public;
SET pinecone_fdw.stats_ttl = 0;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
END
	return $session;
}

# Sockets and the like: PostgreSQL keeps files of relations open
sub descriptors
{
	my ($session) = @_;
	return scalar grep { !m{^/} } $t->descriptors($session->pid);
}

# What is wrong with a result, or undef
sub wrong
{
	my ($result, $statement, $expected) = @_;
	my $errors = () = $result->{err} =~ /^(?:ERROR|FATAL|PANIC)/mg;
	my $is_right = $statement->{like} ? $result->{out} =~ $statement->{like} : $result->{out} eq $statement->{truth};

	$all_errors .= $result->{err};
	return 'the connection is lost' if $result->{lost};
	# for ever refused, planning and reading each give up two seconds and a last back-off of up to 3.2 s later
	return 'it took long' if $result->{seconds} > 12;
	return 'the key is shown' if "$result->{out}$result->{err}" =~ /\Q$key\E/;
	if ($errors == 0)
	{
		# where the key may not even pretend to write, a count reads, and says so
		return $is_right ? undef : 'wrong rows' if $result->{err} =~ /^NOTICE:  .*\n(?:DETAIL:  .*\n)?HINT:  Set option "count_from_dry_run"/;
		return 'a warning' if $result->{err} ne '';
		return 'no error' if $expected eq 'error';
		return $is_right ? undef : 'wrong rows';
	}
	return 'an error' if $expected eq 'rows';
	# what follows in a failed transaction block
	(my $first = $result->{err}) =~ s/^ERROR:  current transaction is aborted, commands ignored until end of transaction block\n//mg;
	$errors = () = $first =~ /^(?:ERROR|FATAL|PANIC)/mg;
	return 'more than one error' if $errors > 1 && $statement->{sql} !~ /^BEGIN|^ANALYZE/;
	return 'an unknown error' if $first !~ $known;
	return undef;
}

sub run_case
{
	my ($session, $statement, $faults, $expected, $name, $again) = @_;

	$ncases++;
	$server->fault($_) for @$faults;
	my $result = eval { $session->query($statement->{sql}, 20) } // {out => '', err => $@, lost => 1, seconds => 20};
	my @left = @{$server->control('GET', '/_local/faults')->{faults}};
	$server->clear_faults;
	$session->query('ROLLBACK') if $statement->{sql} =~ /^BEGIN/;
	$expected = 'rows' if @$faults && @left == @$faults && !grep { $_->{met} } @left;
	my $wrong = wrong($result, $statement, $expected);
	# a request of the case before, which was given up, may have met the fault
	return run_case($session, $statement, $faults, $expected, $name, 1) if ($wrong // '') eq 'no error' && !$again;
	if (defined $wrong)
	{
		$nfailed++;
		diag("$name: $wrong: " . substr($result->{out}, 0, 200) . ' | ' . substr($result->{err}, 0, 400));
	}
	return $result;
}

# ---- The matrix ----

my $number = 0;
my $contexts = $t->sql('SHOW server_version_num') >= 140000;
for (@statements)
{
	my ($name, $sql, %more) = @$_;
	my $statement = {name => $name, sql => $sql, %more};

	my $session = new_session();
	if (!defined $statement->{truth} && !$statement->{like})
	{
		my $local = $t->session;
		$local->query('SET search_path = truth, public');
		my $result = $local->query($sql);
		is($result->{err}, '', "$name: the truth is known");
		$statement->{truth} = $result->{out};
		$local->close;
	}

	# what it asks, and that it is right
	$session->query($sql);
	$server->clear_requests;
	$session = new_session($session) if $statement->{fresh};
	my $clean = $nfailed;
	run_case($session, $statement, [], 'rows', "$name: without a fault");
	is($nfailed - $clean, 0, "$name: without a fault") or next;
	my %asked;
	$asked{$_->{path}}++ for $server->requests;
	my ($cases, $failed) = ($ncases, $nfailed);
	my $descriptors = descriptors($session);

	for my $path (sort keys %asked)
	{
		my $n = $asked{$path};
		my %positions = map { $_ => 1 } 0, 1, int($n / 2), $n - 1;

		for my $entry (@faults)
		{
			my ($fault, $expected) = @$entry;
			my $what = "$name: $path of $n: " . join ' ', map { "$_ " . ($fault->{$_} =~ s/\Q$key\E/KEY/r) } sort keys %$fault;
			my $optional = $path =~ /stats|namespaces/ || $name eq 'EXPLAIN';

			for my $skip (sort { $a <=> $b } grep { $_ < $n } keys %positions)
			{
				next if !$every && $number++ % 29;
				$session = new_session($session) if $statement->{fresh};
				my $first = $expected =~ /rows|harmless/ ? 'rows' : $optional || $expected eq 'any' ? 'any' : 'error';
				$first = 'any' if $fault->{status} && $fault->{status} == 404 && $path !~ /indexes/ && $statement->{fresh};
				run_case($session, $statement, [{%$fault, path => $path, skip => $skip}], $first, "$what, at $skip");
			}
			next if !$every && $number++ % 29;
			next if $fault->{delay_ms} || $expected eq 'harmless';
			$session = new_session($session) if $statement->{fresh};
			run_case($session, $statement, [{%$fault, path => $path, skip => int($n / 3), count => 2}], $expected eq 'rows' ? 'rows' : 'any', "$what, twice") if $expected eq 'rows';
			$session = new_session($session) if $statement->{fresh};
			run_case($session, $statement, [{%$fault, path => $path, skip => int($n / 3), count => -1}], $optional ? 'any' : 'error', "$what, for ever");
		}
	}
	my $result = run_case($session, $statement, [], 'rows', "$name: afterwards");
	is($nfailed - $failed, 0, "$name: " . ($ncases - $cases) . ' cases');
	cmp_ok(descriptors($session) - $descriptors, '<=', 4, "$name: no descriptor is left");
	# the statistics that were asked for ahead, and what was said of the index last, stay
	cmp_ok($session->query("SELECT count(*) FROM pg_backend_memory_contexts WHERE name ~ '^pinecone (call|stream|batch|scan)'")->{out}, '<=', 2, "$name: no memory is left")
		if $contexts;
	$session->close;
}
unlike($all_errors, qr/\Q$key\E/, 'no error shows the key');
unlike($t->log =~ s/api_key '\Q$key\E'//gr, qr/\Q$key\E/, 'nor does the log');
diag("$ncases cases");
done_testing;
