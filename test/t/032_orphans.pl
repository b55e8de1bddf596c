#!/usr/bin/env perl
#
# Deleting records without a row, as docs/joining.md has it, while the listing
# takes long and a row is inserted meanwhile.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Harness->new;
my $host = $t->server->create_index('orphans', dimension => 2);
my $page = do { local (@ARGV, $/) = "$FindBin::Bin/../../docs/joining.md"; <> };
my ($sql) = $page =~ /^(CREATE TEMP TABLE orphan .*?)^```/ms or die "docs/joining.md has no safe form\n";

$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[]) SERVER s OPTIONS (namespace 'a');
CREATE TABLE products (id text COLLATE "C" PRIMARY KEY);
INSERT INTO products VALUES ('a');
INSERT INTO docs VALUES ('a', '{1,1}'), ('orphan', '{1,1}');
END

# one that is inserted and committed while the ids are listed, and one that has
# not been committed when they have been
my ($deletes, $inserts) = ($t->session, $t->session);
$t->server->fault({kind => 'delay', delay_ms => 1000, path => '/vectors/list'});
$deletes->send($sql);
sleep 0.3;
$t->sql("BEGIN; INSERT INTO products VALUES ('b'); INSERT INTO docs VALUES ('b', '{1,1}'); COMMIT");
$inserts->query('BEGIN');
$inserts->query("INSERT INTO products VALUES ('c')");
$t->server->upsert('orphans', 'a', [{id => 'c', values => [1, 1]}]);
sleep 1.5;
$inserts->query('COMMIT');
is($deletes->result(10)->{err}, '', 'the statements of the documentation run');
is($t->sql('SELECT id FROM docs ORDER BY id'), "a\nb\nc", 'the orphan has gone, and no live record');

done_testing;
