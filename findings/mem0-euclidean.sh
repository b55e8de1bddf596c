#!/usr/bin/env bash
#
# mem0ai 3.3.1 with @pinecone-database/pinecone 8.2.0: search() in an index with its option
# metric 'euclidean'. Pinecone's scores are squared distances there: the least is the nearest.
#
# Guessed: the nearest memories come first, as with metric 'cosine'.
#
# Seen: scores are taken for similarities and cut to 1, and those below a threshold are left
# out: the nearest memory, at a squared distance of 0.01, does not come, with topK 1 another
# one does, and all others have a score of 1.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
# What mem0ai loads at start and search() does not use is replaced by nothing
packages --legacy-peer-deps --ignore-scripts mem0ai@3.3.1 @pinecone-database/pinecone@8.2.0 @langchain/core@1.4.0 \
	better-sqlite3@npm:empty-npm-package@1.0.0
cat >run.mjs <<'END'
import http from 'node:http';
import { Pinecone } from '@pinecone-database/pinecone';
import { Memory } from 'mem0ai/oss';

const metric = process.argv[2];
const stored = { near: [1, 0.1], middle: [2, 0], far: [3, 1] };
const product = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const score = metric === 'euclidean' ? (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0)
	: (a, b) => product(a, b) / Math.sqrt(product(a, a) * product(b, b));
const matches = (vector) => Object.entries(stored)
	.map(([id, values]) => ({ id, values: [], score: score(values, vector), metadata: { user_id: 'someone', data: id } }))
	.sort((a, b) => (metric === 'euclidean' ? a.score - b.score : b.score - a.score));
const index = (name) => ({ name, host, dimension: 2, metric, vector_type: 'dense', deletion_protection: 'disabled',
	spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } });
const answers = {
	'/indexes': () => ({ indexes: ['memories', 'memories_entities'].map(index) }),
	'/query': ({ vector, topK }) => ({ matches: matches(vector).slice(0, topK) }),
};
const server = http.createServer(async (request, response) => {
	let body = '';
	for await (const part of request) body += part;
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(answers[new URL(request.url, 'http://here').pathname]?.(body && JSON.parse(body)) ?? {}));
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const host = `http://127.0.0.1:${server.address().port}`;
const model = { embedQuery: async () => [1, 0], embedDocuments: async (texts) => texts.map(() => [1, 0]) };
const memory = new Memory({ embedder: { provider: 'langchain', config: { model } }, llm: { provider: 'openai', config: { apiKey: 'none' } },
	disableHistory: true, vectorStore: { provider: 'pinecone', config: { collectionName: 'memories', dimension: 2, metric,
		client: new Pinecone({ apiKey: 'none', controllerHostUrl: host }) } } });
const found = async (topK) => (await memory.search('anything', { filters: { user_id: 'someone' }, topK })).results
	.map(({ memory: name, score: of }) => `${name} ${of.toFixed(2)}`).join(', ');
console.log(`${await found(3)}; topK 1: ${await found(1)}`);
process.exit();
END
export MEM0_TELEMETRY=False
cosine=$(node run.mjs cosine)
euclidean=$(node run.mjs euclidean)
echo "cosine:    $cosine"
echo "euclidean: $euclidean"
[ "$cosine" = 'middle 1.00, near 1.00, far 0.95; topK 1: middle 1.00' ] &&
	[ "$euclidean" = 'middle 1.00, far 1.00; topK 1: middle 1.00' ]
