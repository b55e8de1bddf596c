# PineconeLocal.pm
#	Talks to a running pinecone-local, for the TAP tests and for
#	test/regress/pinecone.
#
#	my $server = PineconeLocal->new(url => 'http://127.0.0.1:5080', key => 'test-key');
#	my $host = $server->create_index('movies', dimension => 4, metric => 'cosine');
#	$server->upsert('movies', 'kb', [{id => 'a', values => [1, 0, 0, 0], metadata => {year => 1999}}]);
#	my @lines = $server->take_log;
#
# Needs nothing but Perl, and curl for https.
package PineconeLocal;

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(sleep time);

use constant VERSION => '2025-10';

use constant DOCUMENTS_VERSION => '2026-07';

# Aliases and documents are of another
sub version_for
{
	my ($url) = @_;
	return $url =~ m{/namespace-aliases|/documents/} ? DOCUMENTS_VERSION : VERSION;
}

# With PINECONE_LOCAL_KIND=documents in the environment, create_index makes
# document indexes, and upsert puts records into them as documents: the same data,
# so that what tests one kind tests the other.
sub makes_documents
{
	return ($ENV{PINECONE_LOCAL_KIND} // '') eq 'documents';
}

# Keys sorted, so that equal requests print alike
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# url: of the control plane; key: the API key; ca_file: for https
sub new
{
	my ($class, %args) = @_;
	my $self = bless {url => $args{url}, key => $args{key} // 'test-key', ca_file => $args{ca_file}, hosts => {}}, $class;

	$self->{http} = PineconeLocal::HTTP->new(keep_alive => 1, timeout => 60);
	return $self;
}

# The server that test/cluster.sh started.
sub of_environment
{
	my ($class) = @_;

	die "PINECONE_LOCAL_URL is not set: run this through test/check.sh\n" unless $ENV{PINECONE_LOCAL_URL};
	return $class->new(url => $ENV{PINECONE_LOCAL_URL}, key => $ENV{PINECONE_LOCAL_KEY});
}

# One request; returns the status and the decoded body (a string if it is not JSON).
sub try_request
{
	my ($self, $method, $url, $body) = @_;
	my $content = !defined $body ? undef : ref $body ? $json->encode($body) : $body;
	local $self->{version} = $self->{version} // version_for($url);
	my ($status, $text) = $url =~ /^https:/ ? $self->_by_curl($method, $url, $content) : $self->_by_http($method, $url, $content);
	my $decoded = eval { $json->decode($text) };

	return ($status, defined $decoded ? $decoded : $text);
}

sub _by_http
{
	my ($self, $method, $url, $content) = @_;
	my $reply = $self->{http}->request($method, $url,
		{
			headers => {
				'Api-Key' => $self->{key},
				'X-Pinecone-Api-Version' => $self->{version},
				defined $content ? ('Content-Type' => 'application/json') : (),
			},
			defined $content ? (content => $content) : (),
		});

	die "$method $url: $reply->{content}\n" if $reply->{status} == 599;
	return ($reply->{status}, $reply->{content});
}

sub _by_curl
{
	my ($self, $method, $url, $content) = @_;
	my @command = ('curl', '-sS', '-X', $method, '-H', "Api-Key: $self->{key}",
		'-H', "X-Pinecone-Api-Version: $self->{version}", '-w', "\n%{http_code}");

	push @command, '--cacert', $self->{ca_file} if $self->{ca_file};
	push @command, '-H', 'Content-Type: application/json', '--data-binary', $content if defined $content;
	open my $pipe, '-|', @command, $url or die "could not run curl: $!\n";
	my $text = do { local $/; <$pipe> };
	close $pipe or die "$method $url: curl exited with status " . ($? >> 8) . "\n";
	$text =~ s/\n(\d+)\z// or die "$method $url: no status\n";
	return ($1, $text);
}

# As try_request, but a status other than 2xx is an error; returns the body.
sub request
{
	my ($self, $method, $url, $body) = @_;
	my ($status, $reply) = $self->try_request($method, $url, $body);

	die sprintf("%s %s: %s %s\n", $method, $url, $status, ref $reply ? $json->encode($reply) : $reply) if $status !~ /^2/;
	return $reply;
}

# Make an alias of a namespace, or point one elsewhere.
sub alias
{
	my ($self, $host, $name, $target) = @_;
	my ($status) = $self->try_request('PATCH', "$host/namespace-aliases/$name", {target_namespace => $target});

	$self->request('POST', "$host/namespace-aliases", {name => $name, target_namespace => $target}) if $status == 404;
}

# A request to the control plane, or to an index.
sub control
{
	my ($self, $method, $path, $body) = @_;
	return $self->request($method, $self->{url} . $path, $body);
}

sub data
{
	my ($self, $index, $method, $path, $body) = @_;
	return $self->request($method, $self->host($index) . $path, $body);
}

# The URL of an index.
sub host
{
	my ($self, $index) = @_;
	return $self->{hosts}{$index} //= $self->control('GET', "/indexes/$index")->{host};
}

# Spare it the question.
sub set_host
{
	my ($self, $index, $host) = @_;
	$self->{hosts}{$index} = $host;
}

# Create an empty index in the place of what has that name, and wait until it
# is ready; returns its URL.  With no dimension it is a sparse one.
sub create_index
{
	my ($self, $name, %args) = @_;

	return $self->create_document_index($name, fields_like(%args)) if makes_documents();
	my %description = (
		name => $name,
		metric => $args{metric} // ($args{dimension} ? 'cosine' : 'dotproduct'),
		vector_type => $args{dimension} ? 'dense' : 'sparse',
		spec => {serverless => {cloud => 'aws', region => 'us-east-1'}},
		$args{dimension} ? (dimension => $args{dimension} + 0) : ());

	$self->drop_index($name);
	$self->control('POST', '/indexes', \%description);
	return $self->wait_for_index($name);
}

# The fields of a document index that can hold what an index of vectors does.
sub fields_like
{
	my (%args) = @_;
	my $metric = $args{metric} // 'cosine';

	return {
		$args{dimension} ? (embedding => {type => 'dense_vector', dimension => $args{dimension} + 0, metric => $metric}) : (),
		sparse_values => {type => 'sparse_vector'},
		words => {type => 'string', full_text_search => {}}};
}

# The same as the text of a schema
sub schema_like
{
	return $json->encode({fields => fields_like(@_)});
}

# A document index with these fields, in place of what has that name.
sub create_document_index
{
	my ($self, $name, $fields) = @_;
	local $self->{version} = DOCUMENTS_VERSION;

	$self->drop_index($name);
	$self->control('POST', '/indexes', ref $fields ? {name => $name, schema => {fields => $fields}} : "{\"name\": \"$name\", \"schema\": {\"fields\": $fields}}");
	return $self->wait_for_index($name);
}

# An index whose model embeds one field, in place of what has that name.
sub create_integrated_index
{
	my ($self, $name, $field, $model, $dimension) = @_;

	$self->drop_index($name);
	$self->control('POST', '/indexes/create-for-model',
		{
			name => $name,
			cloud => 'aws',
			region => 'us-east-1',
			embed => {model => $model // 'llama-text-embed-v2', field_map => {text => $field}, $dimension ? (dimension => $dimension + 0) : ()},
		});
	return $self->wait_for_index($name);
}

# What a server's options say of where an index is.
sub where
{
	my ($self, $name) = @_;
	my $where = makes_documents() ? "index '$name', control_host '$self->{url}'" : 'host \'' . $self->host($name) . '\'';
	return $ENV{PINECONE_LOCAL_CACHE} ? "$where, cache_ttl '1h'" : $where;
}

sub wait_for_index
{
	my ($self, $name) = @_;

	for (1 .. 600)
	{
		my $index = $self->control('GET', "/indexes/$name");
		return $self->{hosts}{$name} = $index->{host} if $index->{status}{ready} && $index->{host};
		sleep 0.02;
	}
	die "index \"$name\" does not get ready\n";
}

sub drop_index
{
	my ($self, $name) = @_;
	my ($status) = $self->try_request('DELETE', "$self->{url}/indexes/$name");

	delete $self->{hosts}{$name};
	die "could not delete the index \"$name\": status $status\n" unless $status == 404 || $status =~ /^2/;
	for (1 .. 600)
	{
		return if $status == 404;
		sleep 0.02;
		($status) = $self->try_request('GET', "$self->{url}/indexes/$name");
	}
	die "index \"$name\" does not go away\n";
}

# Records as in the API; any number, in batches.
sub upsert
{
	my ($self, $index, $namespace, $records) = @_;
	return $self->upsert_json($index, $namespace, [map { $json->encode($_) } @$records]);
}

# A record, as JSON text, as a document with the same fields; numbers stay as they are.
sub document_of
{
	my ($record) = @_;

	# as the random suites write them, with the numbers as they are
	if ($record =~ /^\{"id": ("(?:[^"\\]|\\.)*"), "values": (\[[^\]]*\])(?:, "metadata": \{(.*)\})?\}$/s)
	{
		my ($id, $values, $metadata) = ($1, $2, $3 // '');
		$metadata =~ s/(?:^|, )"(?:[^"\\]|\\.)*": null(?=,|$)//g;
		$metadata =~ s/^, //;
		return "{\"_id\": $id, \"embedding\": $values" . ($metadata =~ /\S/ ? ", $metadata}" : '}');
	}
	my $exact = JSON::PP->new->canonical->allow_nonref->allow_bignum;
	my $decoded = $exact->decode($record);
	my $metadata = $decoded->{metadata} // {};
	my %document = (_id => $decoded->{id}, map { defined $metadata->{$_} ? ($_ => $metadata->{$_}) : () } keys %$metadata);

	$document{embedding} = $decoded->{values} if $decoded->{values};
	$document{sparse_values} = $decoded->{sparseValues} if $decoded->{sparseValues};
	return $exact->encode(\%document);
}

# Documents as JSON texts, or as in the API; any number, in batches.
sub upsert_documents
{
	my ($self, $index, $namespace, $documents) = @_;
	my @rest = map { ref $_ ? $json->encode($_) : $_ } @$documents;
	my $most = ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--small-limits/ ? 3 : 96;

	while (my @batch = splice @rest, 0, $most)
	{
		$self->data($index, 'POST', '/namespaces/' . ($namespace eq '' ? '__default__' : encode_name($namespace)) . '/documents/upsert',
			'{"documents": [' . join(', ', @batch) . ']}');
	}
	return scalar @$documents;
}

sub encode_name
{
	my ($name) = @_;
	return $name =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}

# The same of records that are JSON text already.
sub upsert_json
{
	my ($self, $index, $namespace, $records) = @_;

	return $self->upsert_documents($index, $namespace, [map { document_of($_) } @$records]) if makes_documents();
	my @rest = @$records;
	my $name = $json->encode($namespace);
	# so many as pinecone-local takes
	my $most = ($ENV{PINECONE_LOCAL_ARGS} // '') =~ /--small-limits/ ? 3 : 200;

	while (my @batch = splice @rest, 0, $most)
	{
		$self->data($index, 'POST', '/vectors/upsert', "{\"namespace\": $name, \"vectors\": [" . join(', ', @batch) . ']}');
	}
	return scalar @$records;
}

# ---- Faults and the request log, under /_local ----

# Add a fault, as pinecone-local --help describes them.
sub fault
{
	my ($self, $fault) = @_;
	return $self->control('POST', '/_local/faults', $fault);
}

sub clear_faults
{
	my ($self) = @_;
	return $self->control('DELETE', '/_local/faults');
}

# The requests so far, oldest first, as pinecone-local keeps them.
sub requests
{
	my ($self) = @_;
	return @{$self->control('GET', '/_local/requests')->{requests}};
}

sub clear_requests
{
	my ($self) = @_;
	return $self->control('DELETE', '/_local/requests');
}

# The requests since the last time, one a line, without what differs from run
# to run.
sub take_log
{
	my ($self) = @_;
	my @lines = map { describe_request($_) } $self->requests;

	$self->clear_requests;
	return @lines;
}

# "POST /query {...}", "GET /vectors/fetch ids=a&ids=b": parameters decoded, keys
# sorted, long vectors abbreviated, tokens of paging replaced.
sub describe_request
{
	my ($request) = @_;
	my ($path, $query) = split /\?/, $request->{path}, 2;
	my $line = "$request->{method} $path";

	$query = $request->{query} if defined $request->{query};
	if (defined $query && $query ne '')
	{
		$query =~ s/paginationToken=[^&]*/paginationToken=.../;
		$query =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
		$line .= " $query";
	}
	if (defined $request->{body} && $request->{body} ne '')
	{
		my $body = ref $request->{body} ? $request->{body} : eval { $json->decode($request->{body}) } // $request->{body};
		$line .= ' ' . (ref $body ? $json->encode(abbreviate($body)) : $body);
	}
	return $line;
}

# A copy of a JSON value with long arrays of numbers cut.
sub abbreviate
{
	my ($value) = @_;

	if (ref $value eq 'HASH')
	{
		return {map { $_ => $_ eq 'paginationToken' ? '...' : abbreviate($value->{$_}) } keys %$value};
	}
	return $value unless ref $value eq 'ARRAY';
	return [map { abbreviate($_) } @$value] if @$value <= 8 || ref $value->[0] || $value->[0] !~ /^-?\d/;
	return [@$value[0, 1], '... ' . @$value . ' numbers'];
}


# HTTP::Tiny sends head and body apart, and with Nagle's algorithm the body
# waits 40 ms for an acknowledgement.
package PineconeLocal::HTTP;

use parent -norequire, 'HTTP::Tiny';

use Socket qw(IPPROTO_TCP TCP_NODELAY);

sub _open_handle
{
	my ($self, @args) = @_;
	my $handle = $self->SUPER::_open_handle(@args);

	setsockopt $handle->{fh}, IPPROTO_TCP, TCP_NODELAY, 1;
	return $handle;
}

1;
