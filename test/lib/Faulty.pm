# Faulty.pm
#	A resolver that does not answer, a clock that is set and memory that runs
#	out, for the processes of a cluster:
#
#	my $faulty = Faulty->new;
#	my $t = $faulty->harness(...);              # as Harness->new
#	$faulty->set(silent => 1);                  # no look-up of a name in .test is answered
#	$faulty->set(clock_offset => -3600);        # the time of day is an hour behind
#	$faulty->set(library => 'libcurl', process => $pid, countdown => 7);
#	$faulty->get('failed');
#
# Names in .test have the address 127.0.0.1, two.test has localhost's, which may
# be ::1 first, unknown.test has none.
package Faulty;

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp qw(tempdir);

my @numbers = qw(clock_offset silent lookups process countdown failed);
my $source = dirname(__FILE__) . '/faulty.c';

sub new
{
	my ($class) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $self = bless {dir => $dir, file => "$dir/control", library => "$dir/faulty.so"}, $class;

	chmod 0755, $dir;
	system('cc', '-O1', '-fno-builtin', '-shared', '-fPIC', '-o', $self->{library}, $source, '-ldl') == 0
		or die "could not build $source\n";
	open my $file, '>', $self->{file} or die $!;
	print $file "\0" x (8 * @numbers + 64);
	close $file;
	chmod 0666, $self->{file};
	return $self;
}

sub harness
{
	my ($self, @args) = @_;

	require Harness;
	local $ENV{LD_PRELOAD} = $self->{library};
	local $ENV{FAULTY_FILE} = $self->{file};
	my $t = Harness->new(@args);
	return $t;
}

sub set
{
	my ($self, %values) = @_;

	open my $file, '+<', $self->{file} or die $!;
	if (exists $values{library})
	{
		seek $file, 8 * @numbers, 0;
		print $file pack 'a64', delete $values{library};
		$file->flush;
	}
	for my $i (0 .. $#numbers)
	{
		my $value = delete $values{$numbers[$i]} // next;
		seek $file, 8 * $i, 0;
		print $file pack 'q', $value;
		$file->flush;
	}
	close $file;
	die 'no such faults: ', join ', ', keys %values if %values;
}

sub get
{
	my ($self, $name) = @_;
	my ($i) = grep { $numbers[$_] eq $name } 0 .. $#numbers;

	open my $file, '<', $self->{file} or die $!;
	seek $file, 8 * $i, 0;
	read $file, my $bytes, 8;
	return unpack 'q', $bytes;
}

1;
