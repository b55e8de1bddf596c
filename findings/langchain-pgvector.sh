#!/usr/bin/env bash
#
# @langchain/community 1.1.29 with pgvector 0.8.7 (PostgreSQL 18.6): conditions that are left
# out of a filter of PGVectorStore.
#
# Metadata is JSON, where a date is a text, and texts are ordered; a filter knows gt, gte,
# lt and lte.
#
# Guessed: { day: { lt: '2025-01-01' } } compares texts, or is refused.
#
# Seen: these four are looked at when their value is a number; of a text, or of a Date, no
# condition is made, and nobody is told.  A search then brings every document, and
# delete({ filter }) deletes all of the table.  Beside another condition only that one holds.  Numbers
# are compared as numbers.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @langchain/community@1.1.29 @langchain/core@1.1.48 \
	@electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15 @electric-sql/pglite-socket@0.2.17 pg@8.23.1
cat >run.mjs <<'END'
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { PGVectorStore } from '@langchain/community/vectorstores/pgvector';
import { FakeEmbeddings } from '@langchain/core/utils/testing';
import pg from 'pg';

const database = await PGlite.create({ extensions: { vector } });
await database.exec('CREATE EXTENSION vector');
const seen = (await database.query(`SELECT extversion AS pgvector, current_setting('server_version') AS postgres FROM pg_extension
	WHERE extname = 'vector'`)).rows[0];
const server = new PGLiteSocketServer({ db: database, path: `${process.cwd()}/.s.PGSQL.5432`, maxConnections: 3 });
await server.start();

const pool = new pg.Pool({ host: process.cwd(), user: 'postgres', database: 'postgres', max: 3 });
const store = await PGVectorStore.initialize(new FakeEmbeddings(), { pool, tableName: 'documents', dimensions: 4 });
const fill = async () => {
	await pool.query('TRUNCATE documents');
	await store.addDocuments([2023, 2024, 2025, 2026].map((year) => ({ pageContent: `of ${year}`, metadata: { year, day: `${year}-06-01`, kind: year % 2 ? 'odd' : 'even' } })));
};
const found = async (filter) => (await store.similaritySearch('x', 10, filter)).map((document) => document.metadata.year).sort();
await fill();
seen.number = await found({ year: { lt: 2025 } });
seen.text = await found({ day: { lt: '2025-01-01' } });
seen.date = await found({ day: { lt: new Date('2025-01-01') } });
seen.beside = await found({ day: { lt: '2025-01-01' }, kind: 'even' });
await store.delete({ filter: { year: { lt: 2024 } } });
seen.left_by_number = await found();
await store.delete({ filter: { day: { lt: '2025-01-01' } } });
seen.left_by_text = await found();
await store.end();
await server.stop();
await database.close();

console.log(seen);
process.exit(seen.number.join() === '2023,2024' && seen.text.join() === '2023,2024,2025,2026' && seen.date.join() === seen.text.join() &&
	seen.beside.join() === '2024,2026' && seen.left_by_number.join() === '2024,2025,2026' && seen.left_by_text.length === 0 ? 0 : 1);
END
node run.mjs
