#!/usr/bin/env bash
#
# mem0ai 3.3.1 with @pinecone-database/pinecone 8.2.0: deleteAll() on an index whose searches
# lag behind its deletions, as Pinecone's documentation says they may.
#
# Guessed: with more memories than deleteAll() lists at a time (1,000) all are deleted, later if
# the index lags.
#
# Seen: without lag 1,200 memories are deleted, with three requests each.  Where searches show a
# deletion 300 ms later, the second listing still holds memories that are gone, and deleteAll()
# ends with "Memory with ID ... not found": 200 memories are left.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
# What mem0ai loads at start and deleteAll() does not use is replaced by nothing
packages --legacy-peer-deps --ignore-scripts mem0ai@3.3.1 @pinecone-database/pinecone@8.2.0 \
	better-sqlite3@npm:empty-npm-package@1.0.0
cat >run.mjs <<'END'
import http from 'node:http';
import { Pinecone } from '@pinecone-database/pinecone';
import { Memory } from 'mem0ai/oss';

// A record that was deleted is found by searches for so many milliseconds more
const [lag, count] = process.argv.slice(2).map(Number);
const deleted = new Map();
let requests = 0;
const index = (name, host) => ({ name, host, dimension: 3, metric: 'cosine', vector_type: 'dense', deletion_protection: 'disabled',
	spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } });
const record = (id) => ({ id, values: [], metadata: { user_id: 'someone', data: id } });
const ids = Array.from({ length: count }, (_, i) => `memory-${i}`);
const answers = {
	'/indexes': () => ({ indexes: ['memories', 'memories_entities'].map((name) => index(name, host)) }),
	// Another topK asks for entities, of which there are none
	'/query': ({ filter, topK }) => ({ matches: filter.user_id.$eq === 'someone' && topK === 1000
		? ids.filter((id) => !deleted.has(id) || Date.now() - deleted.get(id) < lag).slice(0, topK).map((id) => ({ ...record(id), score: 0 })) : [] }),
	'/vectors/fetch': (_, query) => ({ vectors: Object.fromEntries(query.getAll('ids').filter((id) => !deleted.has(id)).map((id) => [id, record(id)])) }),
	'/vectors/delete': (body) => { body.ids.forEach((id) => deleted.set(id, Date.now())); return {}; },
	'/vectors/upsert': () => ({ upsertedCount: 1 }),
};
const server = http.createServer(async (request, response) => {
	let body = '';
	for await (const part of request) body += part;
	const { pathname, searchParams } = new URL(request.url, 'http://here');
	if (pathname !== '/indexes') requests++;
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(answers[pathname](body ? JSON.parse(body) : {}, searchParams)));
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const host = `http://127.0.0.1:${server.address().port}`;
const model = { provider: 'openai', config: { apiKey: 'none' } };
const memory = new Memory({ embedder: model, llm: model, disableHistory: true, vectorStore: { provider: 'pinecone',
	config: { client: new Pinecone({ apiKey: 'none', controllerHostUrl: host }), collectionName: 'memories', dimension: 3 } } });
const outcome = await memory.deleteAll({ userId: 'someone' }).then((result) => result.message, (error) => error.message);
console.log(`${outcome.replace(/memory-\d+/, '...')} ${count - deleted.size} left, ${(requests / deleted.size).toFixed(0)} requests each`);
process.exit();
END
export MEM0_TELEMETRY=False
at_once=$(node run.mjs 0 1200)
later=$(node run.mjs 300 1200)
echo "no lag: $at_once"
echo "300 ms: $later"
[ "$at_once" = 'Memories deleted successfully! 0 left, 3 requests each' ] &&
	[ "$later" = 'Memory with ID ... not found 200 left, 3 requests each' ]
