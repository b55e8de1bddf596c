// Document indexes: schemas, documents, searches, and what is refused.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, check, directory, finish, request, run, sleep } from './harness.mjs';

const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const server = await Server.start();
const control = (method, path, body, headers = NEW) => server.control(method, path, body, headers);

async function create(name, fields, more = {}) {
	const reply = await control('POST', '/indexes', { name, schema: { fields }, ...more });
	assert.equal(reply.status, 201, reply.text);
	return reply.json.host;
}
const call = (host, operation, body, namespace = 'ns', headers = NEW) => request('POST', `${host}/namespaces/${encodeURIComponent(namespace)}/documents/${operation}`, body, headers);
async function good(host, operation, body, namespace) {
	const reply = await call(host, operation, body, namespace);
	assert.equal(reply.status, ['search', 'fetch', 'list'].includes(operation) ? 200 : 202, reply.text);
	return reply.json;
}
async function bad(host, operation, body, message, status = 400) {
	const reply = await call(host, operation, body);
	assert.equal(reply.status, status, `${JSON.stringify(body)?.slice(0, 200)}: ${reply.text}`);
	assert.equal(reply.json.status, status);
	assert.match(reply.json.error.message, message);
	if (status === 400) assert.equal(reply.json.error.code, 'INVALID_ARGUMENT');
}
const ids = (json) => json.matches.map((m) => m._id);
const assume = (assume) => server.local('POST', 'settings', { assume });
const text = { type: 'string', full_text_search: {} };

// ---- Schemas ----

const fields = {
	title: text,
	body: { type: 'string', full_text_search: { language: 'english', stemming: true, stop_words: true }, description: 'what it says' },
	embedding: { type: 'dense_vector', dimension: 3, metric: 'cosine' },
	terms: { type: 'sparse_vector' },
};
const host = await create('articles', fields, { tags: { a: 'b' } });

await check('a document index is described with its schema', async () => {
	const { json } = await control('GET', '/indexes/articles');
	assert.deepEqual(json.schema.fields, {
		title: { type: 'string', description: null, full_text_search: { language: 'en', stemming: false, stop_words: false } },
		body: { type: 'string', description: 'what it says', full_text_search: { language: 'en', stemming: true, stop_words: true } },
		embedding: { type: 'dense_vector', description: null, dimension: 3, metric: 'cosine' },
		terms: { type: 'sparse_vector', description: null },
	});
	assert.deepEqual(json.deployment, { deployment_type: 'managed', cloud: 'aws', region: 'us-east-1' });
	assert.deepEqual([json.dimension, json.metric, json.spec, json.tags, json.status.ready], [undefined, undefined, undefined, { a: 'b' }, true]);
	assert.ok((await control('GET', '/indexes')).json.indexes.some((i) => i.schema.fields.title));
	// What older versions answer nobody knows
	assert.ok((await control('GET', '/indexes/articles', undefined, {})).json.schema.fields.title);
	await assume({ 'old-versions': 'hidden' });
	assert.equal((await control('GET', '/indexes/articles', undefined, {})).status, 404);
	assert.equal((await control('GET', '/indexes', undefined, {})).json.indexes.length, 0);
	await assume({ 'old-versions': 'shown' });
});
await check('a name is made where none is given, and a configuration answers 200', async () => {
	const made = await control('POST', '/indexes', { schema: { fields: { t: text } } });
	assert.match(made.json.name, /^index-/);
	const changed = await control('PATCH', `/indexes/${made.json.name}`, { tags: { x: 'y' }, deletion_protection: 'enabled' });
	assert.deepEqual([changed.status, changed.json.tags, changed.json.deletion_protection], [200, { x: 'y' }, 'enabled']);
	assert.equal((await control('PATCH', `/indexes/${made.json.name}`, { spec: {} })).status, 422);
	assert.equal((await control('PATCH', `/indexes/${made.json.name}`, { schema: { fields: { t: text } } })).status, 400);
	assert.equal((await control('DELETE', `/indexes/${made.json.name}`)).status, 403);
	assert.equal((await control('PATCH', `/indexes/${made.json.name}`, { tags: { x: '' }, deletion_protection: 'disabled' })).json.tags, null);
	assert.equal((await control('DELETE', `/indexes/${made.json.name}`)).status, 202);
});
await check('schemas that are not right', async () => {
	const dense = { type: 'dense_vector', dimension: 2, metric: 'cosine' };
	const fts = (full_text_search) => ({ t: { type: 'string', full_text_search } });
	for (const [schema, status, message] of [
		[{}, 400, /at least one field/],
		[{ a: dense, b: { ...dense } }, 400, /at most one dense/],
		[{ a: dense, b: { type: 'string', embed: {} } }, 400, /at most one dense/],
		[{ a: { type: 'sparse_vector' }, b: { type: 'string', sparse_embed: {} } }, 400, /at most one sparse/],
		[{ a: { type: 'dense_vector', metric: 'cosine' } }, 422, /missing field `dimension`/],
		[{ a: { type: 'dense_vector', dimension: 2 } }, 422, /missing field `metric`/],
		[{ a: { ...dense, dimension: 0 } }, 400, /between 1 and 20000/],
		[{ a: { ...dense, dimension: 20001 } }, 400, /between 1 and 20000/],
		[{ a: { ...dense, dimension: 'x' } }, 422, /dimension/],
		[{ a: { ...dense, metric: 'hamming' } }, 400, /Metric/],
		[{ a: { ...dense, extra: 1 } }, 422, /unknown field `extra`/],
		[{ a: { type: 'sparse_vector', metric: 'dotproduct' } }, 422, /unknown field `metric`/],
		[{ a: { type: 'string' } }, 422, /missing field/],
		[{ a: { type: 'string', filterable: true } }, 400, /^The schema only accepts fields used for search/],
		[{ a: { type: 'float' } }, 400, /only accepts fields used for search/],
		[{ a: { type: 'boolean' } }, 400, /only accepts/],
		[{ a: { type: 'string_list' } }, 400, /only accepts/],
		[{ a: { type: 'semantic_text' } }, 400, /create-for-model/],
		[{ a: { type: 'mystery' } }, 422, /mystery/],
		[{ a: {} }, 422, /missing field `type`/],
		[{ a: 'string' }, 422, /fields/],
		[{ _a: text }, 400, /cannot start with '_'/],
		[{ $a: text }, 400, /cannot start with '\$'/],
		[{ '': text }, 400, /must not be empty/],
		[{ ['x'.repeat(65)]: text }, 400, /65 bytes/],
		[{ ['ü'.repeat(33)]: text }, 400, /66 bytes/],
		[{ _values: dense, t: text }, 400, /_values/],
		[{ _values: { ...dense, description: 'x' } }, 400, /description/],
		[{ t: { ...text, description: 'x'.repeat(257) } }, 400, /256 bytes/],
		[fts({ language: 'klingon' }), 400, /language 'klingon'/],
		[fts({ stop_words: true }), 400, /stemming/],
		[fts({ language: 'ar', stemming: true, stop_words: true }), 400, /not supported for language 'ar'/],
		[fts({ mystery: 1 }), 422, /mystery/],
		[fts({ stemming: 'yes' }), 422, /stemming/],
		[fts(true), 422, /full_text_search/],
		[fts({ ngram: { min_gram: 3, max_gram: 2 } }), 400, /min_gram/],
		[fts({ ngram: { min_gram: 0, max_gram: 2 } }), 400, /min_gram/],
		[fts({ ngram: { min_gram: 1, max_gram: 11 } }), 400, /max_gram/],
		[fts({ ngram: { max_gram: 2 } }), 422, /min_gram/],
		[fts({ stemming: true, ngram: { min_gram: 1, max_gram: 2 } }), 400, /ngram cannot be combined/],
		[{ t: { type: 'string', full_text_search: {}, store_text: false } }, 400, /store_text/],
		[{ t: { type: 'string', full_text_search: {}, embed: {}, store_text: false } }, 400, /store_text/],
		[{ t: { type: 'string', embed: { model: 'pinecone-sparse-english-v0' } } }, 400, /dense vectors/],
		[{ t: { type: 'string', embed: { dimension: 7 } } }, 400, /dimension 7/],
		[{ t: { type: 'string', embed: { metric: 'euclidean' } } }, 400, /metric 'euclidean'/],
		[{ t: { type: 'string', embed: { model: 'none' } } }, 404, /Model none not found/],
		[{ t: { type: 'string', sparse_embed: { dimension: 7 } } }, 400, /not accepted in sparse_embed/],
		[Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, text])), 400, /101 fields/],
	]) {
		const reply = await control('POST', '/indexes', { name: 'wrong', schema: { fields: schema } });
		assert.equal(reply.status, status, `${JSON.stringify(schema)}: ${reply.text}`);
		assert.match(reply.json.error.message, message);
	}
	const schema = { fields: { t: text } };
	for (const [body, status, message] of [
		[{ name: 'wrong' }, 422, /missing field `schema`/],
		[{ name: 'wrong', schema: {} }, 422, /missing field `fields`/],
		[{ name: 'wrong', schema, dimension: 3 }, 422, /unknown field `dimension`/],
		[{ name: 'wrong', schema, deployment: { deployment_type: 'pod' } }, 400, /^deployment_type 'pod' is not supported on this API version\./],
		[{ name: 'wrong', schema, deployment: { deployment_type: 'byoc', environment: 'e' } }, 400, /Dedicated/],
		[{ name: 'wrong', schema, deployment: { deployment_type: 'managed', cloud: 'aws', region: 'mars' } }, 404, /mars/],
		[{ name: 'wrong', schema, source_collection: 'x' }, 400, /^Creating an index from collection or backup is not yet supported$/],
		[{ name: 'wrong', schema, cmek_id: 'k' }, 400, /encryption/],
		[{ name: 'articles', schema }, 409, /^Resource already exists$/],
		[{ name: 'Bad_', schema }, 400, /lowercase/],
	]) {
		const reply = await control('POST', '/indexes', body);
		assert.equal(reply.status, status, `${JSON.stringify(body)}: ${reply.text}`);
		assert.match(reply.json.error.message, message);
	}
	assert.equal((await control('POST', '/indexes', { name: 'ten', schema: { fields: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, text])) } })).status, 201);
});

// ---- Documents ----

const documents = [
	{ _id: 'a', title: 'The quick brown fox', body: 'Foxes are running over lazy dogs', embedding: [1, 0, 0], terms: { indices: [7, 3], values: [0.5, 0.4] }, year: 2024, tags: ['x', 'y'], fine: true },
	{ _id: 'b', title: 'A brown dog', body: 'The dog is lazy, the dog sleeps', embedding: [0, 1, 0], year: 2020, score: 3, id: 'mine' },
	{ _id: 'c', title: 'Quick-silver and brown sugar', year: 1999.5, tags: [] },
	{ _id: 'd e/f', embedding: [0, 0, 1], terms: { indices: [9], values: [2] } },
];
const float = (v) => v.map(Math.fround);

await check('upsert, and fetch what was stored', async () => {
	assert.deepEqual(await good(host, 'upsert', { documents }), { upserted_count: 4 });
	const { documents: got, namespace, usage } = await good(host, 'fetch', { ids: ['a', 'd e/f', 'none', 'a'] });
	assert.deepEqual(Object.keys(got).sort(), ['a', 'd e/f']);
	assert.deepEqual(got.a, { ...documents[0], terms: { indices: [3, 7], values: float([0.4, 0.5]) } });
	assert.deepEqual(got['d e/f'], documents[3]);
	assert.equal(namespace, 'ns');
	assert.ok(usage.read_units >= 1 && usage.egress_bytes > 0);
	assert.match((await call(host, 'fetch', { ids: ['a'] })).text, /0\.4000000059604645/);
});
await check('floats as the doubles they are', async () => {
	const wide = await create('wide', { v: { type: 'dense_vector', dimension: 2000, metric: 'dotproduct' } });
	let seed = 12345;
	const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
	const values = float(Array.from({ length: 2000 }, (_, i) => (random() - 0.5) * 2 ** (i % 60 - 40)));
	await good(wide, 'upsert', { documents: [{ _id: 'v', v: values }] });
	const reply = await call(wide, 'fetch', { ids: ['v'] });
	assert.ok(reply.text.includes(`[${values.map(String).join(',')}]`.slice(0, 20)));
	assert.deepEqual(reply.json.documents.v.v, values);
	// As short as a double can be
	const texts = /\[(.*)\]/.exec(reply.text)[1].split(',');
	texts.forEach((t, i) => assert.ok(t.replace(/[-.]|e.*/g, '').replace(/^0+/, '').length <= String(values[i]).replace(/[-.]|e.*/g, '').replace(/^0+/, '').length, `${t} ${values[i]}`));
	await control('DELETE', '/indexes/wide');
});
await check('projections: what is left out, and the two defaults', async () => {
	const search = async (include_fields) => (await good(host, 'search', { score_by: [{ type: 'dense_vector', field: 'embedding', values: [1, 0, 0] }], top_k: 1, include_fields })).matches[0];
	const fetch = async (include_fields) => (await good(host, 'fetch', { ids: ['a'], include_fields })).documents.a;
	for (const none of [undefined, null, []]) {
		assert.deepEqual(await search(none), { _id: 'a', _score: 1 });
		assert.deepEqual(Object.keys(await fetch(none)).sort(), Object.keys(documents[0]).sort());
	}
	assert.deepEqual(Object.keys(await search(['*'])).sort(), ['_score', ...Object.keys(documents[0])].sort());
	assert.deepEqual(await search(['year', 'none', 'title', '_id']), { _id: 'a', _score: 1, year: 2024, title: documents[0].title });
	assert.deepEqual(await fetch(['year', 'embedding', 'year']), { _id: 'a', year: 2024, embedding: [1, 0, 0] });
	assert.deepEqual(await fetch(['none']), { _id: 'a' });
	await bad(host, 'fetch', { ids: ['a'], include_fields: 'year' }, /include_fields/);
	await bad(host, 'fetch', { ids: ['a'], include_fields: [1] }, /include_fields/);
	await assume({ 'unknown-field': 'reject' });
	await bad(host, 'fetch', { ids: ['a'], include_fields: ['none'] }, /none/);
	assert.equal((await fetch(['year'])).year, 2024);
	await assume({ 'unknown-field': 'absent' });
});
await check('documents that are not right, and nothing of the request is stored', async () => {
	const doc = (more) => ({ documents: [{ _id: 'good', title: 'x' }, { _id: 'z', title: 't', ...more }] });
	for (const [body, message] of [
		[{}, /at least one document/],
		[{ documents: [] }, /at least one document/],
		[{ documents: {} }, /JSON/],
		[{ documents: [1] }, /object/],
		[{ documents: [{ title: 'x' }] }, /_id/],
		[{ documents: [{ _id: 7, title: 'x' }] }, /_id/],
		[{ documents: [{ _id: '', title: 'x' }] }, /_id/],
		[{ documents: [{ _id: 'é', title: 'x' }] }, /ASCII/],
		[{ documents: [{ _id: 'x'.repeat(513), title: 'x' }] }, /512/],
		[{ documents: [{ _id: 'x', year: 7 }] }, /at least one field of the schema/],
		[doc({ embedding: [1, 2] }), /Vector dimension 2 does not match the dimension 3/],
		[doc({ embedding: 'x' }), /array of numbers/],
		[doc({ embedding: ['x'] }), /JSON|number/],
		[doc({ embedding: [0, 0, 0] }), /only zeros/],
		[doc({ terms: [1] }), /indices/],
		[doc({ terms: { indices: [1], values: [1, 2] } }), /as many/],
		[doc({ terms: { indices: [], values: [] } }), /at least one/],
		[doc({ terms: { indices: Array.from({ length: 2049 }, (_, i) => i), values: Array(2049).fill(1) } }), /2048/],
		[doc({ title: 7 }), /must be a string/],
		[doc({ title: ['x'] }), /must be a string/],
		[doc({ title: 'x '.repeat(51201) }), /102402 bytes/],
		[doc({ title: 'x '.repeat(10001) }), /10001 tokens/],
		[doc({ title: 'x'.repeat(257) }), /257 bytes/],
		[doc({ m: [1] }), /Metadata value must be/],
		[doc({ m: { a: 1 } }), /Metadata value must be/],
		[doc({ m: ['a', 1] }), /Metadata value must be/],
		[doc({ m: null }), /null/],
		[doc({ m: 'x'.repeat(41000) }), /exceeds the limit of 40960/],
		[doc({ _m: 1 }), /cannot start with '_'/],
		[doc({ $m: 1 }), /cannot start with '\$'/],
		[doc({ '': 1 }), /empty/],
		[doc({ ['x'.repeat(65)]: 1 }), /65 bytes/],
		[doc({ _remove_fields: ['a'] }), /cannot start with '_'/],
		[{ documents: Array.from({ length: 1001 }, (_, i) => ({ _id: `${i}`, title: 'x' })) }, /more than 1000/],
		[{ documents, mystery: 1 }, /Unknown field 'mystery'/],
		['{"documents":[', /JSON/],
		['', /JSON/],
	]) await bad(host, 'upsert', body, message);
	await bad(host, 'upsert', { documents: [{ _id: 'x', title: 'x', m: ' '.repeat(2 << 20) }] }, /limit/, 413);
	assert.deepEqual((await good(host, 'fetch', { ids: ['good', 'z'] })).documents, {});
	// Vectors and texts do not count as metadata
	await good(host, 'upsert', { documents: [{ _id: 'long', title: 'word '.repeat(9999), m: 'x'.repeat(40000) }] });
	await good(host, 'delete', { ids: ['long'] });
	await assume({ 'zero-vector': 'accept', 'null-field': 'drop' });
	await good(host, 'upsert', { documents: [{ _id: 'zero', embedding: [0, 0, 0], m: null }] });
	assert.deepEqual((await good(host, 'fetch', { ids: ['zero'] })).documents.zero, { _id: 'zero', embedding: [0, 0, 0] });
	await good(host, 'delete', { ids: ['zero'] });
	await assume({ 'zero-vector': 'reject', 'null-field': 'reject' });
});
await check('the last of two with one id is stored; an upsert replaces all', async () => {
	assert.equal((await good(host, 'upsert', { documents: [{ _id: 'twice', title: 'first', m: 1 }, { _id: 'twice', title: 'second' }] })).upserted_count, 2);
	assert.deepEqual((await good(host, 'fetch', { ids: ['twice'] })).documents.twice, { _id: 'twice', title: 'second' });
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'text', fields: ['title'], query: 'first' }], top_k: 5 })), []);
	await good(host, 'delete', { ids: ['twice'] });
});
await check('namespaces: any name, none that is not there, the default', async () => {
	for (const ns of ['a b/c', '__default__', 'x'.repeat(512)]) {
		await good(host, 'upsert', { documents: [{ _id: 'n', title: 'here' }] }, ns);
		assert.equal((await good(host, 'fetch', { ids: ['n'] }, ns)).namespace, ns);
		await good(host, 'delete', { delete_all: true }, ns);
	}
	for (const [operation, body, key] of [
		['fetch', { ids: ['a'] }, 'documents'], ['fetch', { filter: { a: 1 } }, 'documents'], ['list', {}, 'documents'],
		['search', { score_by: [{ type: 'text', fields: ['title'], query: 'x' }], top_k: 1 }, 'matches'],
	]) {
		const json = await good(host, operation, body, 'never');
		assert.deepEqual([Object.keys(json[key]).length, json.namespace], [0, 'never']);
	}
	assert.equal((await request('POST', `${host}/namespaces//documents/list`, {}, NEW)).status, 400);
	assert.equal((await request('POST', `${host}/namespaces/%ff/documents/list`, {}, NEW)).status, 400);
	assert.equal((await request('POST', `${host}/namespaces/${'x'.repeat(513)}/documents/list`, {}, NEW)).status, 400);
	assert.equal((await request('GET', `${host}/namespaces/ns/documents/list`, undefined, NEW)).status, 405);
	assert.equal((await request('POST', `${host}/namespaces/ns/documents/mystery`, {}, NEW)).status, 404);
	const stats = (await request('POST', `${host}/describe_index_stats`, {}, NEW)).json;
	assert.deepEqual([stats.namespaces.ns, stats.dimension, stats.metric], [{ vectorCount: 4 }, undefined, undefined]);
	assert.equal((await request('GET', `${host}/namespaces/ns`, undefined, NEW)).json.record_count, '4');
	await assume({ 'document-stats': 'full' });
	assert.equal((await request('POST', `${host}/describe_index_stats`, {}, NEW)).json.dimension, 3);
	await assume({ 'document-stats': 'refused' });
	assert.equal((await request('POST', `${host}/describe_index_stats`, {}, NEW)).status, 400);
	await assume({ 'document-stats': 'bare' });
});
await check('each plane refuses the other', async () => {
	const vectors = (path, body) => request('POST', host + path, body, NEW);
	for (const [path, body] of [['/vectors/upsert', { vectors: [{ id: 'a', values: [1, 2, 3] }] }], ['/vectors/update', {}], ['/vectors/delete', { namespace: 'never', ids: ['a'] }]]) {
		const { status, json } = await vectors(path, body);
		assert.deepEqual([status, json.code, json.details], [400, 3, []]);
		assert.match(json.message, /^This index has a document schema, so writes must go through the documents API\..*\/documents\/upsert.*2026-07/);
	}
	for (const reply of [await vectors('/query', { topK: 1, vector: [1, 2, 3] }), await vectors('/vectors/fetch_by_metadata', { filter: { a: 1 } }),
		await request('GET', `${host}/vectors/fetch?ids=a`), await request('GET', `${host}/vectors/list`)]) assert.deepEqual([reply.status, reply.json.code], [400, 3]);
	const upsert = await vectors('/records/namespaces/ns/upsert', '{"_id":"a"}');
	assert.deepEqual([upsert.status, upsert.json.error.code], [400, 'INVALID_ARGUMENT']);
	const classic = await server.createIndex('classic', 3);
	const refused = await call(classic, 'search', {});
	assert.equal(refused.status, 400);
	assert.match(refused.json.error.message, /vectors API/);
	const reserved = await create('reserved', { _values: { type: 'dense_vector', dimension: 3, metric: 'cosine' } });
	assert.equal((await request('POST', `${reserved}/vectors/upsert`, { vectors: [{ id: 'a', values: [1, 2, 3] }] })).status, 200);
	assert.equal((await call(reserved, 'list', {})).status, 400);
	assert.equal((await call(host, 'list', {}, 'ns', { 'X-Pinecone-Api-Version': '2025-10' })).status, 200);
	await assume({ 'document-version': '2026-07' });
	assert.equal((await call(host, 'list', {}, 'ns', { 'X-Pinecone-Api-Version': '2025-10' })).status, 400);
	assert.equal((await call(host, 'list', {})).status, 200);
	await assume({ 'document-version': 'any' });
});

// ---- Searches ----

const search = (score_by, more) => good(host, 'search', { score_by: [].concat(score_by), top_k: 10, ...more });

await check('dense: cosine, zero scores too, only documents that have the vector', async () => {
	const { matches, namespace, usage } = await search({ type: 'dense_vector', fields: ['embedding'], values: [3, 4, 0] });
	assert.deepEqual(matches.map((m) => m._id), ['b', 'a', 'd e/f']);
	assert.deepEqual(matches.map((m) => m._score), [Math.fround(0.8), Math.fround(0.6), 0]);
	assert.equal(namespace, 'ns');
	assert.ok(usage.read_units > 0 && usage.egress_bytes > 0);
});
await check('sparse: inner product, only what overlaps', async () => {
	const { matches } = await search({ type: 'sparse_vector', field: 'terms', sparse_values: { indices: [9, 7], values: [1, 2] } });
	assert.deepEqual(matches.map((m) => [m._id, m._score]), [['d e/f', 2], ['a', 1]]);
});
await check('the other metrics', async () => {
	for (const metric of ['dotproduct', 'euclidean']) {
		const other = await create(`other-${metric}`, { v: { type: 'dense_vector', dimension: 2, metric } });
		await good(other, 'upsert', { documents: [{ _id: 'p', v: [1, 1] }, { _id: 'q', v: [3, 3] }] });
		const { matches } = await good(other, 'search', { score_by: [{ type: 'dense_vector', field: 'v', values: [0, 3] }], top_k: 2 });
		assert.deepEqual(matches.map((m) => [m._id, m._score]), metric === 'dotproduct' ? [['q', 9], ['p', 3]] : [['p', 5], ['q', 9]]);
		if (metric === 'euclidean') {
			await assume({ 'euclidean-score': 'similarity' });
			const similar = await good(other, 'search', { score_by: [{ type: 'dense_vector', field: 'v', values: [0, 3] }], top_k: 2 });
			assert.deepEqual(similar.matches.map((m) => [m._id, m._score]), [['p', Math.fround(1 / 6)], ['q', Math.fround(0.1)]]);
			await assume({ 'euclidean-score': 'distance' });
		}
		await assume({ 'dense-only': 'empty' });
		assert.deepEqual((await good(other, 'search', { score_by: [{ type: 'dense_vector', field: 'v', values: [0, 3] }], top_k: 2 })).matches, []);
		assert.deepEqual((await good(other, 'fetch', { filter: { $not: { a: 1 } } })).documents, {});
		assert.equal(Object.keys((await good(other, 'fetch', { ids: ['p'] })).documents).length, 1);
		await assume({ 'dense-only': 'found' });
	}
	const huge = await create('huge', { v: { type: 'dense_vector', dimension: 2, metric: 'dotproduct' } });
	await good(huge, 'upsert', { documents: [{ _id: 'h', v: [3e38, 3e38] }] });
	assert.deepEqual((await good(huge, 'search', { score_by: [{ type: 'dense_vector', field: 'v', values: [3e38, 1] }], top_k: 1 })).matches, [{ _id: 'h', _score: null }]);
});
await check('searches that are not right', async () => {
	const dense = { type: 'dense_vector', field: 'embedding', values: [1, 2, 3] };
	const words = { type: 'text', fields: ['title'], query: 'x' };
	for (const [body, message] of [
		[{ top_k: 1 }, /score_by/],
		[{ top_k: 1, score_by: [] }, /score_by/],
		[{ top_k: 1, score_by: {} }, /score_by/],
		[{ score_by: [dense] }, /top_k/],
		[{ score_by: [dense], top_k: 0 }, /top_k/],
		[{ score_by: [dense], top_k: 10001 }, /top_k/],
		[{ score_by: [dense], top_k: 1.5 }, /top_k/],
		[{ score_by: [dense], top_k: 1, offset: 2 }, /offset/],
		[{ score_by: [dense, words], top_k: 1 }, /cannot be combined/],
		[{ score_by: [dense, dense], top_k: 1 }, /cannot be combined/],
		[{ score_by: Array(101).fill(words), top_k: 1 }, /101 clauses/],
		[{ score_by: [{ field: 'title', query: 'x' }], top_k: 1 }, /type/],
		[{ score_by: [{ ...words, type: 'mystery' }], top_k: 1 }, /type/],
		[{ score_by: [{ ...words, weight: 2 }], top_k: 1 }, /weight/],
		[{ score_by: [{ ...dense, fields: ['embedding'] }], top_k: 1 }, /not both/],
		[{ score_by: [{ ...dense, values: [1] }], top_k: 1 }, /dimension 1/],
		[{ score_by: [{ ...dense, values: undefined }], top_k: 1 }, /values/],
		[{ score_by: [{ ...dense, query: 'x' }], top_k: 1 }, /query/],
		[{ score_by: [{ ...dense, field: 'title' }], top_k: 1 }, /^Scoring field 'title' not found in index schema$/],
		[{ score_by: [{ ...dense, field: 'none' }], top_k: 1 }, /^Scoring field 'none' not found in index schema$/],
		[{ score_by: [{ ...words, fields: ['year'] }], top_k: 1 }, /^Scoring field 'year' not found in index schema$/],
		[{ score_by: [{ ...words, fields: ['embedding'] }], top_k: 1 }, /not found/],
		[{ score_by: [{ ...words, fields: [] }], top_k: 1 }, /fields/],
		[{ score_by: [{ ...words, fields: undefined }], top_k: 1 }, /fields/],
		[{ score_by: [{ ...words, query: ' \n' }], top_k: 1 }, /empty/],
		[{ score_by: [{ ...words, query: 7 }], top_k: 1 }, /query/],
		[{ score_by: [{ ...words, query: 'x '.repeat(5200) }], top_k: 1 }, /10240 bytes/],
		[{ score_by: [{ type: 'query_string', query: 'x', fields: ['title'] }], top_k: 1 }, /fields/],
		[{ score_by: [{ type: 'query_string', query: 'x', field: 'title' }], top_k: 1 }, /field/],
		[{ score_by: [{ type: 'sparse_vector', field: 'terms', values: [1] }], top_k: 1 }, /values/],
		[{ score_by: [{ type: 'sparse_vector', field: 'terms', sparse_values: { indices: [1], values: [] } }], top_k: 1 }, /as many/],
		[{ score_by: [{ type: 'embed', field: 'title', query: 'x' }], top_k: 1 }, /embed/],
		[{ score_by: [words], top_k: 1, filter: { year: null } }, /illegal condition/],
		[{ score_by: [words], top_k: 1, filter: [] }, /filter/],
	]) await bad(host, 'search', body, message);
	const none = await create('no-sparse', { v: { type: 'dense_vector', dimension: 2, metric: 'cosine' } });
	await bad(none, 'search', { score_by: [{ type: 'sparse_vector', field: 'v', sparse_values: { indices: [1], values: [1] } }], top_k: 1 }, /^Sparse vectors are not supported for index with metric 'cosine'$/);
});

// ---- Filters ----

await check('the filter language with $not, before the ranking', async () => {
	const found = async (filter) => Object.keys((await good(host, 'fetch', { filter })).documents).sort();
	for (const [filter, expected] of [
		[{ year: 2024 }, ['a']], [{ year: { $gte: 2000 } }, ['a', 'b']], [{ tags: { $eq: 'y' } }, ['a']], [{ fine: true }, ['a']],
		[{ year: { $in: [2020, 1999.5] } }, ['b', 'c']], [{ tags: { $exists: true } }, ['a', 'c']], [{ id: 'mine', score: 3 }, ['b']],
		[{ $not: { year: 2024 } }, ['b', 'c', 'd e/f']], [{ year: { $not: { $gte: 2000 } } }, ['c', 'd e/f']],
		[{ $not: { $or: [{ year: 2024 }, { year: 2020 }] } }, ['c', 'd e/f']], [{ $not: { $not: { year: 2024 } } }, ['a']],
		[{ $and: [{ $not: { year: 2024 } }, { year: { $exists: true } }] }, ['b', 'c']],
		[{ year: { $ne: 2024 } }, ['b', 'c', 'd e/f']],
		[{ title: { $match_phrase: 'brown fox' } }, ['a']], [{ title: { $match_phrase: 'fox brown' } }, []], [{ title: { $match_all: 'dog brown' } }, ['b']],
		[{ title: { $match_any: 'fox sugar' } }, ['a', 'c']], [{ body: { $match_any: 'run' } }, ['a']], [{ body: { $match_phrase: 'dog sleep' } }, ['b']],
		[{ title: { $not: { $match_any: 'dog' } } }, ['a', 'c', 'd e/f']], [{ $or: [{ title: { $match_any: 'dog' } }, { year: 2024 }] }, ['a', 'b']],
		[{ title: { $match_any: 'brown' }, year: { $lt: 2000 } }, ['c']], [{ title: { $match_any: '~ ^ *' } }, []], [{ title: { $match_all: '...' } }, []],
		[{ title: { $match_phrase: 'quick silver' } }, ['c']], [{ title: { $match_phrase: 'Quick-Silver' } }, ['c']],
		[{ title: 'A brown dog' }, []], [{ title: { $exists: true } }, []], [{ _id: 'a' }, []],
	]) assert.deepEqual(await found(filter), expected, JSON.stringify(filter));
	for (const [filter, message] of [
		[{ year: { $match_any: 'x' } }, /full_text_search/], [{ none: { $match_all: 'x' } }, /full_text_search/], [{ title: { $match_any: 7 } }, /illegal condition/],
		[{ title: { $match_any: 'x '.repeat(129) } }, /128 tokens/], [{ $not: 7 }, /illegal/], [{ $not: {} }, /illegal/], [{ year: { $not: 7 } }, /illegal/], [{ $match_any: 'x' }, /illegal/], [{}, /non-empty/],
	]) await bad(host, 'fetch', { filter }, message);
	assert.deepEqual(await found({ title: { $match_any: 'x '.repeat(128) } }), []);
	const dense = { type: 'dense_vector', field: 'embedding', values: [1, 0.5, 0.2] };
	assert.deepEqual(ids(await search(dense, { filter: { year: { $lt: 2024 } }, top_k: 1 })), ['b']);
	assert.deepEqual(ids(await search(dense, { filter: { body: { $match_all: 'lazy dog' } } })), ['a', 'b']);
	assert.deepEqual(ids(await search({ type: 'text', fields: ['title'], query: 'brown' }, { filter: { year: { $gt: 2000 } } })).sort(), ['a', 'b']);
	assert.equal(ids(await search(dense, { filter: {} })).length, 3);
	await assume({ 'not-missing': 'skip', 'text-filter': 'works', 'fetch-match': 'reject' });
	assert.deepEqual(await found({ $not: { year: 2024 } }), ['b', 'c']);
	assert.deepEqual(await found({ title: 'A brown dog' }), ['b']);
	assert.deepEqual(await found({ title: { $exists: false } }), ['d e/f']);
	assert.deepEqual(await found({ title: { $nin: ['A brown dog', 'x'] }, body: { $exists: true } }), ['a']);
	assert.deepEqual(await found({ embedding: { $exists: true }, _id: { $in: ['a', 'c'] } }), ['a']);
	await bad(host, 'fetch', { filter: { title: { $match_any: 'dog' } } }, /not supported here/);
	assert.equal(ids(await search(dense, { filter: { title: { $match_any: 'dog' } } })).length, 1);
	await assume({ 'not-missing': 'match', 'text-filter': 'reject', 'fetch-match': 'allow' });
	await bad(host, 'fetch', { filter: { title: 'x' } }, /cannot be filtered/);
	await bad(host, 'fetch', { filter: { $or: [{ a: 1 }, { _id: 'x' }] } }, /cannot be filtered/);
	await assume({ 'text-filter': 'none' });
});

// ---- Pages ----

await check('fetch by filter and list, page by page', async () => {
	const paged = await create('paged', { t: text });
	await good(paged, 'upsert', { documents: Array.from({ length: 250 }, (_, i) => ({ _id: `${i % 2 ? 'odd' : 'even'}${i}`, t: 'x', n: i % 5 })) });
	const seen = [];
	let token;
	do {
		const page = await good(paged, 'fetch', { filter: { n: { $lt: 3 } }, limit: 40, pagination_token: token, include_fields: ['n'] });
		assert.ok(Object.keys(page.documents).length <= 40);
		seen.push(...Object.keys(page.documents));
		token = page.pagination?.next;
	} while (token);
	assert.deepEqual([seen.length, new Set(seen).size], [150, 150]);
	assert.equal(Object.keys((await good(paged, 'fetch', { filter: { n: 1 } })).documents).length, 50);
	assert.equal(Object.keys((await good(paged, 'fetch', { filter: { t: { $match_any: 'x' } } })).documents).length, 100);
	const listed = [];
	for (const limit of [3, 5, 100, 100, 100]) {
		const page = await good(paged, 'list', { prefix: 'odd', limit, pagination_token: token });
		listed.push(...page.documents.map((d) => d._id));
		assert.ok(page.documents.every((d) => Object.keys(d).length === 1));
		token = page.pagination?.next;
		if (!token) break;
	}
	assert.deepEqual(listed, Array.from({ length: 250 }, (_, i) => `odd${i}`).filter((_, i) => i % 2).sort());
	assert.equal((await good(paged, 'list', {})).documents.length, 100);
	const first = await good(paged, 'fetch', { filter: { n: 1 }, limit: 1 });
	for (const [operation, body, message] of [
		['fetch', { filter: { n: 2 }, pagination_token: first.pagination.next }, /token/], ['list', { pagination_token: 'x' }, /token/],
		['fetch', { filter: { n: 1 }, limit: 0 }, /limit/], ['fetch', { filter: { n: 1 }, limit: 10001 }, /limit/], ['fetch', { ids: ['a'], limit: 0 }, /limit/],
		['list', { limit: 101 }, /limit/], ['list', { limit: 0 }, /limit/], ['list', { prefix: 7 }, /prefix/], ['list', { prefix: 'é' }, /ASCII/], ['list', { prefix: 'x'.repeat(513) }, /512/],
		['fetch', {}, /^No 'ids' or 'filter' provided in the document fetch request\. Provide at least one document ID in 'ids', or a metadata filter in 'filter'\.$/],
		['fetch', { ids: ['a'], filter: { n: 1 } }, /^The 'ids' and 'filter' fields are mutually exclusive in document fetch requests\./],
		['fetch', { ids: ['a'], pagination_token: 'x' }, /^The 'pagination_token' field is only valid together with 'filter'/],
		['fetch', { filter: {} }, /^The 'filter' field must be a non-empty object/], ['fetch', { ids: [] }, /between 1 and 1000/],
		['fetch', { ids: Array(1001).fill('a') }, /1001/], ['fetch', { ids: [''] }, /_id/], ['fetch', { ids: 'a' }, /ids/], ['list', [], /JSON/],
	]) await bad(paged, operation, body, message);
	await assume({ 'foreign-token': 'accept' });
	assert.equal((await call(paged, 'fetch', { filter: { n: 2 }, pagination_token: first.pagination.next })).status, 200);
	await assume({ 'foreign-token': 'reject' });
});

// ---- Update, delete ----

await check('update by id: set and remove, texts and vectors too', async () => {
	const ns = 'update';
	await good(host, 'upsert', { documents }, ns);
	assert.deepEqual(await good(host, 'update', { documents: [
		{ _id: 'a', title: 'A red cat', year: 2025, embedding: [0, 2, 0], _remove_fields: ['tags', 'terms', 'absent'] },
		{ _id: 'b', _remove_fields: ['title', 'year'] }, { _id: 'none', title: 'x' }, { _id: 'c' },
	] }, ns), {});
	const { documents: got } = await good(host, 'fetch', { ids: ['a', 'b', 'c', 'none'] }, ns);
	assert.deepEqual(got.a, { _id: 'a', title: 'A red cat', body: documents[0].body, embedding: [0, 2, 0], year: 2025, fine: true });
	assert.deepEqual(got.b, { _id: 'b', body: documents[1].body, embedding: [0, 1, 0], score: 3, id: 'mine' });
	assert.deepEqual(got.c, documents[2]);
	assert.equal(got.none, undefined);
	const find = async (query) => ids(await good(host, 'search', { score_by: [{ type: 'text', fields: ['title'], query }], top_k: 9 }, ns));
	assert.deepEqual([await find('fox'), await find('cat'), await find('dog'), await find('brown')], [[], ['a'], [], ['c']]);
	assert.deepEqual((await good(host, 'search', { score_by: [{ type: 'sparse_vector', field: 'terms', sparse_values: { indices: [7], values: [1] } }], top_k: 9 }, ns)).matches, []);
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'dense_vector', field: 'embedding', values: [0, 1, 0] }], top_k: 2 }, ns)), ['a', 'b']);
	assert.deepEqual(await good(host, 'update', { documents: [{ _id: 'a', year: 1 }] }, 'never'), {});
});
await check('update by filter: metadata, with the count', async () => {
	const ns = 'update';
	assert.deepEqual(await good(host, 'update', { filter: { year: { $exists: true } }, set_fields: { seen: true, when: [] }, remove_fields: ['fine'] }, ns), { matched_records: 2 });
	const { documents: got } = await good(host, 'fetch', { ids: ['a', 'b', 'c'], include_fields: ['seen', 'fine', 'when'] }, ns);
	assert.deepEqual(got, { a: { _id: 'a', seen: true, when: [] }, b: { _id: 'b' }, c: { _id: 'c', seen: true, when: [] } });
	assert.deepEqual(await good(host, 'update', { filter: { nothing: 1 }, set_fields: { x: 1 } }, ns), { matched_records: 0 });
	assert.deepEqual(await good(host, 'update', { filter: { year: 1 }, set_fields: { x: 1 } }, 'never'), { matched_records: 0 });
	await assume({ 'schema-update': 'allow' });
	assert.deepEqual(await good(host, 'update', { filter: { seen: true }, set_fields: { title: 'same words', terms: { indices: [1], values: [1] } } }, ns), { matched_records: 2 });
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'text', fields: ['title'], query: 'same' }], top_k: 9 }, ns)), ['a', 'c']);
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'sparse_vector', field: 'terms', sparse_values: { indices: [1], values: [1] } }], top_k: 9 }, ns)), ['a', 'c']);
	await assume({ 'schema-update': 'reject' });
});
await check('updates that are not right', async () => {
	for (const [body, message] of [
		[{}, /^No 'documents' or 'filter'/], [{ documents: [] }, /at least one/], [{ documents: [{ title: 'x' }] }, /_id/], [{ documents: [{ _id: 'a', title: null }] }, /list the field in `_remove_fields`/],
		[{ documents: [{ _id: 'a', title: 'x', _remove_fields: ['title'] }] }, /both set and removed/], [{ documents: [{ _id: 'a', m: 1, _remove_fields: ['m'] }] }, /both set and removed/],
		[{ documents: [{ _id: 'a', _remove_fields: 'm' }] }, /list of names/], [{ documents: [{ _id: 'a', _remove_fields: [1] }] }, /list of names/], [{ documents: [{ _id: 'a', _remove_fields: ['_id'] }] }, /cannot start/],
		[{ documents: [{ _id: 'a', embedding: [1] }] }, /dimension/], [{ documents: [{ _id: 'a', _x: 1 }] }, /cannot start/], [{ documents: [{ _id: 'a', x: { y: 1 } }] }, /Metadata value/],
		[{ documents: [{ _id: 'a', x: 'y'.repeat(40950) }] }, /40960/],
		[{ documents: [{ _id: 'a', year: 1 }], filter: { year: 1 } }, /mutually exclusive/], [{ documents: [{ _id: 'a', year: 1 }], set_fields: { x: 1 } }, /mutually exclusive/],
		[{ filter: { year: 1 } }, /^A document update by 'filter' must change something\./], [{ filter: { year: 1 }, set_fields: {}, remove_fields: [] }, /must change something/],
		[{ filter: {}, set_fields: { x: 1 } }, /non-empty/], [{ set_fields: { x: 1 } }, /No 'documents' or 'filter'/],
		[{ filter: { year: 1 }, set_fields: { title: 'x' } }, /field of the schema/], [{ filter: { year: 1 }, remove_fields: ['embedding'] }, /field of the schema/],
		[{ filter: { year: 1 }, set_fields: { x: 1 }, remove_fields: ['x'] }, /both set and removed/], [{ filter: { year: 1 }, set_fields: { _id: 'x' } }, /_id/],
		[{ filter: { title: { $match_any: 'x' } }, set_fields: { x: 1 } }, /not supported here/], [{ filter: { year: 1 }, set_fields: [1] }, /object/],
		[{ filter: { year: 2024 }, set_fields: { x: 'y'.repeat(40950) } }, /40960/], [{ documents: Array(1001).fill({ _id: 'a' }) }, /more than 1000/], [{ dry_run: true, filter: { year: 1 }, set_fields: { x: 1 } }, /dry_run/],
	]) await bad(host, 'update', body, message);
	assert.deepEqual(await good(host, 'update', { documents: [{ _id: 'c', x: 1 }], filter: {}, set_fields: {}, remove_fields: [] }), {});
	await assume({ 'last-field': 'reject' });
	await bad(host, 'update', { documents: [{ _id: 'c', _remove_fields: ['title'] }] }, /at least one field/);
	await good(host, 'update', { documents: [{ _id: 'a', _remove_fields: ['title'] }, { _id: 'c', terms: { indices: [1], values: [1] }, _remove_fields: ['title'] }] });
	await assume({ 'last-field': 'allow' });
	await good(host, 'update', { documents: [{ _id: 'c', _remove_fields: ['terms'] }] });
	assert.deepEqual((await good(host, 'fetch', { ids: ['c'] })).documents.c, { _id: 'c', year: 1999.5, tags: [], x: 1 });
	await good(host, 'upsert', { documents });
});
await check('delete: by id, by filter, all', async () => {
	const ns = 'delete';
	await good(host, 'upsert', { documents }, ns);
	assert.deepEqual(await good(host, 'delete', { ids: ['a', 'none'], delete_all: false }, ns), {});
	assert.deepEqual(await good(host, 'delete', { filter: { year: { $lt: 2021 } } }, ns), { matched_records: 2 });
	assert.deepEqual((await good(host, 'list', {}, ns)).documents, [{ _id: 'd e/f' }]);
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'text', fields: ['title', 'body'], query: 'brown lazy' }], top_k: 9 }, ns)), []);
	await assume({ 'matched-records': 'absent' });
	assert.deepEqual(await good(host, 'delete', { filter: { year: 1 } }, ns), {});
	await assume({ 'matched-records': 'present' });
	assert.deepEqual(await good(host, 'delete', { delete_all: true }, ns), {});
	assert.equal((await request('GET', `${host}/namespaces/${ns}`, undefined, NEW)).json.record_count, '0');
	assert.deepEqual(await good(host, 'delete', { ids: ['a'] }, 'never'), {});
	assert.equal((await call(host, 'delete', { delete_all: true }, 'never')).status, 404);
	await assume({ 'delete-all-absent': 'ok' });
	assert.deepEqual(await good(host, 'delete', { delete_all: true }, 'never'), {});
	await assume({ 'delete-all-absent': 'not-found' });
	for (const [body, message] of [
		[{}, /^No 'ids', 'filter', or 'delete_all' provided in the document delete request\. Provide exactly one of them\.$/], [{ delete_all: false }, /^No 'ids'/],
		[{ ids: ['a'], filter: { year: 1 } }, /^The 'filter' field is mutually exclusive with 'ids' and 'delete_all' in document delete requests\./],
		[{ ids: ['a'], delete_all: true }, /mutually exclusive/], [{ filter: {} }, /non-empty/], [{ ids: [] }, /between 1 and 1000/], [{ ids: Array(1001).fill('a') }, /1001/],
		[{ filter: { title: { $match_any: 'x' } } }, /not supported here/], [{ delete_all: 'yes' }, /delete_all/], [{ ids: [1] }, /ids/],
	]) await bad(host, 'delete', body, message);
});

// ---- Aliases, lag, faults, limits, the log, files ----

await check('reads follow an alias, writes do not', async () => {
	await good(host, 'upsert', { documents }, 'real');
	assert.equal((await request('POST', `${host}/namespace-aliases`, { name: 'alias', target_namespace: 'real' }, NEW)).status, 200);
	assert.deepEqual(Object.keys((await good(host, 'fetch', { filter: { year: { $exists: true } } }, 'alias')).documents).sort(), ['a', 'b', 'c']);
	for (const [operation, body] of [['fetch', { ids: ['a'] }], ['list', {}], ['search', { score_by: [{ type: 'text', field: 'title', query: 'fox' }], top_k: 1 }]]) {
		const json = await good(host, operation, body, 'alias');
		assert.deepEqual([json.namespace, Object.keys(json.documents ?? json.matches).length > 0], ['real', true]);
	}
	for (const [operation, body, status, code] of [
		['upsert', { documents }, 409, 'ALREADY_EXISTS'], ['update', { documents: [{ _id: 'a', year: 1 }] }, 412, 'FAILED_PRECONDITION'],
		['update', { filter: { year: 1 }, set_fields: { year: 2 } }, 412, 'FAILED_PRECONDITION'], ['delete', { ids: ['a'] }, 412, 'FAILED_PRECONDITION'], ['delete', { delete_all: true }, 412, 'FAILED_PRECONDITION'],
	]) {
		const reply = await call(host, operation, body, 'alias');
		assert.deepEqual([reply.status, reply.json.error.code], [status, code]);
	}
});

await check('lag, LSN headers, faults, rate limits and the log hold for documents', async () => {
	const s = await Server.start('--lag', '200');
	const h = (await s.control('POST', '/indexes', { name: 'slow', schema: { fields: { t: text } } }, NEW)).json.host;
	const written = await call(h, 'upsert', { documents: [{ _id: 'a', t: 'word' }] });
	const find = { score_by: [{ type: 'text', fields: ['t'], query: 'word' }], top_k: 1 };
	assert.deepEqual((await good(h, 'search', find)).matches, []);
	assert.equal(written.headers['x-pinecone-request-lsn'], '1');
	await sleep(300);
	const seen = await call(h, 'search', find);
	assert.deepEqual([seen.json.matches.length, seen.headers['x-pinecone-max-indexed-lsn']], [1, '1']);
	await s.local('POST', 'settings', { lag: 0, assume: { 'document-lsn': 'off' } });
	assert.equal((await call(h, 'upsert', { documents: [{ _id: 'a', t: 'word' }] })).headers['x-pinecone-request-lsn'], undefined);
	await s.local('POST', 'faults', [{ path: '/namespaces/ns/documents/search', status: 503 }, { path: '/namespaces/ns/documents/list', kind: 'close' }]);
	const fault = await call(h, 'search', find);
	assert.deepEqual([fault.status, fault.json.error.code], [503, 'UNAVAILABLE']);
	await assert.rejects(call(h, 'list', {}));
	await s.local('POST', 'settings', { rate_limits: 0.02 });
	const statuses = [];
	for (let i = 0; i < 10; i++) statuses.push((await call(h, 'search', find)).status);
	assert.ok(statuses.includes(200) && statuses.includes(429));
	assert.equal((await call(h, 'search', find)).json.error?.code ?? 'RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED');
	const { requests } = await s.local('GET', 'requests');
	assert.deepEqual(requests.at(-1).body, find);
	assert.equal(requests.at(-1).path, '/namespaces/ns/documents/search');
	assert.equal((await request('POST', `${s.url}/_local/settings`, { assume: { mystery: 'x' } })).status, 400);
	assert.equal(await s.stop(), 0);
});
await check('a lag for each kind of call', async () => {
	const s = await Server.start('--lag-fetch', '300', '--lag-list', '600', '--lsn-headers', 'everywhere');
	const h = (await s.control('POST', '/indexes', { name: 'slow', schema: { fields: { t: text, v: { type: 'dense_vector', dimension: 2, metric: 'cosine' }, w: { type: 'sparse_vector' } } } }, NEW)).json.host;
	const doc = { _id: 'a', t: 'word', v: [1, 2], w: { indices: [1], values: [2] }, n: 1 };
	const seen = async () => {
		const { matches } = await good(h, 'search', { score_by: [{ type: 'text', field: 't', query: 'word' }], top_k: 1, include_fields: ['*'] });
		const fetched = (await good(h, 'fetch', { ids: ['a'] })).documents.a;
		const filtered = (await good(h, 'fetch', { filter: { t: { $match_any: 'word' } } })).documents.a;
		assert.deepEqual(filtered, fetched);
		return [matches[0]?.n, fetched?.n, (await good(h, 'list', {})).documents.length];
	};
	await good(h, 'upsert', { documents: [doc] });
	assert.deepEqual(await seen(), [1, undefined, 0]);
	await good(h, 'update', { documents: [{ _id: 'a', n: 2, v: [3, 4], _remove_fields: ['w'] }] });
	assert.deepEqual(await seen(), [2, undefined, 0]);
	await sleep(700);
	assert.deepEqual(await seen(), [2, 2, 1]);
	assert.deepEqual((await good(h, 'fetch', { ids: ['a'] })).documents.a, { _id: 'a', t: 'word', v: [3, 4], n: 2 });
	assert.deepEqual(await good(h, 'update', { filter: { n: 2 }, set_fields: { n: 3 } }), { matched_records: 1 });
	assert.equal((await call(h, 'list', {})).headers['x-pinecone-max-indexed-lsn'], '2');
	assert.deepEqual(await seen(), [3, 2, 1]);
	await good(h, 'delete', { filter: { n: 3 } });
	assert.deepEqual(await seen(), [undefined, 2, 1]);
	await sleep(700);
	assert.deepEqual(await seen(), [undefined, undefined, 0]);
	await s.local('POST', 'settings', { lag: 0, lsn_headers: 'never' });
	await good(h, 'upsert', { documents: [doc] });
	assert.deepEqual(await seen(), [1, 1, 1]);
	assert.equal((await call(h, 'search', { score_by: [{ type: 'text', field: 't', query: 'word' }], top_k: 1 })).headers['x-pinecone-max-indexed-lsn'], undefined);
	assert.equal(await s.stop(), 0);
});
await check('small limits, and an approximate index', async () => {
	const s = await Server.start('--small-limits', '--approximate', '7');
	const h = (await s.control('POST', '/indexes', { name: 'small', schema: { fields: { v: { type: 'dense_vector', dimension: 2, metric: 'cosine' } } } }, NEW)).json.host;
	for (let i = 0; i < 30; i += 3) await good(h, 'upsert', { documents: [0, 1, 2].map((k) => ({ _id: `${i + k}`, v: [1, i + k], n: 1 })) });
	for (const [operation, body, status] of [
		['upsert', { documents: Array(4).fill({ _id: 'x', v: [1, 1] }) }, 400], ['update', { documents: Array(4).fill({ _id: 'x', n: 1 }) }, 400], ['delete', { ids: ['a', 'b', 'c', 'd'] }, 400], ['fetch', { ids: ['a', 'b', 'c'] }, 400],
		['list', { limit: 4 }, 400], ['fetch', { filter: { n: 1 }, limit: 5 }, 400], ['search', { score_by: [{ type: 'dense_vector', field: 'v', values: [1, 1] }], top_k: 6 }, 400], ['upsert', { documents: [{ _id: 'x', v: [1, 1], m: 'x'.repeat(7000) }] }, 413],
	]) await bad(h, operation, body, /./, status);
	assert.equal(Object.keys((await good(h, 'fetch', { filter: { n: 1 } })).documents).length, 4);
	assert.equal((await good(h, 'list', {})).documents.length, 3);
	const found = async () => {
		const all = [];
		for (let i = 0; i < 20; i++) all.push(ids(await good(h, 'search', { score_by: [{ type: 'dense_vector', field: 'v', values: [1, i] }], top_k: 5 })));
		return all;
	};
	const rough = await found();
	await s.local('POST', 'settings', { approximate: 0 });
	assert.notDeepEqual(await found(), rough);
	assert.equal(await s.stop(), 0);
});
await check('keys that may only read', async () => {
	const s = await Server.start('--read-only-key', 'reader', '--data-key', 'worker');
	const h = (await s.control('POST', '/indexes', { name: 'guarded', schema: { fields: { t: text } } }, NEW)).json.host;
	const statuses = {};
	for (const key of ['reader', 'worker']) {
		statuses[key] = [];
		for (const [operation, body] of [
			['upsert', { documents: [{ _id: 'a', t: 'x' }] }], ['update', { documents: [{ _id: 'a', t: 'y' }] }], ['search', { score_by: [{ type: 'text', field: 't', query: 'x' }], top_k: 1 }], ['fetch', { ids: ['a'] }], ['list', {}], ['delete', { ids: ['a'] }],
		]) statuses[key].push((await call(h, operation, body, 'ns', { ...NEW, 'Api-Key': key })).status);
	}
	assert.deepEqual(statuses, { reader: [403, 403, 200, 200, 200, 403], worker: [202, 202, 200, 200, 200, 202] });
	assert.equal(await s.stop(), 0);
});
await check('the reply limit of 4 MB, which may be none', async () => {
	const wide = await create('wide-documents', { v: { type: 'dense_vector', dimension: 2000, metric: 'cosine' } });
	for (let from = 0; from < 200; from += 20) {
		await good(wide, 'upsert', { documents: Array.from({ length: 20 }, (_, i) => ({ _id: `${from + i}`, v: Array.from({ length: 2000 }, (_, k) => Math.sin(k + i) * 0.1) })) });
	}
	const body = { ids: Array.from({ length: 200 }, (_, i) => `${i}`) };
	await bad(wide, 'fetch', body, /the limit is: 4194304 bytes/, 400).catch((e) => assert.match(String(e), /OUT_OF_RANGE/));
	await assume({ 'result-limit': 'none' });
	assert.equal(Object.keys((await good(wide, 'fetch', body)).documents).length, 200);
	await assume({ 'result-limit': '4mb' });
	assert.equal(Object.keys((await good(wide, 'fetch', { ...body, include_fields: ['none'] })).documents).length, 200);
});
await check('saving and loading, and a schema from a file', async () => {
	const [file, schema, wrong] = ['documents.jsonl', 'schema.json', 'wrong.json'].map((name) => join(directory, name));
	writeFileSync(schema, JSON.stringify({ fields: { ...fields, gone: { type: 'string', sparse_embed: {}, store_text: false }, terms: undefined } }));
	writeFileSync(wrong, JSON.stringify({ schema: { fields: { a: { type: 'float' } } } }));
	let s = await Server.start('--index', `kept:${schema}`, '--store', file, '--assume', 'null-field=drop');
	let h = await s.host('kept');
	await good(h, 'upsert', { documents: [{ ...documents[0], terms: undefined, gone: 'unseen words', n: null }, { _id: 'only', gone: 'more words' }] });
	const before = (await good(h, 'fetch', { ids: ['a', 'only'] })).documents;
	const by = (query) => ({ score_by: [{ type: 'sparse_embed', field: 'gone', query }], top_k: 5 });
	const found = (await good(h, 'search', by('unseen words'))).matches;
	assert.deepEqual(found.map((m) => m._id), ['a', 'only']);
	const described = (await s.control('GET', '/indexes/kept', undefined, NEW)).json;
	assert.equal(await s.stop(), 0);
	s = await Server.start('--store', file);
	h = await s.host('kept');
	assert.deepEqual((await good(h, 'fetch', { ids: ['a', 'only'] })).documents, before);
	assert.deepEqual((await good(h, 'search', by('unseen words'))).matches, found);
	assert.deepEqual({ ...(await s.control('GET', '/indexes/kept', undefined, NEW)).json, host: '' }, { ...described, host: '' });
	assert.deepEqual(ids(await good(h, 'search', { score_by: [{ type: 'text', field: 'body', query: 'run' }], top_k: 5 })), ['a']);
	assert.equal(await s.stop(), 0);
	for (const [options, status, message] of [
		[['--index', `x:${wrong}`], 1, /only accepts fields used for search/], [['--index', 'x:/none.json'], 1, /could not open/], [['--assume', 'x=y'], 2, /--assume/],
		[['--assume', 'star=none'], 2, /--assume/], [['--assume', 'star'], 2, /--assume/],
	]) {
		const ended = await run('--port', '0', '--api-key', 'k', ...options);
		assert.equal(ended.status, status);
		assert.match(ended.stderr, message);
	}
	assert.match((await run('--help')).stdout, /text-filter=none\|works\|reject/);
});
await check('random writes leave what a model of them says', async () => {
	const many = await create('random', { t: text, v: { type: 'dense_vector', dimension: 2, metric: 'dotproduct' } });
	const model = new Map();
	let seed = 99;
	const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
	const word = () => `w${random(30)}`;
	const sentence = () => Array.from({ length: 1 + random(6) }, word).join(' ');
	for (let round = 0; round < 300; round++) {
		const keys = Array.from({ length: 1 + random(60) }, () => `k${random(400)}`);
		const how = random(10);
		if (how < 5) {
			const docs = keys.map((_id) => ({ _id, ...(random(4) ? { t: sentence() } : { v: [random(9) + 1, random(9)] }), n: random(9) }));
			await good(many, 'upsert', { documents: docs });
			docs.forEach((d) => model.set(d._id, d));
		} else if (how < 8) {
			const docs = [...new Set(keys)].map((_id) => (random(3) ? { _id, t: sentence(), n: random(9) } : { _id, v: [1, random(9)], _remove_fields: ['t', 'n'] }));
			await good(many, 'update', { documents: docs });
			for (const { _remove_fields = [], ...d } of docs) {
				if (!model.has(d._id)) continue;
				const now = { ...model.get(d._id), ...d };
				_remove_fields.forEach((f) => delete now[f]);
				model.set(d._id, now);
			}
		} else if (how < 9) {
			await good(many, 'delete', { ids: keys });
			keys.forEach((k) => model.delete(k));
		} else {
			const n = random(9);
			const expected = [...model.values()].filter((d) => d.n === n);
			assert.deepEqual(await good(many, 'delete', { filter: { n } }), { matched_records: expected.length });
			expected.forEach((d) => model.delete(d._id));
		}
		const w = word();
		const has = (d) => d.t?.split(' ').includes(w);
		const { matches } = await good(many, 'search', { score_by: [{ type: 'text', fields: ['t'], query: w }], top_k: 1000 });
		assert.deepEqual(matches.map((m) => m._id).sort(), [...model.values()].filter(has).map((d) => d._id).sort());
		const { documents: got } = await good(many, 'fetch', { filter: { $and: [{ t: { $match_any: w } }, { n: { $lt: 4 } }] }, limit: 1000 });
		assert.deepEqual(got, Object.fromEntries([...model.values()].filter((d) => has(d) && d.n < 4).map((d) => [d._id, d])));
	}
	assert.equal((await request('POST', `${many}/describe_index_stats`, {}, NEW)).json.totalVectorCount, model.size);
});
await check('a clean end', async () => assert.equal(await server.stop(), 0));
await finish();
