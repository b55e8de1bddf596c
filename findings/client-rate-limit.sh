#!/usr/bin/env bash
#
# @pinecone-database/pinecone 9.0.0: which refusals it repeats a request for.
#
# The service answers 429 to what is over a namespace's allowance, with Retry-After where it
# knows when to come back; its documentation advises to try again later.
#
# Guessed: the client repeats a request that was answered 429, after the time the reply
# names, as it repeats one that was answered 503.
#
# Seen: 500 and 503 are repeated after about 0.2 s.  429 is not repeated by any operation,
# with Retry-After or without, and is raised as PineconeUnmappedHttpError.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @pinecone-database/pinecone@9.0.0
cat >run.mjs <<'END'
import http from 'node:http';
import { Pinecone } from '@pinecone-database/pinecone';

// Refuses the first request of each turn
let requests, refusal;
const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		const refused = requests++ === 0;
		response.writeHead(refused ? refusal : 200, { 'content-type': 'application/json', ...(refused && { 'retry-after': '1' }) });
		response.end(refused ? '{"code":8,"message":"later","details":[]}' : '{"upsertedCount":1,"matches":[],"vectors":{},"namespace":"","usage":{"readUnits":1}}');
	});
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const index = new Pinecone({ apiKey: 'none' }).index({ host: `http://127.0.0.1:${server.address().port}` });
const operations = {
	upsert: () => index.upsert({ records: [{ id: 'a', values: [1, 2] }] }),
	query: () => index.query({ vector: [1, 2], topK: 1 }),
	fetch: () => index.fetch({ ids: ['a'] }),
	update: () => index.update({ id: 'a', metadata: { seen: true } }),
	delete: () => index.deleteOne({ id: 'a' }),
};
let good = true;
for (refusal of [500, 503, 429]) {
	for (const [name, operation] of Object.entries(operations)) {
		requests = 0;
		const outcome = await operation().then(() => 'done', (error) => error.name);
		const expected = refusal === 429 ? '1 PineconeUnmappedHttpError' : '2 done';
		console.log(`${refusal} ${name}: ${requests} request(s), ${outcome}`);
		good &&= `${requests} ${outcome}` === expected;
	}
}
server.close();
process.exit(good ? 0 : 1);
END
node run.mjs
