#!/usr/bin/env perl
#
# docs/runbook.md, as it is followed: each of its situations is brought about
# ("meanwhile", in a comment of the page), its statements are run, and what they
# print is what the page says.
#
#	RUNBOOK_WRITE=1 test/t/098_runbook.pl        puts what they print into the page
#
# Not compared are times, ports, fractions and identifiers that differ from run to
# run, and how wide columns are.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Cwd qw(abs_path);
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $page = abs_path("$FindBin::Bin/../../docs/runbook.md");
my $t = Harness->new(extension => 0, conf => [
	"shared_preload_libraries = 'pinecone_fdw'", 'pinecone_fdw.audit = on', 'pinecone_fdw.unseen_time = 0',
	'wal_level = replica', 'max_wal_senders = 3', 'hot_standby = on']);
my $server = $t->server;
my $port = $t->port;
my $key_file = $t->dir . '/key';
my $search = q{SELECT id FROM docs ORDER BY embedding <=> '{0.1, 0.2, 0.3, 0.4}' LIMIT 3};
my ($operator, $app, $standby);

# ---- Setup ----

sub write_key
{
	my ($key) = @_;

	open my $file, '>', "$key_file.new" or die "$key_file: $!\n";
	print $file "$key\n";
	close $file;
	my ($uid, $gid) = (stat $t->dir)[4, 5];
	chown $uid, $gid, "$key_file.new";
	chmod 0600, "$key_file.new";
	rename "$key_file.new", $key_file or die "$key_file: $!\n";
}

# New sessions for the operator, who sees what psql shows, and an application
sub connect_both
{
	$_->close for grep { defined } $operator, $app;
	$operator = $t->session('-P', 'tuples_only=off', '-P', 'format=aligned');
	$app = $t->session('-U', 'analyst');
}

sub as_app
{
	my ($sql) = @_;
	return $app->query($sql);
}

$server->create_index('movies', dimension => 4);
write_key('test-key');
$t->sql('CREATE DATABASE app');
$t->{env}{PGDATABASE} = 'app';
$t->sql(<<"END");
CREATE EXTENSION pinecone_fdw;
CREATE ROLE analyst LOGIN;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw
	OPTIONS (index 'movies', control_host 'http://127.0.0.1:$port', max_retries '1', request_timeout '5s');
CREATE USER MAPPING FOR postgres SERVER pinecone OPTIONS (api_key_file '$key_file');
CREATE USER MAPPING FOR analyst SERVER pinecone OPTIONS (api_key_file '$key_file');
CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[], title text) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE notes (id text, embedding real[], title text) SERVER pinecone OPTIONS (namespace 'notes', write_mode 'outbox');
CREATE TABLE articles (id text PRIMARY KEY, embedding real[], title text);
INSERT INTO articles SELECT 'd' || i, ARRAY[i, 1, 2, 3]::real[], 'Title ' || i FROM generate_series(1, 30) i;
INSERT INTO docs SELECT * FROM articles;
GRANT ALL ON docs, notes, articles TO analyst;
GRANT USAGE ON FOREIGN SERVER pinecone TO analyst;
SELECT count(*) FROM pinecone_create_backup('pinecone', 'movies', name => 'nightly');
END
connect_both();

sub reset_statistics
{
	$t->sql('SELECT pinecone_fdw_stats_reset()');
}

sub settings
{
	$server->control('POST', '/_local/settings', {@_});
}

sub restart
{
	my ($preload) = @_;

	$t->sql("ALTER SYSTEM SET shared_preload_libraries = '$preload'") if defined $preload;
	my $output = $t->program('pg_ctl', '-D', $t->dir . '/data', '-l', $t->dir . '/postgres.log', '-m', 'fast', '-w', 'restart');
	die $output if $?;
	connect_both();
}

# As cluster.sh has its programs run
sub shell
{
	my ($script, @arguments) = @_;
	open my $pipe, '-|', 'bash', '-c', "source \"\$0\" && CLUSTER_DIR=\$1 && cluster_set_user && bin=\$(\"\$PG_CONFIG\" --bindir) && as=(\"\${cluster_as[@]}\") && { $script ; } 2>&1",
		"$FindBin::Bin/../cluster.sh", $t->dir, @arguments or die "no bash: $!\n";
	my $output = do { local $/; <$pipe> };
	close $pipe or die "$script: $output";
	return $output;
}

# ---- What happens meanwhile ----

my $quota = q({"error": {"code": "RESOURCE_EXHAUSTED", "message": "Request failed. You've reached your egress limit for the current month (10 GB)."}, "status": 429});
my $dead_port;

my %meanwhile = (
	'all is well' => sub { $server->clear_faults; reset_statistics() },
	'nobody listens' => sub { $t->sql("ALTER SERVER pinecone OPTIONS (SET control_host 'http://127.0.0.1:1')") },
	'it answers again, and has failed in between' => sub {
		$t->sql("ALTER SERVER pinecone OPTIONS (SET control_host 'http://127.0.0.1:$port')");
		reset_statistics();
		$server->fault({path => '/query', status => 503, count => 2});
		as_app($search);
	},
	'the service is slow' => sub {
		reset_statistics();
		settings(latency => 400);
		as_app($search) for 1 .. 2;
		as_app(q{SELECT title FROM docs WHERE id = 'd7'});
	},
	'a search is slow' => sub {
		$t->wait_until(sub { as_app('SHOW pinecone_fdw.log_min_request_duration')->{out} eq '300ms' });
		as_app($search);
	},
	'the service is quick' => sub { settings(latency => 0) },
	'everything is refused' => sub {
		$t->sql('ALTER FOREIGN TABLE docs OPTIONS (DROP cache_ttl)');
		reset_statistics();
		$server->fault({path => '/query', status => 429, count => -1, body => '{"error": {"code": "RESOURCE_EXHAUSTED", "message": "Too many requests"}}'});
	},
	'the quota is used up' => sub {
		$server->clear_faults;
		$t->sql('ALTER SERVER pinecone OPTIONS (DROP rate_limits)');
		as_app($search);
		$server->fault({path => '/query', status => 429, count => 1, body => $quota});
	},
	'a budget is used up' => sub {
		$server->clear_faults;
		$t->sql($_) for 'ALTER SYSTEM SET pinecone_fdw.max_month_requests = 10', 'SELECT pg_reload_conf()';
		$t->wait_until(sub { $operator->query('\t on
SHOW pinecone_fdw.max_month_requests;
\t off')->{out} =~ /10/ });
	},
	'a search works' => sub {
		ok($t->wait_until(sub { as_app($search)->{err} eq '' }), 'the budget is raised for who is connected');
	},
	'the key is another one' => sub { $t->sql('ALTER SYSTEM RESET pinecone_fdw.max_month_egress'); reset_statistics(); write_key('another-key'); as_app($search) },
	'the key file is gone' => sub { unlink $key_file },
	'the key is in the catalog' => sub { $t->sql("ALTER USER MAPPING FOR analyst SERVER pinecone OPTIONS (DROP api_key_file, ADD api_key 'wrong')"); as_app($search) },
	'the key is the right one again' => sub {
		write_key('test-key');
		unlike($t->log, qr/the-new-key/, 'the key is in no log');
		is($t->sql("SELECT umoptions FROM pg_user_mappings WHERE usename = 'analyst'"), '{api_key=the-new-key}', 'it is changed');
		like(as_app($search)->{err}, qr/rejected the API key/, 'and used by who is connected');
		$t->sql("ALTER USER MAPPING FOR analyst SERVER pinecone OPTIONS (ADD api_key_file '$key_file', DROP api_key)");
	},
	'the index is gone' => sub { $server->drop_index('movies') },
	'the namespace is empty' => sub {
		$t->sql("SELECT pinecone_configure_index('pinecone', 'movies', deletion_protection => false)");
		reset_statistics();
		as_app('TRUNCATE docs');
	},
	'a namespace was loaded twice' => \&governance,
	'deliveries fail' => sub {
		reset_statistics();
		$server->fault({path => '/vectors/upsert', status => 503, count => -1});
		as_app(q{INSERT INTO notes VALUES ('n1', '{1, 2, 3, 4}', 'One'), ('n2', '{1, 2, 3, 4}', 'Two')});
		$t->wait_until(sub { $t->sql('SELECT failures FROM pinecone_outbox_status') >= 1 });
		# the next try is some time off
		$t->sql("UPDATE pinecone_outbox_state SET retry_at = now() + interval '5 minutes', failures = 9");
	},
	'it can be delivered again' => sub { $server->clear_faults },
	'a record is refused' => sub {
		$server->fault({path => '/vectors/upsert', status => 400, count => 1, body => '{"code": 3, "message": "Vector dimension 3 does not match the dimension of the index 4"}'});
		as_app(q{INSERT INTO notes VALUES ('n3', '{1, 2, 3, 4}', 'Three')});
		$t->wait_until(sub { $t->sql('SELECT coalesce(sum(dead), 0) FROM pinecone_outbox_status') >= 1 });
	},
	'a mirror cannot deliver' => sub {
		$server->fault({path => '/vectors/upsert', status => 503, count => -1});
		$t->sql(q{
			CREATE TABLE items (id text PRIMARY KEY, embedding real[]);
			CREATE FOREIGN TABLE items_there (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'items');
			SELECT pinecone_mirror('items', 'items_there');
			INSERT INTO items VALUES ('i1', '{1, 2, 3, 4}');
			CALL pinecone_mirror_deliver()});
		$t->wait_until(sub { $t->sql('SELECT attempts FROM pinecone_mirror_status') >= 1 });
		$t->sql("UPDATE pinecone_mirrors SET retry_at = now() + interval '5 minutes', attempts = 9");
	},
	'a transaction finds no room' => \&disk_full,
	'a standby is promoted' => \&promoted,
	'the server is written to from the old primary' => sub { $t->sql("ALTER SERVER pinecone OPTIONS (ADD write_cluster 'first')") },
	'the first of two hosts is gone' => sub {
		my $host = $server->host('movies');
		$t->sql("ALTER SERVER pinecone OPTIONS (DROP index, ADD hosts 'http://127.0.0.1:1, $host', ADD connect_timeout '2s')");
	},
	'the database is restored from a dump of an hour ago' => \&restored,
	'another library is preloaded, and this one is not' => sub { restart('auto_explain') },
);

sub governance
{
	$t->sql("SELECT huf_install()");
	$t->sql("CREATE TABLE hits AS SELECT n AS namespace, 0.9 - i / 100.0 AS score FROM unnest('{kb,notes}'::text[]) n, generate_series(1, 20) i");
	$t->sql("SELECT huf.huf_take('hits', as_of => now() - interval '1 day')");
	$t->sql("INSERT INTO hits SELECT 'wiki', 0.9 - i / 100.0 FROM generate_series(1, 40) i");
	$t->sql("SELECT huf.huf_take('hits')");
}

# A session whose files may not grow is one that finds no room
sub disk_full
{
	my $pid = $app->pid;
	my ($uid, $gid) = (stat "/proc/$pid")[4, 5];
	my @as = $> == $uid ? () : ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups');

	system(@as, 'prlimit', '--pid', $pid, '--fsize=' . 17 * 1024 * 1024);
	like(as_app(q{INSERT INTO notes SELECT 'n' || i, '{1, 1, 1, 1}', repeat(md5(i::text), 30) FROM generate_series(1, 60000) i})->{err}, qr/could not (?:extend|write)/,
		'a transaction finds no room');
	connect_both();
}

sub promoted
{
	shell('"${as[@]}" "$bin/pg_basebackup" -D "$1/standby" -R -X stream -c fast && ' .
		'"${as[@]}" "$bin/pg_ctl" -D "$1/standby" -o "-p 5433 -c cluster_name=second" -l "$1/standby.log" -w start');
	# what cannot be delivered while the old primary lives
	$server->fault({path => '/vectors/upsert', status => 503, count => -1});
	as_app(q{INSERT INTO notes VALUES ('n4', '{1, 2, 3, 4}', 'Four')});
	shell('"${as[@]}" "$bin/pg_ctl" -D "$1/data" -m fast -w stop && "${as[@]}" "$bin/pg_ctl" -D "$1/standby" -w promote');
	$server->clear_faults;
	$standby = 1;
	$t->{env}{PGPORT} = 5433;
	connect_both();
	ok($t->wait_until(sub { $t->sql('SELECT coalesce(sum(depth), 0) FROM pinecone_outbox_status') eq '0' }, 30), 'the new primary delivers what was waiting');
	is(as_app(q{SELECT title FROM notes WHERE id = 'n4'})->{out}, 'Four', 'which is there');
}

# The old primary is the one that has the following, without what was written since
sub restored
{
	if ($standby)
	{
		$operator->close;
		$app->close;
		shell('"${as[@]}" "$bin/pg_ctl" -D "$1/standby" -m fast -w stop && "${as[@]}" "$bin/pg_ctl" -D "$1/data" -l "$1/postgres.log" -w start');
		$t->{env}{PGPORT} = 5432;
		connect_both();
	}
	my $dump = $t->dir . '/dump';
	$app->query('SELECT 1');
	local @ENV{keys %{$t->{env}}} = values %{$t->{env}};
	system('pg_dump', '-Fc', '-f', $dump, 'app') == 0 or die "no dump\n";
	$t->sql(q{INSERT INTO articles VALUES ('d31', '{31, 1, 2, 3}', 'Title 31'); INSERT INTO docs VALUES ('d31', '{31, 1, 2, 3}', 'Title 31')});
	$_->close for $operator, $app;
	$t->wait_until(sub { system('dropdb --force app 2>/dev/null') == 0 });
	system('createdb', 'app') == 0 or die "no database\n";
	system('pg_restore', '-d', 'app', $dump) == 0 or die "not restored\n";
	connect_both();
}

# ---- The page ----

my @lines = do { open my $file, '<', $page or die "$page: $!\n"; <$file> };
my @written;
my $section = '';

# What differs from run to run, and does not matter
sub plain
{
	my ($text) = @_;

	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d)?/TIME/g;
	$text =~ s/\b\d\d:\d\d:\d\d(?:\.\d+)?/DURATION/g;
	$text =~ s/127\.0\.0\.1:\d+/HOST/g;
	$text =~ s/request id \d+|request \d+\b/request N/g;
	$text =~ s/[0-9a-f]{8}-[0-9a-f-]{27}/UUID/g;
	$text =~ s/\d+\.\d+/N.N/g;
	$text =~ s/\b\d+ (?:bytes|kB|MB)\b/SIZE/g;
	$text =~ s/\d+ (attempts|requests have been sent)/N $1/g;
	$text =~ s/(Failed to connect).*/$1/g;
	$text =~ s/rows=\S+ loops/rows=N loops/g;
	$text =~ s{/\S*/key\b}{/KEY}g;
	$text =~ s/^month\b.*//mg;
	$text =~ s/-{2,}/-/g;
	$text =~ s/ +$//mg;
	$text =~ s/ +/ /g;
	return $text =~ s/^\s+|\s+$//gr;
}

# As the reader sees it
sub shown
{
	my ($result) = @_;
	my $text = "$result->{out}\n$result->{err}";

	$text =~ s/^LINE \d+:.*\n.*\^\n//mg;
	$text =~ s/127\.0\.0\.1:$port\b/127.0.0.1:5080/g;
	$text =~ s/127\.0\.0\.1:\d{5}\b/127.0.0.1:5081/g;
	$text =~ s{\Q$key_file\E}{/etc/pinecone/key}g;
	$text =~ s/ +$//mg;
	# which PostgreSQL 18 and later tell of without being asked, when their caches are cold
	$text =~ s/\((\d+) rows\)/'(' . ($1 - 2) . ' rows)'/e if $text =~ s/^ *Planning:\n +Buffers:.*\n//m;
	$text =~ s/^\n+//;
	return $text =~ s/\s+\z/\n/r;
}

# The lines of the fence that begins at $$i; $$i is the line after it then
sub block
{
	my ($i) = @_;
	my $text = '';

	for ($$i++; $lines[$$i] ne "```\n"; $$i++)
	{
		$text .= $lines[$$i];
	}
	$$i++;
	return $text;
}

for (my $i = 0; $i < @lines;)
{
	my $line = $lines[$i];

	$section = $1 if $line =~ /^## (.*)/;
	if ($line =~ /^<!-- meanwhile: (.*) -->$/)
	{
		die "nobody knows how it comes about that $1\n" unless $meanwhile{$1};
		$meanwhile{$1}->();
	}
	if ($line eq "```sql\n")
	{
		my $from = $i;
		my $sql = block(\$i);
		push @written, @lines[$from .. $i - 1];
		$sql =~ s/127\.0\.0\.1:5080/127.0.0.1:$port/g;
		$sql =~ s{http://127\.0\.0\.1:5081}{$server->host('movies')}ge;
		$sql =~ s/api_key '\.\.\.'/api_key 'test-key'/g;
		my $shown = shown($operator->query($sql));
		my $expected = '';
		my $next = $i;
		$next++ while $next < @lines && $lines[$next] eq "\n";
		if ($next < @lines && $lines[$next] eq "```\n")
		{
			$expected = block(\$next);
			$i = $next;
		}
		$expected = $shown if $ENV{RUNBOOK_WRITE} && plain($shown) ne plain($expected);
		note($shown);
		is(plain($shown), plain($expected), "$section: " . $sql =~ s/\n.*//sr);
		push @written, "\n", "```\n", $expected, "```\n" if $expected =~ /\S/;
	}
	elsif ($line eq "```log\n")
	{
		my $from = $i;
		my $log = plain($t->log =~ s/^.*? \[\d+\] //mgr);
		for my $wanted (split /\n/, block(\$i))
		{
			ok(index($log, plain($wanted)) >= 0, "$section: $wanted");
		}
		push @written, @lines[$from .. $i - 1];
	}
	else
	{
		push @written, $line;
		$i++;
	}
}

# Where alerts point to
my $alerts = do { open my $file, '<', "$FindBin::Bin/../../deploy/monitoring/alerts.yml" or die; local $/; <$file> };
my %sections = map { (lc s/[^\w -]//gr =~ tr/ /-/r) => 1 } map { /^## (.*)/ ? $1 : () } @lines;
is_deeply([grep { !$sections{$_} } $alerts =~ /runbook: docs\/runbook\.md#(\S+)/g], [], 'alerts point to sections that there are');
is(scalar(() = $alerts =~ /runbook: /g), scalar(() = $alerts =~ /alert: /g), 'each of them');

# What it says beside
$operator->query($t->sql("SELECT remedy FROM pinecone_check() WHERE object = 'shared_preload_libraries'"));
restart();
is($t->sql('SHOW shared_preload_libraries'), 'auto_explain, pinecone_fdw', 'the remedy keeps what was preloaded, and the server starts');
is($t->sql("SELECT count(*) FROM pinecone_check() WHERE object = 'shared_preload_libraries'"), '0', 'and nothing is left to mend');

# Remedies for settings hold against what postgresql.conf says
open my $conf, '>>', $t->dir . '/data/postgresql.conf' or die "postgresql.conf: $!\n";
print $conf "pinecone_fdw.allowed_hosts = '*, *.pinecone.io'\npinecone_fdw.allow_http_hosts = 'h.example'\npinecone_fdw.audit = off\n";
close $conf;
my $weak = q{SELECT coalesce(string_agg(object, ' ' ORDER BY object), '') FROM pinecone_check() WHERE object LIKE 'pinecone_fdw.a%' AND object <> 'pinecone_fdw.allow_loopback'};
$t->sql('SELECT pg_reload_conf()');
ok($t->wait_until(sub { $t->sql($weak) eq 'pinecone_fdw.allow_http_hosts pinecone_fdw.allowed_hosts pinecone_fdw.audit' }), 'settings that are weak');
is($t->psql(q{SELECT remedy FROM pinecone_check() WHERE object LIKE 'pinecone_fdw.a%' \gexec})->{err}, '', 'their remedies, as psql runs them');
$t->sql('SELECT pg_reload_conf()');
ok($t->wait_until(sub { $t->sql($weak) eq '' }), 'mend them');

if ($ENV{RUNBOOK_WRITE})
{
	open my $file, '>', $page or die "$page: $!\n";
	print $file @written;
	close $file;
}
shell('[ ! -e "$1/standby/postmaster.pid" ] || "${as[@]}" "$bin/pg_ctl" -D "$1/standby" -m immediate -w stop') if $standby;
done_testing;
