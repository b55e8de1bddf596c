# Where keys go, and where they are never seen.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Harness;
use Test::More;

my $key = 'pcsk-very-secret-0123456789';
my $t = Harness->new(pinecone => ['--api-key', $key], conf => ['log_min_messages = debug5', 'log_statement = none', 'logging_collector = off']);
my $host = $t->server->create_index('keys', dimension => 2);

$t->server->upsert('keys', '', [{id => 'a', values => [1, 1]}]);

# a file whose key changes
my $file = $t->dir . '/key';
sub write_key
{
	open my $out, '>', $file or die $!;
	print $out "$_[0]\n";
	close $out;
	chmod 0644, $file;
}
write_key('test-key');
$t->sql(<<"END");
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key_file '$file');
CREATE FOREIGN TABLE r (id text, embedding real[]) SERVER s;
CREATE ROLE other LOGIN;
GRANT SELECT ON r TO other;
GRANT USAGE ON FOREIGN SERVER s TO other;
END
my $s = $t->session;
my $search = "SELECT id FROM r ORDER BY embedding <=> '{1,1}' LIMIT 1";

is($s->query($search)->{out}, 'a', 'the key in a file');
write_key('wrong-key');
like($s->query($search)->{err}, qr/Pinecone rejected the API key/, 'another key in it, same session');
write_key($key);
is($s->query($search)->{out}, 'a', 'and the right one again');
write_key('');
like($s->query($search)->{err}, qr/does not hold a key/, 'no key in it');
write_key($key);

# a server that echoes the key
$t->server->fault({kind => 'status', status => 400, path => '/query', count => 1, body => "{\"code\":3,\"message\":\"bad key $key here\"}"});
my $error = $s->query($search)->{err};
like($error, qr/bad key \*+ here/, 'a key in a reply is blotted out');
unlike($error, qr/\Q$key\E/, 'and not shown');
unlike($s->query("EXPLAIN (ANALYZE, VERBOSE) $search")->{out}, qr/\Q$key\E/, 'EXPLAIN does not show it');

# other roles
$t->sql("ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD api_key '$key', DROP api_key_file)");
like($t->error_of("SET ROLE other; $search"), qr/user mapping not found/, 'a role without a mapping has no key');
is($t->sql("SET ROLE other; SELECT coalesce(umoptions::text, 'hidden') FROM pg_user_mappings"), 'hidden', 'nor sees that of others');
is($s->query($search)->{out}, 'a', 'the owner has it');

# The log has the statement of an error, but not one that has a key in it
for my $statement ("ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET api_key 'pcsk-blank $key')", "ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD api_kye '$key')",
	"ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD api_key_file '/$key')", "ALTER SERVER s OPTIONS (ADD api_key '$key')", "CREATE FOREIGN TABLE wrong (id text) SERVER s OPTIONS (api_key '$key')")
{
	like($t->error_of("SET log_min_messages = error; $statement"), qr/invalid|api_key/, $statement =~ s/\Q$key\E/KEY/r);
}
unlike((join '', grep { /STATEMENT:/ } split /^/, $t->log), qr/\Q$key\E/, 'no statement of these is logged');

# what pg_read_all_data reads, and pinecone_check() says so
$t->sql('CREATE ROLE backup; GRANT pg_read_all_data TO backup');
is($t->sql('SET ROLE backup; SELECT umoptions FROM pg_user_mapping') =~ s/\Q$key\E/KEY/r, '{api_key=KEY}', 'the catalog itself is read by pg_read_all_data');
is($t->sql("SELECT severity || ': ' || finding FROM pinecone_check() WHERE object = 'role backup'"), 'high: reads the keys in the catalog, as a member of pg_read_all_data', 'which is warned of');
$t->sql('DROP ROLE backup');

# where keys may not go
$t->sql("ALTER SERVER s OPTIONS (SET host 'https://collector.example.com')");
like($s->query($search)->{err}, qr/host "collector.example.com" may not be sent an API key/, 'a host that is not allowed');
$t->sql("ALTER SERVER s OPTIONS (SET host 'http://x.pinecone.io')");
like($s->query($search)->{err}, qr/may not be talked to without TLS/, 'plain HTTP beyond this machine');
$t->sql("ALTER SERVER s OPTIONS (SET host '$host')");
$t->server->fault({kind => 'status', status => 302, path => '/query', count => 1});
like($s->query($search)->{err}, qr/Pinecone/, 'a redirect is not followed');
is($s->query($search)->{out}, 'a', 'the session works on');

# the log at its most talkative: not counting the DDL above, whose errors none were
my ($log) = glob($t->dir . '/*log*');
my $text = '';
for my $name (grep { -f } glob($t->dir . '/*'))
{
	next if $name eq $file || $name !~ /log/;
	open my $in, '<', $name or next;
	local $/;
	$text .= <$in>;
}
ok(length $text > 1000, 'there is a log');
unlike($text, qr/\Q$key\E/, 'and no key in it');
done_testing;
