// What the clients do not show: limits, error bodies, headers, faults, lag, TLS,
// the log, saving, options.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import http from 'node:http';
import { Server, KEY, check, directory, finish, request, run, sleep } from './harness.mjs';

const server = await Server.start('--log-body-limit', '1000000');
const host = await server.createIndex('dense', 3, 'euclidean');
const post = (path, body, headers) => request('POST', host + path, body, headers);
const get = (path, headers) => request('GET', host + path, undefined, headers);
const upsert = (vectors, namespace = '', to = host) => request('POST', `${to}/vectors/upsert`, { vectors, namespace });

async function invalid(path, body, message, code = 3, status = 400) {
	const reply = await post(path, body);
	assert.equal(reply.status, status, reply.text);
	assert.equal(reply.json.code, code);
	assert.deepEqual(reply.json.details, []);
	if (message instanceof RegExp) assert.match(reply.json.message, message);
	else assert.equal(reply.json.message, message);
}

// ---- Errors and limits ----

await check('three shapes of errors', async () => {
	assert.deepEqual((await post('/vectors/delete', { ids: ['a'], namespace: 'never' })).json, { code: 5, message: 'Namespace not found', details: [] });
	assert.deepEqual((await server.control('GET', '/indexes/none')).json, { error: { code: 'NOT_FOUND', message: 'Resource none not found' }, status: 404 });
	for (const url of [host + '/query', server.url + '/indexes']) {
		const reply = await request('POST', url, {}, { 'Api-Key': 'wrong' });
		assert.deepEqual([reply.status, reply.text], [401, 'Invalid API Key']);
		assert.match(reply.headers['content-type'], /^text\/plain/);
	}
});
await check('records that are not right', async () => {
	const v = [1, 2, 3];
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: [1, 2] }] }, 'Vector dimension 2 does not match the dimension of the index 3');
	await invalid('/vectors/upsert', { vectors: [{ id: 'é', values: v }] }, "Vector ID must be ASCII, but got 'é'");
	await invalid('/vectors/upsert', { vectors: [{ id: 'a\0b', values: v }] }, 'Vector ID must not contain null character');
	await invalid('/vectors/upsert', { vectors: [{ id: 'a'.repeat(513), values: v }] }, /at most 512/);
	await invalid('/vectors/upsert', { vectors: [{ id: '', values: v }] }, /must not be empty/);
	await invalid('/vectors/upsert', { vectors: [{ values: v }] }, /must not be empty/);
	await invalid('/vectors/upsert', { vectors: [{ id: 'z', values: [0, 1e-9, -1e-9] }] },
		"Dense vectors must contain at least one non-zero value. Vector ID 'z' contains only zeros");
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, metadata: { x: [1] } }] },
		"Metadata value must be a string, number, boolean or list of strings, got '[1]' for field 'x'");
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, metadata: { x: { y: 1 } } }] }, /got '\{"y":1\}' for field 'x'/);
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, metadata: { x: null } }] }, /got 'null' for field 'x'/);
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, metadata: { $x: 1 } }] }, "Metadata field '$x' cannot start with '$'");
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, metadata: { x: 'y'.repeat(41000) } }] },
		'Metadata size is 41008 bytes, which exceeds the limit of 40960 bytes per vector');
	await invalid('/vectors/upsert', { vectors: [{ id: 'a', values: v, mystery: 1 }] }, /Unknown field 'mystery'/);
	await invalid('/vectors/upsert', { vectors: [] }, /^Invalid request: .*at least one vector/);
	await invalid('/vectors/upsert', '{"vectors":[{"id":"a","values":[1,2,1e39]}]}', /a number that a float can hold/);
	await invalid('/vectors/upsert', '{"vectors":[{"id":"a","values":[1,2,NaN]}]}', /JSON/);
	await invalid('/vectors/upsert', '{"vectors":[', /JSON/);
	await invalid('/vectors/upsert', '', /JSON/);
	await invalid('/vectors/upsert', { vectors: Array.from({ length: 1001 }, (_, i) => ({ id: `${i}`, values: v })) }, /more than 1000/);
	await invalid('/vectors/upsert', ' '.repeat(2 << 20) + '{}', `Error, message length too large: found ${(2 << 20) + 2} bytes, the limit is: ${2 << 20} bytes`, 11);
	assert.equal((await post('/describe_index_stats', {})).json.totalVectorCount, 0, 'nothing of all this was stored');
});
await check('all or nothing', async () => {
	await invalid('/vectors/upsert', { namespace: 'all', vectors: [{ id: 'good', values: [1, 1, 1] }, { id: 'bad', values: [1] }] }, /dimension/);
	assert.deepEqual((await get('/vectors/list?namespace=all')).json.vectors, []);
});
await check('queries that are not right', async () => {
	const vector = [1, 2, 3];
	for (const topK of [0, -1, 10001, 1.5]) await invalid('/query', { vector, topK }, /topK/);
	await invalid('/query', { topK: 1 }, /'vector', 'sparseVector' or 'id'/);
	await invalid('/query', { topK: 1, vector, id: 'a' }, "Cannot provide both 'ID' and 'vector' at the same time");
	await invalid('/query', { topK: 1, sparseVector: { indices: [1], values: [1] }, id: 'a' }, "Cannot provide both 'ID' and 'sparse_vector' at the same time");
	await invalid('/query', { topK: 1, sparseVector: { indices: [1], values: [1] }, vector },
		'Index configuration does not support sparse values - only indexes that are sparse or using dotproduct are supported');
	await invalid('/query', { topK: 1, sparseVector: { indices: [1], values: [1] } }, "Cannot query index with dense 'vector_type' with only sparse vector");
	const sparse = await server.createIndex('sparse-errors', 0, 'dotproduct');
	for (const [body, message] of [
		[{ vector }, "Either 'sparse_vector' or 'ID' must be provided"],
		[{ vector, sparseVector: { indices: [1], values: [1] } }, 'Index configuration does not support dense values'],
	]) assert.equal((await request('POST', `${sparse}/query`, { topK: 1, ...body })).json.message, message);
	await invalid('/query', { topK: 1, vector: [1] }, 'Vector dimension 1 does not match the dimension of the index 3');
	await invalid('/query', { topK: 1, vector, queries: [] }, /Unknown field 'queries'/);
	await invalid('/query', { topK: 1, vector, filter: { a: null } }, 'illegal condition for field a, got null');
	await invalid('/query', { topK: 1, vector, filter: { a: { $gt: 'x' } } }, 'illegal condition for field a, got {"$gt":"x"}');
	await invalid('/query', { topK: 1, vector, filter: { a: ['x'] } }, /illegal condition for field a/);
	await invalid('/query', { topK: 1, vector, filter: { a: { $eq: ['x'] } } }, /illegal condition for field a/);
	await invalid('/query', { topK: 1, vector, filter: { $not: { a: 1 } } }, /illegal condition/);
	await invalid('/query', { topK: 1, vector, filter: { $or: [] } }, /illegal condition/);
	await invalid('/query', { topK: 1, vector, filter: { a: { $in: Array.from({ length: 10001 }, (_, i) => i) } } }, /exceeds the limit of 10000/);
	assert.equal((await post('/query', { topK: 1, vector, filter: {} })).status, 200);
	assert.equal((await post('/query', { topK: 1, vector: [0, 0, 0] })).status, 200);
	assert.equal((await post('/query', { top_k: 1, vector, include_metadata: true })).status, 200);
});
await check('other requests that are not right', async () => {
	await invalid('/vectors/fetch_by_metadata', { filter: {} }, 'Filter must not be empty');
	await invalid('/vectors/fetch_by_metadata', {}, 'Filter must not be empty');
	await invalid('/vectors/fetch_by_metadata', { filter: { a: 1 }, limit: 10001 }, /limit/);
	await invalid('/vectors/update', { id: 'a', filter: { a: 1 } }, /both 'id' and 'filter'/);
	await invalid('/vectors/update', { setMetadata: {} }, /'id' or 'filter'/);
	await invalid('/vectors/update', { filter: { a: 1 }, values: [1, 2, 3] }, /Updating by filter/);
	await invalid('/vectors/delete', { deleteAll: true, ids: ['a'] }, /one of/);
	await invalid('/vectors/delete', {}, /must contain/);
	await invalid('/vectors/delete', { filter: {} }, 'Filter must not be empty');
	await invalid('/vectors/delete', { ids: Array.from({ length: 1001 }, (_, i) => `${i}`) }, /at most 1000/);
	await invalid('/describe_index_stats', { filter: { a: 1 } }, 'Serverless and Starter indexes do not support describing index stats with metadata filtering');
	await invalid('/describe_index_stats', '', /JSON/);
	for (const [path, status] of [
		['/vectors/fetch', 400], ['/vectors/fetch?ids=', 400], ['/vectors/list?limit=0', 400], ['/vectors/list?limit=101', 400],
		['/vectors/list?limit=x', 400], ['/vectors/list?paginationToken=x', 400], ['/vectors/fetch?ids=%zz', 400], ['/nothing', 404], ['/query', 405],
		[`/vectors/fetch?ids=${'a'.repeat(16400)}`, 414], [`/vectors/fetch?${'ids=a&'.repeat(3500)}`, 414], [`/vectors/fetch?${'ids=a&'.repeat(20000)}`, 414],
	]) assert.equal((await get(path)).status, status, path);
	assert.equal((await get(`/vectors/fetch?${Array.from({ length: 1001 }, (_, i) => `ids=${i}`).join('&')}`)).status, 400);
});
await check('the reply limit of 4 MB', async () => {
	const wide = await server.createIndex('wide', 2000);
	const values = Array.from({ length: 2000 }, (_, i) => Math.fround(Math.sin(i + 1)));
	for (let from = 0; from < 300; from += 30) {
		const vectors = Array.from({ length: 30 }, (_, i) => ({ id: `v${from + i}`, values }));
		assert.equal((await upsert(vectors, '', wide)).status, 200);
	}
	const ids = Array.from({ length: 300 }, (_, i) => `v${i}`);
	const tooLong = /^Error, message length too large: found (6|7)\d{6} bytes, the limit is: 4194304 bytes$/;
	let reply = await request('GET', `${wide}/vectors/fetch?ids=${ids.join('&ids=')}`);
	assert.deepEqual([reply.status, reply.json.code], [400, 11]);
	assert.match(reply.json.message, tooLong);
	reply = await request('GET', `${wide}/vectors/fetch?ids=${ids.slice(0, 100).join('&ids=')}`);
	assert.equal(Object.keys(reply.json.vectors).length, 100);
	assert.deepEqual(reply.json.vectors.v7.values.map(Math.fround), values);
	reply = await request('POST', `${wide}/query`, { topK: 300, vector: values, includeValues: true });
	assert.match(reply.json.message, tooLong);
	reply = await request('POST', `${wide}/query`, { topK: 300, vector: values });
	assert.equal(reply.json.matches.length, 300);
	assert.deepEqual(reply.json.matches.map((m) => m.id), [...ids].sort(), 'equal scores come by id');
	await server.control('DELETE', '/indexes/wide');
});

// ---- What is right ----

await check('headers: request id, LSN, server', async () => {
	const first = await upsert([{ id: 'h', values: [1, 1, 1] }], 'lsn');
	const second = await post('/vectors/delete', { ids: ['h'], namespace: 'lsn' });
	const seen = await post('/query', { topK: 1, vector: [1, 1, 1], namespace: 'lsn' });
	assert.deepEqual([first.headers['x-pinecone-request-lsn'], second.headers['x-pinecone-request-lsn'], seen.headers['x-pinecone-max-indexed-lsn']], ['1', '2', '2']);
	assert.match(first.headers['x-pinecone-request-id'], /^\d+$/);
	assert.equal(first.headers.server, 'envoy');
	assert.equal(seen.headers['x-pinecone-request-lsn'], undefined);
});
await check('euclidean: squared distance, nearest first', async () => {
	await upsert([{ id: 'p', values: [1, 2, 3] }, { id: 'q', values: [4, 6, 3] }, { id: 'r', values: [1, 2, 4] }], 'euclid');
	const { matches } = (await post('/query', { topK: 3, vector: [1, 2, 3], namespace: 'euclid' })).json;
	assert.deepEqual(matches.map((m) => [m.id, m.score]), [['p', 0], ['r', 1], ['q', 25]]);
});
await check('hybrid: dense and sparse parts are added', async () => {
	const hybrid = await server.createIndex('hybrid', 2, 'dotproduct');
	await upsert([
		{ id: 'a', values: [1, 0], sparseValues: { indices: [3, 1], values: [2, 1] } },
		{ id: 'b', values: [0, 1] },
	], '', hybrid);
	const query = async (body) => (await request('POST', `${hybrid}/query`, { topK: 5, ...body })).json.matches.map((m) => [m.id, m.score]);
	assert.deepEqual(await query({ vector: [1, 2] }), [['b', 2], ['a', 1]]);
	assert.deepEqual(await query({ vector: [1, 2], sparseVector: { indices: [3, 9], values: [10, 1] } }), [['a', 21], ['b', 2]]);
	assert.deepEqual(await query({ id: 'a' }), [['a', 6], ['b', 0]]);
	const reply = await request('POST', `${hybrid}/vectors/upsert`, { vectors: [{ id: 'c', values: [1, 1], sparseValues: { indices: [1, 1], values: [1, 2] } }] });
	assert.equal(reply.status, 400);
	const { json } = await request('GET', `${hybrid}/vectors/fetch?ids=a`);
	assert.deepEqual(json.vectors.a.sparseValues, { indices: [1, 3], values: [1, 2] });
});
await check('exact search over many rows, with and without a filter', async () => {
	for (const metric of ['cosine', 'dotproduct', 'euclidean']) {
		const many = await server.createIndex(`many-${metric}`, 16, metric);
		let seed = 7;
		const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5;
		const rows = Array.from({ length: 30000 }, (_, i) => ({ id: `r${i}`, values: Array.from({ length: 16 }, () => Math.fround(random())), metadata: { n: i % 10 } }));
		for (let from = 0; from < rows.length; from += 1000) assert.equal((await upsert(rows.slice(from, from + 1000), '', many)).status, 200);
		const gone = rows.splice(100, 50);
		await request('POST', `${many}/vectors/delete`, { ids: gone.map((r) => r.id) });
		const vector = Array.from({ length: 16 }, random).map(Math.fround);
		const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
		const score = {
			cosine: (v) => dot(v, vector) / Math.sqrt(dot(v, v) * dot(vector, vector)),
			dotproduct: (v) => dot(v, vector),
			euclidean: (v) => -v.reduce((sum, x, i) => sum + (x - vector[i]) ** 2, 0),
		}[metric];
		for (const [filter, keep] of [[undefined, () => true], [{ n: { $in: [3, 4] } }, (r) => r.metadata.n === 3 || r.metadata.n === 4]]) {
			const expected = rows.filter(keep).map((r) => ({ id: r.id, score: score(r.values) })).sort((a, b) => b.score - a.score).slice(0, 200);
			const { matches } = (await request('POST', `${many}/query`, { topK: 200, vector, filter })).json;
			assert.equal(matches.length, 200);
			matches.forEach((m, i) => assert.ok(Math.abs(Math.abs(m.score) - Math.abs(expected[i].score)) < 1e-5, `${i}: ${m.score} ${expected[i].score}`));
			assert.ok(matches.filter((m, i) => m.id === expected[i].id).length >= 190);
		}
		await server.control('DELETE', `/indexes/many-${metric}`);
	}
});
await check('ids as they are', async () => {
	const ids = ['id/with/slashes', 'id.with.dots', 'id:colon', 'id@special!chars', 'id[brackets]', 'a b', 'a+b', '%41', '&=?#;', '"\\', '\x01\x7f', "'"];
	for (let c = 0x20; c < 0x7f; c++) ids.push(`x${String.fromCharCode(c)}`);
	assert.equal((await upsert(ids.map((id) => ({ id, values: [1, 1, 1] })), 'a b/u')).status, 200);
	const namespace = encodeURIComponent('a b/u');
	const reply = await get(`/vectors/fetch?namespace=${namespace}&ids=${ids.map(encodeURIComponent).join('&ids=')}`);
	assert.deepEqual(Object.keys(reply.json.vectors).sort(), [...ids].sort());
	for (const id of ids) assert.equal(reply.json.vectors[id].id, id);
	assert.equal((await get(`/namespaces/${namespace}`)).json.record_count, String(ids.length));
	const listed = [];
	for (let token = ''; token !== undefined;) {
		const page = (await get(`/vectors/list?namespace=${namespace}&limit=7${token && `&paginationToken=${encodeURIComponent(token)}`}`)).json;
		listed.push(...page.vectors.map((v) => v.id));
		token = page.pagination?.next;
	}
	assert.deepEqual(listed, [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
	assert.equal((await request('DELETE', `${host}/namespaces/${namespace}`)).status, 200);
	assert.equal((await get(`/namespaces/${namespace}`)).status, 404);
});
await check('metadata as it was', async () => {
	const metadata = { s: 'ünïcödé "quoted" \\ \n\t\u0001 😀', i: 2020, big: 9007199254740993, f: 0.1, tiny: 1e-7, huge: 1e300, neg: -0.5, t: true, f2: false, empty: '', list: [], two: ['a', 'b'], '': 'no name', 'a.b': 1, ü: 2 };
	await upsert([{ id: 'm', values: [1, 1, 1], metadata }], 'meta');
	const { text, json } = await get('/vectors/fetch?namespace=meta&ids=m');
	assert.deepEqual(json.vectors.m.metadata, metadata);
	assert.match(text, /"i":2020,/);
	await upsert([{ id: 'm', values: [1, 1, 1] }], 'meta');
	assert.equal((await get('/vectors/fetch?namespace=meta&ids=m')).json.vectors.m.metadata, undefined);
});
await check('the default namespace by all its names', async () => {
	await upsert([{ id: 'd', values: [1, 1, 1] }]);
	for (const query of ['', '&namespace=', '&namespace=__default__']) assert.ok((await get(`/vectors/fetch?ids=d${query}`)).json.vectors.d);
	assert.equal((await get('/vectors/fetch?ids=d')).json.namespace, '');
	assert.equal((await get('/vectors/fetch?ids=d&namespace=__default__')).json.namespace, '__default__');
	assert.equal((await get('/namespaces/__default__')).json.name, '__default__');
	assert.ok((await post('/describe_index_stats', {})).json.namespaces[''].vectorCount);
	await server.local('POST', 'settings', { default_namespace_key: '__default__' });
	assert.ok((await post('/describe_index_stats', {})).json.namespaces.__default__.vectorCount);
	await server.local('POST', 'settings', { default_namespace_key: '' });
});
await check('$ne and $nin on a missing field, both readings', async () => {
	await upsert([{ id: 'has', values: [1, 1, 1], metadata: { x: 1 } }, { id: 'other', values: [1, 1, 1], metadata: { x: 2 } }, { id: 'lacks', values: [1, 1, 1] }], 'ne');
	const ids = async (filter) => Object.keys((await post('/vectors/fetch_by_metadata', { namespace: 'ne', filter })).json.vectors);
	assert.deepEqual(await ids({ x: { $ne: 1 } }), ['lacks', 'other']);
	assert.deepEqual(await ids({ x: { $nin: [1] } }), ['lacks', 'other']);
	await server.local('POST', 'settings', { ne_missing: 'skip' });
	assert.deepEqual(await ids({ x: { $ne: 1 } }), ['other']);
	assert.deepEqual(await ids({ x: { $nin: [1] } }), ['other']);
	assert.deepEqual(await ids({ x: { $exists: false } }), ['lacks']);
	await server.local('POST', 'settings', { ne_missing: 'match' });
});
await check('update: merge, dry run, unknown ids', async () => {
	await upsert([{ id: 'u1', values: [1, 1, 1], metadata: { a: 'long enough', b: 1 } }, { id: 'u2', values: [1, 1, 1], metadata: { b: 1 } }], 'up');
	const one = async (id) => (await get(`/vectors/fetch?namespace=up&ids=${id}`)).json.vectors[id];
	assert.deepEqual((await post('/vectors/update', { namespace: 'up', id: 'u1', setMetadata: { a: 'x', c: ['l'] } })).json, {});
	assert.deepEqual((await one('u1')).metadata, { a: 'x', b: 1, c: ['l'] });
	assert.equal((await post('/vectors/update', { namespace: 'up', id: 'none', setMetadata: { a: 1 } })).status, 200);
	assert.equal(await one('none'), undefined);
	assert.deepEqual((await post('/vectors/update', { namespace: 'up', filter: { b: 1 }, setMetadata: { d: 1 }, dryRun: true })).json, { matchedRecords: 2 });
	assert.equal((await one('u2')).metadata.d, undefined);
	assert.deepEqual((await post('/vectors/update', { namespace: 'up', filter: { b: 1 }, setMetadata: { d: 1 } })).json, { matchedRecords: 2 });
	assert.equal((await one('u2')).metadata.d, 1);
	await post('/vectors/update', { namespace: 'up', id: 'u1', values: [4, 5, 6] });
	assert.deepEqual((await one('u1')).values, [4, 5, 6]);
	assert.equal((await post('/query', { namespace: 'up', topK: 1, vector: [4, 5, 6] })).json.matches[0].id, 'u1');
	assert.equal((await post('/vectors/update', { namespace: 'up', id: 'u1', setMetadata: { z: 'y'.repeat(40950) } })).status, 400);
});
await check('what is absent, null or empty counts as not given', async () => {
	await upsert([{ id: 'a', values: [1, 2, 3], sparseValues: null, metadata: null }, { id: 'a', values: [3, 2, 1], metadata: {} }], 'odd');
	const { vectors } = (await get('/vectors/fetch?ids=a&ids=a&namespace=odd')).json;
	assert.deepEqual(Object.keys(vectors), ['a']);
	assert.deepEqual(vectors.a.values, [3, 2, 1], 'the last of two with the same id');
	for (const body of [
		{ vector: [1, 2, 3], topK: 1.0, filter: null, id: null, sparseVector: null, includeValues: null, includeMetadata: null },
		{ vector: [1, 2, 3], top_k: 1, id: '', filter: {} },
		{ vector: [], topK: 1, id: 'a' },
	]) {
		const { matches, results, namespace } = (await post('/query', { ...body, namespace: 'odd' })).json;
		assert.deepEqual([matches.map((m) => [m.id, m.values]), results, namespace], [[['a', []]], [], 'odd']);
	}
	await invalid('/query', { vector: [1, 2, 3] }, /topK/);
	await invalid('/query', { vector: [1, 2, 3], topK: null }, /topK/);
	assert.deepEqual((await post('/vectors/update', { id: 'a', values: [], setMetadata: { b: 'ü 🎬' }, filter: null, namespace: 'odd' })).json, {});
	assert.deepEqual((await post('/vectors/update', { filter: { b: 'ü 🎬' }, id: '', dry_run: true, namespace: 'odd' })).json, { matchedRecords: 1 });
	const page = (await post('/vectors/fetch_by_metadata', { filter: { b: 'ü 🎬' }, limit: null, paginationToken: '', namespace: 'odd' })).json;
	assert.deepEqual([Object.keys(page.vectors), page.pagination], [['a'], undefined]);
	assert.deepEqual((await post('/vectors/delete', { ids: ['unknown'], deleteAll: false, filter: null, namespace: 'odd' })).json, {});
	await invalid('/vectors/delete', { ids: [], namespace: 'odd' }, /must contain/);
	assert.deepEqual((await post('/vectors/delete', { ids: [], deleteAll: true, namespace: 'odd' })).json, {});
	assert.deepEqual((await get('/vectors/list?namespace=odd&prefix=&paginationToken=')).json.vectors, []);
});
await check('a token is for what it continues', async () => {
	await upsert(['t1', 't2', 't3'].map((id) => ({ id, values: [1, 1, 1] })), 'tokens');
	const { pagination } = (await get('/vectors/list?namespace=tokens&limit=1')).json;
	assert.equal((await get(`/vectors/list?namespace=other&limit=1&paginationToken=${encodeURIComponent(pagination.next)}`)).status, 400);
});
await check('a namespace with a schema', async () => {
	assert.equal((await post('/namespaces', { name: 'declared', schema: { fields: { genre: { filterable: true } } } })).status, 200);
	assert.equal((await post('/namespaces', { name: 'declared' })).status, 409);
	assert.equal((await post('/namespaces', { name: '__default__' })).status, 400);
	await invalid('/namespaces', { name: 'bad', schema: { fields: { a: { filterable: false } } } }, "Field 'a' is set to filterable: false. Only filterable: true is supported.");
	await upsert([{ id: 's', values: [1, 1, 1], metadata: { genre: 'x', other: 1 } }], 'declared');
	assert.equal((await post('/query', { namespace: 'declared', topK: 1, vector: [1, 1, 1], filter: { genre: 'x' } })).json.matches.length, 1);
	assert.equal((await post('/query', { namespace: 'declared', topK: 1, vector: [1, 1, 1], filter: { other: 1 } })).status, 400);
	assert.equal((await post('/describe_index_stats', {})).json.namespaces.declared.vectorCount, 1);
	assert.deepEqual((await get('/namespaces/declared')).json.indexed_fields, { fields: ['genre'] });
	const page = (await get('/namespaces?limit=2')).json;
	assert.equal(page.namespaces.length, 2);
	assert.ok(page.total_count > 2);
	const rest = (await get(`/namespaces?limit=100&paginationToken=${encodeURIComponent(page.pagination.next)}`)).json;
	assert.equal(rest.namespaces.length, page.total_count - 2);
	assert.equal((await get('/namespaces?prefix=decl')).json.total_count, 1);
});

// ---- Control plane ----

await check('index descriptions of both forms', async () => {
	const old = (await server.control('GET', '/indexes/dense')).json;
	assert.deepEqual([old.dimension, old.metric, old.vector_type, old.schema], [3, 'euclidean', 'dense', undefined]);
	const now = (await server.control('GET', '/indexes/dense', undefined, { 'X-Pinecone-Api-Version': '2026-07' })).json;
	assert.deepEqual([now.dimension, now.spec, now.schema.fields], [undefined, undefined, { _values: { type: 'dense_vector', dimension: 3, metric: 'euclidean' }, _sparse_values: { type: 'sparse_vector' } }]);
	const made = await server.control('POST', '/indexes', { name: 'new-form', schema: { fields: { _values: { type: 'dense_vector', dimension: 4, metric: 'dotproduct' }, _sparse_values: { type: 'sparse_vector' } } } }, { 'X-Pinecone-Api-Version': '2026-07' });
	assert.equal(made.status, 201, made.text);
	assert.equal((await server.control('GET', '/indexes/new-form')).json.dimension, 4);
	assert.equal((await server.control('DELETE', '/indexes/new-form')).status, 202);
	const declared = await server.control('POST', '/indexes', { name: 'declared', dimension: 2, spec: { serverless: { cloud: 'aws', region: 'us-east-1', schema: { fields: { genre: { filterable: true } } } } } });
	assert.deepEqual(declared.json.spec.serverless.schema, { fields: { genre: { filterable: true } } });
	const { schema } = (await server.control('GET', '/indexes/declared', undefined, { 'X-Pinecone-Api-Version': '2026-07' })).json;
	assert.deepEqual(schema.fields, { _values: { type: 'dense_vector', dimension: 2, metric: 'cosine' }, _sparse_values: { type: 'sparse_vector' }, genre: { filterable: true } });
});
await check('indexes that are not right', async () => {
	const spec = { serverless: { cloud: 'aws', region: 'us-east-1' } };
	for (const [body, status, message] of [
		[{ name: 'Bad_Name', dimension: 3, spec }, 400, /^Index name must contain only lowercase/],
		[{ name: 'x'.repeat(46), dimension: 3, spec }, 400, /45/],
		[{ name: 'x', dimension: 0, spec }, 400, /Dimension/],
		[{ name: 'x', dimension: 20001, spec }, 400, /Dimension/],
		[{ name: 'x', spec }, 422, /missing field `dimension`/],
		[{ dimension: 3, spec }, 422, /missing field `name`/],
		[{ name: 'x', dimension: 3 }, 422, /missing field `spec`/],
		[{ name: 'x', dimension: 3, metric: 'hamming', spec }, 400, /Metric/],
		[{ name: 'x', dimension: 3, vector_type: 'sparse', spec }, 400, /^dimension should not be specified for sparse indexes$/],
		[{ name: 'x', metric: 'cosine', vector_type: 'sparse', spec }, 400, /^Sparse vector indexes must use the metric dotproduct\.$/],
		[{ name: 'x', dimension: 3, spec: { serverless: { cloud: 'aws', region: 'mars' } } }, 404, /mars/],
		[{ name: 'x', dimension: 3, spec: { serverless: { ...spec.serverless, source_collection: 'snap' } } }, 400, /^Resource snap not found$/],
		[{ name: 'x', dimension: 3, spec: { pod: { environment: 'e', pod_type: 'p1.x1', source_collection: 'snap' } } }, 400, /^Resource snap not found$/],
		[{ name: 'x', dimension: 3, spec: { pod: { environment: 'e', pod_type: 'p1.x1' } } }, 400, /no pods/],
		[{ name: 'x', metric: 'dotproduct', vector_type: 'sparse', spec: { pod: {} } }, 400, /^Sparse vector type is not supported for pod indexes$/],
		[{ name: 'dense', dimension: 3, spec }, 409, /^Resource already exists$/],
	]) {
		const reply = await server.control('POST', '/indexes', body);
		assert.equal(reply.status, status, reply.text);
		assert.match(reply.json.error.message, message);
		assert.equal(reply.json.status, status);
	}
});
await check('changes of indexes that are not right', async () => {
	for (const [body, status, message] of [
		[{ dimension: 4 }, 400, /cannot be changed/],
		[{ embed: { model: 'm', field_map: { text: 't' } } }, 400, /has no model/],
		[{ spec: { pod: { replicas: 2 } } }, 400, /not supported for serverless/],
		[{ deletion_protection: 'maybe' }, 400, /enabled, disabled/],
		[{ tags: { a: 1 } }, 422, /tags/],
		[{ spec: { serverless: { read_capacity: { mode: 'Some' } } } }, 400, /OnDemand, Dedicated/],
		[{ spec: { serverless: { read_capacity: { mode: 'Dedicated' } } } }, 422, /missing field `dedicated`/],
		[{ spec: { serverless: { read_capacity: 'OnDemand' } } }, 422, /read_capacity/],
	]) {
		const reply = await server.control('PATCH', '/indexes/dense', body);
		assert.equal(reply.status, status, reply.text);
		assert.match(reply.json.error.message, message);
	}
});
await check('tags that are none', async () => {
	const made = await server.control('POST', '/indexes', { name: 'untagged', dimension: 2, tags: {}, spec: { serverless: { cloud: 'aws', region: 'us-east-1' } } });
	assert.deepEqual([made.status, made.json.tags], [201, null]);
});
await check('what this server does not have', async () => {
	for (const [method, path, status, body] of [
		['GET', '/collections', 200], ['GET', '/collections/x', 404], ['DELETE', '/collections/x', 404],
		['POST', '/collections', 400, { name: 'x', source: 'dense' }], ['POST', '/collections', 404, { name: 'x', source: 'none' }],
		['POST', '/collections', 422, { name: 'x' }],
		['GET', '/models', 200], ['GET', '/models/x', 404], ['POST', '/embed', 404, { model: 'x' }], ['POST', '/rerank', 404, { model: 'x' }],
		['POST', '/indexes/create-for-model', 404, { name: 'x', embed: { model: 'm' } }], ['POST', '/indexes/create-for-model', 422, { name: 'x' }],
		['POST', '/indexes/create-for-model', 400, 'text'],
	]) {
		const reply = await server.control(method, path, body);
		assert.equal(reply.status, status, `${method} ${path}: ${reply.text}`);
		if (status >= 400) assert.deepEqual([reply.json.status, typeof reply.json.error.message], [status, 'string']);
	}
	for (const [method, path, status, body] of [
		['GET', '/bulk/imports', 200], ['GET', '/bulk/imports/1', 404], ['DELETE', '/bulk/imports/1', 404], ['POST', '/bulk/imports', 400, { uri: 's3://x' }],
		['GET', '/namespace-aliases', 404], ['POST', '/namespaces/a%2Fb/documents/search', 400, {}], ['POST', '/records/namespaces/a/search', 400, {}],
	]) {
		const reply = await request(method, host + path, body);
		assert.equal(reply.status, status, `${method} ${path}: ${reply.text}`);
	}
	assert.equal((await post('/records/namespaces/a/upsert', {})).json.error.message, 'Integrated inference is not configured for this index');
});
await check('a deleted index is gone, on open connections too', async () => {
	const gone = await server.createIndex('gone', 2);
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const ask = () => request('POST', `${gone}/describe_index_stats`, {}, {}, { agent });
	assert.equal((await ask()).status, 200);
	assert.equal((await server.control('DELETE', '/indexes/gone')).status, 202);
	await assert.rejects(ask());
	await assert.rejects(ask(), { code: 'ECONNREFUSED' });
	assert.equal((await server.control('GET', '/indexes/gone')).status, 404);
	agent.destroy();
});

// ---- Faults, lag, latency, the log ----

const fault = (f) => server.local('POST', 'faults', f);
const stats = () => post('/describe_index_stats', {});

await check('faults: status, with and without Retry-After', async () => {
	await fault({ path: '/describe_index_stats', kind: 'status', status: 429, retry_after: 3, count: 2, skip: 1 });
	const seen = [];
	for (let i = 0; i < 4; i++) seen.push(await stats());
	assert.deepEqual(seen.map((r) => r.status), [200, 429, 429, 200]);
	assert.equal(seen[1].headers['retry-after'], '3');
	assert.equal(seen[1].json.code, 8);
	await fault({ path: '/describe_index_stats', status: 503, body: 'upstream <html>', content_type: 'text/html' });
	const html = await stats();
	assert.deepEqual([html.status, html.text, html.headers['retry-after'], html.headers['content-type']], [503, 'upstream <html>', undefined, 'text/html']);
});
await check('faults: by prefix, method, index; listed, cleared', async () => {
	const other = await server.createIndex('other', 2);
	await fault([{ path: '/vectors/', method: 'GET', index: 'dense', status: 500, count: -1 }]);
	assert.equal((await get('/vectors/list')).status, 500);
	assert.equal((await get('/vectors/fetch?ids=a')).status, 500);
	assert.equal((await upsert([{ id: 'x', values: [1, 1, 1] }])).status, 200);
	assert.equal((await request('GET', `${other}/vectors/list`)).status, 200);
	const { faults } = await server.local('GET', 'faults');
	assert.deepEqual([faults.length, faults[0].met, faults[0].count], [1, 2, -1]);
	assert.equal((await request('POST', `${other}/_local/faults`, { path: '/query', status: 502 })).status, 200);
	assert.equal((await server.local('GET', 'faults')).faults[1].index, 'other');
	await server.local('DELETE', 'faults');
	assert.equal((await get('/vectors/list')).status, 200);
	for (const wrong of [{}, { kind: 'nonsense' }, { kind: 'status' }, { status: 500, count: 0 }, { status: 500, typo: 1 }, 7]) {
		assert.equal((await server.control('POST', '/_local/faults', wrong)).status, 400, JSON.stringify(wrong));
	}
	await server.control('DELETE', '/indexes/other');
});
await check('faults: close and close after', async () => {
	const count = async () => (await stats()).json.namespaces.closed?.vectorCount ?? 0;
	await fault({ path: '/vectors/upsert', kind: 'close' });
	await assert.rejects(upsert([{ id: 'c', values: [1, 1, 1] }], 'closed'));
	assert.equal(await count(), 0);
	await fault({ path: '/vectors/upsert', kind: 'close_after' });
	await assert.rejects(upsert([{ id: 'c', values: [1, 1, 1] }], 'closed'));
	assert.equal(await count(), 1);
});
await check('faults: truncate, garbage, content type', async () => {
	await fault({ path: '/describe_index_stats', kind: 'truncate' });
	await assert.rejects(stats());
	await fault({ path: '/describe_index_stats', kind: 'truncate', bytes: 0 });
	await assert.rejects(stats());
	await fault({ path: '/describe_index_stats', kind: 'garbage' });
	const garbage = await stats();
	assert.deepEqual([garbage.status, garbage.json], [200, undefined]);
	await fault({ path: '/describe_index_stats', kind: 'content_type' });
	const html = await stats();
	assert.match(html.headers['content-type'], /^text\/html/);
	assert.ok(html.json.namespaces);
});
await check('faults: a delay and a drip hold up nobody else', async () => {
	await fault({ path: '/describe_index_stats', kind: 'delay', delay_ms: 1000, count: 20 });
	const start = Date.now();
	let over = false;
	const delayed = Promise.all(Array.from({ length: 20 }, stats)).finally(() => { over = true; });
	await sleep(50);
	await get('/vectors/list');
	assert.ok(!over);
	assert.ok((await delayed).every((r) => r.status === 200));
	assert.ok(Date.now() - start >= 1000 && Date.now() - start < 10000, `${Date.now() - start}`);
	await fault({ path: '/describe_index_stats', kind: 'drip', bytes: 20, interval_ms: 200, count: 3 });
	const dripping = Date.now();
	over = false;
	const drips = Promise.all([stats(), stats(), stats()]).finally(() => { over = true; });
	for (let i = 0; i < 10; i++) await get('/vectors/list');
	assert.ok(!over);
	for (const reply of await drips) assert.ok(reply.json.namespaces, reply.text);
	assert.ok(Date.now() - dripping >= 1000);
});
await check('latency: any number of requests wait together', async () => {
	await server.local('POST', 'settings', { latency: 50 });
	const start = Date.now();
	await Promise.all(Array.from({ length: 200 }, stats));
	const took = Date.now() - start;
	// one after the other they would take ten seconds
	assert.ok(took >= 50 && took < 5000, `${took} ms`);
	await server.local('POST', 'settings', { latency: 0 });
});
await check('lag: writes are seen later, and the LSN follows', async () => {
	await server.local('POST', 'settings', { lag: 300 });
	const written = await upsert([{ id: 'l', values: [1, 1, 1] }], 'lag');
	const lsn = Number(written.headers['x-pinecone-request-lsn']);
	const query = () => post('/query', { namespace: 'lag', topK: 1, vector: [1, 1, 1] });
	let seen = await query();
	assert.deepEqual(seen.json.matches, []);
	assert.ok(Number(seen.headers['x-pinecone-max-indexed-lsn']) < lsn);
	assert.deepEqual((await get('/vectors/fetch?namespace=lag&ids=l')).json.vectors, {});
	assert.deepEqual((await get('/vectors/list?namespace=lag')).json.vectors, []);
	assert.equal((await stats()).json.namespaces.lag, undefined);
	await sleep(350);
	seen = await query();
	assert.equal(seen.json.matches.length, 1);
	assert.equal(Number(seen.headers['x-pinecone-max-indexed-lsn']), lsn);
	await server.local('POST', 'settings', { lag: 100000 });
	await post('/vectors/delete', { namespace: 'lag', ids: ['l'] });
	await upsert([{ id: 'm', values: [1, 1, 1] }], 'lag');
	assert.equal((await query()).json.matches[0].id, 'l');
	await server.local('POST', 'settings', { lag: 0 });
	assert.equal((await query()).json.matches[0].id, 'm');
});
await check('text that is not UTF-8, and a body that is cut', async () => {
	await server.local('POST', 'settings', { log_body_limit: 10 });
	assert.equal((await request('POST', `${host}/query`, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 1]))).status, 400);
	assert.equal((await get('/vectors/fetch?ids=%ff%00')).json.code, 3);
	await post('/query', { topK: 1, vector: [1, 2, 3] });
	const { requests } = await server.local('GET', 'requests');
	assert.deepEqual([requests.at(-1).body_cut, requests.at(-1).body, requests.at(-1).body_bytes], [true, '{"topK":1,', 27]);
	assert.equal(requests.at(-3).body[2], '\ufffd');
	await server.local('POST', 'settings', { log_body_limit: 1000000 });
});
await check('the log of requests', async () => {
	await server.local('DELETE', 'requests');
	await get('/vectors/fetch?ids=a%20b&ids=c&namespace=x');
	await post('/query', '{"topK":1, "vector":[1,2,3.50]}');
	await request('POST', `${host}/query`, 'no json', { 'Api-Key': 'wrong' });
	await fault({ path: '/vectors/list', kind: 'close' });
	await assert.rejects(get('/vectors/list'));
	const { requests } = await server.local('GET', 'requests');
	assert.equal(requests.length, 4);
	assert.deepEqual([requests[0].method, requests[0].path, requests[0].query], ['GET', '/vectors/fetch', 'ids=a%20b&ids=c&namespace=x']);
	assert.deepEqual(requests[0].params, { ids: ['a b', 'c'], namespace: ['x'] });
	assert.deepEqual(requests[1].body, { topK: 1, vector: [1, 2, 3.5] });
	assert.deepEqual([requests[1].key.accepted, requests[1].index, requests[1].version, requests[1].status], [true, 'dense', '2025-10', 200]);
	assert.deepEqual([requests[2].body, requests[2].key.accepted, requests[2].status], ['no json', false, 401]);
	assert.equal(requests[3].status, 0);
	assert.ok(requests.every((r, i) => i === 0 || r.number === requests[i - 1].number + 1));
	assert.ok(!JSON.stringify(requests).includes(KEY));
	assert.deepEqual(await server.local('GET', 'requests?count=1'),
		{ count: 4, paths: { 'GET /vectors/fetch': 1, 'POST /query': 2, 'GET /vectors/list': 1 } });
	assert.equal((await request('GET', `${host}/_local/requests`)).json.requests.length, 4);
});
await check('rate limits', async () => {
	await server.local('POST', 'settings', { rate_limits: 0.02 });
	const replies = [];
	for (let i = 0; i < 30; i++) replies.push(await post('/query', { topK: 1, vector: [1, 1, 1], namespace: 'kb' }));
	const limited = replies.find((r) => r.status === 429);
	assert.match(limited.json.message, /^Request failed\. You've reached the (query QPS limit for namespace kb \(2 QPS\)|max query read units per second for index dense)\./);
	assert.equal(limited.json.code, 8);
	await server.local('POST', 'settings', { rate_limits: 0 });
	assert.equal((await server.control('POST', '/_local/settings', { lag: -1 })).status, 400);
});
await check('many connections at once', async () => {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 300 });
	const replies = await Promise.all(Array.from({ length: 3000 }, (_, i) =>
		request('POST', `${host}/query`, { topK: 3, vector: [i, 1, 1] }, {}, { agent })));
	assert.ok(replies.every((r) => r.status === 200));
	agent.destroy();
});
await check('a request in pieces, and one that is broken off', async () => {
	const { port } = new URL(host);
	const socket = net.connect(Number(port), '127.0.0.1');
	const body = JSON.stringify({ vectors: [{ id: 'piece', values: [1, 2, 3] }] });
	const head = `POST /vectors/upsert HTTP/1.1\r\nHost: x\r\nApi-Key: ${KEY}\r\nContent-Length: ${body.length}\r\n\r\n`;
	let reply = '';
	socket.on('data', (data) => (reply += data));
	for (const c of head + body) {
		socket.write(c);
		await new Promise(setImmediate);
	}
	for (let i = 0; i < 100 && !reply.includes('upsertedCount'); i++) await sleep(10);
	assert.match(reply, /^HTTP\/1.1 200 OK\r\n[^]*\{"upsertedCount":1\}$/);
	socket.write(head + body.slice(0, 10));
	await sleep(20);
	socket.destroy();
	assert.equal((await stats()).status, 200);
});

// ---- Starting, ending, saving, TLS ----

await check('options: help, and what is wrong', async () => {
	const help = await run('--help');
	assert.equal(help.status, 0);
	for (const word of ['--port', '--lag', '/_local/faults', '/_local/requests', 'close_after']) assert.ok(help.stdout.includes(word), word);
	for (const options of [[], ['--port', '1'], ['--port', 'x', '--api-key', 'k'], ['--no-such'], ['--port', '0', '--api-key', 'k', 'extra'],
		['--port', '0', '--api-key', 'k', '--index', 'a:b:c'], ['--port', '0', '--api-key', 'k', '--ne-missing', 'perhaps'], ['--port', '0', '--api-key', 'k', '--tls-cert', 'x']]) {
		const { status, stderr } = await run(...options);
		assert.equal(status, 2, options.join(' '));
		assert.match(stderr, /--help/);
	}
	const missing = await run('--port', '0', '--api-key', 'k', '--load', '/no/such/file');
	assert.equal(missing.status, 1);
	assert.match(missing.stderr, /could not open "\/no\/such\/file"/);
});
await check('store: what was there is there again', async () => {
	const file = join(directory, 'store.jsonl');
	let s = await Server.start('--store', file, '--index', 'kept:3:cosine', '--index', 'thin:0:dotproduct:sparse');
	let kept = await s.host('kept');
	await upsert([{ id: 'a"b', values: [0.1, 0.2, 0.3], metadata: { x: 'é', n: 1.5 } }], 'ns', kept);
	await upsert([{ id: 's', sparseValues: { indices: [4294967295], values: [0.5] } }], '', await s.host('thin'));
	await request('POST', `${kept}/namespaces`, { name: 'empty', schema: { fields: { g: { filterable: true } } } });
	await s.local('POST', 'save');
	assert.ok(readFileSync(file, 'utf8').includes('a\\"b'));
	await s.control('POST', '/indexes', { name: 'made', dimension: 2, metric: 'euclidean', tags: { a: 'b' },
		spec: { serverless: { cloud: 'gcp', region: 'us-central1', schema: { fields: { g: { filterable: true } } } } } });
	const before = (await s.control('GET', '/indexes/made')).json;
	await upsert([{ id: 'later', values: [1, 1, 1] }], 'ns', kept);
	assert.equal(await s.stop(), 0);
	s = await Server.start('--store', file);
	kept = await s.host('kept');
	const { vectors } = (await request('GET', `${kept}/vectors/fetch?namespace=ns&ids=a%22b&ids=later`)).json;
	assert.deepEqual(vectors['a"b'], { id: 'a"b', values: [0.1, 0.2, 0.3], metadata: { x: 'é', n: 1.5 } });
	assert.ok(vectors.later);
	assert.deepEqual({ ...(await s.control('GET', '/indexes/made')).json, host: '' }, { ...before, host: '' });
	assert.equal((await request('POST', `${await s.host('made')}/query`, { topK: 1, vector: [1, 1], filter: { other: 1 } })).status, 400);
	assert.deepEqual((await request('GET', `${kept}/namespaces/empty`)).json.schema, { fields: { g: { filterable: true } } });
	assert.deepEqual((await request('GET', `${await s.host('thin')}/vectors/fetch?ids=s`)).json.vectors.s.sparseValues, { indices: [4294967295], values: [0.5] });
	assert.equal(await s.stop(), 0);
	writeFileSync(file, '{"index":"kept","dimension":3,"metric":"cosine"}\n{"index":"kept","id":"a","values":[1]}\n');
	const bad = await run('--port', '0', '--api-key', 'k', '--load', file);
	assert.equal(bad.status, 1);
	assert.match(bad.stderr, /line 2: Vector dimension 1 does not match/);
});
await check('several keys, lag, ready delay, keep-alive from the command line', async () => {
	const s = await Server.start('--api-key', 'second', '--lag', '150', '--ready-delay', '200', '--keepalive-max', '2', '--index', 'i:2:cosine', '--default-namespace-key', '__default__');
	assert.equal((await s.control('GET', '/indexes', undefined, { 'Api-Key': 'second' })).status, 200);
	const made = await s.control('POST', '/indexes', { name: 'slow', dimension: 2, spec: { serverless: { cloud: 'aws', region: 'us-east-1' } } });
	assert.deepEqual(made.json.status, { ready: false, state: 'Initializing' });
	const h = await s.host('i');
	await upsert([{ id: 'a', values: [1, 1] }], '', h);
	assert.equal((await request('POST', `${h}/describe_index_stats`, {})).json.totalVectorCount, 0);
	await sleep(250);
	assert.deepEqual((await request('POST', `${h}/describe_index_stats`, {})).json.namespaces, { __default__: { vectorCount: 1 } });
	assert.deepEqual((await s.control('GET', '/indexes/slow')).json.status, { ready: true, state: 'Ready' });
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const kept = [];
	for (let i = 0; i < 4; i++) kept.push((await request('GET', `${s.url}/indexes`, undefined, {}, { agent })).headers.connection);
	assert.deepEqual(kept.map((c) => c === 'close'), [false, true, false, true]);
	agent.destroy();
	assert.equal(await s.stop(), 0);
});
await check('TLS', async () => {
	const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost',
		'-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
	const s = await Server.start('--tls-cert', cert, '--tls-key', key, '--index', 'safe:2:cosine');
	const ca = readFileSync(cert);
	const ask = (method, url, body) => request(method, url, body, {}, { ca });
	const { json } = await ask('GET', `${s.url}/indexes/safe`);
	assert.match(json.host, /^localhost:\d+$/);
	const safe = `https://${json.host}`;
	const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => ask('POST', `${safe}/vectors/upsert`, { vectors: [{ id: `${i}`, values: [1, i] }] })));
	assert.ok(replies.every((r) => r.status === 200));
	assert.equal((await ask('POST', `${safe}/query`, { topK: 50, vector: [1, 1] })).json.matches.length, 50);
	await ask('POST', `${s.url}/_local/faults`, { kind: 'drip', path: '/query', bytes: 100, interval_ms: 5 });
	assert.equal((await ask('POST', `${safe}/query`, { topK: 5, vector: [1, 1] })).json.matches.length, 5);
	await ask('POST', `${s.url}/_local/faults`, { kind: 'close', path: '/query' });
	await assert.rejects(ask('POST', `${safe}/query`, { topK: 5, vector: [1, 1] }));
	await assert.rejects(request('GET', `${s.url}/indexes`), /self-signed|certificate/);
	assert.equal(await s.stop(), 0);
	const bad = await run('--port', '0', '--api-key', 'k', '--tls-cert', key, '--tls-key', cert);
	assert.notEqual(bad.status, 0);
});
await check('a port that is taken', async () => {
	const { status, stderr } = await run('--port', String(server.port), '--api-key', 'k');
	assert.equal(status, 1);
	assert.match(stderr, /could not listen/);
	assert.ok(!existsSync(join(directory, 'none')));
});
await check('a clean end with requests on their way', async () => {
	const s = await Server.start('--index', 'i:2:cosine');
	const h = await s.host('i');
	await s.local('POST', 'faults', [{ kind: 'delay', delay_ms: 60000, path: '/describe_index_stats' }, { kind: 'drip', bytes: 1, interval_ms: 10000, path: '/query' }]);
	const waiting = Promise.allSettled([request('POST', `${h}/describe_index_stats`, {}), request('POST', `${h}/query`, { topK: 1, vector: [1, 1] })]);
	await sleep(100);
	assert.equal(await s.stop(), 0);
	await waiting;
});
await check('a clean end', async () => assert.equal(await server.stop(), 0));
await finish();
