#!/usr/bin/env bash
#
# @langchain/pinecone 1.0.3: a metadata field called "namespace" can be stored
# but not be asked for.
#
# Guessed: a filter {namespace: 'acme'} goes to Pinecone as a metadata filter,
# as every other key does.
#
# Seen: a search takes that key out of the filter and asks the namespace of that
# name instead of the store's own, without a filter; so what addDocuments() has
# stored with {namespace: 'acme'} is not found, and other records may be.
# delete() with the same filter stays in the store's namespace and filters.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @langchain/pinecone@1.0.3 @langchain/core@1.1.47 @pinecone-database/pinecone@5.1.2
cat >run.mjs <<'END'
import http from 'node:http';
import { Document } from '@langchain/core/documents';
import { PineconeStore } from '@langchain/pinecone';
import { Pinecone } from '@pinecone-database/pinecone';

const seen = [];
const server = http.createServer((request, response) => {
	let body = '';
	request.on('data', (part) => (body += part));
	request.on('end', () => {
		const sent = JSON.parse(body);
		seen.push({ path: request.url, namespace: sent.namespace, filter: sent.filter, metadata: sent.vectors?.[0].metadata });
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify(request.url === '/query' ? { matches: [], namespace: sent.namespace } : { upsertedCount: 1 }));
	});
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const url = `http://127.0.0.1:${server.address().port}`;
const index = new Pinecone({ apiKey: 'none', controllerHostUrl: url }).Index('any', url);
const embeddings = { embedDocuments: async (texts) => texts.map(() => [1, 0]), embedQuery: async () => [1, 0] };
const store = await PineconeStore.fromExistingIndex(embeddings, { pineconeIndex: index, namespace: 'own' });
const filter = { namespace: 'acme', year: 2026 };

await store.addDocuments([new Document({ pageContent: 'text', metadata: filter })], { ids: ['1'] });
await store.similaritySearch('question', 3, { ...filter });
await store.maxMarginalRelevanceSearch('question', { k: 1, fetchK: 3, filter: { ...filter } });
await store.delete({ filter: { ...filter } });
server.close();
server.closeAllConnections();

for (const request of seen) console.log(JSON.stringify(request));
const [added, searched, diverse, deleted] = seen;
process.exit(
	seen.length === 4 &&
	added.namespace === 'own' && added.metadata.namespace === 'acme' &&
	searched.namespace === 'acme' && !('namespace' in searched.filter) && searched.filter.year === 2026 &&
	diverse.namespace === 'acme' && !('namespace' in diverse.filter) &&
	deleted.namespace === 'own' && deleted.filter.namespace === 'acme' ? 0 : 1);
END
node run.mjs
