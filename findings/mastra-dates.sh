#!/usr/bin/env bash
#
# @mastra/pinecone 1.1.1: a date in a filter that is lost on the way.
#
# A date in metadata is stored as its ISO text, and a filter takes dates, too.
#
# Guessed: {day: DATE} means {day: {$eq: DATE}}, as it does for texts and numbers, and
# both are sent with the ISO text.
#
# Seen: the shorter form, also inside $and, is sent as {"day": {}}, a condition without an
# operator; $eq, $gt and $in keep the date.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @mastra/pinecone@1.1.1
cat >run.mjs <<'END'
const index = { name: 'x', dimension: 2, metric: 'cosine', host: 'x.example', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, status: { ready: true, state: 'Ready' } };
let sent;
globalThis.fetch = async (url, { body } = {}) => {
	const query = new URL(url).pathname === '/query';
	if (query) sent = JSON.stringify(JSON.parse(body).filter);
	return new Response(JSON.stringify(query ? { matches: [], namespace: '' } : index), { status: 200, headers: { 'content-type': 'application/json' } });
};

const { PineconeVector } = await import('@mastra/pinecone');
const store = new PineconeVector({ id: 'store', apiKey: 'none' });
const day = new Date('2026-11-30T00:00:00Z'), text = JSON.stringify(day);
let same = true;
for (const [filter, expected] of [
	[{ day }, '{"day":{}}'],
	[{ $and: [{ day }, { n: 1 }] }, '{"$and":[{"day":{}},{"n":1}]}'],
	[{ day: { $eq: day } }, `{"day":{"$eq":${text}}}`],
	[{ day: { $gt: day } }, `{"day":{"$gt":${text}}}`],
	[{ day: { $in: [day] } }, `{"day":{"$in":[${text}]}}`],
]) {
	await store.query({ indexName: 'x', queryVector: [1, 2], filter });
	console.log(`${JSON.stringify(filter)} is sent as ${sent}`);
	same &&= sent === expected;
}
process.exit(same ? 0 : 1);
END
node run.mjs
