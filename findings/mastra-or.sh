#!/usr/bin/env bash
#
# @mastra/pg 1.27.1 with pgvector 0.8.7 (PostgreSQL 18.6): what filters of PgVector
# mean, which are written as for Pinecone.
#
# Guessed: fields that stand beside each other within one branch of $or have to hold
# together, as they do everywhere else; $ne and $nin hold of a record without the field,
# as MongoDB's do.
#
# Seen: within a branch of $or one field is enough: {$or: [{kind: 'a', year: 2024},
# {kind: 'c'}]} is taken for three conditions, in searches and in deletions, which
# then delete more. With $and around the branch it is as written. A record without
# the field is left out by $ne and $nin, and by $nor.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15 @electric-sql/pglite-socket@0.2.17 \
	@mastra/pg@1.27.1 @mastra/core@1.71.0
cat >run.mjs <<'END'
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { PgVector } from '@mastra/pg';

const database = await PGlite.create({ extensions: { vector } });
await database.exec('CREATE EXTENSION vector');
const seen = (await database.query(`SELECT extversion AS pgvector, current_setting('server_version') AS postgres FROM pg_extension
	WHERE extname = 'vector'`)).rows[0];
const server = new PGLiteSocketServer({ db: database, path: `${process.cwd()}/.s.PGSQL.5432`, maxConnections: 5 });
await server.start();

const store = new PgVector({ id: 'pg', host: process.cwd(), port: 5432, user: 'postgres', database: 'postgres', password: '-', max: 1 });
const indexName = 'x';
await store.createIndex({ indexName, dimension: 2, metric: 'cosine' });
const records = { a23: { kind: 'a', year: 2023 }, a24: { kind: 'a', year: 2024 }, b24: { kind: 'b', year: 2024 }, c23: { kind: 'c', year: 2023 }, none: { year: 2023 } };
await store.upsert({ indexName, vectors: Object.keys(records).map((_, i) => [1, i]), ids: Object.keys(records), metadata: Object.values(records) });
const found = async (filter) => (await store.query({ indexName, queryVector: [1, 0], topK: 10, filter })).map(({ id }) => id).sort().join(' ');

const either = { $or: [{ kind: 'a', year: 2024 }, { kind: 'c' }] };
seen.or = await found(either);
seen.or_of_and = await found({ $or: [{ $and: [{ kind: 'a' }, { year: 2024 }] }, { kind: 'c' }] });
seen.beside = await found({ kind: 'a', year: 2024 });
seen.ne = await found({ kind: { $ne: 'a' } });
seen.nin = await found({ kind: { $nin: ['a', 'b'] } });
seen.nor = await found({ $nor: [{ kind: 'a' }] });
await store.deleteVectors({ indexName, filter: either });
seen.left = await found();
console.log(seen);
process.exit(seen.or === 'a23 a24 b24 c23' && seen.or_of_and === 'a24 c23' && seen.beside === 'a24' && seen.ne === 'b24 c23' &&
	seen.nin === 'c23' && seen.nor === 'b24 c23' && seen.left === 'none' ? 0 : 1);
END
node run.mjs
