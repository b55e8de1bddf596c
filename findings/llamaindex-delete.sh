#!/usr/bin/env bash
#
# @llamaindex/pinecone 0.1.23: delete(refDocId) takes away too little, or too much.
#
# A document's chunks are stored under the ids REFDOCID_chunk_NODEID.
#
# Guessed: delete() removes the records whose field ref_doc_id is that document,
# by filter, or those with the prefix "REFDOCID_chunk_".
#
# Seen, of a serverless index:
#	- the first delete() of a store that has not been used before removes nothing and
#	  says nothing: it asks what kind of index it is before it has a client;
#	- the prefix is the document's id without "_chunk_", so that deleting "doc-1" deletes
#	  "doc-10", too;
#	- of more than a hundred chunks the last page that is listed stays.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @llamaindex/pinecone@0.1.23 @llamaindex/core@0.6.23 @llamaindex/env@0.1.31
cat >run.mjs <<'END'
// A service of one namespace, in place of the network
let ids = new Set();
const index = { name: 'x', dimension: 2, metric: 'cosine', host: 'x.example', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } };
const reply = (path, query, body) => {
	if (path.startsWith('/indexes')) return index;
	if (path === '/vectors/list') {
		const [prefix, after] = [query.get('prefix') ?? '', query.get('paginationToken') ?? ''];
		const found = [...ids].filter((id) => id.startsWith(prefix) && id > after).sort();
		const page = found.slice(0, 100).map((id) => ({ id }));
		return { vectors: page, namespace: '', usage: { readUnits: 1 }, ...(found.length > 100 && { pagination: { next: page[99].id } }) };
	}
	if (path === '/vectors/delete') body.ids.forEach((id) => ids.delete(id));
	return {};
};
globalThis.fetch = async (url, { body } = {}) => {
	const { pathname, searchParams } = new URL(url);
	return new Response(JSON.stringify(reply(pathname, searchParams, body && JSON.parse(body))), { status: 200, headers: { 'content-type': 'application/json' } });
};

const { PineconeVectorStore } = await import('@llamaindex/pinecone');
const store = new PineconeVectorStore({ indexName: 'x', apiKey: 'none', embeddingModel: {} });
let same = true;
const expect = (what, left) => {
	console.log(`${what}: ${[...ids].length > 5 ? `${ids.size} records` : [...ids].join(' ') || 'nothing'} left`);
	same &&= ids.size === left;
};

ids = new Set(['doc-1_chunk_a', 'doc-1_chunk_b', 'doc-10_chunk_a']);
await store.delete('doc-1');
expect('the first delete of doc-1', 3);
await store.delete('doc-1');
expect('the second one', 0);
ids = new Set(Array.from({ length: 250 }, (_, i) => `doc-2_chunk_${String(i).padStart(3, '0')}`));
await store.delete('doc-2');
expect('250 chunks of doc-2 deleted', 50);
process.exit(same ? 0 : 1);
END
node run.mjs
