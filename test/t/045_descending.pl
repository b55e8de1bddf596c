# Ids from the last one down: max(id) and ORDER BY id DESC LIMIT n, also below some id
# and above another, bring the same as a local copy for ids of many shapes, in a
# transaction that has written and of a service that lags, and ask for little.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('keyset', dimension => 4);
srand 11;

my $n = 4500;
my %shapes = (
	numbers => [map { sprintf 'doc-%06d', $_ * 3 } 1 .. $n],
	chunks => [map { sprintf 'd%d#chunk-%d', $_ / 9, $_ % 9 } 1 .. $n],
	uuids => [map { join '-', map { sprintf '%04x', rand 65536 } 1 .. 5 } 1 .. $n],
	nested => [map { substr('abcdefghijklmnopqrstuvwxyz' x 20, 0, 1 + $_ % 500) . ($_ > 500 ? chr(33 + $_ / 500) . $_ : '') } 1 .. $n],
	odd => [map { chr(1 + $_ % 127) . chr(1 + ($_ / 127) % 127) . ($_ % 3 ? '' : "\x7f") } 1 .. $n],
);
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
END
for my $shape (sort keys %shapes)
{
	my $ids = $shapes{$shape};

	for (my $i = 0; $i < @$ids; $i += 1000)
	{
		my $end = $i + 999 < $#$ids ? $i + 999 : $#$ids;

		$server->upsert('keyset', $shape, [map { +{id => $ids->[$_], values => [map { rand() - 0.5 } 1 .. 4], metadata => {n => $_ % 10}} } $i .. $end]);
	}
	$t->sql(<<"END");
CREATE FOREIGN TABLE f_$shape (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace '$shape');
CREATE TABLE l_$shape AS SELECT id, embedding, n FROM f_$shape;
END
	is($t->sql("SELECT count(*) FROM l_$shape"), scalar keys %{{map { $_ => 1 } @$ids}}, "$shape: all of them");
}

sub literal
{
	my ($text) = @_;
	$text =~ s/([^ -~]|[\\'@])/sprintf '\\x%02x', ord $1/ge;
	return "E'$text'";
}

my $s = $t->session;
$s->query('SELECT count(*) FROM f_numbers');

# reading all of them is dear
$s->query('SET pinecone_fdw.enable_sweep = off; SET cpu_tuple_cost = 100');
for my $shape (sort keys %shapes)
{
	my $ids = $shapes{$shape};
	my $different = 0;
	my $descents = 0;

	for (1 .. 24)
	{
		my $id = $ids->[rand @$ids];
		my $bound = rand() < 0.3 ? substr $id, 0, 1 + rand 5 : $id;
		my $where = rand() < 0.4 ? 'true' : 'id ' . (rand() < 0.5 ? '<' : '<=') . ' ' . literal($bound);

		$where .= ' AND id > ' . literal($ids->[rand @$ids]) if rand() < 0.2;
		$where .= ' AND n <> 3' if rand() < 0.3;
		$where .= ' AND id LIKE ' . literal(substr($id, 0, 2) =~ s/([%_\\])/\\$1/gr) . " || '%'" if rand() < 0.2;
		my $limit = 1 + int rand(rand() < 0.2 ? 400 : 30);
		my $offset = rand() < 0.2 ? ' OFFSET ' . int rand 50 : '';
		my $query = rand() < 0.2 ? "SELECT max(id) FROM \@_$shape WHERE $where" : 'SELECT ' . (rand() < 0.5 ? 'id' : 'id, n') . " FROM \@_$shape WHERE $where ORDER BY id DESC LIMIT $limit$offset";
		my $writes = rand() < 0.3 ? join '; ', 'BEGIN', map { my $table = "${_}_$shape"; ("DELETE FROM $table WHERE id = " . literal((sort @$ids)[-1]), 'UPDATE ' . $table . ' SET n = 3 WHERE id = ' . literal($id), "INSERT INTO $table VALUES (" . literal($bound . 'new') . ", '{1,0,0,0}', 4), ('zz', '{1,0,0,0}', 5)") } 'f', 'l' : '';
		my ($f, $l);

		$s->query($writes) if $writes;
		$f = $s->query($query =~ s/\@/f/r);
		$descents++ if $s->query('EXPLAIN ' . $query =~ s/\@/f/r)->{out} =~ /Pinecone Order: id DESC/;
		$l = $s->query($query =~ s/\@/l/r);
		$s->query('ROLLBACK') if $writes;
		next if $f->{out} eq $l->{out} && $f->{err} eq '';
		$different++;
		diag "$writes $query\n$f->{err}" . substr($f->{out}, 0, 300) . "\n" . substr($l->{out}, 0, 300);
	}
	is($different, 0, "$shape: the same as of a local copy");
	cmp_ok($descents, '>', 3, '... most go down');
}

# ---- A cursor goes on, beyond what was thought to be wanted ----

for my $table ('f_uuids', 'l_uuids')
{
	$s->query("BEGIN; DECLARE $table CURSOR FOR SELECT id FROM (SELECT id, n FROM $table ORDER BY id DESC LIMIT 1900) s WHERE n < 9");
	$s->query("FETCH 40 FROM $table");
}
is($s->query('FETCH ALL FROM f_uuids')->{out}, $s->query('FETCH ALL FROM l_uuids')->{out}, 'a cursor');
$s->query('COMMIT');

# ---- What the search says does not matter ----

my $last = $s->query('SELECT max(id) FROM l_chunks')->{out};
for my $fault ({status => 400, body => '{"code":3,"message":"no"}'}, {status => 403, body => '{}'}, {status => 200, body => '{"matches":[]}'},
	{status => 200, body => '{"matches":[{"id":"d1","score":1}]}'})
{
	$server->fault({path => '/query', count => -1, %$fault});
	is($s->query('SELECT max(id) FROM f_chunks')->{out}, $last, "$fault->{status} $fault->{body}");
}
$server->clear_faults;

# ---- Requests ----

$server->clear_requests;
is($s->query("SELECT id FROM f_numbers WHERE id < 'doc-004560' ORDER BY id DESC LIMIT 2")->{out}, "doc-004557\ndoc-004554", 'a page before');
cmp_ok(scalar($server->take_log), '<=', 16, '... takes few requests');
is($s->query('SELECT max(id) FROM f_numbers')->{out}, 'doc-013500', 'the last id');
cmp_ok(scalar($server->take_log), '<=', 520, '... takes some hundreds, however many there are');
my $text = $s->query("EXPLAIN (COSTS OFF) SELECT id, n FROM f_numbers WHERE id < 'doc-006000' ORDER BY id DESC LIMIT 5")->{out};
like($text, qr/Pinecone Order: id DESC\n.*Pinecone Ids To: doc-006000/s, 'EXPLAIN says so');
unlike($s->query('EXPLAIN SELECT id FROM f_numbers ORDER BY id DESC LIMIT 4000')->{out}, qr/Pinecone Order/, 'many are sorted');
unlike($s->query('EXPLAIN SELECT id FROM f_numbers ORDER BY id COLLATE "en_US" DESC LIMIT 4')->{out}, qr/Pinecone Order/, 'and what has another order') if $t->sql(q{SELECT count(*) FROM pg_collation WHERE collname = 'en_US'});
$s->query('SET pinecone_fdw.enable_keyset = off');
unlike($s->query('EXPLAIN SELECT id FROM f_numbers ORDER BY id DESC LIMIT 4')->{out}, qr/Pinecone Order/, 'and all where it is turned off');
$s->query('RESET pinecone_fdw.enable_keyset');

# ---- Cancelled ----

$server->fault({path => '/vectors/list', delay_ms => 20_000, count => -1});
like($s->query("SET statement_timeout = '300ms'; SELECT max(id) FROM f_uuids")->{err}, qr/statement timeout/, 'a timeout ends the wait');
$server->clear_faults;
$s->query('RESET statement_timeout');
is($s->query('SELECT max(id) FROM f_uuids')->{out}, $s->query('SELECT max(id) FROM l_uuids')->{out}, 'and asked again');

# ---- A service that lags ----

my $lag = $t->session;
$lag->query('SET cpu_tuple_cost = 100; SET pinecone_fdw.enable_sweep = off');
$server->control('POST', '/_local/settings', {lag => 1500});
$lag->query("INSERT INTO f_numbers VALUES ('doc-9', '{1,0,0,0}', 1); DELETE FROM f_numbers WHERE id = 'doc-013500'");
is($lag->query('SELECT id FROM f_numbers ORDER BY id DESC LIMIT 2')->{out}, "doc-9\ndoc-013497", 'what was written is there, and what was deleted is not');
done_testing;
