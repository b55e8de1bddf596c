# Model.pm
#	What a session's records may be.  Of a write that failed it is not always
#	known whether it was applied: so a record has, for being there and for each
#	of its fields, the set of what may be stored.  As long as nothing failed
#	every set has one member, and what is read has to be exactly that.
#
#	my $m = Model->new;
#	$m->insert('a', {n => 1, s => 'x', e => '{1,2}'});      # confirmed
#	$m->perhaps(sub { $_[0]->delete('a') });                # may have been applied
#	my $wrong = $m->look(\@rows, sub { $_[0]{n} > 0 });     # rows as read: undef, or what is wrong
package Model;

use strict;
use warnings;

my @fields = qw(n s e);

sub new
{
	return bless {records => {}}, shift;
}

sub copy
{
	my ($self) = @_;
	my %records;

	while (my ($id, $record) = each %{$self->{records}})
	{
		$records{$id} = {map { $_ => {%{$record->{$_}}} } keys %$record};
	}
	return bless {records => \%records}, ref $self;
}

# Each record may also be as it is in another model.
sub join_with
{
	my ($self, $other) = @_;
	my %ids = map { $_ => 1 } keys %{$self->{records}}, keys %{$other->{records}};

	for my $id (keys %ids)
	{
		my $mine = $self->{records}{$id} //= {there => {0 => 1}};
		my $theirs = $other->{records}{$id} // {there => {0 => 1}};
		for my $what (keys %$theirs)
		{
			$mine->{$what}{$_} = 1 for keys %{$theirs->{$what}};
		}
	}
}

# What a write does, if it was applied at all.
sub perhaps
{
	my ($self, $write) = @_;
	my $after = $self->copy;

	$write->($after);
	$self->join_with($after);
}

sub insert
{
	my ($self, $id, $row) = @_;
	$self->{records}{$id} = {there => {1 => 1}, map { $_ => {$row->{$_} => 1} } @fields};
}

# Fields of a record that the statement has found.
sub update
{
	my ($self, $id, $set) = @_;
	my $record = $self->{records}{$id} or return;

	$record->{$_} = {$set->{$_} => 1} for keys %$set;
}

sub delete
{
	my ($self, $id) = @_;
	$self->{records}{$id}{there} = {0 => 1};
}

# A record that is written as a whole, whether it was there or not
sub put_there
{
	my ($self, $id) = @_;
	$self->{records}{$id}{there} = {1 => 1};
}

# What else a field may be, by a function of what it may be now
sub may_become
{
	my ($self, $id, $field, $function) = @_;
	my $values = $self->{records}{$id}{$field};

	$values->{$function->($_)} = 1 for keys %$values;
}

sub ids
{
	my ($self) = @_;
	return sort keys %{$self->{records}};
}

sub can_be_there
{
	my ($self, $id) = @_;
	return $self->{records}{$id} && $self->{records}{$id}{there}{1};
}

sub is_there
{
	my ($self, $id) = @_;
	return $self->can_be_there($id) && !$self->{records}{$id}{there}{0};
}

# Records of which more is possible than one thing
sub unclear
{
	my ($self) = @_;
	return grep {
		my $record = $self->{records}{$_};
		keys %{$record->{there}} > 1 || $record->{there}{1} && grep { keys %{$record->{$_}} > 1 } @fields
	} $self->ids;
}

# All that a record may be, if it is there.
sub states
{
	my ($self, $id) = @_;
	my $record = $self->{records}{$id};
	my @states = ({id => $id});

	for my $field (@fields)
	{
		my @values = keys %{$record->{$field} // {}};
		@states = map { my $state = $_; map { +{%$state, $field => $_} } @values } @states;
	}
	return @states;
}

# Whether a condition on n and s holds: 1, 0, or undef where nobody knows
sub holds
{
	my ($self, $id, $condition) = @_;
	my @held = map { $condition->($_) ? 1 : 0 } $self->states($id);
	my %held = map { $_ => 1 } @held;

	return keys %held == 1 ? $held[0] : undef;
}

# Ids that a condition meets for sure, and those that it may meet
sub matching
{
	my ($self, $condition) = @_;
	my (@sure, @perhaps);

	for my $id (grep { $self->can_be_there($_) } $self->ids)
	{
		my $holds = $self->holds($id, $condition);
		next if defined $holds && !$holds;
		push @{$self->is_there($id) && $holds ? \@sure : \@perhaps}, $id;
	}
	return (\@sure, \@perhaps);
}

# Is a row, {id, n, s, e} or fewer, one that there may be?
sub wrong_with
{
	my ($self, $row) = @_;

	return "\"$row->{id}\" is not there" unless $self->can_be_there($row->{id});
	for my $field (grep { exists $row->{$_} } @fields)
	{
		my $possible = $self->{records}{$row->{id}}{$field};
		return "$field of \"$row->{id}\" is $row->{$field}, not " . join(' or ', sort keys %$possible) unless $possible->{$row->{$field}};
	}
	return;
}

# Rows as a statement has read them, which a condition on n and s has chosen.
sub look
{
	my ($self, $rows, $condition) = @_;
	my %seen;

	for my $row (@$rows)
	{
		my $wrong = $self->wrong_with($row);
		return $wrong if $wrong;
		return "\"$row->{id}\" comes twice" if $seen{$row->{id}}++;
		return "\"$row->{id}\" does not meet the condition" unless $condition->($row);
	}
	my ($sure) = $self->matching($condition);
	my @missing = grep { !$seen{$_} } @$sure;
	return @missing ? 'missing: ' . join(', ', @missing) : undef;
}

1;
