#!/usr/bin/env bash
#
# @langchain/pinecone 1.0.3: what becomes of metadata on the way to Pinecone.
#
# Guessed: dates become ISO strings, as JSON.stringify() has it; lists of numbers
# or booleans, which Pinecone does not take, are refused.
#
# Seen: dates disappear, and so do empty lists, without a word.  A list of numbers
# or booleans becomes a field for each of its elements, "years.0", "years.1", which
# no filter on "years" can meet.  Lists of strings stay as they are.
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

let stored;
const server = http.createServer((request, response) => {
	let body = '';
	request.on('data', (part) => (body += part));
	request.on('end', () => {
		stored = JSON.parse(body).vectors[0].metadata;
		response.setHeader('content-type', 'application/json');
		response.end('{"upsertedCount": 1}');
	});
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const url = `http://127.0.0.1:${server.address().port}`;
const index = new Pinecone({ apiKey: 'none', controllerHostUrl: url }).Index('any', url);
const embeddings = { embedDocuments: async (texts) => texts.map(() => [1, 0]), embedQuery: async () => [1, 0] };
const store = await PineconeStore.fromExistingIndex(embeddings, { pineconeIndex: index });
const metadata = { published: new Date(0), years: [1990, 2000], flags: [true], tags: ['a', 'b'], none: [], pages: 7 };

await store.addDocuments([new Document({ pageContent: 'body', metadata })], { ids: ['1'] });
server.close();
server.closeAllConnections();

const wanted = '{"flags.0":true,"pages":7,"tags":["a","b"],"text":"body","years.0":1990,"years.1":2000}';
const sorted = JSON.stringify(Object.fromEntries(Object.keys(stored).sort().map((key) => [key, stored[key]])));
console.log(`given:  ${JSON.stringify(metadata)}`);
console.log(`stored: ${sorted}`);
process.exit(sorted === wanted ? 0 : 1);
END
node run.mjs
