#!/usr/bin/env bash
#
# TypeORM 1.1.1 with pgvector 0.8.7 (PostgreSQL 18.6): its own column types vector and
# halfvec.
#
# Guessed: save() of an entity that was read and not changed sends no UPDATE, as with a
# column of type real[], and find() by a vector compares it.
#
# Seen: save() sends an UPDATE of every vector of the entity, whatever was changed: the
# arrays read are compared by identity.  An entity with an array of real sends none.
# find() by a vector fails: the value is sent as a PostgreSQL array, {"0.5","2","3"},
# which the type's input does not read; save() sends it in brackets.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15 @electric-sql/pglite-socket@0.2.17 \
	pg@8.23.1 typeorm@1.1.1 reflect-metadata@0.2.2
cat >run.mjs <<'END'
import 'reflect-metadata';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { DataSource, EntitySchema } from 'typeorm';

const path = `${process.cwd()}/.s.PGSQL.5432`;
const database = await PGlite.create({ extensions: { vector } });
await database.exec('CREATE EXTENSION vector');
const seen = (await database.query(`SELECT extversion AS pgvector, current_setting('server_version') AS postgres FROM pg_extension
	WHERE extname = 'vector'`)).rows[0];
const server = new PGLiteSocketServer({ db: database, path });
await server.start();

const columns = (vectors) => ({ id: { type: 'int', primary: true }, n: { type: 'int', nullable: true }, ...vectors });
const nearest = new EntitySchema({
	name: 'Nearest', tableName: 'nearest',
	columns: columns({ v: { type: 'vector', length: 3 }, h: { type: 'halfvec', length: 3 } }),
});
const plain = new EntitySchema({ name: 'Plain', tableName: 'plain', columns: columns({ v: { type: 'real', array: true } }) });
const statements = [];
const logger = new Proxy({}, { get: (_, name) => (name === 'logQuery' ? (text) => statements.push(text) : () => {}) });
const source = new DataSource({
	type: 'postgres', host: process.cwd(), username: 'postgres', database: 'postgres', extra: { max: 1 },
	entities: [nearest, plain], synchronize: true, logging: true, logger,
});
await source.initialize();
for (const [name, vectors] of [['Nearest', { v: [0.5, 2, 3], h: [0.5, 2, 3] }], ['Plain', { v: [0.5, 2, 3] }]]) {
	const repository = source.getRepository(name);
	await repository.save({ id: 1, ...vectors });
	const row = await repository.findOneBy({ id: 1 });
	statements.length = 0;
	await repository.save(row);
	seen[name] = statements.filter((text) => text.startsWith('UPDATE'));
}
seen.find = await source.getRepository('Nearest').findBy({ v: [0.5, 2, 3] }).then((rows) => rows.length, (error) => error.message);
await source.destroy();
await server.stop();
console.log(seen);
process.exit(seen.Nearest.length === 1 && /SET "v" = \$1, "h" = \$2 WHERE/.test(seen.Nearest[0]) && seen.Plain.length === 0
	&& /invalid input syntax for type vector/.test(seen.find) ? 0 : 1);
END
node run.mjs
