# Namespaces read by searches without vectors: every record once, whatever its
# metadata is, however searches and counts lag or fall short, whoever has written;
# what it costs, and where it is not done.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new(pinecone => ['--latency', 3, '--log-size', 20000], conf => ["pinecone_fdw.unseen_time = '3s'"]);
my $server = $t->server;
my $host = $server->create_index('ids', dimension => 24);

srand 58;

# Fields that divide records in different ways, and some that do not
my %metadata = (
	numbers => sub { +{n => $_[0], year => 1990 + $_[0] % 30} },
	texts => sub { +{n => 1, category => 'c' . $_[0] % 40, title => "title $_[0]"} },
	booleans => sub { my $i = shift; +{map { +"b$_" => $i >> $_ & 1 ? \1 : \0 } 0 .. 9} },
	lists => sub { +{tags => ['t' . $_[0] % 30, 't' . $_[0] % 7], category => 'c' . $_[0] % 3} },
	mixed => sub { my $i = shift; $i % 4 == 0 ? {n => $i} : $i % 4 == 1 ? {n => "text $i"} : $i % 4 == 2 ? {other => $i, n => $i % 8 == 2 ? \1 : ['x']} : undef },
	alike => sub { +{n => 7} },
	bare => sub { undef },
	titled => sub { +{title => "title $_[0]"} });
my $many = 2600;

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE everything (id text COLLATE "C", namespace text OPTIONS (role 'namespace'), metadata jsonb) SERVER s;
END

sub records
{
	my ($name, $from, $to) = @_;

	return map {
		my $of = $metadata{$name}->($_);

		{id => "r$_", values => [map { rand() - 0.5 } 1 .. 24], $of ? (metadata => $of) : ()}
	} $from .. $to;
}

sub upsert
{
	my ($name, @records) = @_;
	$server->upsert('ids', $name, [splice @records, 0, 500]) while @records;
}

for my $name (sort keys %metadata)
{
	upsert($name, records($name, 1, $name eq 'numbers' ? $many : 700));
	$t->sql("CREATE FOREIGN TABLE $name (id text COLLATE \"C\", embedding real[], metadata jsonb) SERVER s OPTIONS (namespace '$name')");
}

# ---- The same as page by page ----

my ($sweep, $pages);

sub new_sessions
{
	$sweep = $t->session;
	$pages = $t->session;
	$sweep->query('SET pinecone_fdw.sweep_records = 0');
	$pages->query('SET pinecone_fdw.enable_sweep = off');
}

sub same
{
	my ($sql, $what) = @_;
	my $expected = $pages->query($sql);
	my $result = $sweep->query($sql);

	is("$result->{out}$result->{err}", "$expected->{out}$expected->{err}", $what);
}

my $hash = "count(*), count(DISTINCT id), md5(string_agg(id || coalesce(metadata::text, '-'), ' ' ORDER BY id))";
my @statements = (
	"SELECT $hash FROM %s",
	"SELECT count(*), md5(string_agg(id, ' ' ORDER BY id)) FROM (SELECT id FROM %s OFFSET 0) s",
	"SELECT count(*), md5(string_agg(id || embedding::text, ' ' ORDER BY id)) FROM %s",
	"SELECT $hash FROM %s WHERE metadata ? 'n'",
	"SELECT $hash FROM %s WHERE (metadata->>'category') IS NULL",
	"SELECT count(*), count(DISTINCT id) FROM (SELECT id, metadata FROM %s LIMIT 50) s",
	"SELECT count(*), count(DISTINCT id) FROM (SELECT id, metadata FROM %s WHERE length(id) = 4 LIMIT 30) s",
	"SELECT md5(string_agg(id, ' ')) FROM (SELECT id, metadata FROM %s ORDER BY id LIMIT 120) s");

new_sessions();
same(sprintf($_, 'numbers'), "all at once: $_") for @statements;

# by metadata, with a filter that all records meet
$sweep->query('SET pinecone_fdw.enable_sweep = off');
for my $name (qw(numbers lists mixed bare))
{
	same(sprintf($_, $name), "by metadata, $name: $_") for @statements[0, 1, 2, 5, 6, 7];
	$server->fault({path => '/vectors/fetch_by_metadata', status => 400, body => '{"code":3,"message":"limit must be at most 90"}', count => 1});
	same(sprintf($statements[2], $name), "by metadata, $name: pages refused");
	$server->clear_faults;
	unlike($sweep->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT embedding, metadata FROM $name")->{out}, qr/Read Page By Page/, "$name: complete");
}
for my $seed (1, 2)
{
	# that such a filter leaves records out
	$server->fault({path => '/vectors/fetch_by_metadata', status => 200, body => '{"vectors":{},"namespace":"mixed"}', count => 1});
	same(sprintf($statements[2], 'mixed'), 'by metadata, a page that is empty');
	$server->clear_faults;
}
new_sessions();

# a search brings 60: each namespace has to be divided, and divided again
$server->control('POST', '/_local/settings', {max_top_k => 60});
for my $name (sort keys %metadata)
{
	same(sprintf($_, $name), "$name: $_") for @statements;

	# all of them, or what is left is listed
	my $text = $sweep->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT metadata FROM $name")->{out};
	my $complete = $name !~ /alike|bare|titled|lists|mixed/;

	like($text, qr/Sweep Requests: \d+/, "$name: searched");
	is($text =~ /Read Page By Page/ ? 0 : 1, $complete ? 1 : 0, "$name: " . ($complete ? 'divided' : 'not divided') . ($text =~ /(Read Page .*)/ ? ", $1" : ''));
}
$server->control('POST', '/_local/settings', {max_top_k => 10000});
new_sessions();
same("SELECT count(*), md5(string_agg(namespace || id || coalesce(metadata::text, '-'), ' ' ORDER BY namespace, id)) FROM everything", 'several namespaces');
$sweep->query('SET pinecone_fdw.prefetch = 64');
same("SELECT $hash FROM texts", 'with little memory');
same("SELECT $hash FROM numbers", 'with too little memory');
$sweep->query('RESET pinecone_fdw.prefetch');

# ---- A service that is approximate ----

for my $seed (1 .. 3)
{
	$server->control('POST', '/_local/settings', {approximate => $seed});
	same("SELECT $hash FROM $_", "approximate $seed: $_") for qw(numbers texts bare);
	same("SELECT count(*), count(DISTINCT id) FROM (SELECT id, metadata FROM texts LIMIT 50) s", "approximate $seed: LIMIT 50");
	same("SELECT count(*), count(DISTINCT id) FROM (SELECT id, metadata FROM texts LIMIT 5000) s", "approximate $seed: LIMIT beyond all");
	same("SELECT $hash FROM texts WHERE metadata->>'category' = 'c3'", "approximate $seed: filtered");
}
like($sweep->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT metadata FROM texts")->{out},
	qr/Sweep Requests: \d+\n\s*Read Page By Page: what these did not bring: searches brought fewer/, 'EXPLAIN ANALYZE says so');
$server->control('POST', '/_local/settings', {approximate => 0});

# ---- Writes that the service does not show yet ----

my $new = "INSERT INTO texts (id, embedding, metadata) SELECT 'new' || i, array_fill(0.3::real, ARRAY[24]), '{\"category\": \"c3\"}' FROM generate_series";
$sweep->query("$new(1, 20) i");
for my $lag ({lag_search => 1500}, {lag_stats => 1500}, {lag_list => 1500, lag_fetch => 1500}, {lag => 1500})
{
	my $why = join ' ', sort keys %$lag;

	$server->control('POST', '/_local/settings', $lag);
	$sweep->query("DELETE FROM texts WHERE id IN ('new1', 'new2'); UPDATE texts SET metadata = '{\"category\": \"none\"}' WHERE id = 'r7'");
	$sweep->query("INSERT INTO texts (id, embedding, metadata) VALUES ('late', array_fill(0.1::real, ARRAY[24]), '{\"category\": \"c3\"}'), ('new1', array_fill(0.2::real, ARRAY[24]), NULL)");
	is($sweep->query("SELECT count(id || '') || ' ' || count(metadata) FILTER (WHERE id = 'late') || ' ' || string_agg(metadata::text, ',') FILTER (WHERE id = 'r7') FROM texts")->{out},
		'720 1 {"category": "none"}', "own writes: $why");
	is($sweep->query("SELECT count(id || metadata::text) FROM texts WHERE metadata->>'category' = 'c3'")->{out}, 18 + 18 + 1, "and under a condition: $why");
	$sweep->query("DELETE FROM texts WHERE id = 'late'; $new(1, 2) i");
	$server->control('POST', '/_local/settings', {lag => 0});
}
is($sweep->query("BEGIN; DELETE FROM bare WHERE id < 'r2'; INSERT INTO bare (id, embedding) VALUES ('a', array_fill(0.1::real, ARRAY[24])); SELECT count(id), count(DISTINCT id), min(id) FROM (SELECT id, metadata FROM bare LIMIT 10000) s; ROLLBACK")->{out},
	join('|', (700 - grep({ "r$_" lt 'r2' } 1 .. 700) + 1) x 2, 'a'), 'in a transaction that has written');

# by itself: ids are listed besides, and what the searches have brought is not fetched
{
	my $reader = $t->session;

	$reader->query(q(INSERT INTO numbers (id, embedding, metadata) SELECT id, embedding, metadata FROM numbers WHERE id = 'r1'));
	$server->control('POST', '/_local/settings', {approximate => 1});
	my $text = $reader->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT metadata FROM numbers')->{out};
	my ($fetched) = $text =~ /Ids Fetched: (\d+)/;

	like($text, qr/Sweep Requests: \d+\n\s*Read Page By Page: what these did not bring: the service may not show yet/, 'written to a moment ago: searched all the same');
	cmp_ok($fetched, '<', $many / 2, 'which spares fetches');
	is($reader->query("SELECT $hash FROM numbers")->{out}, $pages->query("SELECT $hash FROM numbers")->{out}, 'and nothing is missing');
	$server->control('POST', '/_local/settings', {approximate => 0});
	like($reader->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT count(*) FROM numbers')->{out}, qr/Read And Counted: what the service may not count yet/, 'nor is it counted by the service');
	$reader->query('SELECT pg_sleep(3.1)');
	$text = $reader->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT metadata FROM numbers')->{out};
	unlike($text, qr/Read Page By Page/, 'later it is counted');
	unlike($reader->query('EXPLAIN (ANALYZE, COSTS OFF) SELECT count(*) FROM numbers')->{out}, qr/Read And Counted/, 'and so are all of them');
}

# ---- Counts that agree, and are behind ----

# searches, and what dry runs count, do not show what others have written; statistics do
$server->control('POST', '/_local/settings', {lag_search => 60000});
upsert('alike', records('alike', 701, 720));
is($sweep->query("SELECT count(id || metadata::text) FROM alike")->{out}, 720, 'searches and dry runs agree on too few: that is not all');
$server->control('POST', '/_local/settings', {lag => 0});

# ---- Refused ----

for my $path ('/query', '/vectors/update', '/describe_index_stats')
{
	my $fresh = $t->session;

	$fresh->query('SET pinecone_fdw.sweep_records = 0; SELECT id FROM numbers LIMIT 1');
	$server->fault({path => $path, status => 403, body => 'no', count => -1});
	is($fresh->query("SELECT count(id || metadata::text) FROM numbers")->{out}, $many, "without $path");
	$server->clear_faults;
}
{
	my $fresh = $t->session;

	$fresh->query('SET pinecone_fdw.sweep_records = 0; SELECT id FROM numbers LIMIT 1');
	$server->fault({path => '/vectors/update', status => 200, body => '{"matchedRecords":2599}', count => 1});
	is($fresh->query("SELECT count(id || metadata::text) FROM numbers")->{out}, $many, 'a filter that not every record meets');
	$fresh->query('RESET pinecone_fdw.sweep_records');
	unlike($fresh->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT metadata FROM numbers")->{out}, qr/Sweep Requests/, 'is not assumed again in this session');
}

# ---- As it is by itself ----

sub explained
{
	my ($s, $sql) = @_;
	my $text = $s->query("EXPLAIN (ANALYZE, VERBOSE) $sql")->{out};

	return {map { /^\s*(?:Pinecone )?([A-Z][\w ]+): (.+)/ ? ($1 => $2) : () } split /\n/, $text};
}

my $s = $t->session;
$s->query('SELECT id FROM numbers LIMIT 1');
my $of = explained($s, "SELECT metadata FROM numbers");
is($of->{Way}, 'searches without vectors', 'metadata alone');
is($of->{Requests}, 3, 'are a search, a dry run and statistics');
is($of->{'Assumed Records'}, $many, 'EXPLAIN tells what is assumed');
cmp_ok($of->{'Read Units'}, '<', 10, 'and few read units');
$of = explained($s, "SELECT metadata FROM numbers LIMIT 1000");
is($of->{Requests}, 1, 'LIMIT 1000 is a search');
$of = explained($s, "SELECT embedding FROM numbers");
is($of->{Way}, 'searches', 'vectors come of searches, too');
$s->query('SET pinecone_fdw.enable_sweep = off');
$of = explained($s, "SELECT embedding FROM numbers");
is($of->{Way}, 'pages of a filter that all records meet', 'or of pages by a filter');
$s->query('RESET pinecone_fdw.enable_sweep');
cmp_ok($of->{Requests}, '<', 12, 'in few requests');
$of = explained($s, "SELECT metadata FROM numbers ORDER BY id LIMIT 5");
is($of->{'Sweep Requests'}, undef, 'few in the order of ids are listed');
$of = explained($s, "SELECT metadata FROM texts");
is($of->{'Sweep Requests'}, undef, 'few records are read as ever');
$s->query('SET pinecone_fdw.enable_sweep = off; SET pinecone_fdw.enable_metadata_pages = off');
$of = explained($s, "SELECT metadata FROM numbers");
is($of->{'Sweep Requests'}, undef, 'and all where it is turned off');
$s->query('RESET pinecone_fdw.enable_sweep');
$t->sql("CREATE FOREIGN TABLE uncounted (id text COLLATE \"C\", metadata jsonb) SERVER s OPTIONS (namespace 'numbers', count_from_dry_run 'false')");
$of = explained($s, "SELECT metadata FROM uncounted");
is($of->{'Sweep Requests'}, undef, 'and where nothing is counted');
$of = explained($s, "SELECT metadata FROM uncounted LIMIT 500");
is($of->{'Sweep Requests'}, 1, 'unless a few will do');

# ---- More than can be counted ----

$server->fault({path => '/describe_index_stats', status => 200, count => -1, body => '{"namespaces":{"numbers":{"vectorCount":2000000}},"dimension":24,"metric":"cosine","totalVectorCount":2000000}'});
{
	my $large = $t->session;

	$large->query('SELECT id FROM numbers LIMIT 1');
	$of = explained($large, 'SELECT metadata FROM numbers LIMIT 1000');
	is($of->{Requests}, 1, 'a few of 2,000,000 are a search');
	is($of->{'Read Page By Page'}, undef, 'and that is all');
	$of = explained($large, 'SELECT metadata FROM numbers');
	is($of->{'Sweep Requests'}, undef, 'all of them are listed');
	is($large->query('SELECT count(*), count(DISTINCT id) FROM (SELECT id, metadata FROM numbers WHERE right(id, 1) < ' . "'9'" . ' LIMIT 2000) s')->{out}, '2000|2000', 'and so is what a search was not enough for');
	$server->clear_faults;
}

# ---- More than one count tells ----

sub claim
{
	my ($n) = @_;

	$server->clear_faults;
	$server->fault({path => '/describe_index_stats', status => 200, count => -1, body => qq({"namespaces":{"numbers":{"vectorCount":$n}},"dimension":24,"metric":"cosine","totalVectorCount":$n})});
}
{
	# not so many in truth: counts part by part say so, and what is left is listed
	claim(200_000);
	my $large = $t->session;

	$large->query('SELECT id FROM numbers LIMIT 1');
	$of = explained($large, 'SELECT metadata FROM numbers');
	like($of->{'Read Page By Page'}, qr/dry runs and statistics differ/, 'counted part by part');
	is($large->query("SELECT $hash FROM numbers")->{out}, $pages->query("SELECT $hash FROM numbers")->{out}, 'nothing is lost');
}
for my $where ('', "WHERE metadata ? 'n'")
{
	# the counts of the parts may agree with statistics that are right
	claim(200_000);
	my $large = $t->session;

	$large->query('SELECT id FROM numbers LIMIT 1');
	$server->clear_faults;
	$large->query('SET pinecone_fdw.sweep_records = 0; SET pinecone_fdw.enable_metadata_pages = off');
	$of = explained($large, "SELECT metadata FROM numbers $where");
	is($of->{'Read Page By Page'}, undef, "complete $where");
	is($large->query("SELECT $hash FROM numbers $where")->{out}, $pages->query("SELECT $hash FROM numbers $where")->{out}, 'and right');
}
$server->clear_faults;

# ---- More than was thought: pages are left half way ----

my $wide = $server->create_index('wide', dimension => 384);
my @vectors = map { join ',', map { sprintf '%.2f', rand() - 0.5 } 1 .. 384 } 1 .. 10;
for my $from (map { 200 * $_ } 0 .. 14)
{
	$server->upsert_json('wide', 'kb', [map { sprintf '{"id":"w%d","values":[%s],"metadata":{"n":%d,"kind":"%s"}}', $_, $vectors[$_ % 10], $_, $_ % 10 ? 'most' : 'few' } $from .. $from + 199]);
}
$t->sql(<<"END");
CREATE SERVER wide FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$wide');
CREATE USER MAPPING FOR CURRENT_USER SERVER wide OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE wide (id text COLLATE "C", embedding real[], n int, kind text) SERVER wide OPTIONS (namespace 'kb');
END
my $most = "SELECT count(*), count(DISTINCT id), sum(n) FROM (SELECT id, n FROM wide WHERE kind = 'most' OFFSET 0) s";
sub leaves_pages
{
	my ($what, $complete) = @_;
	my $reader = $t->session;
	$reader->query("SELECT id FROM wide LIMIT 1");
	my $text = $reader->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT id, n FROM wide WHERE kind = 'most'")->{out};

	like($text, qr/Sweep Requests: \d+/, "$what: searched");
	is($text =~ /Read Page By Page/ ? 0 : 1, $complete, "$what: " . ($complete ? 'complete' : 'and what is left is paged'));
	is($reader->query($most)->{out}, '2700|2700|4050000', "$what: each once");
	is($reader->query("BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM wide WHERE kind = 'most'; MOVE 100 FROM c; MOVE ALL FROM c")->{err}, '', "$what: a cursor");
	is($reader->query('COMMIT')->{err}, '', 'ends');
	unlike($reader->query("EXPLAIN (ANALYZE, COSTS OFF) SELECT id, embedding FROM wide WHERE kind = 'most'")->{out}, qr/Sweep Requests/, "$what: not for vectors");
}
leaves_pages('exact', 1);
$server->control('POST', '/_local/settings', {max_top_k => 900});
leaves_pages('divided', 1);
$server->control('POST', '/_local/settings', {max_top_k => 10000, approximate => 2});
leaves_pages('approximate', 0);
$server->control('POST', '/_local/settings', {approximate => 0});

# ---- Cancelled half way ----

$s->query('SET statement_timeout = 5');
like($s->query("SELECT sum(length(metadata::text)) FROM numbers")->{err}, qr/statement timeout/, 'cancelled');
$s->query('RESET statement_timeout');
is($s->query("SELECT count(id || metadata::text) FROM numbers")->{out}, $many, 'and asked again');

done_testing();
