#!/usr/bin/env bash
#
# @pinecone-database/pinecone 9.0.0: a filter that some operations take and others refuse.
#
# {active: false} is Pinecone's short form of {active: {$eq: false}}; a field may be 0 or
# an empty text just as well.
#
# Guessed: query(), update(), fetchByMetadata(), deleteMany() and describeIndexStats() send
# it as it is.
#
# Seen: the first three do.  deleteMany() and describeIndexStats() refuse it before anything
# is sent, "filter property cannot be empty for key active": whatever JavaScript takes for
# false counts as no condition.  The long form, and the same condition within $and, they
# send.
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
		sent = JSON.parse(body).filter;
		response.setHeader('content-type', 'application/json');
		response.end('{}');
	});
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const host = `http://127.0.0.1:${server.address().port}`;
const index = new Pinecone({ apiKey: 'none', controllerHostUrl: host }).index({ host });
const operations = {
	query: (filter) => index.query({ vector: [1], topK: 1, filter }),
	update: (filter) => index.update({ filter, metadata: { seen: true } }),
	fetchByMetadata: (filter) => index.fetchByMetadata({ filter }),
	deleteMany: (filter) => index.deleteMany({ filter }),
	describeIndexStats: (filter) => index.describeIndexStats({ filter }),
};
const seen = {};
for (const filter of [{ active: false }, { count: 0 }, { name: '' }, { active: { $eq: false } }, { $and: [{ active: false }] }]) {
	for (const [name, operation] of Object.entries(operations)) {
		sent = undefined;
		const said = await operation(filter).then(() => '', (error) => error.message);
		const as = sent === undefined ? said : JSON.stringify(sent) === JSON.stringify(filter) ? 'sent' : JSON.stringify(sent);
		(seen[JSON.stringify(filter)] ??= {})[name] = as;
	}
}
server.close();
server.closeAllConnections();

console.log(seen);
const as = (filter, names) => names.map((name) => seen[JSON.stringify(filter)][name]);
const short = [{ active: false }, { count: 0 }, { name: '' }];
process.exit(
	short.every((filter) => as(filter, ['query', 'update', 'fetchByMetadata']).every((what) => what === 'sent')) &&
	short.every((filter) => as(filter, ['deleteMany', 'describeIndexStats']).every((what) => /cannot be empty/.test(what))) &&
	[{ active: { $eq: false } }, { $and: [{ active: false }] }].every((filter) => as(filter, Object.keys(operations)).every((what) => what === 'sent')) ? 0 : 1);
END
node run.mjs
