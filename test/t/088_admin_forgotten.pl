# After administration nobody goes by what was known before: the session that did it, others, and those to come.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;
use Time::HiRes qw(sleep);

for my $preloaded (0, 1)
{
	my $what = $preloaded ? ', preloaded' : '';
	my $t = Harness->new(conf => ["pinecone_fdw.stats_ttl = '1h'", $preloaded ? "shared_preload_libraries = 'pinecone_fdw'" : ()]);
	my $server = $t->server;
	my $url = $server->{url};
	my $host = $server->create_index('films', dimension => 2, metric => 'euclidean');
	$server->upsert('films', 'old', [{id => 'o', values => [1, 1]}]);
	$server->upsert('films', 'new', [map { +{id => "n$_", values => [2, 2]} } 1, 2]);
	$server->alias($host, 'live', 'old');
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$url', cache_ttl '1h');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE SERVER project FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (control_host '$url');
CREATE USER MAPPING FOR PUBLIC SERVER project OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE live (id text, embedding real[]) SERVER s OPTIONS (namespace 'live');
CREATE FOREIGN TABLE kb (id text, embedding real[], score real) SERVER s OPTIONS (namespace 'kb');
END
	my $here = $t->session;
	my $there = $t->session;
	my $count = 'SELECT count(*) FROM live';
	my $nearest = "SELECT id FROM kb ORDER BY embedding <-> '{1,1}' LIMIT 1";

	# an alias
	is($_->query($count)->{out}, 1, "an alias$what") for $here, $there;
	is($here->query("SELECT pinecone_repoint_alias('s', 'live', 'new')")->{err}, '', 'pointed elsewhere');
	is($_->query($count)->{out}, 2, 'both follow') for $here, $there;
	is($t->sql($count), 2, 'and a third');
	is($there->query("SELECT count(*) FROM live WHERE id LIKE 'n%'")->{out}, 2, 'by other ways, too');

	# a namespace
	$here->query("INSERT INTO kb VALUES ('a', '{1,1}'), ('b', '{5,5}')");
	is($_->query('SELECT count(*) FROM kb')->{out}, 2, "a namespace$what") for $here, $there;
	is($here->query("SELECT pinecone_delete_namespace('s', 'kb')")->{out}, 't', 'deleted');
	is($_->query('SELECT count(*) FROM kb')->{out}, 0, 'is empty for both') for $here, $there;
	is($_->query($nearest)->{out}, '', 'in searches, too: what was written a moment ago is gone') for $here, $there;
	$there->query("INSERT INTO kb VALUES ('c', '{1,1}')");
	is($_->query($nearest)->{out}, 'c', 'and has what is written then') for $here, $there;

	# an index, deleted and made anew through another server, with another metric and dimension
	$_->query("PREPARE nearest AS $nearest") for $here, $there;
	is($_->query('EXECUTE nearest')->{out}, 'c', "an index$what") for $here, $there;
	$there->query('BEGIN');
	is($there->query('EXECUTE nearest')->{out}, 'c', 'and a transaction that goes on');
	is($here->query("SELECT pinecone_delete_index('project', 'films')")->{out}, 't', 'deleted');
	like($_->query($nearest)->{err}, qr/Pinecone index "films" does not exist|Pinecone host/, 'is gone for both') for $here, $there;
	$there->query('ROLLBACK');
	is($here->query("SELECT dimension FROM pinecone_create_index('project', 'films', 3, 'cosine')")->{out}, 3, 'made anew');
	$server->set_host('films', $server->control('GET', '/indexes/films')->{host});
	$server->upsert('films', 'kb', [{id => 'far', values => [1, 1, 1]}, {id => 'near', values => [9, 9, 0]}]);
	$nearest =~ s/<-> '\{1,1\}'/<=> '{1,1,0}'/;
	is($_->query($nearest)->{out}, 'near', 'both search it') for $here, $there;
	is($t->sql($nearest), 'near', 'and a third');
	like($_->query("EXECUTE nearest")->{err}, qr/dimensions/, 'a plan of before finds the new one, whose vectors are longer') for $here, $there;
}

# an index that was made anew elsewhere, by somebody else: the old host answers, and knows nothing of it
{
	my $t = Harness->new;
	my $server = $t->server;

	$server->create_index('films', dimension => 2);
	$server->upsert('films', 'kb', [{id => 'a', values => [1, 1]}]);
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$server->{url}', max_retries '0');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE kb (id text, embedding real[]) SERVER s OPTIONS (namespace 'kb');
END
	my $s = $t->session;
	for my $statement ("SELECT id FROM kb WHERE id = 'a'", "SELECT id FROM kb ORDER BY embedding <=> '{1,1}' LIMIT 1", 'SELECT id FROM kb',
		"INSERT INTO kb VALUES ('a', '{1,1}') RETURNING id")
	{
		is($s->query($statement)->{out}, 'a', $statement);
		$server->clear_requests;
		# it is not asked for again and again
		sleep 0.15;
		$server->fault({kind => 'status', status => 404, body => '{"message": "no such index"}', index => 'films', count => 1});
		my $result = $s->query($statement);
		is("$result->{err}$result->{out}", 'a', '... when the host knows the index no more');
		is((grep { $_->{path} =~ m{^/indexes/films} } $server->requests), 1, '... where it is is asked once');
		$server->clear_faults;
	}
}

# a namespace that the service does not know yet is not said not to be there
{
	my $t = Harness->new(pinecone => ['--lag', '1000']);
	my $server = $t->server;

	$server->create_index('films', dimension => 2);
	$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'films', control_host '$server->{url}');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE kb (id text, embedding real[]) SERVER s OPTIONS (namespace 'kb');
END
	my $s = $t->session;
	my $delete = "SELECT pinecone_delete_namespace('s', 'kb', if_exists => true)";
	$s->query("INSERT INTO kb VALUES ('a', '{1,1}')");
	is($s->query('SELECT count(*) FROM kb')->{out}, 1, 'written');
	like($s->query($delete)->{err}, qr/ERROR:  the service does not know namespace "kb" yet/, 'and not known yet');
	ok($t->wait_until(sub { $s->query($delete)->{out} eq 't' }), 'but a moment later');
	is($s->query('SELECT count(*) FROM kb')->{out}, 0, 'it is gone');
	is($s->query($delete)->{out}, 'f', 'and stays so');
}
done_testing;
