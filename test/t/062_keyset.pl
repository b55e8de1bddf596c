# Pages by the id: WHERE id > ... ORDER BY id LIMIT n begins where the condition
# says, brings the same as a local copy for ids of many shapes, and asks for little.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $t = Harness->new;
my $server = $t->server;
my $host = $server->create_index('keyset', dimension => 1);
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

		$server->upsert('keyset', $shape, [map { +{id => $ids->[$_], values => [1], metadata => {n => $_ % 10}} } $i .. $end]);
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
for my $shape (sort keys %shapes)
{
	my $ids = $shapes{$shape};
	my $different = 0;
	my $walks = 0;
	my @lows = ((map { $ids->[rand @$ids] } 1 .. 8), (map { substr $ids->[rand @$ids], 0, 1 + rand 5 } 1 .. 4), 'b', '~', "\x01", (sort @$ids)[-1], (sort @$ids)[-2], (sort @$ids)[0]);

	for my $low (@lows)
	{
		my $compare = rand() < 0.5 ? '>' : '>=';
		my $more = rand() < 0.3 ? ' AND n <> 3' : rand() < 0.2 ? " AND id LIKE " . literal(substr($low, 0, 1) =~ s/([%_\\])/\\$1/r) . " || '%'" : '';
		my $limit = 1 + int rand(rand() < 0.2 ? 400 : 60);
		my $offset = rand() < 0.2 ? ' OFFSET ' . int rand 50 : '';
		my $query = 'SELECT ' . (rand() < 0.5 ? 'id' : 'id, n') . " FROM \@_$shape WHERE id $compare " . literal($low) . "$more ORDER BY id LIMIT $limit$offset";
		my $writes = rand() < 0.2 ? join '; ', 'BEGIN', map { my $table = "${_}_$shape"; ("DELETE FROM $table WHERE id = " . literal($ids->[17]), "INSERT INTO $table VALUES (" . literal($low . 'new') . ", '{1}', 4), ('zz', '{1}', 5)") } 'f', 'l' : '';
		my ($f, $l);

		$s->query($writes) if $writes;
		$server->clear_requests;
		$f = $s->query($query =~ s/\@/f/r);
		$walks++ if grep { m{/vectors/list.*prefix=} } $server->take_log;
		$l = $s->query($query =~ s/\@/l/r);
		$s->query('ROLLBACK') if $writes;
		next if $f->{out} eq $l->{out} && $f->{err} eq '';
		$different++;
		diag "$writes $query\n$f->{err}" . substr($f->{out}, 0, 300) . "\n" . substr($l->{out}, 0, 300);
	}
	is($different, 0, "$shape: the same as of a local copy");
	cmp_ok($walks, '>', 3, '... most begin with what the condition says');
}

# ---- Requests ----

$server->clear_requests;
is($s->query("SELECT count(*), min(id) FROM (SELECT id FROM f_numbers WHERE id > 'doc-006000' ORDER BY id LIMIT 50) s")->{out}, '50|doc-006003', 'a page');
cmp_ok(scalar($server->take_log), '<=', 16, '... takes few requests');
$s->query('SET pinecone_fdw.enable_keyset = off');
is($s->query("SELECT count(*), min(id) FROM (SELECT id FROM f_numbers WHERE id > 'doc-006000' ORDER BY id LIMIT 50) s")->{out}, '50|doc-006003', 'with the setting off');
cmp_ok(scalar($server->take_log), '>', 16, '... it takes all those before');
$s->query('RESET pinecone_fdw.enable_keyset');

# ---- Pages that one after the other are everything ----

$t->sql(<<'END');
CREATE FUNCTION pages(f text, size int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  last text := '';
  page text[];
BEGIN
  LOOP
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %I WHERE id > $1 ORDER BY id LIMIT $2) s', f) INTO page USING last, size;
    EXIT WHEN page IS NULL;
    RETURN QUERY SELECT unnest(page);
    last := page[cardinality(page)];
  END LOOP;
END $$;
END
is($t->sql("SELECT count(*), count(DISTINCT id), bool_and(EXISTS (SELECT FROM l_chunks l WHERE l.id = p.id)) FROM pages('f_chunks', 500) p(id)"), "$n|$n|t", 'page by page');
done_testing;
