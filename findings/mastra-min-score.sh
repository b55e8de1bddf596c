#!/usr/bin/env bash
#
# @mastra/pg 1.27.1 with pgvector 0.8.7 (PostgreSQL 18.6): which records a search of
# PgVector brings.
#
# Guessed: the topK nearest, whatever their scores are, unless minScore is given.
#
# Seen: minScore is -1 unless given, of any metric, and has to be exceeded.  A score of a
# dotproduct index is the product itself: records of which it is -1 or less do not come.
# Of an index of cosine what is exactly opposite does not come.  With a lower minScore all come.
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
for (const metric of ['dotproduct', 'cosine']) {
	await store.createIndex({ indexName: metric, dimension: 2, metric });
	await store.upsert({ indexName: metric, vectors: [[3, 0], [0, 3], [-1, 0], [-3, 0]], ids: ['a', 'b', 'c', 'd'] });
	const found = async (more) => (await store.query({ indexName: metric, queryVector: [1, 0], topK: 10, ...more }))
		.map(({ id, score }) => `${id} ${score}`).join(', ');
	seen[metric] = await found({});
	seen[`${metric}, minScore -100`] = await found({ minScore: -100 });
}
console.log(seen);
process.exit(seen.dotproduct === 'a 3, b 0' && seen['dotproduct, minScore -100'] === 'a 3, b 0, c -1, d -3' && seen.cosine === 'a 1, b 0'
	&& /^a 1, b 0, [cd] -1, [cd] -1$/.test(seen['cosine, minScore -100']) ? 0 : 1);
END
node run.mjs
