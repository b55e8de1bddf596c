# The real exporter and the real Prometheus, with the files of deploy/monitoring but
# for ports, hosts and intervals, watch a cluster and pinecone-local: load makes
# series move, a fault makes an alert fire, every panel of the dashboard shows
# something.  Run by run.sh.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use Harness;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $files = "$FindBin::Bin/../../deploy/monitoring";
my $http = HTTP::Tiny->new(timeout => 10);
my @children;

END
{
	my $status = $?;
	kill TERM => $_ for @children;
	waitpid $_, 0 for @children;
	$? = $status;
}

sub contents
{
	open my $file, '<', $_[0] or die "$_[0]: $!\n";
	local $/;
	return <$file>;
}

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', $name or die "$name: $!\n";
	print $file $text;
	close $file;
}

sub free_port
{
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)->sockport;
}

# A program in the background, its output in a file
sub start
{
	my ($log, @command) = @_;
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0)
	{
		open STDOUT, '>', $log;
		open STDERR, '>&', \*STDOUT;
		exec @command or exit 127;
	}
	push @children, $pid;
}

my $t = Harness->new(conf => ["shared_preload_libraries = 'pinecone_fdw'", "pinecone_fdw.unseen_time = '100ms'",
	"pinecone_fdw.max_month_egress = '1GB'", 'pinecone_fdw.max_month_read_units = 1000000']);
my $dir = $t->dir;
my $host = $t->server->create_index('watched', dimension => 4, metric => 'cosine');
for my $namespace ('films', 'books')
{
	$t->server->upsert_json('watched', $namespace, [map { "{\"id\": \"r$_\", \"values\": [$_, 1, 2, 3], \"metadata\": {\"n\": $_}}" } 1 .. 50]);
}

# ---- What is watched ----

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_retries '1');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE films (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'films');
CREATE FOREIGN TABLE board (id text, embedding real[], n int) SERVER s OPTIONS (namespace 'films', cache_ttl '1h');
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text, embedding real[], n int) SERVER s;
SELECT huf_install();
SELECT setseed(0.5);
CREATE TABLE record AS SELECT n AS namespace, n || i AS id, timestamptz '2026-01-01' + i * interval '1 hour' AS last_update,
	ARRAY[random() + length(n), random(), random(), 1]::real[] AS embedding FROM unnest('{films,books,news}'::text[]) n, generate_series(1, 60) i;
CREATE TABLE hits AS SELECT namespace, id, random() AS score FROM record;
SELECT huf.huf_take('hits', records => 'record', as_of => '2026-01-04 12:00+00');
DELETE FROM hits WHERE namespace = 'news' AND score < 0.8;
UPDATE record SET embedding = ARRAY[1, 1 + random(), 2, 3], last_update = '2026-01-05' WHERE namespace = 'books';
SELECT huf.huf_take('hits', records => 'record', as_of => '2026-01-05 12:00+00');
END
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	is(system('psql', '-Xqo', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$files/monitoring.sql"), 0, 'monitoring.sql') for 1 .. 2;
}
$t->sql('GRANT SELECT ON every TO pinecone_monitor');

my ($exporter_port, $prometheus_port) = (free_port(), free_port());
{
	local $ENV{DATA_SOURCE_NAME} = "postgresql://pinecone_monitor\@/postgres?host=$t->{env}{PGHOST}&port=$t->{env}{PGPORT}&sslmode=disable";
	start("$dir/exporter.log", 'prometheus-postgres-exporter', "--web.listen-address=127.0.0.1:$exporter_port", "--extend.query-path=$files/queries.yaml",
		'--disable-default-metrics', '--disable-settings-metrics');
}
mkdir "$dir/prometheus";
my $config = contents("$files/prometheus.yml");
my $control = $t->server->{url};
$config =~ s/_interval: 30s/_interval: 1s/g;
$config =~ s/127\.0\.0\.1:9187/127.0.0.1:$exporter_port/ or die;
$config =~ s{https://api\.pinecone\.io/prometheus/projects/PROJECT_ID}{$control/prometheus/projects/p-1} or die;
$config =~ s/refresh_interval: 1m/refresh_interval: 2s/;
write_file("$dir/prometheus/prometheus.yml", $config);
write_file("$dir/prometheus/alerts.yml", contents("$files/alerts.yml"));
write_file("$dir/prometheus/pinecone-api-key", 'test-key');
start("$dir/prometheus.log", 'prometheus', "--config.file=$dir/prometheus/prometheus.yml", "--storage.tsdb.path=$dir/prometheus/data",
	"--web.listen-address=127.0.0.1:$prometheus_port", '--log.level=warn');

sub api
{
	my ($path, %parameters) = @_;
	my $reply = $http->get("http://127.0.0.1:$prometheus_port/api/v1/$path?" . $http->www_form_urlencode(\%parameters));

	return undef unless $reply->{success};
	return decode_json($reply->{content})->{data};
}

# The values of an expression now
sub values_of
{
	my ($expr) = @_;
	my $data = api('query', query => $expr) // return;
	return map { $_->{value}[1] } $data->{result}->@*;
}

sub sum_of
{
	my $sum = 0;
	$sum += $_ for grep { !/NaN/ } values_of($_[0]);
	return $sum;
}

# ---- Load ----

my $session = $t->session;
my $round = 0;

sub load
{
	my ($seconds) = @_;
	my $end = time + $seconds;

	while (time < $end)
	{
		$round++;
		$session->query(join ';', "SELECT id, n FROM films ORDER BY embedding <=> '{$round,1,2,4}' LIMIT 5", "SELECT n FROM films WHERE id IN ('r1', 'r2')",
			("SELECT id FROM board ORDER BY embedding <=> '{1,1,2,@{[$round % 3]}}' LIMIT 5") x 3, 'SELECT count(*) FROM every',
			'SELECT count(*) FROM (SELECT id FROM films WHERE id LIKE \'r1%\') s',
			"UPDATE films SET n = $round WHERE id = 'r1'", "INSERT INTO films VALUES ('x$round', '{1,2,3,4}', $round)", "DELETE FROM films WHERE id = 'x$round'");
		sleep 0.2;
	}
}

ok($t->wait_until(sub { api('status/runtimeinfo') }, 20), 'Prometheus is up') or diag contents("$dir/prometheus.log");
my $began = time;
load(12);
ok($t->wait_until(sub { load(0.5); sum_of('min(up)') == 1 && sum_of('count(up)') == 2 }, 20), 'both targets are scraped')
	or diag join "\n", map { contents("$dir/$_.log") } 'exporter', 'prometheus';

my @moving = (
	(map { "pinecone_fdw_${_}_total" } qw(calls requests records_read records_written bytes_sent bytes_received egress_bytes read_units wait_seconds cache_hits cache_misses commit_requests)),
	(map { "pinecone_db_op_${_}_count" } qw(query fetch list upsert update delete)), 'pinecone_db_read_unit_count', 'pinecone_db_write_unit_count',
);
for my $series (@moving)
{
	ok($t->wait_until(sub { load(0.3); sum_of("increase($series\[30s])") > 0 }, 10), "$series moves");
}
is(join(' ', sort { $a <=> $b } values_of('pinecone_namespace_records{table="every"}')), '50 50', 'records by namespace');
cmp_ok(sum_of('pinecone_db_record_total{index_name="watched"}'), '>=', 100, 'and as Pinecone tells them');
# what both count is the same, once nobody asks
sleep 2.5;
my ($ours, $theirs) = map { sum_of($_) } 'sum(pinecone_fdw_requests_total{operation="query"})', 'sum(pinecone_db_op_query_count)';
is($ours, $theirs, 'as many searches as the service has served');
is(join(' ', values_of('ALERTS{alertstate="firing",alertname=~"Pinecone.*"}')), '', 'no alert of ours yet');

# ---- Faults ----

$t->server->fault({path => '/vectors/fetch', status => 403, count => -1});
$session->query("SELECT n FROM films WHERE id = 'r3'");
$t->server->clear_faults;
ok($t->wait_until(sub { load(0.3); scalar values_of('ALERTS{alertname="PineconeKeyRejected",alertstate="firing",foreign_server="s"}') }, 20), 'a key that is rejected: the alert fires');
my ($told) = grep { $_->{labels}{alertname} eq 'PineconeKeyRejected' } (api('alerts') // {alerts => []})->{alerts}->@*;
like($told->{annotations}{summary} // '', qr/rejects an API key of server "s"/, 'and says so');
# a third day: the governance panels move
$t->sql("DELETE FROM hits WHERE namespace = 'books' AND score < 0.5; SELECT huf.huf_take('hits', records => 'record', as_of => '2026-01-06 12:00+00')");
$t->server->fault({path => '/query', status => 503, count => 6});
load(2);
$t->server->clear_faults;
ok($t->wait_until(sub { load(0.3); sum_of('increase(pinecone_fdw_server_errors_total[30s])') > 0 }, 10), 'faults of the service are counted');
ok($t->wait_until(sub { sum_of('ALERTS{alertname="GovernanceMeasure",alertstate="firing"}') + sum_of('ALERTS{alertname="GovernanceStale",alertstate="firing"}') > 0 }, 5), 'governance alerts, too');
my $refused = $http->get("$control/prometheus/projects/p-1/metrics/discover", {headers => {Authorization => 'Bearer wrong'}});
is($refused->{status}, 401, 'Pinecone\'s figures are for whom has a key');
like($refused->{content}, qr/^\{"error":/, 'in the shape of the control plane');

# ---- The dashboard ----

my $dashboard = decode_json(contents("$files/dashboard.json"));
my @panels = grep { $_->{type} eq 'timeseries' } $dashboard->{panels}->@*;
for my $panel (@panels)
{
	my $n = 0;

	for my $target ($panel->{targets}->@*)
	{
		my $expr = $target->{expr} =~ s/\$__rate_interval/30s/gr;
		my $data = api('query', query => $expr);
		ok($data, "$panel->{title}: $expr") or next;
		$n += grep { $_->{value}[1] !~ /NaN/ } $data->{result}->@*;
	}
	cmp_ok($n, '>', 0, "$panel->{title} shows something");
}

# ---- Pictures ----

sub quoted
{
	return '"' . ($_[0] =~ s/(["\\])/\\$1/gr) . '"';
}

# What a panel shows of the run: gnuplot's lines
sub draw_panel
{
	my ($panel) = @_;
	my (@plots, @data);

	for my $target ($panel->{targets}->@*)
	{
		my $data = api('query_range', query => $target->{expr} =~ s/\$__rate_interval/10s/gr, start => $began, end => time, step => 1) // next;
		for my $series ($data->{result}->@*)
		{
			my $name = $target->{legendFormat} =~ s/\{\{(\w+)\}\}/$series->{metric}{$1} \/\/ ''/ger;
			my @points = grep { $_->[1] !~ /NaN|Inf/ } $series->{values}->@*;
			next unless @points && @plots < 12;
			push @plots, "'-' with lines title " . quoted($name);
			push @data, map({ sprintf "%.1f %s\n", $_->[0] - $began, $_->[1] } @points), "e\n";
		}
	}
	return '' unless @plots;
	return 'set title ' . quoted($panel->{title} . ($panel->{fieldConfig}{defaults}{unit} eq 'short' ? '' : " ($panel->{fieldConfig}{defaults}{unit})")) .
		"\nplot [] [0:*] " . join(', ', @plots) . "\n" . join('', @data);
}

if (my $to = $ENV{PICTURES})
{
	my ($name, %rows, @names);

	for my $panel ($dashboard->{panels}->@*)
	{
		push @names, $name = $panel->{title} if $panel->{type} eq 'row';
		push $rows{$name}->@*, $panel if $panel->{type} ne 'row';
	}
	for my $row (0 .. $#names)
	{
		my @of = $rows{$names[$row]}->@*;
		my $lines = int((@of + 2) / 3);
		my $file = "$to/monitoring-" . ('requests', 'service', 'governance')[$row] . '.svg';

		open my $gnuplot, '|-', 'gnuplot' or die "gnuplot: $!\n";
		print $gnuplot "set term svg size 1200,@{[260 * $lines]} font 'sans,11' noenhanced background '#ffffff'\nset output " . quoted($file) . "\n",
			"set multiplot layout $lines,3\nset termoption noenhanced\nset offsets 0, 0, graph 0.1, 0\nset key outside below maxrows 3 font ',9'\nset grid\nset xlabel 'seconds'\nset tmargin 2\n",
			map({ draw_panel($_) } @of), "unset multiplot\n";
		close $gnuplot;
		is($?, 0, "$file is drawn");
	}
}
done_testing;
