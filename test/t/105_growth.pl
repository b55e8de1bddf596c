# One session runs statements of every kind again and again: scans, searches,
# joins, writes, rollbacks, errors, cancels, cursors, aggregates, functions. After
# twice as many it holds what it held: memory contexts to the byte, memory of its
# own, descriptors.
#
#	PINECONE_FDW_ROUNDS=13 test/t/105_growth.pl		rounds of all statements, twice
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $rounds = $ENV{PINECONE_FDW_ROUNDS} // 13;
# kB that malloc may have more, in fragments
my $slack = $ENV{PINECONE_FDW_SLACK} // 256;
# What PostgreSQL keeps of catalogs, which importing and ANALYZE change, and may have more of
my $catalogs = qr/^(?:CacheMemoryContext|MdSmgr|PgStat .*|WAL record construction|RelCache.*)$/;
my $share = 0.02;
my $unseen = 1;    # s
my $t = Harness->new(conf => ['jit = off', 'autovacuum = off', "pinecone_fdw.unseen_time = '${unseen}s'"]);
my $server = $t->server;
my $port = $t->port;
my $documents = {title => {type => 'string', full_text_search => {}}, embedding => {type => 'dense_vector', dimension => 4, metric => 'cosine'}};

sub values_of
{
	my ($i) = @_;
	return [$i, 1, $i % 3, 1];
}

$server->create_index('growth', dimension => 4);
for my $namespace ('', 'acme')
{
	$server->upsert('growth', $namespace,
		[map { +{id => sprintf('r%03d', $_), values => values_of($_), metadata => {n => $_, title => "T $_", tags => ['a', "t$_"]}} } 1 .. 120]);
}
$server->create_document_index('papers', $documents);
$server->upsert_documents('papers', '', [map { +{_id => sprintf('d%03d', $_), title => "a word t$_", n => $_, embedding => values_of($_)} } 1 .. 120]);

for my $index ('growth', 'papers')
{
	$t->sql(<<"END");
CREATE SERVER $index FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '$index', control_host 'http://127.0.0.1:$port', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER $index OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE ${index}_read (id text COLLATE "C", embedding real[], n int, title text COLLATE "C", tags text[], score real OPTIONS (role 'score')) SERVER $index;
CREATE FOREIGN TABLE ${index}_every (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", n int) SERVER $index;
CREATE FOREIGN TABLE ${index}_written (id text COLLATE "C", embedding real[], n int, title text) SERVER $index OPTIONS (namespace 'written');
CREATE FOREIGN TABLE ${index}_misfit (id text, title int) SERVER $index;
END
}
$t->sql(<<"END");
CREATE SERVER nowhere FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://127.0.0.1:1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE nowhere (id text, embedding real[]) SERVER nowhere;
CREATE TABLE ids AS SELECT to_char(i, '"r"FM000') AS id, i FROM generate_series(1, 20) i;
CREATE TABLE scores AS SELECT i, abs(hashint4(i)) / 1e9 AS x, i % 2 = 0 AS later FROM generate_series(1, 300) i;
ANALYZE ids, scores;
END

# Of each index: TABLE is its name
my @of_an_index = (
	'SELECT count(*) FROM TABLE_read',
	'SELECT count(title) FROM TABLE_read WHERE n BETWEEN 10 AND 90',
	q{SELECT sum(n) FROM TABLE_read WHERE title LIKE 'T 1%' OR n IN (3, 5, 7)},
	q{SELECT id, n FROM TABLE_read WHERE id = 'r007' OR id = 'd007'},
	q{SELECT count(n) FROM TABLE_read WHERE id = ANY ('{r001,r002,r003,d001,d002,nothing}')},
	'SELECT n, count(*) FROM TABLE_read GROUP BY n ORDER BY n LIMIT 5',
	'SELECT DISTINCT ns FROM TABLE_every',
	'SELECT ns, count(n) FROM TABLE_every GROUP BY ns',
	q{SELECT id, score, embedding <=> '{1,2,3,4}' FROM TABLE_read ORDER BY embedding <=> '{1,2,3,4}' LIMIT 5},
	q{SELECT id FROM TABLE_read WHERE n > 20 ORDER BY embedding <=> '{1,2,3,4}' LIMIT 5 OFFSET 3},
	q{SELECT id FROM TABLE_read WHERE embedding <=> '{1,2,3,4}' < 0.5 ORDER BY embedding <=> '{1,2,3,4}'},
	q{SELECT i.id, x.n FROM ids i, LATERAL (SELECT n FROM TABLE_read r WHERE r.n > i.i ORDER BY r.embedding <=> ARRAY[i.i, 1, 1, 1]::real[] LIMIT 2) x},
	'SELECT count(r.n) FROM ids i JOIN TABLE_read r USING (id)',
	'SELECT count(*) FROM TABLE_read a JOIN TABLE_read b USING (n)',
	'EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, SUMMARY OFF) SELECT title FROM TABLE_read WHERE n < 10',
	q{INSERT INTO TABLE_written SELECT 'w' || i, ARRAY[i, 1, 1, 1], i, 'W' FROM generate_series(1, 30) i},
	q{UPDATE TABLE_written SET title = 'V', n = n + 1 WHERE n < 10 RETURNING id},
	q{INSERT INTO TABLE_written VALUES ('w1', '{1,1,1,1}', 1, 'X') ON CONFLICT DO NOTHING},
	q{DELETE FROM TABLE_written WHERE n > 25},
	q{BEGIN; INSERT INTO TABLE_written VALUES ('p', '{1,1,1,1}', 1, 'P'); SELECT count(title) FROM TABLE_written; SELECT id FROM TABLE_written ORDER BY embedding <=> '{1,1,1,2}' LIMIT 3; ROLLBACK},
	q{BEGIN; SAVEPOINT s; DELETE FROM TABLE_written WHERE id = 'w2'; ROLLBACK TO s; UPDATE TABLE_written SET n = 7 WHERE id = 'w2'; SELECT 1 / 0; COMMIT},
	'BEGIN; DECLARE c CURSOR FOR SELECT id, n FROM TABLE_read; FETCH 10 FROM c; FETCH 50 FROM c; CLOSE c; COMMIT',
	q{BEGIN; DECLARE c CURSOR FOR SELECT id FROM TABLE_read ORDER BY embedding <=> '{1,2,3,4}'; FETCH 10 FROM c; SELECT 1 / 0; COMMIT},
	'SELECT title FROM TABLE_misfit',
	'SELECT id, 1 / (n - 50) FROM TABLE_read',
	q{INSERT INTO TABLE_written VALUES ('x', '{1,1}', 1, 'too short')},
	'SELECT n, pg_cancel_backend(pg_backend_pid()) FROM TABLE_read',
	q{INSERT INTO TABLE_written SELECT 'c' || n, ARRAY[1, 1, 1, pg_cancel_backend(pg_backend_pid())::int], n, 'C' FROM TABLE_read},
	q{PREPARE p (real[]) AS SELECT id FROM TABLE_read ORDER BY embedding <=> $1 LIMIT 2; EXECUTE p ('{1,1,1,1}'); EXECUTE p ('{2,1,1,1}'); DEALLOCATE p},
	'SELECT huf_kappa(embedding), huf_pairwise_cos(embedding), huf_dispersion(embedding) FROM TABLE_read',
	'ANALYZE TABLE_read',
	'SELECT count(*) FROM pinecone_namespaces(\'TABLE\'), pinecone_describe_index(\'TABLE\')',
	'SELECT pinecone_index_stats(\'TABLE_read\'::regclass)',
);
my @others = (
	'SELECT id FROM nowhere',
	q{INSERT INTO nowhere VALUES ('a', '{1}')},
	q{SELECT id FROM papers_read WHERE to_tsvector('english', title) @@ plainto_tsquery('english', 'word') LIMIT 3},
	q{SELECT array_length(pinecone_embed('growth', 'llama-text-embed-v2', 'a text', dimension => 384), 1)},
	q{SELECT pinecone_embed('growth', 'no-such-model', 'a text')},
	q{SELECT * FROM pinecone_describe_index('growth', 'no-such-index')},
	'SELECT count(*) FROM pinecone_connections()',
	'SELECT severity FROM pinecone_check()',
	'SELECT huf_gini(x), huf_entropy(x), huf_hhi(x), huf_items_to_cover(x, 0.8), huf_lse(x), huf_moments(x), huf_histogram(x, \'{0,1,2}\') FROM scores',
	'SELECT huf_ks(x, later), huf_w1(x, later), huf_tv(x, x + 1), huf_psi(x, x + 1), huf_js(x, x) FROM scores',
	'SELECT huf_gini(x) OVER (ORDER BY i ROWS 20 PRECEDING), huf_entropy(x) OVER (ORDER BY i ROWS 20 PRECEDING) FROM scores',
	q{SELECT huf_mmd_rbf(ARRAY[x, i]::real[], later, 0.5) FROM scores WHERE i < 50},
	q{SELECT pinecone_match('{"n": 3, "tags": ["a"]}', '{"n": {"$gt": 2}}')},
	q{BEGIN; CREATE SCHEMA imported; IMPORT FOREIGN SCHEMA "default" FROM SERVER growth INTO imported; ROLLBACK},
);
my @statements = ((map { my $index = $_; map { s/TABLE/$index/gr } @of_an_index } 'growth', 'papers'), @others);
my $s = $t->session;
my $pid = $s->pid;

sub run
{
	my ($times) = @_;

	for (1 .. $times)
	{
		$s->query($_) for @statements;
	}
}

# kB of the process that are in no file and not shared: malloc's, and the stack
sub anonymous
{
	open my $file, '<', "/proc/$pid/smaps_rollup" or die "no /proc/$pid/smaps_rollup: $!\n";
	my ($kb) = map { /^Anonymous:\s+(\d+) kB/ ? $1 : () } <$file>;
	return $kb;
}

# What the backend holds when nothing runs, no connection is open, and what was
# written is seen by all:
# bytes used by context, kB, files and sockets but for relations' files
sub held
{
	sleep 2 * $unseen;
	$s->query('SET pinecone_fdw.idle_connection_timeout = 0');
	$s->query("SELECT count(n) FROM $_") for 'growth_written', 'papers_written', 'growth_written', 'papers_written';
	$t->wait_until(sub { $t->connections($pid) == 0 });
	my $out = $s->query('SELECT name, count(*), sum(used_bytes) FROM pg_backend_memory_contexts GROUP BY name ORDER BY name')->{out};
	my %held = map { /^(.*)\|(\d+)\|(\d+)$/ ? ($1 => $3, "number of $1" => $2) : () } split /\n/, $out;
	my @descriptors = sort map { s/\[\d+\]//r } grep { !m{/data/(?:base|global|pg_wal)/} } $t->descriptors($pid);

	$s->query('RESET pinecone_fdw.idle_connection_timeout');
	return (\%held, anonymous(), join ' ', @descriptors);
}

# Each of them works, or fails as it is to
my %failed;
for my $statement (@statements)
{
	my $err = $s->query($statement)->{err};
	$failed{$statement} = $1 if $err =~ /ERROR:  (.*)/;
}
my @wrong = grep { $failed{$_} !~ /division by zero|canceling|has 2 dimensions|expected 4 dim|127\.0\.0\.1:1\b|no-?\s?such|misfit|"title"/ } sort keys %failed;
diag("$_\n-> $failed{$_}\n") for $ENV{SHOW} ? sort keys %failed : @wrong;
is(scalar @wrong, 0, 'no statement fails that is not to');

run($rounds);
my ($before, $memory, $descriptors) = held();
run($rounds);
my ($after, $memory_after, $descriptors_after) = held();
my %grown = map { $after->{$_} > ($before->{$_} // 0) + (/$catalogs/ ? $before->{$_} * $share : 0) ? ($_ => ($before->{$_} // 0) . " -> $after->{$_}") : () } keys %$after;
is((join ', ', map { "$_: $grown{$_}" } sort keys %grown), '', 'no memory context holds more, after ' . $rounds * @statements . ' statements more');

# Replies that come at other times leave other gaps in it.  A leak grows each time.
my @grew = ($memory_after - $memory);
while ($grew[-1] > $slack && @grew < 4)
{
	run($rounds);
	$memory = $memory_after;
	(undef, $memory_after, $descriptors_after) = held();
	push @grew, $memory_after - $memory;
}
cmp_ok($grew[-1], '<=', $slack, "memory grew by @grew kB");
is($descriptors_after, $descriptors, 'the same descriptors');
done_testing;
