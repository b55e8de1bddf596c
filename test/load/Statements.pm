# Statements.pm
#	What a session of the load test does: steps of statements, each with what is
#	known of its answer.
#
#	A statement is {sql, look, write}.  look->($model, $answer) says what is wrong
#	with the answer, {count, rows}, or undef; write->($model, $answer) changes the
#	model as the statement has changed the records, or, without an answer, as it
#	may have.
package Statements;

use strict;
use warnings;

use List::Util qw(min shuffle sum0);

use constant DIMENSION => 4;
use constant GROUPS => 10;
use constant RECORDS => 16;    # ids of a session
use constant SHARED => 400;

sub mode
{
	my ($group) = @_;
	return $group < 6 ? 'transactional' : $group < 8 ? 'immediate' : 'outbox';
}

# ---- Values ----

sub vector
{
	return [map { int(rand 128) / 8 } 1 .. DIMENSION];
}

sub array
{
	my ($vector) = @_;
	return '{' . join(',', @$vector) . '}';
}

sub vector_of
{
	my ($array) = @_;
	return [map { $_ + 0 } split /,/, $array =~ s/[{}]//gr];
}

sub word
{
	return (qw(ash birch cedar elm))[rand 4];
}

sub distance
{
	my ($a, $b) = @_;
	return sqrt sum0 map { ($a->[$_] - $b->[$_])**2 } 0 .. $#$a;
}

sub quoted
{
	return join ', ', map { "'$_'" } @_;
}

# A condition as SQL, and as a function of a row; no text is NULL
sub condition
{
	my $from = int rand 100;
	my $to = $from + int rand 40;
	my $word = word();
	my @conditions = (
		["n BETWEEN $from AND $to", sub { $_[0]{n} >= $from && $_[0]{n} <= $to }],
		["n < $from", sub { $_[0]{n} < $from }],
		["s = '$word'", sub { $_[0]{s} eq $word }],
		["s <> '$word' AND n >= $from", sub { $_[0]{s} ne '' && $_[0]{s} ne $word && $_[0]{n} >= $from }],
		["(s = '$word' OR n > $to)", sub { $_[0]{s} eq $word || $_[0]{n} > $to }],
		['s IS NULL', sub { $_[0]{s} eq '' }]);

	return @{$conditions[rand @conditions]};
}

# ---- What nobody writes ----

my (@shared, @wanted);

sub shared
{
	@shared = map { +{id => sprintf('x%03d', $_), vector => vector(), n => int(rand 50), s => word()} } 1 .. SHARED unless @shared;
	return \@shared;
}

# Rows of a local table: of each k ids of shared records, and vectors
sub wanted
{
	@wanted = map { +{k => $_ % 20, id => shared()->[rand SHARED]{id}, v => array(vector())} } 0 .. 99 unless @wanted;
	return @wanted;
}

sub shared_table
{
	return rand() < 0.3 ? 'shared_kept' : 'shared';
}

sub as_rows
{
	return join ' ', map { join '|', @$_ } @_;
}

sub expect
{
	my ($sql, @rows) = @_;
	my $expected = as_rows(@rows);

	return {sql => $sql, look => sub {
		my @got = map { @$_ } @{$_[1]{rows}};
		my @wanted = map { @$_ } @rows;

		return "expected $expected" if @{$_[1]{rows}} != @rows || grep { !is_same($got[$_], $wanted[$_]) } 0 .. $#wanted;
		return;
	}};
}

# Distances are float32's here, and not there
sub is_same
{
	my ($a, $b) = @_;
	return $b =~ /^\d+\.\d+$/ ? abs($a - $b) < 1e-4 : $a eq $b;
}

# Distances of the nearest k: equal ones have no order, so ids are not compared
sub nearest
{
	my ($query, $k, @from) = @_;
	my @distances = sort { $a <=> $b } map { distance($query, $_->{vector}) } @from;

	return map { sprintf '%.6f', $_ } @distances[0 .. min($k, scalar @distances) - 1];
}

sub search_shared
{
	my ($sql, $condition) = rand() < 0.6 ? condition() : ('true', sub { 1 });
	my ($query, $k, $table) = (vector(), 1 + int rand 30, shared_table());
	my $q = quoted(array($query));

	return expect("SELECT embedding <-> $q FROM $table WHERE $sql ORDER BY embedding <-> $q LIMIT $k",
		map { [$_] } nearest($query, $k, grep { $condition->($_) } @shared));
}

sub read_shared
{
	my ($sql, $condition) = condition();
	return expect('SELECT id, n FROM ' . shared_table() . " WHERE $sql ORDER BY id", map { [@$_{qw(id n)}] } grep { $condition->($_) } @shared);
}

sub count_shared
{
	my ($sql, $condition) = rand() < 0.7 ? condition() : ('true', sub { 1 });
	return expect('SELECT count(*) FROM ' . shared_table() . " WHERE $sql", [scalar grep { $condition->($_) } @shared]);
}

sub group_shared
{
	my %n;

	$n{$_->{s}}++ for @shared;
	return expect('SELECT s, count(*) FROM ' . shared_table() . ' GROUP BY s ORDER BY s', map { [$_, $n{$_}] } sort keys %n);
}

sub join_shared
{
	my $k = int rand 20;
	my %n = map { $_->{id} => $_->{n} } @shared;

	return expect('SELECT w.id, x.n FROM wanted w JOIN ' . shared_table() . " x ON x.id = w.id WHERE w.k = $k ORDER BY w.id",
		map { [$_, $n{$_}] } sort map { $_->{id} } grep { $_->{k} == $k } @wanted);
}

sub search_each
{
	my $k = int rand 20;
	my @rows;

	for my $v (sort map { $_->{v} } grep { $_->{k} == $k } @wanted)
	{
		push @rows, map { [$v, $_] } nearest(vector_of($v), 2, @shared);
	}
	return expect('SELECT w.v, x.embedding <-> w.v FROM wanted w, LATERAL (SELECT * FROM ' . shared_table()
		. " ORDER BY embedding <-> w.v LIMIT 2) x WHERE k = $k ORDER BY w.v::text COLLATE \"C\", x.embedding <-> w.v", @rows);
}

# A cursor that is not read to its end
sub cursor
{
	my $query = vector();
	my @near = map { [$_] } nearest($query, 10, @shared);
	my $q = quoted(array($query));

	return ({sql => 'BEGIN', begin => 1},
		{sql => "DECLARE c CURSOR FOR SELECT embedding <-> $q FROM shared ORDER BY embedding <-> $q"},
		expect('FETCH 5 FROM c', @near[0 .. 4]), expect('FETCH 5 FROM c', @near[5 .. 9]), {sql => 'COMMIT', end => 'commit'});
}

# ---- A session's own ----

sub new
{
	my ($class, $number, $group, $model) = @_;
	my $prefix = sprintf 's%03d-', $number;

	return bless {number => $number, group => $group, model => $model, table => "own_$group", prefix => $prefix,
		ids => [map { sprintf '%s%02d', $prefix, $_ } 1 .. RECORDS]}, $class;
}

sub new_row
{
	return {n => int(rand 100), s => word(), e => array(vector())};
}

# Records that are there when it begins, as the API takes them; the model knows them.
sub first_records
{
	my ($self) = @_;
	my @records;

	for my $id (grep { rand() < 0.6 } @{$self->{ids}})
	{
		my $row = new_row();
		$self->{model}->insert($id, $row);
		push @records, {id => $id, values => vector_of($row->{e}), metadata => {owner => $self->{number}, n => $row->{n} + 0, s => $row->{s}}};
	}
	return @records;
}

sub some_ids
{
	my ($self, $most) = @_;
	my @ids = shuffle @{$self->{ids}};

	return sort @ids[0 .. int rand $most];
}

sub one_id
{
	my ($self) = @_;
	return $self->{ids}[rand @{$self->{ids}}];
}

# ---- Reads of it ----

my $columns = 'id, n, s, embedding';

sub rows_of
{
	my ($answer) = @_;
	return [map { +{id => $_->[0], n => $_->[1], s => $_->[2], e => $_->[3]} } @{$answer->{rows}}];
}

sub read_where_sql
{
	my ($self, $sql, $condition) = @_;
	return {sql => "SELECT $columns FROM $self->{table} WHERE $sql", look => sub { $_[0]->look(rows_of($_[1]), $condition) }};
}

sub read_ids
{
	my ($self) = @_;
	my @ids = $self->some_ids(6);
	my %wanted = map { $_ => 1 } @ids;

	return $self->read_where_sql('id IN (' . quoted(@ids) . ')', sub { $wanted{$_[0]{id}} });
}

sub read_where
{
	my ($self) = @_;
	my ($sql, $condition) = condition();

	return $self->read_where_sql("owner = $self->{number} AND $sql", $condition);
}

sub read_prefix
{
	my ($self) = @_;
	return $self->read_where_sql("id LIKE '$self->{prefix}%'", sub { 1 });
}

# A number of rows, between what are there for sure and what may be
sub wrong_count
{
	my ($model, $condition, $n) = @_;
	my ($sure, $perhaps) = $model->matching($condition);
	my ($least, $most) = (scalar @$sure, @$sure + @$perhaps);

	return $n >= $least && $n <= $most ? undef : "$n rows, not $least to $most";
}

sub count_where
{
	my ($self) = @_;
	my ($sql, $condition) = condition();

	return {sql => "SELECT count(*) FROM $self->{table} WHERE owner = $self->{number} AND $sql",
		look => sub { wrong_count($_[0], $condition, $_[1]{rows}[0][0]) }};
}

# Rows of a search: right ones, in order, and none left out that is nearer than the last
sub wrong_search
{
	my ($model, $rows, $condition, $query, $k) = @_;
	my ($sure) = $model->matching($condition);
	my ($last, %seen) = (0);

	for my $row (@$rows)
	{
		my $d = distance($query, vector_of($row->{e}));
		my $wrong = $model->wrong_with($row);

		return $wrong if $wrong;
		return "\"$row->{id}\" does not meet the condition" unless $condition->($row);
		return "\"$row->{id}\" comes twice" if $seen{$row->{id}}++;
		return "\"$row->{id}\" is out of order" if $d < $last - 1e-4;
		$last = $d;
	}
	return 'more than asked for' if @$rows > $k;
	for my $id (grep { !$seen{$_} } @$sure)
	{
		my @at = map { distance($query, vector_of($_)) } keys %{$model->{records}{$id}{e}};
		return "\"$id\" is missing" if @$rows < $k || !grep { $_ >= $last - 1e-4 } @at;
	}
	return;
}

sub search
{
	my ($self) = @_;
	my ($sql, $condition) = rand() < 0.5 ? condition() : ('true', sub { 1 });
	my ($query, $k) = (vector(), 1 + int rand 8);

	return {sql => "SELECT $columns FROM $self->{table} WHERE owner = $self->{number} AND $sql ORDER BY embedding <-> '" . array($query) . "' LIMIT $k",
		look => sub { wrong_search($_[0], rows_of($_[1]), $condition, $query, $k) }};
}

# ---- Writes ----

sub insert_rows
{
	my ($self, @ids) = @_;
	my %rows = map { $_ => new_row() } @ids;
	my $values = join ', ', map { "('$_', '$rows{$_}{e}', $self->{number}, $rows{$_}{n}, '$rows{$_}{s}')" } @ids;

	return {sql => "INSERT INTO $self->{table} (id, embedding, owner, n, s) VALUES $values",
		write => sub { my ($model) = @_; $model->insert($_, $rows{$_}) for @ids }};
}

sub insert
{
	my ($self) = @_;
	return $self->insert_rows($self->some_ids(5));
}

# A write of one record, which counts whether it has found it
sub of_one
{
	my ($self, $sql, $id, $write) = @_;

	return {sql => "$sql WHERE id = '$id'",
		look => sub {
			my ($model, $answer) = @_;
			return 'no row' if $answer->{count} == 0 && $model->is_there($id);
			return "$answer->{count} rows" if $answer->{count} > ($model->can_be_there($id) ? 1 : 0);
			return;
		},
		write => sub {
			my ($model, $answer) = @_;
			$write->($model, $id) if $model->can_be_there($id) && (!$answer || $answer->{count} == 1);
		}};
}

sub update_id
{
	my ($self) = @_;
	my %set = (n => int rand 100, s => word());

	return $self->of_one("UPDATE $self->{table} SET n = $set{n}, s = '$set{s}'", $self->one_id, sub { $_[0]->update($_[1], \%set) });
}

# The record is written as a whole, as the statement has seen it: so it is there
sub update_whole
{
	my ($self) = @_;
	my %set = rand() < 0.5 ? (s => '') : (e => array(vector()));
	my $sql = exists $set{e} ? "embedding = '$set{e}'" : 's = NULL';

	return $self->of_one("UPDATE $self->{table} SET $sql", $self->one_id, sub { $_[0]->update($_[1], \%set); $_[0]->put_there($_[1]) });
}

sub delete_id
{
	my ($self) = @_;
	return $self->of_one("DELETE FROM $self->{table}", $self->one_id, sub { $_[0]->delete($_[1]) });
}

# By a condition: what meets it for sure is changed, what may meet it may be
sub of_many
{
	my ($self, $sql, $where, $condition, $write) = @_;

	return {sql => "$sql WHERE owner = $self->{number} AND $where",
		look => sub { wrong_count($_[0], $condition, $_[1]{count}) },
		write => sub {
			my ($model) = @_;
			my ($sure, $perhaps) = $model->matching($condition);

			$write->($model, $_) for @$sure;
			$model->perhaps(sub { my ($after) = @_; $write->($after, $_) for @$perhaps }) if @$perhaps;
		}};
}

sub update_where
{
	my ($self) = @_;
	my ($sql, $condition) = condition();
	my $s = word();

	return $self->of_many("UPDATE $self->{table} SET s = '$s'", $sql, $condition, sub { $_[0]->update($_[1], {s => $s}) });
}

sub delete_where
{
	my ($self) = @_;
	my ($sql, $condition) = condition();
	my $below = int rand 100;

	return $self->of_many("DELETE FROM $self->{table}", "n < $below AND $sql", sub { $_[0]{n} < $below && $condition->($_[0]) }, sub { $_[0]->delete($_[1]) });
}

# To values that depend on the row
sub count_up
{
	my ($self) = @_;
	my $from = int rand 100;
	my $condition = sub { $_[0]{n} >= $from && $_[0]{n} <= $from + 15 };

	return {sql => "UPDATE $self->{table} SET n = n + 100 WHERE owner = $self->{number} AND n BETWEEN $from AND $from + 15 RETURNING id, n",
		look => sub { $_[0]->look([map { +{id => $_->[0], n => $_->[1] - 100} } @{$_[1]{rows}}], $condition) },
		write => sub {
			my ($model, $answer) = @_;

			$model->update($_->[0], {n => $_->[1]}) for $answer ? @{$answer->{rows}} : ();
			$model->may_become($_, 'n', sub { $condition->({n => $_[0]}) ? $_[0] + 100 : $_[0] }) for $answer ? () : map { @$_ } $model->matching($condition);
		}};
}

# ---- Steps ----

my @reads = ([read_ids => 4], [read_where => 3], [read_prefix => 2], [count_where => 2], [search => 3]);
my @shared_reads = ([search_shared => 4], [read_shared => 1], [count_shared => 1], [group_shared => 0.3], [join_shared => 1], [search_each => 1]);
my @writes = ([insert => 4], [update_id => 3], [update_whole => 2], [delete_id => 2], [update_where => 1], [delete_where => 0.5], [count_up => 0.5]);

sub pick
{
	my ($self, @choices) = @_;
	my $of = rand sum0 map { $_->[1] } @choices;

	for (@choices)
	{
		my $method = $_->[0];
		return $self->$method if ($of -= $_->[1]) < 0;
	}
}

sub read
{
	my ($self) = @_;
	return $self->pick(@reads);
}

sub write
{
	my ($self) = @_;
	return $self->pick(@writes);
}

# With a savepoint now and then
sub transaction
{
	my ($self) = @_;
	my @step = ({sql => 'BEGIN', begin => 1}, $self->write, $self->read);

	if (rand() < 0.3)
	{
		push @step, {sql => 'SAVEPOINT a', savepoint => 1}, $self->write, $self->read;
		push @step, {sql => 'ROLLBACK TO a', rollback_to => 1} if rand() < 0.6;
	}
	push @step, $self->write, $self->read if rand() < 0.5;
	my $end = rand() < 0.8 ? 'commit' : 'rollback';
	return (@step, {sql => uc $end, end => $end});
}

sub step
{
	my ($self) = @_;
	my $of = rand;

	return $self->transaction if $of < 0.15 && mode($self->{group}) ne 'immediate';
	return $self->cursor if $of < 0.19;
	return {sql => 'SELECT pg_sleep(0.5)'} if $of < 0.2;
	return $self->pick(@shared_reads) if $of < 0.45;
	return $self->read if $of < 0.70;
	return ($self->write, $self->read);
}

# What is to be, where nobody knows what is
sub repair
{
	my ($self, @ids) = @_;
	return ($self->insert_rows(@ids), $self->read);
}

1;
