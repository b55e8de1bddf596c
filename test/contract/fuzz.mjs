// Input that is wrong, in ways that somebody thought of and in random ones: every
// request gets an answer that says so or a closed connection, and the server
// goes on and has what it had.  Meant for builds with SANITIZE=address,undefined too:
//	PINECONE_LOCAL=... node fuzz.mjs [ROUNDS [SEED]]
import assert from 'node:assert/strict';
import net from 'node:net';
import { KEY, Server, check, finish, request } from './harness.mjs';

const rounds = Number(process.argv[2] ?? 500);
let state = Number(process.argv[3] ?? 1);
const server = await Server.start('--index', 'dense:3:dotproduct', '--index', 'sparse:0:dotproduct:sparse', '--index', 'big:20000:euclidean');
const dense = new URL(await server.host('dense'));
const sparse = new URL(await server.host('sparse'));
const big = new URL(await server.host('big'));
const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const made = async (path, body) => {
	const reply = await server.control('POST', path, body, NEW);
	assert.equal(reply.status, 201, reply.text);
	return new URL(reply.json.host);
};
const docs = await made('/indexes', {
	name: 'docs',
	schema: {
		fields: {
			title: { type: 'string', full_text_search: { stemming: true, stop_words: true } },
			grams: { type: 'string', full_text_search: { ngram: { min_gram: 1, max_gram: 4 } } },
			body: { type: 'string', full_text_search: {} },
			vector: { type: 'dense_vector', dimension: 3, metric: 'dotproduct' },
			terms: { type: 'sparse_vector' },
		},
	},
});
const embedded = await made('/indexes', { name: 'embedded', schema: { fields: { body: { type: 'string', embed: { dimension: 384 }, sparse_embed: {} } } } });
const chunks = await made('/indexes/create-for-model', { name: 'chunks', cloud: 'aws', region: 'us-east-1', embed: { model: 'multilingual-e5-large', field_map: { text: 'chunk' } } });
const control = new URL(server.url);

// The same numbers every time
const random = (n) => {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];

// Send bytes as they are, in pieces or at once, and give what comes back until the end
function raw(port, bytes, { pieces = [], end = 'reply', wait = 5000 } = {}) {
	return new Promise((done, fail) => {
		const socket = net.connect(port, '127.0.0.1');
		const parts = [];
		const timer = setTimeout(() => {
			socket.destroy();
			if (end === 'patience') return done(Buffer.concat(parts).toString('latin1'));
			fail(new Error(`no end after ${wait} ms: ${Buffer.from(bytes).subarray(0, 300).toString('latin1')}`));
		}, wait);
		const finished = () => {
			clearTimeout(timer);
			done(Buffer.concat(parts).toString('latin1'));
		};

		socket.on('data', (data) => parts.push(data));
		socket.on('error', finished);
		socket.on('close', finished);
		socket.on('connect', () => {
			let at = 0;
			for (const n of pieces) {
				socket.write(Buffer.from(bytes).subarray(at, at + n));
				at += n;
			}
			socket.write(Buffer.from(bytes).subarray(at), () => {
				if (end !== 'cut') return;
				socket.destroy();
			});
		});
	});
}

const head = (method, path, headers = {}) => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nApi-Key: ${KEY}\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
const message = (method, path, body = '', headers = {}) => Buffer.concat([Buffer.from(head(method, path, { ...(body.length || method === 'POST' ? { 'Content-Length': Buffer.byteLength(body) } : {}), Connection: 'close', ...headers }), 'latin1'), Buffer.from(body)]);
const status = (reply) => Number(/^HTTP\/1\.[01] (\d{3})/.exec(reply)?.[1] ?? 0);
const bodyOf = (reply) => reply.slice(reply.indexOf('\r\n\r\n') + 4);

async function expectStatus(expected, method, path, body, headers, host = dense) {
	const reply = await request(method, host.origin + path, body, headers);
	assert.ok([].concat(expected).includes(reply.status), `${method} ${path.slice(0, 100)} ${String(body).slice(0, 200)}: ${reply.status} ${reply.text.slice(0, 300)}`);
	assert.ok(reply.status < 500, reply.text);
	return reply;
}
const post = (path, body, expected = 400, host = dense) => expectStatus(expected, 'POST', path, body, {}, host);

// What must be there all the time
const kept = { id: 'kept', values: [0.1, -2.5, 3e-7], sparseValues: { indices: [1, 4294967295], values: [0.5, 1.5] }, metadata: { genre: 'drama', year: 1999, tags: ['a', 'ü'], on: true } };
await post('/vectors/upsert', { namespace: 'kept', vectors: [kept] }, 200);
const keptDocument = { _id: 'kept', title: 'The quick brown fox', grams: 'söme gräms', body: 'runs over the lazy dog', vector: [0.5, -2.5, 0.25], terms: { indices: [1, 4294967295], values: [0.5, 1.5] }, year: 1999, tags: ['a', 'ü'], on: true };
await post('/namespaces/kept/documents/upsert', { documents: [keptDocument] }, 202, docs);
const isKept = async () => {
	const document = await request('POST', `${docs.origin}/namespaces/kept/documents/fetch`, { ids: ['kept'] }, NEW);
	assert.deepEqual(document.json.documents, { kept: keptDocument });
	const reply = await request('GET', `${dense.origin}/vectors/fetch?namespace=kept&ids=kept`);
	assert.deepEqual(reply.json.vectors, { kept });
};

const clauses = [
	{ type: 'dense_vector', field: 'vector', values: [1, 2, 3] }, { type: 'sparse_vector', fields: ['terms'], sparse_values: { indices: [1, 7], values: [1, 2] } }, { type: 'text', fields: ['title', 'grams', 'body'], query: 'quick gräms dog' },
	{ type: 'query_string', query: '+title:(quick OR "brown fox"~2)^2 AND NOT body:/l.zy/ OR "the laz"* -fux~1 grams:gr*' },
];
const filter = { $or: [{ year: { $gte: 1950, $lt: 2000 } }, { $not: { tags: { $nin: ['b'] } } }, { title: { $match_phrase: 'brown fox' } }, { body: { $not: { $match_any: 'x' } } }, { on: { $exists: true } }] };
const calls = [
	...clauses.map((clause) => [docs, '/namespaces/kept/documents/search', { score_by: [clause], top_k: 5, include_fields: ['title', '*', 'none'], filter }]),
	[docs, '/namespaces/kept/documents/fetch', { filter, limit: 1, include_fields: ['year', 'vector'] }], [docs, '/namespaces/kept/documents/fetch', { ids: ['kept', 'a'] }], [docs, '/namespaces/kept/documents/list', { prefix: 'k', limit: 1 }],
	[docs, '/namespaces/random/documents/upsert', { documents: [{ ...keptDocument, _id: 'r1' }, { _id: 'r2', title: 'x', m: null }, { _id: 'r2', body: 'y' }] }],
	[docs, '/namespaces/random/documents/update', { documents: [{ _id: 'r1', title: 'new words', vector: [3, 2, 1], _remove_fields: ['body', 'terms', 'year'] }, { _id: 'r2', terms: { indices: [5], values: [1] } }] }],
	[docs, '/namespaces/random/documents/update', { filter: { year: 1999 }, set_fields: { n: 1, l: ['x'] }, remove_fields: ['on'] }], [docs, '/namespaces/random/documents/delete', { ids: ['r2', 'r3'] }], [docs, '/namespaces/random/documents/delete', { filter: { n: 1 } }],
	[embedded, '/namespaces/random/documents/upsert', { documents: [{ _id: 'e1', body: 'some words', n: 1 }] }], [embedded, '/namespaces/random/documents/search', { score_by: [{ type: 'embed', field: 'body', query: 'words' }], top_k: 3, filter: { n: 1 } }],
	[embedded, '/namespaces/random/documents/search', { score_by: [{ type: 'sparse_embed', field: 'body', query: 'words' }], top_k: 3 }], [embedded, '/namespaces/random/documents/update', { documents: [{ _id: 'e1', body: 'other words' }] }],
	[chunks, '/records/namespaces/random/upsert', '{"_id":"c1","chunk":"red apples","n":1}\n{"id":"c2","chunk":"blue","l":["x"]}\n'],
	[chunks, '/records/namespaces/random/search', { query: { top_k: 3, inputs: { text: 'red' }, filter: { n: 1 } }, fields: ['chunk'], rerank: { model: 'bge-reranker-v2-m3', rank_fields: ['chunk'], top_n: 1 } }],
	[control, '/embed', { model: 'llama-text-embed-v2', parameters: { input_type: 'query', dimension: 384 }, inputs: [{ text: 'a' }, { text: 'b' }] }], [control, '/embed', { model: 'pinecone-sparse-english-v0', parameters: { input_type: 'query', return_tokens: true }, inputs: [{ text: 'a b' }] }],
	[control, '/rerank', { model: 'bge-reranker-v2-m3', query: 'a', documents: [{ text: 'a b' }, { text: 'c' }], top_n: 1, rank_fields: ['text'] }],
	[control, '/indexes', { name: 'docs', schema: { fields: { a: { type: 'string', full_text_search: { language: 'en', ngram: { min_gram: 1, max_gram: 2 } }, embed: { model: 'llama-text-embed-v2', dimension: 512, metric: 'cosine', read_parameters: { x: 1 } }, description: 'd' }, b: { type: 'sparse_vector' } } }, deployment: { deployment_type: 'managed', cloud: 'aws', region: 'us-east-1' }, tags: { a: 'b' } }],
	[control, '/indexes/create-for-model', { name: 'docs', cloud: 'aws', region: 'us-east-1', embed: { model: 'llama-text-embed-v2', field_map: { text: 't' }, dimension: 512 }, schema: { fields: { g: { filterable: true } } } }],
	[control, '/indexes/dense/convert', { name: 'docs', schema: { fields: { a: { type: 'dense_vector', dimension: 3, metric: 'cosine' } } }, error_mode: { on_error: 'continue' } }],
];

await check('bodies that are cut off anywhere', async () => {
	const whole = JSON.stringify({ namespace: 'cut', vectors: [{ ...kept, id: 'cut\u00e9"\\'.slice(0, 3) }] });
	for (let n = 0; n < Buffer.byteLength(whole); n++) await post('/vectors/upsert', Buffer.from(whole).subarray(0, n));
	const query = JSON.stringify({ namespace: 'kept', topK: 3, vector: [1, 2, 3], sparseVector: { indices: [1], values: [1] }, filter: { $and: [{ year: { $gt: 5 } }, { tags: { $in: ['a'] } }] } });
	for (let n = 0; n < query.length; n++) await post('/query', query.slice(0, n));
	assert.equal((await post('/query', query, 200)).json.matches.length, 1);
	await isKept();
});

await check('connections that end in the middle', async () => {
	const whole = message('POST', '/vectors/upsert', JSON.stringify({ namespace: 'half', vectors: [{ id: 'a', values: [1, 2, 3] }] }));
	for (let n = 0; n < whole.length; n += 3) {
		await raw(dense.port, whole.subarray(0, n), { end: 'cut' });
	}
	const stats = (await post('/describe_index_stats', {}, 200)).json;
	assert.equal(stats.namespaces.half, undefined);
});

await check('JSON that is nested too deeply', async () => {
	for (const depth of [63, 64, 65, 66, 1000, 100000]) {
		const nested = '['.repeat(depth) + ']'.repeat(depth);
		const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
		const filters = '{"$and":['.repeat(depth) + '{"a":1}' + ']}'.repeat(depth);
		for (const n of [nested, objects]) {
			await post('/vectors/upsert', `{"vectors":[{"id":"a","values":[1,2,3],"metadata":{"a":${n}}}]}`);
			await post('/vectors/upsert', `{"vectors":[{"id":"a","values":${n}}]}`);
			await post('/query', `{"topK":1,"vector":[1,2,3],"filter":${n}}`);
			await post('/describe_index_stats', n, [200, 400]);
			await post('/namespaces', `{"name":"deep","schema":${n}}`);
		}
		await post('/query', `{"topK":1,"vector":[1,2,3],"filter":${filters}}`, depth < 30 ? 200 : [200, 400]);
		await expectStatus([400, 422], 'POST', '/indexes', nested, {}, new URL(server.url));
		await expectStatus([400, 422], 'POST', '/indexes', objects, {}, new URL(server.url));
	}
});

await check('numbers that are too large, too long or none', async () => {
	const wrong = ['1e39', '-1e39', '3.5e38', '1e400', '1e99999999999', '1'.repeat(400), 'NaN', 'Infinity', '-', '+1', '01', '1.', '.5', '1e', '1e+', '0x10', '--1', '1_000', '"1"', 'null', '[1]', '{}', 'true', '', '1 2', '-00'];
	const fine = ['0', '-0', '1e-400', '1e-45', '-1e-46', '3.4028235e38', '0.' + '0'.repeat(300) + '1', '0.' + '1'.repeat(5000), '1' + '0'.repeat(30), '1E+2', '9007199254740993', '1e-99999999999', '0e99999999999'];
	for (const n of wrong) {
		await post('/vectors/upsert', `{"vectors":[{"id":"n","values":[1,${n},3]}]}`);
		await post('/query', `{"topK":1,"vector":[1,${n},3]}`);
		await post('/query', `{"topK":${n === 'null' ? '""' : n},"vector":[1,2,3]}`);
		await post('/vectors/upsert', `{"vectors":[{"id":"n","values":[1,2,3],"sparseValues":{"indices":[1],"values":[${n}]}}]}`, n === '' || n === '1 2' ? 400 : 400);
		await post('/vectors/upsert', `{"vectors":[{"id":"n","values":[1,2,3],"sparseValues":{"indices":[${n}],"values":[1]}}]}`);
	}
	for (const n of fine) {
		const reply = await post('/vectors/upsert', `{"namespace":"fine","vectors":[{"id":"n","values":[1,${n},3]}]}`, 200);
		const back = (await request('GET', `${dense.origin}/vectors/fetch?namespace=fine&ids=n`)).json.vectors.n.values;
		assert.equal(reply.json.upsertedCount, 1);
		assert.deepEqual(back.map(Math.fround), [1, Math.fround(Number(n)) + 0, 3], n);
	}
	for (const n of ['-1', '0.5', '4294967296', '1e30', '-0.1']) await post('/vectors/upsert', `{"vectors":[{"id":"n","values":[1,2,3],"sparseValues":{"indices":[${n}],"values":[1]}}]}`);
	for (const n of ['0', '10001', '-5', '1.5', '1e300', '2147483648', '4294967297']) await post('/query', `{"topK":${n},"vector":[1,2,3]}`);
	for (const n of ['0', '101', '-1', '1.5', '99999999999999999999', 'x', '', '1x', '%31', '+1', ' 1']) {
		const reply = await expectStatus([200, 400], 'GET', `/vectors/list?limit=${encodeURIComponent(n)}`);
		assert.equal(reply.status, 400, n);
	}
	for (const n of ['1e300', '-1', '0', '10001', '0.5']) await post('/vectors/fetch_by_metadata', `{"filter":{"a":1},"limit":${n}}`);
	await post('/vectors/upsert', `{"vectors":[{"id":"n","values":[1e38,1e38,1e38]}]}`, 200);
	assert.ok((await request('POST', `${dense.origin}/query`, { topK: 5, vector: [1e38, 1e38, 1e38] })).text.length > 0);
});

await check('text that is not UTF-8, or wrongly escaped', async () => {
	const bytes = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80], [0x00], [0x1f], [0x7f, 0xc3]];
	const escapes = ['\\', '\\x41', '\\u12', '\\u123g', '\\u', '\\\n'];
	for (const bad of [...bytes.map((b) => Buffer.from(b)), ...escapes.map((e) => Buffer.from(e))]) {
		for (const [before, after] of [['{"vectors":[{"id":"', '","values":[1,2,3]}]}'], ['{"vectors":[{"id":"a","values":[1,2,3],"metadata":{"k":"', '"}}]}'],
			['{"vectors":[{"id":"a","values":[1,2,3],"metadata":{"', '":1}}]}'], ['{"namespace":"', '","vectors":[{"id":"a","values":[1,2,3]}]}'], ['{"', '":1,"vectors":[]}']]) {
			await post('/vectors/upsert', Buffer.concat([Buffer.from(before), bad, Buffer.from(after)]));
			await post('/vectors/upsert', Buffer.concat([Buffer.from(before), bad]));
		}
		await post('/query', Buffer.concat([Buffer.from('{"topK":1,"vector":[1,2,3],"filter":{"a":"'), bad, Buffer.from('"}}')]));
	}
	// What is right comes back
	const metadata = { 'k\u0001\u001f"\\/': 'x\u0000\u007f\u{1f600}\ud7ff\uffff', list: ['', '\b\f\n\r\t'], half: ['\ud800', '\ud800A', '\udc00', '\ud800\ud800'] };
	await post('/vectors/upsert', { namespace: 'text', vectors: [{ id: 'a', values: [1, 2, 3], metadata }] }, 200);
	assert.deepEqual((await request('GET', `${dense.origin}/vectors/fetch?namespace=text&ids=a`)).json.vectors.a.metadata, metadata);
});

await check('keys that come twice', async () => {
	await post('/vectors/upsert', '{"namespace":"x","namespace":"twice","vectors":[{"id":"a","id":"b","values":[9,9,9,9],"values":[1,2,3],"sparseValues":{"indices":[1],"values":[1]},"sparseValues":{"indices":[7],"indices":[8,9],"values":[1],"values":[2,3]},"values":[4,5,6],"metadata":{"a":1},"metadata":{"b":"x","b":["y"]}}],"vectors":[{"id":"c","values":[7,8,9]}]}', [200, 400]);
	const { vectors } = (await request('GET', `${dense.origin}/vectors/fetch?namespace=twice&ids=a&ids=b&ids=c&ids=b`)).json;
	assert.deepEqual(vectors, {
		b: { id: 'b', values: [4, 5, 6], sparseValues: { indices: [8, 9], values: [2, 3] }, metadata: { b: ['y'] } },
		c: { id: 'c', values: [7, 8, 9] },
	});
	await post('/query', '{"topK":1,"topK":2,"vector":[1],"vector":[1,2,3],"sparseVector":{"indices":[1],"values":[1]},"sparseVector":{"indices":[2],"values":[1]},"filter":{"a":1},"filter":{"b":"y"}}', 200);
	await post('/vectors/update', '{"id":"b","namespace":"twice","setMetadata":{"x":1},"setMetadata":{"y":2},"values":[1,1],"values":[3,2,1],"sparseValues":{"indices":[1],"values":[1]},"sparseValues":null}', 200);
	await post('/vectors/update', '{"namespace":"twice","filter":{"a":1},"filter":{"y":2},"setMetadata":{"z":1},"filter":{"y":2}}', 200);
	await post('/vectors/delete', '{"namespace":"twice","filter":{"a":1},"filter":{"y":3}}', 200);
	await post('/vectors/delete', '{"namespace":"twice","ids":["b"],"ids":["c"],"ids":[]}', 200);
	assert.deepEqual((await request('GET', `${dense.origin}/vectors/fetch?namespace=twice&ids=b&ids=c`)).json.vectors, {});
});

await check('values of the wrong kind, everywhere', async () => {
	const values = ['null', 'true', '0', '-1', '1e999', '""', '"x"', '[]', '[[]]', '[null]', '{}', '{"a":null}', '{"$eq":1}', '[1,2,3]', '["a"]', '{"indices":[1]}', '{"indices":[1,1],"values":[1,2]}', '{"indices":[],"values":[]}', '{"values":[1]}', '{"fields":{"a":{"filterable":true}}}', '{"fields":[]}', '{"fields":{"a":1}}'];
	const calls = {
		'/vectors/upsert': ['namespace', 'vectors'],
		'/query': ['namespace', 'id', 'topK', 'vector', 'sparseVector', 'filter', 'includeValues', 'includeMetadata', 'scanFactor', 'maxCandidates'],
		'/vectors/fetch_by_metadata': ['namespace', 'filter', 'limit', 'paginationToken'],
		'/vectors/update': ['id', 'namespace', 'values', 'sparseValues', 'setMetadata', 'filter', 'dryRun'],
		'/vectors/delete': ['ids', 'namespace', 'filter', 'deleteAll'],
		'/describe_index_stats': ['filter'],
		'/namespaces': ['name', 'schema'],
	};
	const good = { '/vectors/upsert': { vectors: [{ id: 'w', values: [1, 2, 3] }] }, '/query': { topK: 1, vector: [1, 2, 3] }, '/vectors/fetch_by_metadata': { filter: { none: 1 } }, '/vectors/update': { id: 'none' }, '/vectors/delete': { ids: ['none'] }, '/namespaces': { name: 'wrong' } };
	for (const [path, fields] of Object.entries(calls)) {
		for (const v of values) {
			await post(path, v, [200, 400, 404]);
			for (const field of fields) {
				const rest = Object.entries(good[path] ?? {}).filter(([k]) => k !== field && !(field === 'id' && k === 'vector')).map(([k, x]) => `${JSON.stringify(k)}:${JSON.stringify(x)}`);
				const body = `{${[...rest, `${JSON.stringify(field)}:${v}`].join(',')},"namespace":"wrong"}`;
				await post(path, field === 'namespace' || path === '/namespaces' || path === '/describe_index_stats' ? body.replace(',"namespace":"wrong"', '') : body, [200, 400, 404, 409]);
			}
		}
	}
	for (const field of ['id', 'values', 'sparseValues', 'metadata']) {
		for (const v of values) {
			const rest = { id: '"w"', values: '[1,2,3]', [field]: v };
			for (const host of [dense, sparse]) await post('/vectors/upsert', `{"namespace":"wrong","vectors":[{${Object.entries(rest).map(([k, x]) => `"${k}":${x}`).join(',')}}]}`, [200, 400], host);
		}
	}
	const indexFields = ['name', 'dimension', 'metric', 'vector_type', 'spec', 'tags', 'deletion_protection', 'schema'];
	for (const field of indexFields) {
		for (const v of values) {
			const rest = { name: `"i${random(1e9)}"`, dimension: '3', metric: '"cosine"', spec: '{"serverless":{"cloud":"aws","region":"us-east-1"}}', [field]: v };
			const body = `{${Object.entries(rest).map(([k, x]) => `"${k}":${x}`).join(',')}}`;
			for (const version of ['2025-10', '2026-07', '2024-07', 'x']) {
				const reply = await expectStatus([200, 201, 400, 409, 422], 'POST', '/indexes', body, { 'X-Pinecone-Api-Version': version }, new URL(server.url));
				if (reply.status === 201) await expectStatus([202, 400, 403, 412], 'DELETE', `/indexes/${encodeURIComponent(reply.json.name)}`, undefined, {}, new URL(server.url));
			}
			await expectStatus([200, 202, 400, 404, 409, 422], 'PATCH', '/indexes/big', `{"${field}":${v}}`, {}, new URL(server.url));
		}
	}
	await isKept();
});

await check('orders to the server itself that are wrong', async () => {
	for (const path of ['faults', 'settings', 'requests', 'save', 'flush', 'none', '', '%00', 'faults/1']) {
		for (const body of ['', '{', '[]', 'null', '{"kind":1}', '{"kind":"none"}', '{"kind":"drip","bytes":-1}', '{"kind":"status","status":9999}', '{"lag":-1}', '{"lag":1e300}', '{"latency":"x"}', '{"path":"/never","kind":"delay","delay_ms":1e300}', '{"unknown":1}']) {
			for (const method of ['POST', 'PUT', 'DELETE']) {
				const reply = await request(method, `${server.url}/_local/${path}`, body);
				assert.ok(reply.status >= 200 && reply.status < 500, `${method} ${path} ${body}: ${reply.status} ${reply.text}`);
			}
		}
	}
	await server.control('DELETE', '/_local/faults');
	await isKept();
});

await check('escapes in paths and parameters', async () => {
	const ids = ['a+b', 'a b', 'a%2Fb', 'a/b', 'a?b#c&d=e', '%', '%25', '100%', "'", '"', '\\', '+', ' ', 'x'.repeat(512), '\u007f', '\u0001'];
	await post('/vectors/upsert', { namespace: 'esc +/%', vectors: ids.map((id) => ({ id, values: [1, 2, 3] })) }, 200);
	for (const id of ids) {
		const encoded = encodeURIComponent(id);
		const ns = encodeURIComponent('esc +/%');
		for (const form of [encoded, encoded.replaceAll('%20', '+'), [...Buffer.from(id)].map((c) => `%${c.toString(16).padStart(2, '0')}`).join('').slice(0, 1800)]) {
			if (form.length > 1700) continue;
			assert.deepEqual(Object.keys((await expectStatus(200, 'GET', `/vectors/fetch?namespace=${ns}&ids=${form}`)).json.vectors), [id]);
		}
		assert.deepEqual((await expectStatus(200, 'GET', `/vectors/list?namespace=${ns}&prefix=${encoded}`)).json.vectors.map((v) => v.id).includes(id), true);
	}
	await expectStatus(200, 'GET', `/namespaces/${encodeURIComponent('esc +/%')}`);
	for (const bad of ['%', '%4', '%zz', '%g0', 'a%', '%%%', '%-1', '%+1', '% 1']) {
		for (const path of [`/vectors/fetch?ids=${bad}`, `/vectors/fetch?${bad}=a`, `/vectors/list?prefix=${bad}`, `/vectors/list?namespace=${bad}`, `/namespaces/${bad}`]) {
			const reply = await raw(dense.port, message('GET', path));
			assert.ok(status(reply) === 400 || (bad === '% 1' && status(reply) < 500), `${path}: ${reply}`);
		}
		const reply = await raw(server.port, message('GET', `/indexes/${bad}`));
		// newer libmicrohttpd sends a client elsewhere that leaves a space as it is
		assert.ok((status(reply) >= 400 || (bad === '% 1' && status(reply) === 301)) && status(reply) < 500, reply);
	}
	for (const path of ['/', '//', '/vectors', '/vectors/', '/vectors/fetch/', '/vectors/upsert/x', '/namespaces/', '/namespaces//', '/%76ectors/list', '/../etc/passwd', '/vectors/fetch', '/vectors/fetch?', '/vectors/fetch?&&&', '/vectors/fetch?ids', '/vectors/fetch?ids=', '/vectors/fetch?=a', '/vectors/fetch?ids=%00', '/vectors/fetch?ids=%ff', '/vectors/list?paginationToken=x', '/vectors/list?paginationToken=AAAAAAAAAAAAAAAAAAAA', '/vectors/list?paginationToken=====', '/namespaces?limit=0', '/namespaces?paginationToken=%25', '/namespaces/%00', '/namespaces/%ff']) {
		const reply = await raw(dense.port, message('GET', path));
		assert.ok(status(reply) < 500 && status(reply) >= 200, `${path}: ${reply}`);
	}
});

await check('methods that are not meant', async () => {
	for (const method of ['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'get', 'GET\t', 'X'.repeat(5000)]) {
		for (const path of ['/query', '/vectors/fetch?ids=a', '/namespaces', '/namespaces/none', '/indexes', '/nothing', '*']) {
			for (const port of [dense.port, server.port]) {
				const reply = await raw(port, message(method, path, method === 'HEAD' ? '' : '{}'));
				assert.ok(status(reply) < 500 || status(reply) === 501, `${method} ${path}: ${reply}`);
				if (method === 'HEAD') assert.equal(bodyOf(reply), '');
			}
		}
	}
	await isKept();
});

await check('headers that are too large, too many or odd', async () => {
	const body = '{"topK":1,"vector":[1,2,3]}';
	for (const n of [1000, 20000, 100000, 1000000]) {
		const reply = await raw(dense.port, message('POST', '/query', body, { 'X-Large': 'x'.repeat(n) }));
		assert.ok([0, 200, 400, 413, 431].includes(status(reply)), reply.slice(0, 200));
		const long = await raw(dense.port, message('GET', `/vectors/fetch?ids=${'x'.repeat(n)}`));
		assert.ok([0, 400, 414, 431].includes(status(long)), long.slice(0, 200));
		const many = await raw(dense.port, message('GET', '/vectors/list', '', Object.fromEntries(Array.from({ length: n / 100 }, (_, i) => [`X-${i}`, 'y']))));
		assert.ok([0, 200, 400, 413, 431].includes(status(many)), many.slice(0, 200));
		const parameters = await raw(dense.port, message('GET', `/vectors/list?${'a=b&'.repeat(Math.min(n, 8000) / 4)}`));
		assert.ok([0, 200, 400, 414, 431].includes(status(parameters)), parameters.slice(0, 200));
	}
	for (const length of ['-1', 'x', '99999999999999999999999', '1e3', '0x10', '5 5', '+5', '']) {
		const reply = await raw(dense.port, Buffer.from(head('POST', '/query', { 'Content-Length': length }) + body), { end: 'patience', wait: 300 });
		assert.ok(status(reply) === 0 || (status(reply) >= 400 && status(reply) < 500), `${length}: ${reply}`);
	}
	// Says more or less than it sends
	assert.ok(status(await raw(dense.port, Buffer.from(head('POST', '/query', { 'Content-Length': 4000000000 }) + body), { end: 'patience', wait: 300 })) === 0);
	assert.ok(status(await raw(dense.port, Buffer.from(head('POST', '/query', { 'Content-Length': 5, Connection: 'close' }) + body))) === 400);
	for (const odd of ['Api-Key\r\n', 'Api-Key: ' + KEY + '\r\nApi-Key: other\r\n', ': x\r\n', 'X : y\r\n', ' folded\r\n', 'X: a\r\n b\r\n', 'X:\u0000\r\n', 'Transfer-Encoding: gzip\r\n', 'Content-Length: 2\r\nContent-Length: 3\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', 'Expect: 200-maybe\r\n', 'Content-Encoding: gzip\r\n']) {
		const reply = await raw(dense.port, Buffer.from(`POST /query HTTP/1.1\r\nHost: x\r\nApi-Key: ${KEY}\r\n${odd}Connection: close\r\n\r\n`), { end: 'patience', wait: 300 });
		assert.ok(status(reply) < 500 || status(reply) === 501, `${odd}: ${reply}`);
	}
	for (const line of ['GET', 'GET /', 'GET / HTTP/9.9', 'GET / HTTP/1.0', 'GET / FTP/1.1', '\r\n\r\n\r\nGET / HTTP/1.1', 'GET http://localhost/vectors/list HTTP/1.1', 'GET  /vectors/list  HTTP/1.1', '\u0000\u0001\u0002', '\x16\x03\x01\x02\x00\x01\x00']) {
		const reply = await raw(dense.port, Buffer.from(`${line}\r\nHost: x\r\nApi-Key: ${KEY}\r\nConnection: close\r\n\r\n`, 'latin1'), { end: 'patience', wait: 300 });
		assert.ok(status(reply) < 500 || status(reply) === 505, `${line}: ${reply}`);
	}
	await isKept();
});

await check('bodies in chunks', async () => {
	const body = '{"topK":1,"vector":[1,2,3],"namespace":"kept"}';
	const chunked = (...chunks) => Buffer.from(head('POST', '/query', { 'Transfer-Encoding': 'chunked', Connection: 'close' }) + chunks.join(''));
	const chunk = (s) => `${s.length.toString(16)}\r\n${s}\r\n`;

	assert.equal(status(await raw(dense.port, chunked(...[...body].map(chunk), '0\r\n\r\n'))), 200);
	assert.equal(status(await raw(dense.port, chunked(chunk(body), '0\r\nTrailer: x\r\n\r\n'))), 200);
	// libmicrohttpd 1.0.1 knows no extensions
	assert.ok([200, 400].includes(status(await raw(dense.port, chunked(`${body.length.toString(16)};ext=1\r\n${body}\r\n`, '0\r\n\r\n')))));
	assert.equal(status(await raw(dense.port, chunked('0\r\n\r\n'))), 400);
	for (const bad of ['x\r\n', '-1\r\nabc\r\n0\r\n\r\n', 'ffffffffffffffffff\r\nabc', `3\r\n${body}\r\n0\r\n\r\n`, '5\r\nab', '\r\n\r\n', '0x5\r\n12345\r\n0\r\n\r\n']) {
		const reply = await raw(dense.port, chunked(bad), { end: 'patience', wait: 300 });
		assert.ok(status(reply) === 0 || (status(reply) >= 400 && status(reply) < 500), `${bad}: ${reply}`);
	}
	// More than is taken
	const reply = await raw(dense.port, chunked(chunk('x'.repeat(12 << 20)), '0\r\n\r\n'), { wait: 20000 });
	assert.ok([0, 400, 413].includes(status(reply)), reply.slice(0, 200));
});

await check('requests one after the other without waiting', async () => {
	const one = message('POST', '/query', '{"topK":1,"vector":[1,2,3],"namespace":"kept"}', { Connection: 'keep-alive' });
	const wrong = message('POST', '/query', '{"topK":', { Connection: 'keep-alive' });
	const last = message('GET', '/vectors/fetch?namespace=kept&ids=kept');
	const all = Buffer.concat([...Array(50).fill([one, wrong]).flat(), last]);
	const count = (reply, s) => reply.split(`HTTP/1.1 ${s}`).length - 1;

	for (const pieces of [[], Array(all.length - 1).fill(1).slice(0, 3000), Array.from({ length: 30 }, () => random(300))]) {
		const reply = await raw(dense.port, all, { pieces, wait: 20000 });
		assert.equal(count(reply, 200), 51);
		assert.equal(count(reply, 400), 50);
	}
});

await check('the largest dimension and records', async () => {
	const values = Array.from({ length: 20000 }, (_, i) => Math.fround(Math.sin(i) * 10 ** ((i % 60) - 30)));
	await post('/vectors/upsert', { vectors: [{ id: 'big', values }] }, 200, big);
	const back = (await expectStatus(200, 'GET', '/vectors/fetch?ids=big', undefined, {}, big)).json.vectors.big.values;
	assert.deepEqual(back.map(Math.fround), values.map((v) => v + 0));
	await post('/vectors/update', { id: 'big', values: [...values].reverse() }, 200, big);
	assert.deepEqual((await expectStatus(200, 'GET', '/vectors/fetch?ids=big', undefined, {}, big)).json.vectors.big.values.map(Math.fround), [...values].reverse().map((v) => v + 0));
	await post('/vectors/upsert', { vectors: [{ id: 'big', values: [...values, 1] }] }, 400, big);
	await post('/vectors/upsert', { vectors: [{ id: 'a', values: [1, 2, 3], metadata: { x: 'x'.repeat(40960) } }] });
	await post('/vectors/upsert', { vectors: [{ id: 'a', values: [1, 2, 3], metadata: { x: '\u0001'.repeat(10000) } }] });
	await post('/vectors/upsert', { vectors: [{ id: 'x'.repeat(513), values: [1, 2, 3] }] });
	await post('/vectors/upsert', { vectors: Array(1001).fill({ id: 'a', values: [1, 2, 3] }) });
	await post('/vectors/delete', { ids: Array(1001).fill('a') });
});

await check(`${rounds} random changes of requests`, async () => {
	const bodies = [
		['POST', '/vectors/upsert', JSON.stringify({ namespace: 'random', vectors: [{ ...kept, id: 'r1' }, { id: 'r2', values: [-0.012345679, 1.5, 100], metadata: { a: [], b: ['x', 'y'] } }] })],
		['POST', '/query', JSON.stringify({ namespace: 'random', topK: 10, vector: [0.1, 0.2, 0.3], includeValues: true, includeMetadata: true, filter: { $or: [{ genre: { $eq: 'drama' } }, { year: { $gte: 1950, $lt: 2000 } }, { tags: { $nin: ['b'] } }, { on: { $exists: true } }] } })],
		['POST', '/vectors/update', JSON.stringify({ namespace: 'random', id: 'r1', values: [3, 2, 1], setMetadata: { year: 2001, x: 'y' }, sparseValues: { indices: [5], values: [1] } })],
		['POST', '/vectors/update', JSON.stringify({ namespace: 'random', filter: { genre: 'drama' }, setMetadata: { n: 1 }, dryRun: false })],
		['POST', '/vectors/fetch_by_metadata', JSON.stringify({ namespace: 'random', filter: { genre: { $ne: 'x' } }, limit: 1 })],
		['POST', '/vectors/delete', JSON.stringify({ namespace: 'random', ids: ['r2', 'r3'] })],
		['GET', '/vectors/fetch?namespace=random&ids=r1&ids=r2%20&ids=a+b', ''],
		['GET', '/vectors/list?namespace=random&prefix=r&limit=1&paginationToken=MTIzNDU2Nzg6cjE=', ''],
		['POST', '/namespaces', JSON.stringify({ name: 'random2', schema: { fields: { a: { filterable: true } } } })],
	];
	const pieces = ['"', '\\', '{', '}', '[', ']', ',', ':', '-', '.', 'e', '0', '9', '\\u', 'null', '$in', '\u0000', '\u00ff', '%', '&', '=', '+', ' ', '\r\n', '1e308', '-0', '""', 'true', '\ud83d\ude00'];
	const change = (bytes) => {
		let b = bytes;
		for (let n = 1 + random(3); n > 0; n--) {
			const at = random(b.length + 1);
			const to = Math.min(b.length, at + random(8));
			const how = random(5);
			const piece = how === 0 ? Buffer.from([random(256)]) : how === 1 ? Buffer.from(pick(pieces)) : how === 2 ? Buffer.alloc(0) : how === 3 ? b.subarray(at, to) : b.subarray(random(b.length + 1)).subarray(0, random(40));
			b = Buffer.concat([b.subarray(0, at), piece, b.subarray(how === 3 ? at : to)]);
		}
		return b;
	};
	const counts = {};

	for (const [host, path, body] of calls) bodies.push(['POST', path, typeof body === 'string' ? body : JSON.stringify(body), host]);
	for (let i = 0; i < rounds; i++) {
		const [method, path, body, only] = pick(bodies);
		const host = only ?? pick([dense, dense, dense, sparse]);
		let bytes;

		if (body && random(4)) {
			const changed = change(Buffer.from(body));
			bytes = Buffer.concat([Buffer.from(head(method, path, { 'Content-Length': changed.length, Connection: 'close' })), changed]);
		} else if (!body && random(2)) bytes = message(method, change(Buffer.from(path)).toString('latin1').replace(/[\r\n ]/g, '_'));
		else bytes = change(message(method, path, body));
		const reply = await raw(host.port, bytes, { pieces: random(4) ? [] : [random(bytes.length), random(50)], end: 'patience', wait: 100 });
		const s = status(reply);

		counts[s] = (counts[s] ?? 0) + 1;
		assert.ok(s < 500 || s === 501 || s === 505, `${bytes.toString('latin1')}\n${reply}`);
		if (s === 200 && /\r\n\r\n[^]*}$/.test(reply) && /application\/json/.test(reply)) JSON.parse(Buffer.from(bodyOf(reply.split(/HTTP\/1\.1 \d{3}/)[1] ?? ''), 'latin1').toString().trim() || '{}');
	}
	console.log(`# ${Object.entries(counts).map(([s, n]) => `${s}: ${n}`).join(', ')}`);
	await isKept();
});

// ---- Documents, records, inference ----

await check('documents, records, inference: as they are meant', async () => {
	for (const [host, path, body] of calls) await expectStatus(/^.indexes/.test(path) ? 409 : [200, 201, 202], 'POST', path, body.m === null ? body : JSON.stringify(body).includes('"m":null') ? { documents: [keptDocument] } : body, NEW, host);
});
await check('documents, records, inference: cut off anywhere', async () => {
	for (const [host, path, body] of calls) {
		const whole = Buffer.from(typeof body === 'string' ? body.trim() : JSON.stringify(body));
		for (let n = 0; n < whole.length; n += 1 + random(4)) {
			if (typeof body === 'string' && whole[n - 1] === 0x7d) continue;
			if (typeof body === 'string' && whole[n - 1] === 0x0a) continue;
			await expectStatus(400, 'POST', path, whole.subarray(0, n), NEW, host);
		}
	}
	await isKept();
});
await check('documents, records, inference: a value of another type anywhere', async () => {
	const others = [null, true, 0, -1, 1.5, 1e300, '', 'x', '\u0000', '\ud83d\ude00', [], [null], {}, { a: 1 }, 'x'.repeat(100000), Array(2000).fill(1)];
	// All places in a value, with what changes them
	const places = (value, path = []) => [path, ...(value && typeof value === 'object' ? Object.keys(value).flatMap((k) => places(value[k], [...path, k])) : [])];
	const changed = (value, path, to) => (path.length === 0 ? to : Array.isArray(value) ? value.map((v, i) => (String(i) === path[0] ? changed(v, path.slice(1), to) : v)) : { ...value, [path[0]]: changed(value[path[0]], path.slice(1), to) });
	for (const [host, path, body] of calls) {
		if (typeof body === 'string') continue;
		for (const place of places(body)) {
			for (const other of [pick(others), pick(others), pick(others)]) {
				const reply = await request('POST', host.origin + path, changed(body, place, other), NEW);
				assert.ok(reply.status < 500 && reply.json, `${path} ${place} ${JSON.stringify(other).slice(0, 50)}: ${reply.status} ${reply.text.slice(0, 300)}`);
				if (reply.status >= 400) assert.equal(reply.json.error ? reply.json.status : reply.status, reply.status, reply.text);
			}
		}
	}
	await isKept();
	for (const { name } of (await server.control('GET', '/indexes', undefined, NEW)).json.indexes) {
		if (!['dense', 'sparse', 'big', 'docs', 'embedded', 'chunks'].includes(name)) await server.control('DELETE', `/indexes/${name}`);
	}
});
await check('documents: paths', async () => {
	for (const path of ['/namespaces/documents/', '/namespaces/a/documents/', '/namespaces/a/documents/x', '/namespaces//documents/list', '/namespaces/%00/documents/list', '/namespaces/%/documents/list', '/namespaces/a/documents/list/x', '/namespaces/a/b/documents/list', '/records/', '/records/namespaces/', '/records/namespaces//upsert', '/records/namespaces/a', '/records/namespaces/%ff/search', '/documents/list']) {
		for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
			for (const host of [docs, dense, chunks]) {
				const reply = await raw(host.port, message(method, path, method === 'POST' ? '{}' : ''));
				assert.ok(status(reply) >= 200 && status(reply) < 500, `${method} ${path}: ${reply}`);
			}
		}
	}
	for (const path of ['/indexes//convert', '/indexes/%/convert', '/indexes/a/b/convert', '/conversion-jobs/', '/conversion-jobs/%', '/conversion-jobs//cancel', '/conversion-jobs/cancel', '/models/', '/models/%', '/embed/x', '/rerank/']) {
		for (const method of ['GET', 'POST', 'DELETE']) assert.ok(status(await raw(server.port, message(method, path, method === 'POST' ? '{}' : ''))) < 500, path);
	}
	await isKept();
});
await check(`${rounds} random queries of words`, async () => {
	const words = ['quick', 'brown', 'fox', 'title:', 'none:', 'AND', 'OR', 'NOT', '+', '-', '(', ')', '"', '~', '~1', '^', '^2', '*', '/', '/q.*/', '\\', '[', '}', ':', ' ', ' ', ' ', 'ü', '\u0000', '\ud83d\ude00', '{1,5}', '(a|b)*', 'x'.repeat(300)];
	const seen = {};
	for (let i = 0; i < rounds; i++) {
		const query = Array.from({ length: 1 + random(12) }, () => pick(words)).join('');
		const reply = await request('POST', `${docs.origin}/namespaces/kept/documents/search`, { score_by: [{ type: pick(['query_string', 'query_string', 'text']), query, ...(random(9) ? {} : { fields: ['title'] }) }], top_k: 3 }, NEW);
		seen[reply.status] = (seen[reply.status] ?? 0) + 1;
		assert.ok([200, 400].includes(reply.status) && reply.json, `${query}: ${reply.status} ${reply.text}`);
	}
	console.log(`# ${JSON.stringify(seen)}`);
	await isKept();
});

await check('the server ends well', async () => {
	await isKept();
	assert.equal(await server.stop(), 0);
});
await finish();
