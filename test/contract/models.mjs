// What is embedded: fields of documents, indexes for a model and their records;
// inference; converting an index.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Server, check, directory, finish, request, sleep } from './harness.mjs';

const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const server = await Server.start();
const control = (method, path, body, headers = NEW) => server.control(method, path, body, headers);
const call = (host, operation, body, namespace = 'ns') => request('POST', `${host}/namespaces/${namespace}/documents/${operation}`, body, NEW);
const assume = (assume) => server.local('POST', 'settings', { assume });

async function create(name, fields) {
	const reply = await control('POST', '/indexes', { name, schema: { fields } });
	assert.equal(reply.status, 201, reply.text);
	return reply.json.host;
}
async function good(host, operation, body, namespace) {
	const reply = await call(host, operation, body, namespace);
	assert.equal(reply.status, ['search', 'fetch', 'list'].includes(operation) ? 200 : 202, reply.text);
	return reply.json;
}
function isError(reply, status, message) {
	assert.equal(reply.status, status, reply.text);
	assert.equal(reply.json.status, status);
	assert.match(reply.json.error.message, message);
}
const ids = (json) => json.matches.map((m) => m._id);

// ---- Inference ----

await check('models', async () => {
	const { models } = (await control('GET', '/models')).json;
	assert.ok(models.some((m) => m.model === 'llama-text-embed-v2' && m.type === 'embed' && m.vector_type === 'dense' && m.default_dimension === 1024 && m.supported_dimensions.includes(512)));
	assert.deepEqual((await control('GET', '/models?type=embed&vector_type=sparse')).json.models.map((m) => m.model), ['pinecone-sparse-english-v0']);
	assert.ok((await control('GET', '/models?type=rerank')).json.models.every((m) => m.type === 'rerank'));
	assert.equal((await control('GET', '/models/multilingual-e5-large')).json.max_batch_size, 96);
	isError(await control('GET', '/models/none'), 404, /Model 'none' not found/);
});
const embed = async (texts, model = 'llama-text-embed-v2', parameters = {}) =>
	(await control('POST', '/embed', { model, parameters: { input_type: 'passage', ...parameters }, inputs: texts.map((text) => ({ text })) })).json;
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

await check('embed: the same every time, of length one, near when words are shared', async () => {
	const { data, model, vector_type, usage } = await embed(['the quick brown fox', 'the quick red fox', 'nothing in common']);
	assert.deepEqual([model, vector_type, usage, data[0].values.length, data[0].vector_type], ['llama-text-embed-v2', 'dense', { total_tokens: 11 }, 1024, 'dense']);
	const [a, b, c] = data.map((d) => d.values);
	assert.ok(Math.abs(dot(a, a) - 1) < 1e-4);
	assert.ok(dot(a, b) > 0.5 && Math.abs(dot(a, c)) < 0.2);
	assert.deepEqual((await embed(['The QUICK brown fox!'], undefined, { input_type: 'query' })).data[0].values, a);
	assert.equal((await embed(['x'], undefined, { dimension: 512 })).data[0].values.length, 512);
});
await check('embed: sparse', async () => {
	const { data, vector_type } = await embed(['a b a', 'b'], 'pinecone-sparse-english-v0', { return_tokens: true });
	assert.equal(vector_type, 'sparse');
	const at = data[0].sparse_tokens.indexOf('a');
	assert.deepEqual([data[0].sparse_indices.length, Math.fround(data[0].sparse_values[at])], [2, Math.fround(1 + Math.log(2))]);
	assert.deepEqual(data[1].sparse_indices, [data[0].sparse_indices[1 - at]]);
});
await check('rerank', async () => {
	const documents = [{ id: '0', text: 'nothing here' }, { id: '1', text: 'red apples', more: 'x' }, { id: '2', text: 'red apples and pears' }];
	const { data, usage, model } = (await control('POST', '/rerank', { model: 'bge-reranker-v2-m3', query: 'red apples', documents, top_n: 2 })).json;
	assert.deepEqual([data.map((d) => [d.index, d.score]), usage, model], [[[1, 1], [2, 0.5]], { rerank_units: 1 }, 'bge-reranker-v2-m3']);
	assert.deepEqual(data[0].document, documents[1]);
	const bare = (await control('POST', '/rerank', { model: 'bge-reranker-v2-m3', query: 'x', documents: [{ body: 'x y' }], rank_fields: ['body'], return_documents: false })).json;
	assert.deepEqual(bare.data, [{ index: 0, score: 0.5 }]);
});
await check('inference that is not right', async () => {
	const inputs = [{ text: 'x' }];
	const parameters = { input_type: 'query' };
	const documents = [{ text: 'x' }];
	for (const [path, body, status, message] of [
		['/embed', { model: 'none', inputs, parameters }, 404, /not found/], ['/embed', { inputs, parameters }, 422, /model/], ['/embed', { model: 7, inputs }, 422, /model/],
		['/embed', { model: 'bge-reranker-v2-m3', inputs, parameters }, 400, /does not support embedding/], ['/embed', { model: 'llama-text-embed-v2', parameters }, 422, /inputs/],
		['/embed', { model: 'llama-text-embed-v2', inputs: [], parameters }, 400, /between 1 and 96/], ['/embed', { model: 'llama-text-embed-v2', inputs: Array(97).fill(inputs[0]), parameters }, 400, /97/],
		['/embed', { model: 'llama-text-embed-v2', inputs: [{}], parameters }, 422, /text/], ['/embed', { model: 'llama-text-embed-v2', inputs: ['x'], parameters }, 422, /text/],
		['/embed', { model: 'llama-text-embed-v2', inputs }, 400, /input_type/], ['/embed', { model: 'llama-text-embed-v2', inputs, parameters: { input_type: 'x' } }, 400, /input_type/],
		['/embed', { model: 'llama-text-embed-v2', inputs, parameters: { ...parameters, dimension: 7 } }, 400, /dimension/], ['/embed', 'x', 400, /JSON/], ['/embed', [], 400, /JSON/],
		['/rerank', { model: 'llama-text-embed-v2', query: 'x', documents }, 400, /reranking/], ['/rerank', { model: 'bge-reranker-v2-m3', documents }, 422, /query/], ['/rerank', { model: 'bge-reranker-v2-m3', query: 'x' }, 422, /documents/],
		['/rerank', { model: 'bge-reranker-v2-m3', query: 'x', documents: Array(101).fill(documents[0]) }, 400, /101/], ['/rerank', { model: 'bge-reranker-v2-m3', query: 'x', documents: [{ a: 1 }] }, 400, /no text/],
		['/rerank', { model: 'bge-reranker-v2-m3', query: 'x', documents, top_n: 0 }, 400, /top_n/], ['/rerank', { model: 'bge-reranker-v2-m3', query: 'x', documents, rank_fields: [7] }, 422, /rank_fields/],
	]) isError(await control('POST', path, body), status, message);
});

// ---- Embedded fields of documents ----

const both = { type: 'string', embed: {}, sparse_embed: {}, description: 'all three' };

await check('an embedded field is described with everything', async () => {
	const host = await create('embedded', { body: both, gone: { type: 'string', full_text_search: {} } });
	assert.ok(host);
	const { body } = (await control('GET', '/indexes/embedded')).json.schema.fields;
	assert.deepEqual(body, {
		type: 'string', description: 'all three', full_text_search: { language: 'en', stemming: false, stop_words: false },
		embed: { model: 'llama-text-embed-v2', dimension: 1024, metric: 'cosine', write_parameters: { input_type: 'passage', truncate: 'END' }, read_parameters: { input_type: 'query', truncate: 'END' } },
		sparse_embed: { model: 'pinecone-sparse-english-v0', write_parameters: { input_type: 'passage', truncate: 'END' }, read_parameters: { input_type: 'query', truncate: 'END' } },
		store_text: true,
	});
});
await check('documents are embedded when they are written, and found by text', async () => {
	const host = await server.host('embedded');
	const documents = [{ _id: 'a', body: 'red apples and pears', n: 1 }, { _id: 'b', body: 'blue whales in the sea', n: 2 }, { _id: 'c', gone: 'no body' }];
	assert.deepEqual(await good(host, 'upsert', { documents }), { upserted_count: 3, usage: { embed_total_tokens: 18 } });
	const by = (type, query, more) => good(host, 'search', { score_by: [{ type, field: 'body', query }], top_k: 5, ...more });
	const dense = await by('embed', 'apples and pears', { include_fields: ['*'] });
	assert.deepEqual([ids(dense), dense.usage.embed_total_tokens], [['a', 'b'], 3]);
	assert.deepEqual(dense.matches[0], { _id: 'a', _score: dense.matches[0]._score, body: documents[0].body, n: 1 });
	assert.ok(dense.matches[0]._score > 0.5 && dense.matches[0]._score <= 1);
	assert.deepEqual(ids(await by('sparse_embed', 'whales apples apples')), ['a', 'b']);
	assert.deepEqual(ids(await by('sparse_embed', 'unknown')), []);
	assert.deepEqual(ids(await by('text', 'sea')), ['b']);
	assert.deepEqual(ids(await by('embed', 'apples', { filter: { body: { $match_any: 'whales' } } })), ['b']);
	assert.deepEqual(await good(host, 'update', { documents: [{ _id: 'b', body: 'green apples' }, { _id: 'a', _remove_fields: ['body'] }] }), { usage: { embed_total_tokens: 4 } });
	assert.deepEqual(ids(await by('embed', 'green apples')), ['b']);
	assert.deepEqual(ids(await by('sparse_embed', 'red green')), ['b']);
	assert.deepEqual(await good(host, 'update', { documents: [{ _id: 'b', n: 3 }] }), {});
	for (const [score_by, message] of [
		[{ type: 'dense_vector', field: 'body', values: Array(1024).fill(1) }, /Scoring field 'body' not found/], [{ type: 'sparse_vector', field: 'body', sparse_values: { indices: [1], values: [1] } }, /Sparse vectors are not supported/],
		[{ type: 'embed', field: 'body', query: 'x', values: [1] }, /values/], [{ type: 'embed', field: 'gone', query: 'x' }, /embed/], [{ type: 'sparse_embed', field: 'body', query: 'x', sparse_values: { indices: [1], values: [1] } }, /sparse_values/],
		[{ type: 'embed', fields: ['body', 'gone'], query: 'x' }, /exactly one/], [{ type: 'embed', field: 'body' }, /query/],
	]) isError(await call(host, 'search', { score_by: [score_by], top_k: 1 }), 400, message);
	isError(await call(host, 'search', { score_by: [{ type: 'embed', field: 'body', query: 'x' }, { type: 'text', field: 'body', query: 'x' }], top_k: 1 }), 400, /combined/);
	const many = Array.from({ length: 97 }, (_, i) => ({ _id: `${i}`, gone: 'x' }));
	isError(await call(host, 'upsert', { documents: many }), 400, /more than 96/);
	isError(await call(host, 'update', { documents: many }), 400, /more than 96/);
	await assume({ 'schema-update': 'allow' });
	isError(await call(host, 'update', { filter: { n: 3 }, set_fields: { body: 'x' } }), 400, /field of the schema/);
	await assume({ 'schema-update': 'reject' });
});
await check('a text that is not stored', async () => {
	const host = await create('unstored', { t: { type: 'string', embed: { dimension: 512, model: 'llama-text-embed-v2' }, store_text: false } });
	const { t } = (await control('GET', '/indexes/unstored')).json.schema.fields;
	assert.deepEqual([t.full_text_search, t.store_text, t.embed.dimension], [undefined, false, 512]);
	await good(host, 'upsert', { documents: [{ _id: 'a', t: 'secret words', n: 1 }] });
	assert.deepEqual((await good(host, 'fetch', { ids: ['a'] })).documents.a, { _id: 'a', n: 1 });
	assert.deepEqual((await good(host, 'fetch', { ids: ['a'], include_fields: ['*'] })).documents.a, { _id: 'a', n: 1 });
	isError(await call(host, 'fetch', { ids: ['a'], include_fields: ['t'] }), 400, /store_text/);
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'embed', field: 't', query: 'secret' }], top_k: 1 })), ['a']);
	isError(await call(host, 'search', { score_by: [{ type: 'text', field: 't', query: 'secret' }], top_k: 1 }), 400, /not found in index schema/);
	isError(await call(host, 'search', { score_by: [{ type: 'query_string', query: 'secret' }], top_k: 1 }), 400, /full_text_search/);
	isError(await call(host, 'fetch', { filter: { t: { $match_any: 'x' } } }), 400, /full_text_search/);
	await good(host, 'update', { documents: [{ _id: 'a', n: 2 }] });
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'embed', field: 't', query: 'secret' }], top_k: 1 })), ['a']);
	await good(host, 'update', { documents: [{ _id: 'a', _remove_fields: ['t'] }] });
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'embed', field: 't', query: 'secret' }], top_k: 1 })), []);
});

// ---- Indexes for a model ----

const forModel = { name: 'chunks', cloud: 'aws', region: 'us-east-1', embed: { model: 'multilingual-e5-large', field_map: { text: 'chunk' } } };
const records = (host, operation, body, namespace = 'ns', headers = NEW) => request('POST', `${host}/records/namespaces/${namespace}/${operation}`, body, { 'Content-Type': 'application/x-ndjson', ...headers });
const lines = (...list) => list.map((l) => JSON.stringify(l)).join('\n');

await check('create-for-model, described in both forms', async () => {
	const made = await control('POST', '/indexes/create-for-model', { ...forModel, schema: { fields: { genre: { filterable: true } } } });
	assert.equal(made.status, 201, made.text);
	assert.deepEqual(made.json.schema.fields, {
		chunk: { type: 'semantic_text', description: null, model: 'multilingual-e5-large', metric: 'cosine', dimension: 1024, read_parameters: { input_type: 'query', truncate: 'END' }, write_parameters: { input_type: 'passage', truncate: 'END' } },
		genre: { filterable: true },
	});
	const old = (await control('GET', '/indexes/chunks', undefined, {})).json;
	assert.deepEqual([old.dimension, old.metric, old.vector_type, old.embed.model, old.embed.field_map], [1024, 'cosine', 'dense', 'multilingual-e5-large', { text: 'chunk' }]);
	const changed = await control('PATCH', '/indexes/chunks', { schema: { fields: { chunk: { type: 'semantic_text', read_parameters: { truncate: 'NONE' } } } } });
	assert.deepEqual([changed.status, changed.json.schema.fields.chunk.read_parameters], [200, { input_type: 'query', truncate: 'NONE' }]);
	const again = await control('PATCH', '/indexes/chunks', { embed: { write_parameters: { x: 1 } } }, {});
	assert.deepEqual([again.status, again.json.embed.write_parameters], [202, { input_type: 'passage', truncate: 'END', x: 1 }]);
	for (const [body, status, message] of [
		[{ ...forModel }, 409, /exists/], [{ ...forModel, name: 'x', embed: { model: 'none', field_map: { text: 't' } } }, 404, /Model none not found/], [{ ...forModel, name: 'x', embed: { model: 'multilingual-e5-large' } }, 422, /field_map/],
		[{ ...forModel, name: 'x', embed: { ...forModel.embed, dimension: 7 } }, 400, /dimension 7/], [{ ...forModel, name: 'x', embed: { ...forModel.embed, metric: 'dotproduct' } }, 400, /metric/], [{ ...forModel, name: 'x', embed: undefined }, 422, /embed/],
		[{ ...forModel, name: 'x', region: 'mars' }, 404, /mars/], [{ ...forModel, name: 'x', cloud: undefined }, 422, /cloud/], [{ ...forModel, name: undefined }, 422, /name/], [{ ...forModel, name: 'x', embed: { ...forModel.embed, field_map: {} } }, 400, /field_map/],
		[{ ...forModel, name: 'x', schema: { fields: { a: { filterable: false } } } }, 400, /filterable/],
	]) isError(await control('POST', '/indexes/create-for-model', body), status, message);
	isError(await control('PATCH', '/indexes/chunks', { schema: { fields: { other: { type: 'semantic_text' } } } }), 400, /other/);
});
await check('records: upsert lines, search by text, vector and id', async () => {
	const host = await server.host('chunks');
	const reply = await records(host, 'upsert', lines({ _id: 'a', chunk: 'red apples and pears', genre: 'fruit' }, { id: 'b', chunk: 'blue whales', genre: 'sea', tags: ['x'] }, { _id: 'c', chunk: 'red cars' }));
	assert.deepEqual([reply.status, reply.text], [201, '']);
	assert.equal((await records(host, 'upsert', lines({ _id: 'd', chunk: 'green' }) + '\r\n\n')).status, 201);
	const search = async (body) => (await records(host, 'search', body)).json;
	const found = await search({ query: { top_k: 2, inputs: { text: 'red apples' } } });
	assert.deepEqual(found.result.hits.map((h) => h._id), ['a', 'c']);
	assert.deepEqual(found.result.hits[0].fields, { chunk: 'red apples and pears', genre: 'fruit' });
	assert.deepEqual([found.namespace, found.usage.embed_total_tokens, found.usage.read_units > 0, found.usage.egress_bytes > 0], ['ns', 2, true, true]);
	const old = (await records(host, 'search', { query: { top_k: 1, inputs: { text: 'red' } } }, 'ns', {})).json;
	assert.deepEqual([old.namespace, old.usage.egress_bytes], [undefined, undefined]);
	assert.deepEqual((await search({ query: { top_k: 9, inputs: { text: 'red' }, filter: { genre: 'sea' } }, fields: ['tags'] })).result.hits.map((h) => [h._id, h.fields]), [['b', { tags: ['x'] }]]);
	assert.equal((await search({ query: { top_k: 1, id: 'b' } })).result.hits[0]._id, 'b');
	const vector = (await embed(['blue whales'], 'multilingual-e5-large')).data[0].values;
	assert.equal((await search({ query: { top_k: 1, vector: { values: vector } } })).result.hits[0]._id, 'b');
	assert.deepEqual((await search({ query: { top_k: 1, inputs: { text: 'x' } } }).catch((e) => e)).result.hits.length, 1);
	assert.deepEqual((await records(host, 'search', { query: { top_k: 1, inputs: { text: 'x' } } }, 'never')).json.result.hits, []);
	// The vectors API sees the same records
	const fetched = (await request('GET', `${host}/vectors/fetch?namespace=ns&ids=a`)).json.vectors.a;
	assert.deepEqual([fetched.values.length, fetched.metadata], [1024, { chunk: 'red apples and pears', genre: 'fruit' }]);
	const ranked = await search({ query: { top_k: 4, inputs: { text: 'red cars' } }, rerank: { model: 'bge-reranker-v2-m3', rank_fields: ['chunk'], top_n: 2 } });
	assert.deepEqual([ranked.result.hits.map((h) => h._id), ranked.result.hits[0]._score, ranked.usage.rerank_units], [['c', 'a'], 1, 1]);
});
await check('records that are not right', async () => {
	const host = await server.host('chunks');
	for (const [body, message] of [
		['', /No records/], ['x', /JSON/], [lines({ chunk: 'x' }), /ID/], [lines({ _id: 'x' }), /no field 'chunk'/], [lines({ _id: 'x', chunk: 7 }), /must be a string/], [lines({ _id: 'x', id: 'y', chunk: 'z' }), /not both/],
		[lines({ _id: 'x', chunk: 'y', m: { a: 1 } }), /Metadata value/], [lines({ _id: 'é', chunk: 'y' }), /ASCII/], [lines(...Array.from({ length: 97 }, (_, i) => ({ _id: `${i}`, chunk: 'y' }))), /96/],
		[lines({ _id: 'x', chunk: 'y'.repeat(41000) }), /40960/], [lines({ _id: 'x', chunk: 'good' }, { _id: 'y' }), /chunk/],
	]) isError(await records(host, 'upsert', body), 400, message);
	const inputs = { text: 'x' };
	for (const [body, message] of [
		[{}, /query/], [{ query: { inputs } }, /top_k/], [{ query: { top_k: 0, inputs } }, /top_k/], [{ query: { top_k: 1 } }, /exactly one/], [{ query: { top_k: 1, inputs, id: 'a' } }, /exactly one/], [{ query: { top_k: 1, inputs: {} } }, /text/],
		[{ query: { top_k: 1, vector: [1] } }, /^Invalid query: Dense index queries with 'vector' input must specify 'values'$/], [{ query: { top_k: 1, vector: { values: [1] } } }, /dimension/], [{ query: { top_k: 1, inputs, filter: { a: null } } }, /illegal/],
		[{ query: { top_k: 1, inputs, filter: { other: 1 } } }, /not filterable/], [{ query: { top_k: 1, inputs }, fields: 'x' }, /fields/], [{ query: { top_k: 1, inputs, match_terms: { terms: ['x'] } } }, /match_terms/],
		[{ query: { top_k: 1, inputs }, rerank: { model: 'none', rank_fields: ['chunk'] } }, /reranking/], [{ query: { top_k: 1, inputs }, rerank: { model: 'bge-reranker-v2-m3', rank_fields: ['genre'] } }, /no text in rank field/],
		[{ query: { top_k: 1, id: 'a' }, rerank: { model: 'bge-reranker-v2-m3', rank_fields: ['chunk'] } }, /query/], [{ query: { top_k: 1, inputs }, more: 1 }, /more/],
	]) isError(await records(host, 'search', body), 400, message);
	isError(await call(host, 'search', {}), 400, /records API/);
	const classic = await server.createIndex('no-model', 2);
	isError(await records(classic, 'upsert', lines({ _id: 'a', t: 'x' })), 400, /Integrated inference is not configured/);
	isError(await records(classic, 'search', { query: { top_k: 1, inputs } }), 400, /Integrated inference is not configured/);
	await request('POST', `${classic}/vectors/upsert`, { namespace: 'ns', vectors: [{ id: 'a', values: [1, 2], metadata: { t: 'x' } }] });
	assert.deepEqual((await records(classic, 'search', { query: { top_k: 1, vector: { values: [1, 2] } } })).json.result.hits.map((h) => [h._id, h.fields]), [['a', { t: 'x' }]]);
});
await check('a sparse model, with terms that must be there', async () => {
	const made = await control('POST', '/indexes/create-for-model', { ...forModel, name: 'sparse-chunks', embed: { model: 'pinecone-sparse-english-v0', field_map: { text: 'chunk' } } });
	assert.deepEqual([made.status, made.json.schema.fields.chunk.dimension, made.json.schema.fields.chunk.metric], [201, null, 'dotproduct']);
	assert.equal((await control('GET', '/indexes/sparse-chunks', undefined, {})).json.embed.vector_type, 'sparse');
	const { host } = made.json;
	assert.equal((await records(host, 'upsert', lines({ _id: 'a', chunk: 'red apples' }, { _id: 'b', chunk: 'red cars' }))).status, 201);
	const search = async (query) => (await records(host, 'search', { query: { top_k: 5, ...query } })).json.result.hits.map((h) => h._id);
	assert.deepEqual(await search({ inputs: { text: 'red cars' } }), ['b', 'a']);
	assert.deepEqual(await search({ inputs: { text: 'red cars' }, match_terms: { strategy: 'all', terms: ['apples'] } }), ['a']);
	const [{ sparse_values, sparse_indices }] = (await embed(['apples'], 'pinecone-sparse-english-v0')).data;
	assert.deepEqual(await search({ vector: { sparse_values, sparse_indices } }), ['a']);
});
await check('an index for a model is saved and loaded', async () => {
	const file = join(directory, 'models.jsonl');
	let s = await Server.start('--store', file);
	const { host } = (await s.control('POST', '/indexes/create-for-model', forModel, NEW)).json;
	await records(host, 'upsert', lines({ _id: 'a', chunk: 'red apples' }));
	const before = (await s.control('GET', '/indexes/chunks', undefined, NEW)).json;
	assert.equal(await s.stop(), 0);
	s = await Server.start('--store', file);
	assert.deepEqual({ ...(await s.control('GET', '/indexes/chunks', undefined, NEW)).json, host: '' }, { ...before, host: '' });
	const { hits } = (await records(await s.host('chunks'), 'search', { query: { top_k: 1, inputs: { text: 'red apples' } } })).json.result;
	assert.deepEqual([hits[0]._id, hits[0]._score > 0.999], ['a', true]);
	assert.equal(await s.stop(), 0);
});

// ---- Converting ----

await check('an index of vectors becomes one of documents', async () => {
	const source = await server.createIndex('source', 2, 'dotproduct');
	await request('POST', `${source}/vectors/upsert`, { namespace: 'ns', vectors: [
		{ id: 'a', values: [1, 2], metadata: { title: 'red apples', n: 1 } }, { id: 'b', values: [3, 4], sparseValues: { indices: [5], values: [0.5] }, metadata: { tags: ['x'] } },
	] });
	const fields = { title: { type: 'string', full_text_search: {} }, v: { type: 'dense_vector', dimension: 2, metric: 'cosine' }, s: { type: 'sparse_vector' } };
	const made = await control('POST', '/indexes/source/convert', { name: 'target', schema: { fields } });
	assert.deepEqual([made.status, made.json.status.state], [201, 'Initializing']);
	const { json: job } = await control('GET', `/conversion-jobs/${made.json.conversion_job_id}`);
	assert.deepEqual([job.status, job.source_index_name, job.target_index_name, job.records_converted, job.records_skipped, job.percent_complete, job.error_mode], ['Completed', 'source', 'target', 2, 0, 100, { on_error: 'abort' }]);
	assert.equal((await control('GET', '/indexes/target')).json.status.state, 'Ready');
	const host = await server.host('target');
	assert.deepEqual((await good(host, 'fetch', { ids: ['a', 'b'] })).documents, {
		a: { _id: 'a', title: 'red apples', v: [1, 2], n: 1 }, b: { _id: 'b', v: [3, 4], s: { indices: [5], values: [0.5] }, tags: ['x'] },
	});
	assert.deepEqual(ids(await good(host, 'search', { score_by: [{ type: 'text', field: 'title', query: 'apples' }], top_k: 1 })), ['a']);
	const text = { fields: { title: { type: 'string', full_text_search: {} } } };
	const failed = await control('POST', '/indexes/source/convert', { name: 'failed', schema: text });
	assert.equal((await control('GET', `/conversion-jobs/${failed.json.conversion_job_id}`)).json.status, 'Failed');
	assert.deepEqual((await control('GET', '/indexes/failed')).json.status, { ready: false, state: 'InitializationFailed' });
	const some = await control('POST', '/indexes/source/convert', { name: 'some', schema: text, error_mode: { on_error: 'continue' } });
	const skipped = (await control('GET', `/conversion-jobs/${some.json.conversion_job_id}`)).json;
	assert.deepEqual([skipped.status, skipped.records_converted, skipped.records_skipped], ['Completed', 1, 1]);
	const page = (await control('GET', '/conversion-jobs?limit=2')).json;
	assert.deepEqual(page.data.map((j) => j.target_index_name), ['some', 'failed']);
	const rest = (await control('GET', `/conversion-jobs?limit=2&paginationToken=${encodeURIComponent(page.pagination.next)}`)).json;
	assert.deepEqual([rest.data.map((j) => j.target_index_name), rest.pagination], [['target'], undefined]);
	for (const [path, body, status, message] of [
		['/indexes/none/convert', { schema: text }, 404, /none/], ['/indexes/target/convert', { schema: text }, 400, /already/], ['/indexes/source/convert', { name: 'target', schema: text }, 409, /exists/],
		['/indexes/source/convert', { name: 'x' }, 422, /schema/], ['/indexes/source/convert', { name: 'X', schema: text }, 400, /lowercase/], ['/indexes/source/convert', { schema: text, error_mode: { on_error: 'x' } }, 400, /on_error/],
		['/indexes/source/convert', { schema: { fields: { v: { type: 'dense_vector', dimension: 3, metric: 'cosine' } } } }, 400, /dimension 3/],
	]) isError(await control('POST', path, body), status, message);
	isError(await control('GET', '/conversion-jobs/none'), 404, /none/);
	isError(await control('GET', '/conversion-jobs?limit=0'), 400, /limit/);
});
await check('a conversion that takes its time, and one that is cancelled', async () => {
	await assume({ conversion: 'slow' });
	const schema = { fields: { v: { type: 'dense_vector', dimension: 2, metric: 'cosine' } } };
	const make = async (name) => (await control('POST', '/indexes/source/convert', { name, schema })).json.conversion_job_id;
	const state = async (id) => (await control('GET', `/conversion-jobs/${id}`)).json.status;
	const [slow, cancelled] = [await make('slow'), await make('cancelled')];
	assert.deepEqual([await state(slow), (await control('GET', '/indexes/slow')).json.status], ['InProgress', { ready: false, state: 'Initializing' }]);
	assert.equal((await control('POST', `/conversion-jobs/${cancelled}/cancel`)).status, 202);
	await sleep(600);
	assert.deepEqual([await state(slow), await state(cancelled), (await control('GET', '/indexes/slow')).json.status.ready, (await control('GET', '/indexes/cancelled')).json.status.ready], ['Completed', 'Cancelled', true, false]);
	isError(await control('DELETE', `/conversion-jobs/${slow}`), 400, /not in progress/);
	await assume({ conversion: 'at-once' });
});
await check('a clean end', async () => assert.equal(await server.stop(), 0));
await finish();
