#!/usr/bin/env bash
#
# @llamaindex/pinecone 0.1.23: what query() returns does not belong together.
#
# A result has the nodes found, their similarities and their ids, as three lists.
#
# Guessed: position by position they are of the same record, in the order of the matches.
#
# Seen: the nodes come from a fetch after the search, in the order of the keys of a
# JavaScript object, where keys that look like numbers come first and ascend: the ids 10, 2, 7
# in that order of similarity give the nodes 2, 7, 10.  A similarity of 0, as of orthogonal
# vectors, is returned as 999.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @llamaindex/pinecone@0.1.23 @llamaindex/core@0.6.23 @llamaindex/env@0.1.31
cat >run.mjs <<'END'
const texts = { 10: 'ten', 2: 'two', 7: 'seven' };
const index = { name: 'x', dimension: 2, metric: 'cosine', host: 'x.example', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } };
globalThis.fetch = async (url) => {
	const { pathname } = new URL(url);
	let reply = index;
	if (pathname === '/query') reply = { matches: [['10', 0.9], ['2', 0.5], ['7', 0]].map(([id, score]) => ({ id, score, values: [1, 0] })), namespace: '', usage: { readUnits: 1 } };
	if (pathname === '/vectors/fetch') reply = { vectors: Object.fromEntries(Object.entries(texts).map(([id, text]) => [id, { id, values: [1, 0], metadata: { text } }])), namespace: '', usage: { readUnits: 1 } };
	return new Response(JSON.stringify(reply), { status: 200, headers: { 'content-type': 'application/json' } });
};

const { PineconeVectorStore } = await import('@llamaindex/pinecone');
const store = new PineconeVectorStore({ indexName: 'x', apiKey: 'none', embeddingModel: {} });
const { ids, similarities, nodes } = await store.query({ queryEmbedding: [1, 0], similarityTopK: 3, mode: 'default' });
const seen = ids.map((id, i) => `${id} ${similarities[i]} ${nodes[i].text}`).join(', ');
console.log(seen);
process.exit(seen === '10 0.9 two, 2 0.5 seven, 7 999 ten' ? 0 : 1);
END
node run.mjs
