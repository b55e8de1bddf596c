#!/usr/bin/env bash
#
# @mastra/pinecone 1.1.1: a deletion by filter that stops at 10,000 records.
#
# Pinecone deletes by filter in one request, however many records match.
#
# Guessed: deleteVectors({filter}) sends that request.
#
# Seen: it searches for the 10,000 records nearest to a fixed vector that match, and
# deletes these by id, all in one request; of 12,000 that match 2,000 stay, and nothing tells so.  (What an
# approximate search does not find stays as well.)  updateVector({filter}) does likewise.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @mastra/pinecone@1.1.1
cat >run.mjs <<'END'
// A service whose 12,000 records all match, in place of the network
const records = new Set(Array.from({ length: 12000 }, (_, i) => `r${i}`));
const index = { name: 'x', dimension: 2, metric: 'cosine', host: 'x.example', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } };
const calls = [];
globalThis.fetch = async (url, { body } = {}) => {
	const { pathname } = new URL(url), asked = body && JSON.parse(body);
	let reply = {};
	if (pathname.startsWith('/indexes')) reply = index;
	else calls.push(pathname);
	if (pathname === '/describe_index_stats') reply = { namespaces: { '': { vectorCount: records.size } }, dimension: 2, indexFullness: 0, totalVectorCount: records.size };
	if (pathname === '/query') reply = { matches: [...records].slice(0, asked.topK).map((id) => ({ id, score: 1, values: [] })), namespace: '' };
	if (pathname === '/vectors/delete') asked.filter ? records.clear() : asked.ids.forEach((id) => records.delete(id));
	return new Response(JSON.stringify(reply), { status: 200, headers: { 'content-type': 'application/json' } });
};

const { PineconeVector } = await import('@mastra/pinecone');
const store = new PineconeVector({ id: 'store', apiKey: 'none' });
await store.deleteVectors({ indexName: 'x', filter: { genre: 'drama' } });
console.log(`requests: ${calls.join(' ')}`);
console.log(`left:     ${records.size} of 12000`);
process.exit(records.size === 2000 && calls.includes('/query') ? 0 : 1);
END
node run.mjs
