#!/usr/bin/env bash
#
# pgvector 0.8.7 (PostgreSQL 18.6): distances of vectors whose components are large or small.
#
# A component is a real, from 1e-45 to 3.4e38; vector_norm() and l2_normalize() are right
# for all of them.
#
# Guessed: so are distances, which are double precision; a cosine distance does not depend on
# how long the vectors are.
#
# Seen: sums of squares are of type real.  From components of about 2e19 on <-> is Infinity
# and <=> is NaN, for finite vectors.  Below about 1e-23 squares are 0: <-> says 0 of different
# vectors, <=> says NaN between two of them, and 0 of any two less than a right angle apart
# if one of them is small.  An HNSW index of cosines, which normalizes, brings the right order
# nevertheless: a query's order depends on whether it is used.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15
cat >run.mjs <<'END'
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const database = await PGlite.create({ extensions: { vector } });
await database.exec('CREATE EXTENSION vector');
const one = async (what) => (await database.query(`SELECT ${what} AS it`)).rows[0].it;
const ids = async () => (await database.query(`SELECT id FROM t ORDER BY v <=> '[1,1]', id LIMIT 3`)).rows.map((row) => row.id);
const seen = (await database.query(`SELECT extversion AS pgvector, current_setting('server_version') AS postgres FROM pg_extension
	WHERE extname = 'vector'`)).rows[0];

seen.large = { norm: await one(`vector_norm('[3e20,4e20]')`), l2: await one(`'[3e20,0]'::vector <-> '[0,4e20]'`), cosine: await one(`'[1e20,0]'::vector <=> '[1e20,1e20]'`) };
seen.small = {
	norm: await one(`vector_norm('[3e-25,4e-25]')`), l2: await one(`'[3e-25,0]'::vector <-> '[0,4e-25]'`), cosine: await one(`'[1e-25,0]'::vector <=> '[1e-25,1e-25]'`),
	normalized: await one(`l2_normalize('[1e-25,0]'::vector) <=> l2_normalize('[1e-25,1e-25]'::vector)`), to_one: await one(`'[1e-25,0]'::vector <=> '[1,1]'`),
};
// from the furthest to the nearest
await database.exec(`CREATE TABLE t (id int, v vector(2)); INSERT INTO t SELECT i, ARRAY[1e-25 * (10 - i), 1e-25]::real[]::vector FROM generate_series(1, 9) i`);
seen.ordered = { all: await ids() };
await database.exec('CREATE INDEX ON t USING hnsw (v vector_cosine_ops); SET enable_seqscan = off; SET enable_sort = off');
seen.ordered.index = (await database.query(`SELECT id FROM t ORDER BY v <=> '[1,1]' LIMIT 3`)).rows.map((row) => row.id);
await database.close();

console.log(seen);
const near = (value, wanted) => Math.abs(value / wanted - 1) < 1e-3;
process.exit(
	near(seen.large.norm, 5e20) && seen.large.l2 === Infinity && Number.isNaN(seen.large.cosine) &&
	near(seen.small.norm, 5e-25) && seen.small.l2 === 0 && Number.isNaN(seen.small.cosine) && near(seen.small.normalized, 0.2929) && seen.small.to_one === 0 &&
	seen.ordered.all.join() === '1,2,3' && seen.ordered.index.join() === '9,8,7' ? 0 : 1);
END
node run.mjs
