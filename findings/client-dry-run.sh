#!/usr/bin/env bash
#
# @pinecone-database/pinecone 9.0.0: a dry run that is none.
#
# The REST API's update by filter has a dry run, which changes nothing and tells
# how many records match; its replies always tell that number.
#
# Guessed: update({filter, metadata, dryRun: true}) sends the flag, or refuses it;
# and the number comes back.
#
# Seen: the flag is left out of the request without a word (the generated code
# below knows it, the class above copies what its own types have), so the records are
# changed; update() returns undefined, so the number is lost.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @pinecone-database/pinecone@9.0.0
cat >run.mjs <<'END'
import http from 'node:http';
import { Pinecone } from '@pinecone-database/pinecone';

let sent;
const server = http.createServer((request, response) => {
	let body = '';
	request.on('data', (part) => (body += part));
	request.on('end', () => {
		sent = JSON.parse(body);
		response.setHeader('content-type', 'application/json');
		response.end('{"matchedRecords": 12}');
	});
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const host = `http://127.0.0.1:${server.address().port}`;
const index = new Pinecone({ apiKey: 'none', controllerHostUrl: host }).index({ host });
const result = await index.update({ filter: { genre: { $eq: 'drama' } }, metadata: { seen: true }, dryRun: true });
server.close();
server.closeAllConnections();

console.log(`sent:     ${JSON.stringify(sent)}`);
console.log(`returned: ${JSON.stringify(result)}`);
process.exit(sent.filter && sent.setMetadata && !('dryRun' in sent) && !('dry_run' in sent) && result === undefined ? 0 : 1);
END
node run.mjs
