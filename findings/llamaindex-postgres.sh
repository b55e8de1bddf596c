#!/usr/bin/env bash
#
# @llamaindex/postgres 0.0.66 with pgvector 0.8.7 (PostgreSQL 18.6): filters of PGVectorStore.
#
# Guessed: "nin" leaves out what has one of the values, as with Pinecone, and filters
# that are joined by "and" are each compared with their own value.
#
# Seen: "nin" with two values leaves out nothing: it is sent as != ANY, which is true of
# whatever differs from one of them.  A value of 0 or false is not bound, though its
# place in the statement is: n = 0 and m = 5 looks for n = 5 and m = 5, n = 0 alone and
# m = 5 and n = 0 fail.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15 @electric-sql/pglite-socket@0.2.17 \
	pg@8.23.1 pgvector@0.2.0 @llamaindex/postgres@0.0.66 @llamaindex/core@0.6.23 @llamaindex/env@0.1.31
cat >run.mjs <<'END'
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { Settings } from '@llamaindex/core/global';
import { Document } from '@llamaindex/core/schema';
import { PGVectorStore } from '@llamaindex/postgres';
import pg from 'pg';

const database = await PGlite.create({ extensions: { vector } });
await database.exec('CREATE EXTENSION vector');
const seen = (await database.query(`SELECT extversion AS pgvector, current_setting('server_version') AS postgres FROM pg_extension
	WHERE extname = 'vector'`)).rows[0];
const server = new PGLiteSocketServer({ db: database, path: `${process.cwd()}/.s.PGSQL.5432` });
await server.start();
const client = new pg.Client({ host: process.cwd(), user: 'postgres', database: 'postgres' });
await client.connect();

Settings.embedModel = {};	// asked for, not used
const store = new PGVectorStore({ client, dimensions: 2 });
const node = (i, metadata) => new Document({ id_: `00000000-0000-0000-0000-00000000000${i}`, text: metadata.color, embedding: [1, i / 10], metadata });
await store.add([node(1, { color: 'red', n: 0, m: 5 }), node(2, { color: 'green', n: 5, m: 5 }), node(3, { color: 'blue', n: 5, m: 0 })]);
const found = (...filters) => store.query({
	queryEmbedding: [1, 0], similarityTopK: 10, mode: 'default',
	filters: { filters: filters.map(([key, operator, value]) => ({ key, operator, value })), condition: 'and' },
}).then(({ nodes }) => nodes.map(({ text }) => text).join(' '), (error) => error.message);
seen.in = await found(['color', 'in', ['red', 'green']]);
seen.nin = await found(['color', 'nin', ['red', 'green']]);
seen.zero_first = await found(['n', '==', 0], ['m', '==', 5]);
seen.zero_last = await found(['m', '==', 5], ['n', '==', 0]);
seen.zero_alone = await found(['n', '==', 0]);
await client.end();
await server.stop();
console.log(seen);
process.exit(seen.in === 'red green' && seen.nin === 'red green blue' && seen.zero_first === 'green'
	&& /bind message supplies/.test(seen.zero_last) && /bind message supplies/.test(seen.zero_alone) ? 0 : 1);
END
node run.mjs
