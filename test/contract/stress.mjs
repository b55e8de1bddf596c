// Everything at once for some seconds: readers must see whole records, and the
// server must end cleanly.  Meant for builds with SANITIZE=address or thread too:
//	PINECONE_LOCAL=... node stress.mjs [SECONDS]
import assert from 'node:assert/strict';
import http from 'node:http';
import { Server, check, finish, request } from './harness.mjs';

const seconds = Number(process.argv[2] ?? 2);
const server = await Server.start('--index', 'busy:32:dotproduct', '--log-size', '500', '--lag', '1');
const host = await server.host('busy');
const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const documentHost = (await server.control('POST', '/indexes', { name: 'documents', schema: { fields: {
	text: { type: 'string', full_text_search: { stemming: true } }, vector: { type: 'dense_vector', dimension: 8, metric: 'dotproduct' },
} } }, NEW)).json.host;
const agent = new http.Agent({ keepAlive: true, maxSockets: 40 });
const ask = async (method, path, body) => {
	const reply = await request(method, host + path, body, {}, { agent });
	assert.ok(reply.status === 200 || (reply.status === 404 && path !== '/query'), `${path}: ${reply.status} ${reply.text}`);
	return reply;
};
const askDocuments = async (operation, body) => {
	const reply = await request('POST', `${documentHost}/namespaces/n${random(2)}/documents/${operation}`, body, NEW, { agent });
	assert.ok(reply.status === 200 || reply.status === 202 || (reply.status === 404 && body.delete_all), `${operation}: ${reply.status} ${reply.text}`);
	return reply.json;
};
const random = (n) => Math.floor(Math.random() * n);
const end = Date.now() + seconds * 1000;
const counts = {};

// A record's values all are its version, and its metadata says which
const record = (id, version) => ({
	id, values: Array(32).fill(version), metadata: { version, parity: version % 2 ? 'odd' : 'even', tags: [`t${version % 7}`] },
	...(version % 3 ? {} : { sparseValues: { indices: [version, 7000], values: [1, 2] } }),
});
const whole = (v) => assert.ok(v.values.length === 32 && v.values.every((x) => x === v.metadata.version), JSON.stringify(v));

// So do a document's text and vector, and where the text is gone there is no version
const document = (id, version) => ({ _id: id, text: `version${version} ${version % 2 ? 'odd' : 'even'} words running`, vector: Array(8).fill(version), version, parity: version % 2 ? 'odd' : 'even' });
const wholeDocument = ({ _id, _score, ...d }) => assert.deepEqual(d, d.text === undefined ? { vector: d.vector } : (({ _id: _, ...same }) => same)(document(_id, d.version)));
const id = () => `d${random(3000)}`;

const actions = {
	documentUpsert: () => askDocuments('upsert', { documents: Array.from({ length: 1 + random(100) }, () => document(id(), 1 + random(1000))) }),
	documentSearch: async () => {
		const clause = random(2) ? { type: 'text', fields: ['text'], query: `odd version${random(1000)} runs` } : random(2) ? { type: 'query_string', query: '+words -even' } : { type: 'dense_vector', field: 'vector', values: Array(8).fill(1) };
		const { matches } = await askDocuments('search', { score_by: [clause], top_k: 1 + random(50), include_fields: ['*'], ...(random(2) ? { filter: { text: { $match_any: 'odd' } } } : {}) });
		matches.forEach((m, i) => {
			wholeDocument(m);
			assert.ok(i === 0 || matches[i - 1]._score >= m._score);
		});
	},
	documentFetch: async () => Object.values((await askDocuments('fetch', random(2) ? { ids: Array.from({ length: 50 }, id) } : { filter: { $or: [{ parity: 'odd' }, { text: { $match_phrase: 'even words' } }] }, limit: 200 })).documents).forEach(wholeDocument),
	documentUpdate: () => askDocuments('update', { documents: Array.from({ length: 20 }, () => (random(3) ? document(id(), 1 + random(1000)) : { _id: id(), _remove_fields: ['text', 'version', 'parity'] })) }),
	documentRemove: () => askDocuments('delete', random(20) ? { ids: Array.from({ length: 20 }, id) } : random(4) ? { filter: { version: { $lt: random(300) } } } : { delete_all: true }),
	documentRemoveNamespace: () => random(10) === 0 && request('DELETE', `${documentHost}/namespaces/n${random(2)}`, undefined, NEW, { agent }),
	upsert: () => ask('POST', '/vectors/upsert', { namespace: `n${random(3)}`, vectors: Array.from({ length: 1 + random(100) }, () => record(`r${random(6000)}`, 1 + random(1000))) }),
	query: async () => {
		const { json } = await ask('POST', '/query', { namespace: `n${random(3)}`, topK: 1 + random(50), vector: Array(32).fill(1), includeValues: true, includeMetadata: true, ...(random(2) ? { filter: { parity: 'odd' } } : {}) });
		json.matches.forEach((m, i) => {
			whole(m);
			assert.ok(i === 0 || json.matches[i - 1].score >= m.score);
		});
	},
	fetch: async () => {
		const ids = [...new Set(Array.from({ length: 50 }, () => `r${random(6000)}`))];
		Object.values((await ask('GET', `/vectors/fetch?namespace=n${random(3)}&ids=${ids.join('&ids=')}`)).json.vectors).forEach(whole);
	},
	scan: async () => Object.values((await ask('POST', '/vectors/fetch_by_metadata', { namespace: `n${random(3)}`, limit: 200, filter: { tags: { $in: ['t1', 't2'] } } })).json.vectors).forEach(whole),
	list: async () => {
		const ids = (await ask('GET', `/vectors/list?namespace=n${random(3)}&prefix=r1`)).json.vectors.map((v) => v.id);
		assert.deepEqual(ids, [...new Set(ids)].sort());
	},
	update: () => ask('POST', '/vectors/update', { namespace: `n${random(3)}`, filter: { version: random(1000) }, setMetadata: { seen: true } }),
	remove: () => ask('POST', '/vectors/delete', { namespace: `n${random(3)}`, ...(random(20) ? { ids: Array.from({ length: 20 }, () => `r${random(6000)}`) } : random(4) ? { filter: { version: { $lt: random(500) } } } : { deleteAll: true }) }),
	removeNamespace: () => random(10) === 0 && ask('DELETE', `/namespaces/n${random(3)}`),
	stats: () => ask('POST', '/describe_index_stats', {}),
	log: () => server.local('GET', random(2) ? 'requests' : 'requests?count=1'),
	fault: async () => {
		await server.local('POST', 'faults', { path: '/describe_index_stats', kind: 'delay', delay_ms: 1 + random(20) });
		await server.local('GET', 'faults');
	},
	lag: () => server.local('POST', 'settings', { lag: random(4), latency: random(3) }),
	indexes: async () => {
		const name = `i${random(1e9)}`;
		const made = await server.createIndex(name, 4);
		await request('POST', `${made}/vectors/upsert`, { vectors: [{ id: 'a', values: [1, 2, 3, 4] }] });
		await server.control('DELETE', `/indexes/${name}`);
	},
};

await check(`${seconds} s of everything at once`, async () => {
	const weights = Object.keys(actions).flatMap((name) => Array(/upsert|query|documentUpsert|documentSearch/.test(name) ? 4 : 1).fill(name));

	await Promise.all(Array.from({ length: 40 }, async () => {
		while (Date.now() < end) {
			const name = weights[random(weights.length)];
			await actions[name]();
			counts[name] = (counts[name] ?? 0) + 1;
		}
	}));
	console.log(`# ${Object.entries(counts).map(([name, n]) => `${name} ${n}`).join(', ')}`);
	assert.ok(Object.keys(actions).every((name) => counts[name] > 0) || seconds < 2);
});
await check('no connection is left but those of the agent', async () => {
	agent.destroy();
	await new Promise((done) => setTimeout(done, 200));
	const { connections } = await server.local('GET', 'settings');
	assert.ok(connections.open <= 2, JSON.stringify(connections));
});
await check('a clean end', async () => assert.equal(await server.stop(), 0));
await finish();
