# Replies that are well formed and false: a proxy before pinecone-local changes
# what it answers.  Each gives the right rows or one error.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use FakeServer;
use JSON::PP;
use Test::More;

# What things are called on either plane
my $documents = PineconeLocal::makes_documents();
my ($id, $score, $values, $list, $top_k) = $documents ? ('_id', '_score', 'embedding', 'documents', 'top_k') : ('id', 'score', 'values', 'vectors', 'topK');

sub path_of
{
	my ($path, $namespace) = @_;
	my %operations = ('/query' => 'search', '/vectors/fetch' => 'fetch', '/vectors/fetch_by_metadata' => 'fetch', '/vectors/list' => 'list');
	return $documents && $operations{$path} ? "/namespaces/$namespace/documents/$operations{$path}" : $path;
}

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $t = Harness->new(conf => ['jit = off']);
my $server = $t->server;
my $host = $server->create_index('lies', dimension => 2, metric => 'euclidean');

$server->upsert('lies', 'kb', [map { +{id => sprintf('r%05d', $_), values => [$_, 1], metadata => {n => $_, t => 't' . $_ % 5}} } 1 .. 450]);
$server->upsert('lies', '', [{id => 'default', values => [5, 5], metadata => {n => 1}}]);

# ---- Lies ----

# The records of a reply, wherever they are
sub all
{
	my ($reply) = @_;
	return $reply->{matches} ? @{$reply->{matches}} : ref $reply->{$list} eq 'HASH' ? values %{$reply->{$list}} : @{$reply->{$list} // []};
}

# Text for text: what no encoder writes
sub literally
{
	my ($from, $to) = @_;
	return sub {
		my ($reply) = @_;
		my $text = $json->encode($reply);
		$text =~ s/$from/$to/ or return $reply;
		return {body => $text};
	};
}

sub framed
{
	my ($change) = @_;
	return sub { my ($reply) = @_; return {raw => $change->($json->encode($reply))} };
}

my $ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

sub chunked
{
	my ($text) = @_;
	return join('', map { sprintf("%x\r\n%s\r\n", length, $_) } unpack '(a97)*', $text) . "0\r\n\r\n";
}

# name => what it does to a decoded reply: the new one, or a reply of FakeServer
my %lies = (
	'no score' => sub { delete $_->{$score} for all(@_); return $_[0] },
	'no score in one' => sub { my @r = all(@_); delete $r[-1]{$score} if @r; return $_[0] },
	'a score of null' => sub { my @r = all(@_); $r[0]{$score} = undef if @r; return $_[0] },
	'a score of NaN' => literally(qr/"$score":[-\d.e]+/, '"' . $score . '":NaN'),
	'a score in quotes' => literally(qr/"$score":([-\d.e]+)/, '"' . $score . '":"1.5"'),
	'matches in disorder' => sub { my ($r) = @_; $r->{matches} = [reverse @{$r->{matches}}]; return $r },
	'matches twice' => sub { my ($r) = @_; $r->{matches} = [map { ($_, $_) } @{$r->{matches}}]; return $r },
	'matches twice, apart' => sub { my ($r) = @_; $r->{matches} = [sort { $a->{$score} <=> $b->{$score} } @{$r->{matches}}, map { +{%$_, $score => $_->{$score} + 1000} } @{$r->{matches}}]; return $r },
	'more matches' => sub { my ($r, $request) = @_; my $body = $json->decode($request->{body}); return undef if $body->{$top_k} > 10; $body->{$top_k} *= 3; $request->{body} = $json->encode($body); return 'ask' },
	'values of another length' => sub { $_->{$values} = [1, 2, 3] for all(@_); return $_[0] },
	'one of another length' => sub { my @r = all(@_); push @{$r[-1]{$values}}, 1 if @r; return $_[0] },
	'no values' => sub { delete $_->{$values} for all(@_); return $_[0] },
	'empty values' => sub { $_->{$values} = [] for all(@_); return $_[0] },
	'values of null' => sub { $_->{$values} = undef for all(@_); return $_[0] },
	'a value of NaN' => literally(qr/"$values":\[[^,]*,/, '"' . $values . '":[NaN,'),
	'a value of null' => literally(qr/"$values":\[[^,]*,/, '"' . $values . '":[null,'),
	'a value of 1e400' => literally(qr/"$values":\[[^,]*,/, '"' . $values . '":[1e400,'),
	'another namespace' => sub { my ($r) = @_; $r->{namespace} = 'elsewhere'; return $r },
	'no namespace' => sub { my ($r) = @_; delete $r->{namespace}; return $r },
	'an id nobody asked for' => sub { my ($r) = @_; $r->{$list}{x} = {$id => 'x', $values => [1, 1], $documents ? (n => 7) : (metadata => {n => 7})}; return $r },
	'ids under other names' => sub { my ($r) = @_; my @ids = sort keys %{$r->{$list}}; $r->{$list}{$ids[0]}{$id} = 'x' if @ids; return $r },
	'a record twice' => sub { my $text = $json->encode($_[0]); $documents ? $text =~ s/"documents":\{("[^"]*":\{[^{}]*\})/"documents":{$1,$1/ : $text =~ s/"vectors":\{("[^"]*":\{[^{}]*\{[^{}]*\}[^{}]*\})/"vectors":{$1,$1/; return {body => $text} },
	'an id without the prefix' => sub { my ($r) = @_; push @{$r->{$list}}, {$id => 'zzz'}; return $r },
	'no ids' => sub { delete $_->{$id} for all(@_); return $_[0] },
	'ids that are numbers' => sub { $_->{$id} = 7 for all(@_); return $_[0] },
	'metadata of null' => sub { $_->{metadata} = undef for all(@_); return $_[0] },
	'metadata in quotes' => sub { $_->{metadata} = 'n' for all(@_); return $_[0] },
	'an error' => sub { return {code => 13, message => 'something is wrong', details => []} },
	'an error beside it' => sub { my ($r) = @_; $r->{error} = {message => 'but'}; return $r },
	'null' => sub { return {body => 'null'} },
	'nothing' => sub { return {body => '', status => 200} },
	'204' => sub { return {raw => "HTTP/1.1 204 No Content\r\n\r\n"} },
	'the reply twice' => sub { my $text = $json->encode($_[0]); return {body => $text . $text} },
	'a count below 0' => sub { $_[0]{matchedRecords} = -1; return $_[0] },
	'a count of 1e300' => literally(qr/"matchedRecords":\d+/, '"matchedRecords":1e300'),
	'a count with a fraction' => literally(qr/"matchedRecords":\d+/, '"matchedRecords":1.5'),
	'a count of NaN' => literally(qr/"matchedRecords":\d+/, '"matchedRecords":NaN'),
	'a count in quotes' => sub { $_[0]{matchedRecords} = "$_[0]{matchedRecords}"; return $_[0] },
	'no count' => sub { delete $_[0]{matchedRecords}; return $_[0] },
	'records below 0' => literally(qr/"vectorCount":\d+/, '"vectorCount":-1'),
	'too many records' => literally(qr/"vectorCount":\d+/, '"vectorCount":18446744073709551617'),
	'records of NaN' => literally(qr/"vectorCount":\d+/, '"vectorCount":NaN'),
	'no namespaces' => sub { delete $_[0]{namespaces}; return $_[0] },
	'namespaces of null' => sub { $_[0]{namespaces} = undef; return $_[0] },
	'a list of namespaces' => sub { $_[0]{namespaces} = [keys %{$_[0]{namespaces}}]; return $_[0] },
	'namespaces that are a list, and no total' => sub { delete $_[0]{totalVectorCount}; $_[0]{namespaces} = []; return $_[0] },
	'a total in words' => sub { delete $_[0]{namespaces}; $_[0]{totalVectorCount} = 'many'; return $_[0] },
	'a dimension in words' => sub { $_[0]{dimension} = 'two'; return $_[0] },
	'nothing known' => sub { return {hello => 1} },
	'chunks' => framed(sub { "${ok}Transfer-Encoding: chunked\r\n\r\n" . chunked($_[0]) }),
	'chunks that break off' => framed(sub { "${ok}Transfer-Encoding: chunked\r\n\r\n" . substr(chunked($_[0]), 0, -5) }),
	'bad chunks' => framed(sub { "${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n$_[0]" }),
	'chunks and a length' => framed(sub { "${ok}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" . chunked($_[0]) }),
	'no length' => framed(sub { "${ok}\r\n$_[0]" }),
	'a length too large' => framed(sub { $ok . 'Content-Length: ' . (length($_[0]) + 10) . "\r\n\r\n$_[0]" }),
	'a length too small' => framed(sub { $ok . 'Content-Length: ' . (length($_[0]) - 10) . "\r\n\r\n$_[0]" }),
	'a length too small, kept' => sub { my $text = $json->encode($_[0]); return {raw => $ok . 'Content-Length: ' . length($text) . "\r\n\r\n$text" . "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"vectors\":[]}"} },
	'two lengths' => framed(sub { $ok . 'Content-Length: ' . length($_[0]) . "\r\nContent-Length: 5\r\n\r\n$_[0]" }),
	'a length that is none' => framed(sub { "${ok}Content-Length: many\r\n\r\n$_[0]" }),
	'a length below 0' => framed(sub { "${ok}Content-Length: -5\r\n\r\n$_[0]" }),
	'a length of 2^63' => framed(sub { "${ok}Content-Length: 9223372036854775807\r\n\r\n$_[0]" }),
	'a length of 60 MB' => framed(sub { "${ok}Content-Length: 60000000\r\n\r\n$_[0]" }),
	'100 first' => framed(sub { "HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: " . length($_[0]) . "\r\n\r\n$_[0]" }),
	'103 first' => framed(sub { "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok}Content-Length: " . length($_[0]) . "\r\n\r\n$_[0]" }),
	'100 alone' => sub { return {raw => "HTTP/1.1 100 Continue\r\n\r\n"} },
	'HTTP/1.0' => framed(sub { "HTTP/1.0 200 OK\r\n\r\n$_[0]" }),
	'HTTP/0.9' => framed(sub { $_[0] }),
	'HTTP/9.9' => framed(sub { "HTTP/9.9 200 OK\r\n\r\n$_[0]" }),
	'a status that is none' => framed(sub { "HTTP/1.1 OK\r\nContent-Length: " . length($_[0]) . "\r\n\r\n$_[0]" }),
	'status 299' => sub { return {body => $json->encode($_[0]), status => 299} },
	'status 206' => sub { return {body => $json->encode($_[0]), status => 206, headers => {'Content-Range' => 'bytes 0-9/1000'}} },
	'status 301' => sub { return {body => $json->encode($_[0]), status => 301, headers => {Location => 'http://127.0.0.2:1/'}} },
	'status 302' => sub { return {body => $json->encode($_[0]), status => 302, headers => {Location => 'http://127.0.0.2:1/'}} },
	'status 304' => sub { return {raw => "HTTP/1.1 304 Not Modified\r\n\r\n"} },
	'status 101' => sub { return {raw => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"} },
	'status 407' => sub { return {body => '{}', status => 407, headers => {'Proxy-Authenticate' => 'Basic realm="x"'}} },
	'status 511' => sub { return {body => '<html>', status => 511} },
	'status 999' => sub { return {body => '<html>', status => 999} },
	'gzip that is none' => sub { return {body => $json->encode($_[0]), headers => {'Content-Encoding' => 'gzip'}} },
	'gzip' => sub { return {body => "\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0C\xbf\xa6\xa3\x02\0\0\0", headers => {'Content-Encoding' => 'gzip'}} },
	'a byte order mark' => sub { return {body => "\xef\xbb\xbf" . $json->encode($_[0])} },
	'UTF-16' => sub { return {body => join '', map { "$_\0" } split //, $json->encode($_[0])} },
	'60 kB of headers' => sub { return {body => $json->encode($_[0]), headers => {map { ("X-$_" => 'y' x 600) } 1 .. 100}} },
	'400 kB of headers' => sub { return {body => $json->encode($_[0]), headers => {map { ("X-$_" => 'y' x 4000) } 1 .. 100}} },
	'a cookie' => sub { return {body => $json->encode($_[0]), headers => {'Set-Cookie' => 'a=b', 'Connection' => 'close'}} },
	'Alt-Svc' => sub { return {body => $json->encode($_[0]), headers => {'Alt-Svc' => 'h2="127.0.0.2:1"; ma=2592000', 'Strict-Transport-Security' => 'max-age=31536000'}} },
	'odd numbers of the log' => sub { return {body => $json->encode($_[0]), headers => {'X-Pinecone-Request-LSN' => '99999999999999999999', 'X-Pinecone-Max-Indexed-LSN' => '-5', 'X-Pinecone-Request-Id' => "\x01\xff" x 300}} },
);
my @http = grep { $lies{$_} && /chunk|length|first|alone|HTTP|status|gzip|UTF|mark|headers|cookie|Alt|log|twice$|null$|nothing$|204/ && !/matches|metadata|value|score|namespaces|another|a record/ } sort keys %lies;

# ---- The proxy ----

my %order = (left => 0);
my $forward = PineconeLocal::HTTP->new(keep_alive => 1, timeout => 20);

sub ask
{
	my ($request) = @_;
	my $url = $host . $request->{path} . ($request->{query} ne '' ? "?$request->{query}" : '');
	my %headers = map { $_ => $request->{headers}{$_} } grep { exists $request->{headers}{$_} } 'api-key', 'x-pinecone-api-version', 'content-type';
	return $forward->request($request->{method}, $url, {headers => \%headers, $request->{body} ne '' ? (content => $request->{body}) : ()});
}

my $proxy = FakeServer->new(sub {
	my ($request) = @_;

	if ($request->{path} eq '/_lie')
	{
		my $wanted = $json->decode($request->{body});
		%order = %$wanted;
		return FakeServer::reply({met => $order{met} // 0});
	}
	my $reply = ask($request);
	my %plain = (status => $reply->{status}, body => $reply->{content});
	return \%plain if ($order{path} // '') ne $request->{path} || ($order{skip} && $order{skip}-- > 0) || !$order{left};
	$order{left}--;
	my $changed = $lies{$order{lie}}->($json->decode($reply->{content}), $request);
	return \%plain if !defined $changed;
	return {status => 200, body => ask($request)->{content}} if $changed eq 'ask';
	return $changed if exists $changed->{raw} || exists $changed->{body};
	return {status => 200, body => $json->encode($changed)};
});

sub lie
{
	my ($lie, $path, $skip, $count) = @_;
	$server->request('POST', $proxy->url . '/_lie', {lie => $lie, path => $path, skip => $skip, left => $count});
}

my $url = $proxy->url;
my $where = "host '$url'";
$where .= ', schema \'' . $json->encode({fields => PineconeLocal::fields_like(dimension => 2, metric => 'euclidean')}) . '\'' if $documents;
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS ($where, request_timeout '2s', max_retries '1', max_concurrency '4');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE SCHEMA pinecone;
CREATE FOREIGN TABLE pinecone.r (id text COLLATE "C", embedding real[], n int, t text) SERVER s OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE pinecone.d (id text COLLATE "C", embedding real[], n int, t text) SERVER s;
CREATE SCHEMA truth;
CREATE TABLE truth.r (id text COLLATE "C", embedding real[], n int, t text);
INSERT INTO truth.r SELECT 'r' || to_char(n, 'FM00000'), ARRAY[n, 1], n, 't' || n % 5 FROM generate_series(1, 450) n;
CREATE TABLE truth.d AS SELECT 'default' AS id, '{5,5}'::real[] AS embedding, 1 AS n, NULL AS t;
END

# ---- The cases ----

my $near = "ORDER BY embedding <-> '{6.8,1}'";
my %statements = (
	scan => 'SELECT * FROM r ORDER BY n',
	list => 'SELECT id FROM r ORDER BY id',
	listed => "SELECT id FROM (SELECT id FROM r OFFSET 0) s ORDER BY id",
	prefix => "SELECT id FROM r WHERE id LIKE 'r002%' ORDER BY id",
	'prefix, in any order' => "SELECT count(*) FROM r WHERE id LIKE 'r002%' AND length(id) > 1",
	ids => "SELECT * FROM r WHERE id IN ('r00001', 'r00002', 'r00099', 'r99999') ORDER BY n",
	id => "SELECT n FROM r WHERE id = 'r00007'",
	default => 'SELECT id, n FROM d',
	filter => "SELECT * FROM r WHERE t = 't2' ORDER BY n",
	search => "SELECT id, round((embedding <-> '{6.8,1}')::numeric, 3) FROM r $near LIMIT 7",
	'search of records' => "SELECT * FROM r $near LIMIT 7",
	'search in parts' => "SELECT id, n FROM r WHERE n % 3 = 0 $near LIMIT 40",
	'search within' => "SELECT id FROM r WHERE embedding <-> '{6.8,1}' < 20 ORDER BY id",
	'count by filter' => "SELECT count(*) FROM r WHERE t = 't2'",
	count => 'SELECT count(*) FROM r',
);
my @replies = (@http, 'an error', 'no namespace');
my @cases = (
	[['search'], '/query', [@replies]],
	[['search', 'search in parts', 'search within'], '/query', ['no score', 'no score in one', 'a score of null', 'a score of NaN', 'a score in quotes',
		'matches in disorder', 'matches twice', 'matches twice, apart', 'more matches', 'another namespace', 'no ids', 'ids that are numbers']],
	[['search of records'], '/query', ['values of another length', 'one of another length', 'no values', 'empty values', 'values of null', 'a value of NaN',
		'a value of null', 'a value of 1e400', 'metadata in quotes']],
	[['scan'], '/vectors/fetch', [@replies]],
	[['scan', 'ids'], '/vectors/fetch', ['values of another length', 'one of another length', 'no values', 'empty values', 'values of null', 'a value of NaN',
		'a value of null', 'a value of 1e400', 'metadata in quotes', 'another namespace', 'an id nobody asked for', 'ids under other names', 'a record twice',
		'no ids', 'ids that are numbers']],
	[['default'], '/vectors/fetch', ['another namespace', 'no namespace']],
	[['id'], '/vectors/fetch', ['ids under other names', 'a record twice']],
	[['filter'], '/vectors/fetch_by_metadata', ['values of another length', 'no values', 'a value of NaN', 'metadata in quotes', 'another namespace',
		'ids under other names', 'a record twice', 'chunks that break off', 'nothing']],
	[['list'], '/vectors/list', [@replies]],
	[['list', 'listed'], '/vectors/list', ['another namespace', 'no ids', 'ids that are numbers']],
	[['prefix', 'prefix, in any order'], '/vectors/list', ['an id without the prefix', 'another namespace']],
	[['count by filter'], '/vectors/update', ['a count below 0', 'a count of 1e300', 'a count with a fraction', 'a count of NaN', 'a count in quotes', 'no count', 'chunks that break off', 'nothing', 'an error', 'status 302']],
	[['count'], '/describe_index_stats', ['records below 0', 'too many records', 'records of NaN', 'no namespaces', 'namespaces of null', 'a list of namespaces',
		'namespaces that are a list, and no total', 'a total in words', 'nothing known', 'chunks that break off', 'nothing', 'an error', 'status 302']],
);

# What is no lie: the same rows however often
my $harmless = qr/^(?:more matches|no namespace|an id nobody asked for|matches in disorder|matches twice|matches twice, apart|a record twice|a count in quotes|gzip that is none|a length too small, kept|chunks|chunks and a length|no length|100 first|103 first|HTTP\/1.0|status 206|status 299|60 kB of headers|a cookie|Alt-Svc|odd numbers of the log)$/;
# which a search does not bring: it is read then, and so is what has no score
$harmless = qr/$harmless|^no values$|^values of null$|^a score of null$/ if $documents;
my $known = qr/^ERROR:  (?:invalid response from Pinecone|lost the connection to Pinecone|Pinecone could not answer the request|Pinecone rejected the request|out of memory|request to Pinecone timed out after 2000 ms)\n/;
my $s = $t->session;
my ($ncases, %seen) = (0);

sub run
{
	my ($name) = @_;
	return $s->query($statements{$name}, 30);
}

for my $name (sort keys %statements)
{
	$s->query('SET search_path = truth, public');
	$seen{$name} = run($name)->{out};
	$s->query('SET search_path = pinecone, public; SET pinecone_fdw.stats_ttl = 0');
	is(run($name)->{out}, $seen{$name}, "$name: the right rows");
}
for (@cases)
{
	my ($names, $path, $lies) = @$_;

	# a document has no metadata to be false, and its count is the number of those that come;
	# it may be without a vector
	next if $documents && $path eq '/vectors/update';
	$lies = [grep { !/metadata|^no values|^values of null/ || $path eq '/query' && !/metadata/ } @$lies] if $documents;
	$path = path_of($path, $names->[0] eq 'default' ? '__default__' : 'kb');

	for my $name (@$names)
	{
		for my $lie (sort @$lies)
		{
			# the first statistics are the planner's
			for my $order ($name eq 'count' ? [1, 1] : [0, 1], [0, -1])
			{
				my ($skip, $count) = @$order;
				my $what = "$name: $path: $lie" . ($count < 0 ? ' for ever' : " at $skip");

				$ncases++;
				lie($lie, $path, $skip, $count);
				my $result = run($name);
				lie('', '', 0, 0);
				my $errors = () = $result->{err} =~ /^ERROR/mg;
				if ($errors == 0)
				{
					is("$result->{out}$result->{err}", $seen{$name}, $what);
					fail("$what is not noticed") if $count < 0 && $lie !~ $harmless && $name ne 'count';
				}
				elsif ($errors != 1 || $result->{err} !~ $known || $lie =~ $harmless)
				{
					fail($what);
					diag($result->{err});
				}
				else
				{
					pass($what);
				}
			}
		}
	}
	is(run($_)->{out}, $seen{$_}, "$_: afterwards") for @$names;
}
# where statistics are the answer
for my $lie ('namespaces that are a list, and no total', 'a total in words', 'a dimension in words')
{
	lie($lie, '/describe_index_stats', 0, -1);
	like($s->query("SELECT * FROM pinecone_index_stats('s')")->{err}, qr/^ERROR:  invalid response from Pinecone\n/, "statistics: $lie");
	lie('', '', 0, 0);
}
cmp_ok($t->connections($s->pid), '<=', 8, 'no connection is left');
diag("$ncases cases");
done_testing;
