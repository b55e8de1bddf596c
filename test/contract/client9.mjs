// Document indexes, records and inference, as the official TypeScript client for
// API 2026-07 sees them.
import assert from 'node:assert/strict';
import { Pinecone } from 'pinecone-9';
import { KEY, Server, check, finish } from './harness.mjs';

const server = await Server.start('--ready-delay', '100');
const pc = new Pinecone({ apiKey: KEY, controllerHostUrl: server.url });
const invalid = (message) => (e) => e.name === 'PineconeBadRequestError' && message.test(e.message);

await check('create an index with a schema, describe, list and configure it', async () => {
	const made = await pc.createIndex({
		name: 'articles',
		schema: {
			fields: {
				title: { type: 'string', fullTextSearch: {} },
				body: { type: 'string', fullTextSearch: { language: 'en', stemming: true, stopWords: true }, description: 'what it says' },
				embedding: { type: 'dense_vector', dimension: 3, metric: 'cosine' },
				terms: { type: 'sparse_vector' },
			},
		},
		deployment: { deploymentType: 'managed', cloud: 'aws', region: 'us-east-1' },
		tags: { team: 'search' },
		waitUntilReady: true,
	});
	assert.deepEqual([made.name, made.status.ready], ['articles', true]);
	const model = await pc.describeIndex('articles');
	assert.deepEqual(Object.keys(model.schema.fields).sort(), ['body', 'embedding', 'terms', 'title']);
	assert.deepEqual({ ...model.schema.fields.body.fullTextSearch }, { ...model.schema.fields.body.fullTextSearch, language: 'en', stemming: true, stopWords: true });
	assert.equal(model.schema.fields.embedding.dimension, 3);
	assert.deepEqual([model.dimension, model.metric], [3, 'cosine']);
	assert.ok((await pc.listIndexes()).indexes.some((i) => i.name === 'articles'));
	assert.deepEqual((await pc.configureIndex({ name: 'articles', tags: { owner: 'me' }, deletionProtection: 'enabled' })).tags, { team: 'search', owner: 'me' });
	await pc.configureIndex({ name: 'articles', deletionProtection: 'disabled' });
	await assert.rejects(pc.createIndex({ name: 'articles', schema: { fields: { t: { type: 'string', fullTextSearch: {} } } } }), { name: 'PineconeConflictError' });
});

const { documents } = pc.index({ name: 'articles', namespace: 'kb' });
const list = [
	{ _id: 'a', title: 'The quick brown fox', body: 'Foxes are running', embedding: [1, 0, 0], terms: { indices: [3, 7], values: [0.5, 1.5] }, year: 2024, tags: ['x'] },
	{ _id: 'b', title: 'A lazy dog', body: 'The dog sleeps', embedding: [0, 1, 0], year: 2020 },
	{ _id: 'c', title: 'Brown sugar', year: 1999 },
];
const ids = ({ matches }) => matches.map((m) => m._id);

await check('documents.upsert, fetch', async () => {
	assert.equal((await documents.upsert({ documents: list })).upsertedCount, 3);
	const reply = await documents.fetch({ ids: ['a', 'c', 'none'] });
	assert.deepEqual(Object.keys(reply.documents).sort(), ['a', 'c']);
	assert.deepEqual({ ...reply.documents.c }, list[2]);
	assert.deepEqual([reply.documents.a.embedding, reply.documents.a.tags, reply.namespace], [[1, 0, 0], ['x'], 'kb']);
	assert.deepEqual({ ...(await documents.fetch({ ids: ['a'], includeFields: ['year'] })).documents.a }, { _id: 'a', year: 2024 });
});
await check('documents.search by every kind of clause', async () => {
	const dense = await documents.search({ scoreBy: [{ type: 'dense_vector', fields: ['embedding'], values: [1, 0.1, 0] }], topK: 2, includeFields: ['title'] });
	assert.deepEqual([ids(dense), dense.matches[0].title, dense.namespace, dense.usage.readUnits > 0], [['a', 'b'], list[0].title, 'kb', true]);
	assert.ok(dense.matches[0]._score > 0.99);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'sparse_vector', field: 'terms', sparseValues: { indices: [7], values: [2] } }], topK: 5 })), ['a']);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'text', fields: ['title', 'body'], query: 'brown runs' }], topK: 5 })), ['a', 'c']);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'query_string', query: 'title:(brown AND NOT sugar)' }], topK: 5 })), ['a']);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'text', field: 'title', query: 'dog' }, { type: 'query_string', query: 'sugar' }], topK: 5 })).sort(), ['b', 'c']);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'text', fields: ['title'], query: 'brown' }], topK: 5, filter: { year: { $lt: 2000 } } })), ['c']);
	assert.deepEqual(ids(await documents.search({ scoreBy: [{ type: 'dense_vector', field: 'embedding', values: [1, 1, 1] }], topK: 5, filter: { title: { $match_phrase: 'lazy dog' } } })), ['b']);
});
await check('documents.fetch by filter and list, page by page', async () => {
	const seen = [];
	let token;
	do {
		const page = await documents.fetch({ filter: { year: { $exists: true } }, limit: 2, paginationToken: token });
		seen.push(...Object.keys(page.documents));
		token = page.pagination?.next;
	} while (token);
	assert.deepEqual(seen.sort(), ['a', 'b', 'c']);
	const first = await documents.list({ limit: 2 });
	assert.deepEqual(first.documents.map((d) => d._id), ['a', 'b']);
	const second = await documents.list({ limit: 2, paginationToken: first.pagination.next });
	assert.deepEqual([second.documents.map((d) => d._id), second.pagination], [['c'], undefined]);
	assert.deepEqual((await documents.list({ prefix: 'x' })).documents, []);
});
await check('documents.update and delete', async () => {
	await documents.update({ documents: [{ _id: 'a', year: 2025, _remove_fields: ['tags'] }, { _id: 'none', year: 1 }] });
	assert.equal((await documents.update({ filter: { year: { $gte: 2020 } }, setFields: { recent: true }, removeFields: ['x'] })).matchedRecords, 2);
	const { documents: got } = await documents.fetch({ ids: ['a', 'b', 'c'], includeFields: ['year', 'tags', 'recent'] });
	assert.deepEqual([got.a, got.b, got.c].map((d) => ({ ...d })), [{ _id: 'a', year: 2025, recent: true }, { _id: 'b', year: 2020, recent: true }, { _id: 'c', year: 1999 }]);
	assert.equal((await documents.delete({ filter: { year: 1999 } })).matchedRecords, 1);
	await documents.delete({ ids: ['b', 'none'] });
	assert.deepEqual((await documents.list()).documents.map((d) => d._id), ['a']);
	const index = pc.index({ name: 'articles', namespace: 'kb' });
	assert.equal((await index.describeIndexStats()).totalRecordCount, 1);
	assert.equal(Number((await index.describeNamespace('kb')).recordCount), 1);
	await documents.delete({ deleteAll: true });
	assert.deepEqual((await documents.list()).documents, []);
});
await check('a namespace with a space and a slash, and a large batch', async () => {
	const odd = pc.index({ name: 'articles', namespace: 'a b/c' }).documents;
	await odd.upsert({ documents: Array.from({ length: 1000 }, (_, i) => ({ _id: `${i}`, title: `number ${i}` })) });
	assert.deepEqual(ids(await odd.search({ scoreBy: [{ type: 'text', fields: ['title'], query: '777' }], topK: 1 })), ['777']);
	assert.equal((await odd.fetch({ ids: ['1'] })).namespace, 'a b/c');
});
await check('errors carry the message', async () => {
	await assert.rejects(documents.upsert({ documents: [{ _id: 'x', year: 1 }] }), invalid(/at least one field of the schema/));
	await assert.rejects(documents.search({ scoreBy: [{ type: 'text', fields: ['none'], query: 'x' }], topK: 1 }), invalid(/Scoring field 'none' not found in index schema/));
	await assert.rejects(documents.delete({ filter: { title: { $match_any: 'x' } } }), invalid(/not supported/));
	const index = pc.index({ name: 'articles' });
	await assert.rejects(index.upsert({ records: [{ id: 'x', values: [1, 2, 3] }] }), invalid(/This index has a document schema/));
	await assert.rejects(index.query({ vector: [1, 2, 3], topK: 1 }), invalid(/document schema/));
	await assert.rejects(pc.createIndex({ name: 'x', schema: { fields: { a: { type: 'string', fullTextSearch: { language: 'klingon' } } } } }), invalid(/klingon/));
});
await check('an index for a model: records', async () => {
	const made = await pc.createIndexForModel({ name: 'chunks', cloud: 'aws', region: 'us-east-1', embed: { model: 'multilingual-e5-large', fieldMap: { text: 'chunk' } }, waitUntilReady: true });
	assert.equal(made.schema.fields.chunk.type, 'semantic_text');
	assert.deepEqual([made.dimension, made.metric, made.embed?.model], [1024, 'cosine', 'multilingual-e5-large']);
	const index = pc.index({ name: 'chunks', namespace: 'kb' });
	await index.upsertRecords({ records: [{ _id: 'a', chunk: 'red apples', n: 1 }, { id: 'b', chunk: 'blue whales' }] });
	const found = await index.searchRecords({ query: { topK: 2, inputs: { text: 'red pears' } }, fields: ['chunk'] });
	assert.deepEqual(found.result.hits.map((h) => [h._id, h.fields]), [['a', { chunk: 'red apples' }], ['b', { chunk: 'blue whales' }]]);
	assert.ok(found.usage.embedTotalTokens === 2 && found.usage.readUnits > 0);
	const ranked = await index.searchRecords({ query: { topK: 2, inputs: { text: 'blue' } }, rerank: { model: 'bge-reranker-v2-m3', rankFields: ['chunk'], topN: 1 } });
	assert.deepEqual([ranked.result.hits.map((h) => h._id), ranked.usage.rerankUnits], [['b'], 1]);
	assert.deepEqual((await index.fetch({ ids: ['a'] })).records.a.metadata, { chunk: 'red apples', n: 1 });
	await assert.rejects(index.upsertRecords({ records: [{ _id: 'x', other: 'y' }] }), invalid(/no field 'chunk'/));
	await pc.deleteIndex('chunks');
});
await check('inference', async () => {
	const embedded = await pc.inference.embed({ model: 'multilingual-e5-large', inputs: ['red apples', 'blue whales'], parameters: { inputType: 'passage', truncate: 'END' } });
	assert.deepEqual([embedded.model, embedded.vectorType, embedded.data.length, embedded.data[0].values.length, embedded.usage.totalTokens], ['multilingual-e5-large', 'dense', 2, 1024, 4]);
	const sparse = await pc.inference.embed({ model: 'pinecone-sparse-english-v0', inputs: ['red apples'], parameters: { inputType: 'query' } });
	assert.deepEqual([sparse.data[0].vectorType, sparse.data[0].sparseIndices.length], ['sparse', 2]);
	const ranked = await pc.inference.rerank({ model: 'bge-reranker-v2-m3', query: 'red apples', documents: ['blue whales', 'red apples'], topN: 1 });
	assert.deepEqual([ranked.data[0].index, ranked.data[0].score, ranked.data[0].document.text, ranked.usage.rerankUnits], [1, 1, 'red apples', 1]);
	const { models } = await pc.inference.listModels({ type: 'embed', vectorType: 'dense' });
	assert.ok(models.length > 0 && models.every((m) => m.type === 'embed' && m.vectorType === 'dense'));
	const model = await pc.inference.getModel('llama-text-embed-v2');
	assert.deepEqual([model.defaultDimension, model.supportedParameters.find((p) => p.parameter === 'input_type').allowedValues], [1024, ['query', 'passage']]);
	await assert.rejects(pc.inference.embed({ model: 'none', inputs: ['x'], parameters: { inputType: 'query' } }), { name: 'PineconeNotFoundError' });
});
await check('delete the index', async () => {
	await pc.deleteIndex('articles');
	await assert.rejects(pc.describeIndex('articles'), { name: 'PineconeNotFoundError' });
});
await finish();
