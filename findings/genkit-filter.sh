#!/usr/bin/env bash
#
# genkitx-pinecone 1.42.0: a retriever that takes a filter and does not use it.
#
# The options of its retriever have k, namespace, filter and sparseVector, which
# are checked against a schema.
#
# Guessed: they are sent as topK, namespace, filter and sparseVector.
#
# Seen: topK is sent and namespace is used; filter and sparseVector are left out
# without a word, so that a search that should be limited, to one tenant's records say,
# returns those of all.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages genkitx-pinecone@1.42.0 genkit@1.42.0
cat >run.mjs <<'END'
const index = { name: 'x', dimension: 2, metric: 'cosine', host: 'x.example', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } };
let sent;
globalThis.fetch = async (url, { body } = {}) => {
	const query = new URL(url).pathname === '/query';
	if (query) sent = JSON.parse(body);
	return new Response(JSON.stringify(query ? { matches: [], namespace: '' } : index), { status: 200, headers: { 'content-type': 'application/json' } });
};

const { genkit } = await import('genkit');
const { configurePineconeRetriever, pineconeRetrieverRef } = await import('genkitx-pinecone');
const ai = genkit({});
const embedder = ai.defineEmbedder({ name: 'two' }, async (input) => ({ embeddings: (input.input ?? input).map(() => ({ embedding: [1, 0] })) }));
configurePineconeRetriever(ai, { indexId: 'x', embedder, clientParams: { apiKey: 'none' } });
await ai.retrieve({
	retriever: pineconeRetrieverRef({ indexId: 'x' }),
	query: 'anything',
	options: { k: 3, namespace: 'n', filter: { tenant: { $eq: 'one' } }, sparseVector: { indices: [1], values: [0.5] } },
});
console.log(`sent: ${JSON.stringify(sent)}`);
process.exit(sent.topK === 3 && sent.namespace === 'n' && !('filter' in sent) && !('sparseVector' in sent) ? 0 : 1);
END
node run.mjs
