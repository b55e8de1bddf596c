# PostgreSQL 19's pg_plan_advice with plans that read ahead: it can say what is
# in them, and what it says brings the same plans about.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Cwd qw(abs_path);
use Harness;
use Test::More;

my $source = abs_path("$FindBin::Bin/../..");
my $t = Harness->new;

plan skip_all => 'PostgreSQL has no pg_plan_advice before 19' if $t->sql('SHOW server_version_num') < 190000;

my $databases = 0;

# What a script like sql/readahead.sql prints, run while all plans are read
sub run_script
{
	my ($libraries, $script) = @_;

	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$libraries -c pg_plan_advice.always_store_advice_details=on";
	local $ENV{PGDATABASE} = 'script_' . ++$databases;
	system 'psql', '-qX', '-d', 'postgres', '-c', "CREATE DATABASE $ENV{PGDATABASE}";
	system 'psql', '-qX', '-c', 'CREATE EXTENSION pinecone_fdw';
	open my $psql, '-|', 'bash', '-c', 'cd "$0" && exec psql -qX -a -f "$1" 2>&1', $source, $script or die "no psql: $!\n";
	local $/;
	return <$psql>;
}

open my $file, '<', "$source/sql/readahead.sql" or die "no readahead.sql: $!\n";
my $sql = do { local $/; <$file> };

my $plain = run_script('pinecone_fdw', 'sql/readahead.sql');
cmp_ok(() = $plain =~ /Custom Scan/g, '>=', 10, 'a script with plans that read ahead');
for my $libraries ('pg_plan_advice,pinecone_fdw', 'pinecone_fdw,pg_plan_advice')
{
	is(run_script($libraries, 'sql/readahead.sql'), $plain, "runs as ever with $libraries");
}

# Each plan's advice, and the plan that is made with it
my $compared = <<'END';
CREATE FUNCTION plan_of(query text, OUT plan text, OUT advice text, OUT feedback text) LANGUAGE plpgsql AS $$
DECLARE
  line text;
  part text := 'plan';
BEGIN
  plan := ''; advice := ''; feedback := '';
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, PLAN_ADVICE) ' || query LOOP
    IF line IN (' Supplied Plan Advice:', 'Supplied Plan Advice:') THEN part := 'feedback';
    ELSIF line IN (' Generated Plan Advice:', 'Generated Plan Advice:') THEN part := 'advice';
    ELSIF part = 'plan' THEN plan := plan || line || E'\n';
    ELSIF part = 'advice' THEN advice := advice || line || E'\n';
    ELSE feedback := feedback || line || E'\n';
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION round_trip(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before record;
  again record;
BEGIN
  SELECT * INTO before FROM plan_of(query);
  PERFORM set_config('pg_plan_advice.advice', before.advice, false);
  SELECT * INTO again FROM plan_of(query);
  PERFORM set_config('pg_plan_advice.advice', '', false);
  RETURN CASE WHEN again.plan = before.plan AND again.feedback !~ '(failed|not matched|conflicting|inapplicable)'
    THEN 'ROUND TRIP ' || CASE WHEN before.advice = '' THEN 'of nothing' ELSE 'the same' END
    ELSE 'ROUND TRIP differs' || E'\n' || before.plan || before.advice || again.plan || again.feedback END;
END $$;
END
# Outer sides of further kinds
my $more = <<'END';
CREATE TABLE parts (k int, mid text) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT k, mid FROM o WHERE k < 3;
ANALYZE parts;
SELECT round_trip('SELECT p.k, r.title FROM parts p JOIN remote r ON r.id = p.mid');
SELECT round_trip('SELECT o.k, r.title FROM o JOIN many USING (k) JOIN remote r ON r.id = o.mid');
SELECT round_trip('SELECT o.k, r.title FROM o LEFT JOIN many USING (k) LEFT JOIN remote r ON r.id = many.mid AND o.k > 1');
SELECT round_trip('WITH c AS MATERIALIZED (SELECT * FROM o) SELECT c.k, r.title FROM c JOIN remote r ON r.id = c.mid');
SELECT round_trip('SELECT k, (SELECT sum(year) FROM many m JOIN remote r ON r.id = m.mid WHERE m.kind = o.k) FROM o');
SELECT round_trip('SELECT r.title FROM o JOIN remote r ON r.id = o.mid UNION ALL SELECT r.title FROM generate_series(1, 3) g JOIN remote r ON r.id = ''m'' || g');
SELECT round_trip('MERGE INTO many USING (SELECT o.k, r.year FROM o JOIN remote r ON r.id = o.mid) s ON many.k = s.k WHEN MATCHED THEN UPDATE SET kind = s.year');
DROP TABLE parts;
END
my $script = $t->dir . '/compared.sql';

$sql =~ s/^(\\i test\/regress\/setup\.sql\n)/$1$compared/m or die "no setup\n";
$sql =~ s/^SELECT run\(/SELECT round_trip(/gm;
$sql =~ s/^(?:EXPLAIN \(COSTS OFF\) )?(SELECT (?!round_trip|jsonb_build)[^;\n]*);?\n(\\g.*\n)?/SELECT round_trip(\$round\$$1\$round\$);\n/gm;
$sql =~ s/^(?=DROP TABLE local)/$more/m or die "no end\n";
open my $out, '>', $script or die "$script: $!\n";
print $out $sql;
close $out;
chmod 0644, $script;

my $printed = run_script('pg_plan_advice,pinecone_fdw', $script);
my $same = () = $printed =~ /^ ROUND TRIP the same/gm;
cmp_ok($same, '>=', 20, 'advice brings the same plan about');
unlike($printed, qr/^ ROUND TRIP differs/m, 'advice that brings another plan about') or diag($printed =~ /(^ ROUND TRIP differs.*?\(1 row\))/gms);
unlike($printed, qr/plan node has no RTIs/, 'a plan that cannot be read');
done_testing;
