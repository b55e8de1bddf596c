# Replica.pm
#	A pinecone-local beside the harness's, with an index of its own on a port that
#	stays the same: it can be killed, stopped and started again with the same data.
#
#	my $b = Replica->new($harness, index => 'docs:2:cosine', load => $file, arguments => ['--lag', 500]);
#	... $b->host ... $b->server->fault({...}) ...
#	$b->kill; $b->start; $b->freeze; $b->thaw;
package Replica;

use strict;
use warnings;

use IO::Socket::INET;
use POSIX qw(WUNTRACED);
use PineconeLocal;
use Time::HiRes qw(sleep time);

sub free_port
{
	return IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
}

sub new
{
	my ($class, $harness, %args) = @_;
	my ($name) = $args{index} =~ /^([^:]+)/;
	my $self = bless {starter => $$, harness => $harness, %args, name => $name, port => free_port(), control => free_port()}, $class;

	if (PineconeLocal::makes_documents())
	{
		my ($dimension, $metric) = $args{index} =~ /:(\d+):(\w+)/;

		$self->{index} = "$name:" . written($harness->dir . "/$name-$self->{port}.json", PineconeLocal::schema_like(dimension => $dimension, metric => $metric));
		if ($args{load})
		{
			open my $in, '<', $args{load} or die "$args{load}: $!\n";
			$self->{load} = written("$args{load}.documents", map { chomp; s/^\{"index": ("[^"]*"), "namespace": ("[^"]*"), (.*)$/{"index": $1, "namespace": $2, "document": / ? $_ . PineconeLocal::document_of("{$3") . "}\n" : "$_\n" } <$in>);
		}
	}
	$self->{file} = $harness->dir . "/$name-$self->{port}.port";
	$self->start;
	return $self;
}

# The server runs as us, PostgreSQL as somebody else.
sub written
{
	my ($path, @lines) = @_;

	open my $out, '>', $path or die "$path: $!\n";
	print $out @lines;
	close $out;
	return $path;
}

# What a server's options have to say of it besides
sub options
{
	my ($self) = @_;

	return '' unless PineconeLocal::makes_documents();
	open my $in, '<', $self->{index} =~ s/^[^:]+://r or die $!;
	return ", schema '" . do { local $/; <$in> } . "'";
}

sub host { return "http://127.0.0.1:$_[0]{port}" }

sub server { return $_[0]{server} }

sub start
{
	my ($self) = @_;
	my $end = time + 20;

	unlink $self->{file};
	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		open STDOUT, '>>', $self->{harness}->dir . '/replica.log';
		open STDERR, '>&', \*STDOUT;
		exec $self->{harness}->dir . '/pinecone-local', '--port', $self->{control}, '--port-file', $self->{file}, '--api-key', 'test-key',
			'--index', "$self->{index}:port=$self->{port}", ($self->{load} ? ('--load', $self->{load}) : ()), @{$self->{arguments} // []},
			split ' ', $ENV{PINECONE_LOCAL_ARGS} // '';
	}
	sleep 0.02 until -s $self->{file} || time > $end;
	die "no pinecone-local: " . do { open my $log, '<', $self->{harness}->dir . '/replica.log'; local $/; <$log> } unless -s $self->{file};
	$self->{server} = PineconeLocal->new(url => "http://127.0.0.1:$self->{control}", key => 'test-key');
}

# At once, as a machine that is switched off
sub kill
{
	my ($self) = @_;

	CORE::kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
	delete $self->{pid};
}

# It accepts connections, and does not answer.
sub freeze
{
	my ($self) = @_;

	CORE::kill STOP => $self->{pid};
	waitpid $self->{pid}, WUNTRACED;
}

sub thaw { CORE::kill CONT => $_[0]{pid} }

sub DESTROY
{
	my ($self) = @_;

	local ($?, $@);
	$self->kill if $self->{pid} && $self->{starter} == $$;
}

1;
