// Frameworks write and SQL reads, SQL writes and frameworks read.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import pg from 'pg';
import { PineconeStore } from '@langchain/pinecone';
import { PGVectorStore } from '@langchain/community/vectorstores/pgvector';
import { Embeddings } from '@langchain/core/embeddings';
import { Document } from '@langchain/core/documents';
import { PineconeVectorStore } from '@llamaindex/pinecone';
import { TextNode, NodeRelationship } from '@llamaindex/core/schema';
import { PineconeVector } from '@mastra/pinecone';
import { PineconeDB } from 'mem0ai/oss';
import { Pinecone } from 'pinecone-8';

const INDEX = process.argv[2];
const config = { apiKey: process.env.PINECONE_LOCAL_KEY, controllerHostUrl: process.env.PINECONE_LOCAL_URL };
const db = new pg.Client();
let passed = 0;
let failed = 0;

async function check(name, test) {
	try {
		await test();
		passed++;
		console.log(`ok ${passed + failed} - ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${passed + failed} - ${name}`);
		console.log(String(error.stack ?? error).replace(/^/gm, '# '));
	}
}

// A package's own client of Pinecone, whose version is its own.
const clientOf = (name) => createRequire(createRequire(import.meta.url).resolve(name))('@pinecone-database/pinecone').Pinecone;
const rows = async (text, ...values) => (await db.query(text, values)).rows;
const table = (name, columns, namespace = name) =>
	db.query(`CREATE FOREIGN TABLE ${name} (${columns}) SERVER pinecone OPTIONS (namespace '${namespace}')`);

// Texts that share words are near.
function vectorOf(text) {
	const vector = new Array(8).fill(0.05);
	for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
		let sum = 7;
		for (const c of word) sum = (sum * 31 + c.charCodeAt(0)) % 1009;
		vector[sum % 8] += 1;
	}
	return vector;
}
class Words extends Embeddings {
	async embedQuery(text) { return vectorOf(text); }
	async embedDocuments(texts) { return texts.map(vectorOf); }
}
const words = new Words({});
const doc = (id, pageContent, metadata = {}) => new Document({ id, pageContent, metadata });
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-5, `${a} is not ${b}`);

await db.connect();
// others write here, too: what SQL has written is not to be kept before their eyes
await db.query(`LOAD 'pinecone_fdw'`);
await db.query(`ALTER DATABASE "${process.env.PGDATABASE}" SET pinecone_fdw.unseen_time = 0; SET pinecone_fdw.unseen_time = 0`);
await db.query(`CREATE EXTENSION vector; CREATE EXTENSION pinecone_fdw;
	CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '${INDEX}', control_host '${config.controllerHostUrl}');
	CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '${config.apiKey}')`);

// ---- LangChain: PineconeStore ----

await table('langchain', `id text COLLATE "C" DEFAULT gen_random_uuid()::text, embedding vector(8), content text OPTIONS (role 'text'), source text,
	line_from double precision OPTIONS (field 'loc.lines.from'), tags text[], year double precision, metadata jsonb, score float8`);
const Client = clientOf('@langchain/pinecone');
const pineconeIndex = new Client(config).index(INDEX);
const store = await PineconeStore.fromExistingIndex(words, { pineconeIndex, namespace: 'langchain' });

await check('LangChain: addDocuments, and SQL reads text, metadata and nested keys', async () => {
	await store.addDocuments([
		doc('a', 'red apples grow on trees', { source: 'a.pdf', year: 2001, tags: ['fruit', 'red'], loc: { lines: { from: 3, to: 5 } } }),
		doc('b', 'green pears grow on trees', { source: 'b.pdf', year: 9.99, tags: ['fruit'] }),
		doc('c', 'fast cars drive on roads', { source: 'c.pdf', year: 2003 }),
	], { ids: ['a', 'b', 'c'] });
	assert.deepEqual(await rows('SELECT id, content, source, line_from, tags, year, metadata FROM langchain ORDER BY id LIMIT 1'), [{
		id: 'a', content: 'red apples grow on trees', source: 'a.pdf', line_from: 3, tags: ['fruit', 'red'], year: 2001,
		metadata: { source: 'a.pdf', year: 2001, tags: ['fruit', 'red'], 'loc.lines.from': 3, 'loc.lines.to': 5 },
	}]);
});
await check('LangChain: an INSERT is a document, with and without an id', async () => {
	await db.query(`INSERT INTO langchain (id, embedding, content, metadata) VALUES ('d', $1, 'slow trains need rails', '{"source": "d.pdf", "year": 2004}')`, [JSON.stringify(vectorOf('slow trains need rails'))]);
	const [{ id }] = await rows(`INSERT INTO langchain (embedding, content, source) VALUES ($1, 'ships sail on seas', 'e.pdf') RETURNING id`, JSON.stringify(vectorOf('ships sail on seas')));
	const found = await store.similaritySearch('slow trains need rails', 1);
	assert.deepEqual([found[0].pageContent, found[0].metadata, found[0].id], ['slow trains need rails', { source: 'd.pdf', year: 2004 }, 'd']);
	const [ship] = await store.similaritySearch('ships sail on seas', 1);
	assert.deepEqual([ship.pageContent, ship.metadata, ship.id], ['ships sail on seas', { source: 'e.pdf' }, id]);
});
await check('LangChain: an UPDATE of text or metadata leaves the other as it is', async () => {
	await db.query(`UPDATE langchain SET metadata = '{"source": "new.pdf"}' WHERE id = 'd'`);
	assert.deepEqual((await store.similaritySearch('slow trains need rails', 1))[0].metadata, { source: 'new.pdf' });
	await db.query(`UPDATE langchain SET content = 'slow trains need steel rails' WHERE id = 'd'`);
	const [found] = await store.similaritySearch('slow trains need rails', 1);
	assert.deepEqual([found.pageContent, found.metadata], ['slow trains need steel rails', { source: 'new.pdf' }]);
});
await check('LangChain: similaritySearchWithScore is a query', async () => {
	const there = await store.similaritySearchWithScore('apples on trees', 3);
	const here = await rows('SELECT id, content, 1 - (embedding <=> $1) AS score FROM langchain ORDER BY embedding <=> $1 LIMIT 3', JSON.stringify(vectorOf('apples on trees')));
	assert.deepEqual(here.map((r) => r.content), there.map(([d]) => d.pageContent));
	here.forEach((r, i) => near(r.score, there[i][1]));
});
await check('LangChain: filters are conditions', async () => {
	for (const [filter, where] of [
		[{ source: 'a.pdf' }, `source = 'a.pdf'`], [{ year: { $gt: 2000 } }, 'year > 2000'], [{ tags: { $in: ['fruit'] } }, `tags && '{fruit}'`],
		[{ $or: [{ source: 'b.pdf' }, { 'loc.lines.from': { $lte: 3 } }] }, `source = 'b.pdf' OR line_from <= 3`], [{ year: 9.99 }, `metadata @> '{"year": 9.99}'`],
	]) {
		const there = await store.similaritySearch('trees', 5, filter);
		const here = await rows(`SELECT id FROM langchain WHERE ${where} ORDER BY embedding <=> $1 LIMIT 5`, JSON.stringify(vectorOf('trees')));
		assert.ok(here.length > 0);
		assert.deepEqual(here.map((r) => r.id), there.map((d) => d.id), where);
	}
});
await check('LangChain: maxMarginalRelevanceSearch is a query', async () => {
	const there = await store.maxMarginalRelevanceSearch('trees on roads', { k: 3, fetchK: 5, lambda: 0.4 });
	const here = await rows(`WITH RECURSIVE near AS MATERIALIZED (
			SELECT id, content, embedding, 1 - (embedding <=> $1) AS likeness FROM langchain ORDER BY embedding <=> $1 LIMIT 5),
		chosen (n, id, ids) AS (
			(SELECT 1, id, ARRAY[id] FROM near ORDER BY likeness DESC LIMIT 1)
			UNION ALL
			SELECT n + 1, best.id, ids || best.id FROM chosen, LATERAL (
				SELECT id FROM near WHERE id <> ALL (ids) ORDER BY 0.4 * likeness - 0.6 *
					(SELECT max(1 - (near.embedding <=> earlier.embedding)) FROM near AS earlier WHERE earlier.id = ANY (ids)) DESC LIMIT 1) AS best
			WHERE n < 3)
		SELECT content FROM chosen JOIN near USING (id) ORDER BY n`, JSON.stringify(vectorOf('trees on roads')));
	assert.deepEqual(here.map((r) => r.content), there.map((d) => d.pageContent));
});
await check('LangChain: delete, by ids and by a filter, here and there', async () => {
	await db.query(`DELETE FROM langchain WHERE id IN ('a', 'd')`);
	assert.deepEqual((await store.similaritySearch('apples', 9)).map((d) => d.id).filter((id) => ['a', 'd'].includes(id)), []);
	await store.delete({ ids: ['b'] });
	await store.delete({ filter: { source: 'c.pdf' } });
	await db.query(`DELETE FROM langchain WHERE source = 'e.pdf'`);
	assert.deepEqual(await rows('SELECT id FROM langchain'), []);
});
await check('LangChain: fromDocuments, and a text key of one\'s own', async () => {
	await table('keyed', `id text COLLATE "C", embedding vector(8), content text OPTIONS (role 'text'), metadata jsonb`);
	await db.query(`ALTER FOREIGN TABLE keyed OPTIONS (ADD text_key 'page_content')`);
	const keyed = await PineconeStore.fromDocuments([doc('x', 'fast cars', { n: 1 })], words, { pineconeIndex, namespace: 'keyed', textKey: 'page_content' });
	assert.deepEqual(await rows('SELECT content, metadata FROM keyed'), [{ content: 'fast cars', metadata: { n: 1 } }]);
	await db.query(`INSERT INTO keyed VALUES ('y', $1, 'red apples', '{"n": 2}')`, [JSON.stringify(vectorOf('red apples'))]);
	const [found] = await keyed.similaritySearch('red apples', 1);
	assert.deepEqual([found.pageContent, found.metadata], ['red apples', { n: 2 }]);
});

// ---- LangChain: PGVectorStore, pointed at a foreign table ----

await table('pgvector_store', `id uuid DEFAULT gen_random_uuid(), embedding vector(8), text text OPTIONS (role 'text'), metadata jsonb`);
const vectors = await PGVectorStore.initialize(words, { pool: new pg.Pool(), tableName: 'pgvector_store', columns: {} });
const [ONE, TWO, THREE] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222', '33333333-3333-4333-8333-333333333333'];

await check('PGVectorStore: adds documents with ids', async () => {
	await vectors.addDocuments([
		doc(ONE, 'red apples', { source: 'a', year: 2001, tags: ['fruit'] }), doc(TWO, 'green pears', { source: 'b', year: 2002, tags: ['fruit', 'green'] }), doc(THREE, 'fast cars', { source: 'c', year: 2003 }),
	], { ids: [ONE, TWO, THREE] });
	assert.equal((await rows('SELECT count(*)::int AS n FROM pgvector_store'))[0].n, 3);
});
await check('PGVectorStore: adds documents without ids', async () => {
	await vectors.addDocuments([doc(undefined, 'slow trains', { source: 'd' }), doc(undefined, 'old ships', { source: 'e' })]);
	const made = await rows(`SELECT id, text FROM pgvector_store WHERE metadata ->> 'source' IN ('d', 'e') ORDER BY text`);
	assert.deepEqual(made.map((r) => r.text), ['old ships', 'slow trains']);
	assert.notEqual(made[0].id, made[1].id);
});
await check('PGVectorStore: similarity searches, with scores and filters', async () => {
	const [[best, distance]] = await vectors.similaritySearchWithScore('red apples', 1);
	assert.deepEqual([best.pageContent, best.metadata, best.id], ['red apples', { source: 'a', year: 2001, tags: ['fruit'] }, ONE]);
	near(distance, 0);
	for (const [filter, ids] of [
		[{ source: 'a' }, [ONE]], [{ source: { in: ['a', 'c'] } }, [ONE, THREE]], [{ source: { notIn: ['a', 'c', 'd', 'e'] } }, [TWO]],
		[{ year: { gt: 2001 } }, [TWO, THREE]], [{ year: { gte: 2001, lt: 2003 } }, [ONE, TWO]], [{ tags: { arrayContains: ['green'] } }, [TWO]],
		[{ source: 'b', year: { lte: 2002 } }, [TWO]],
	])
		assert.deepEqual((await vectors.similaritySearch('things', 9, filter)).map((d) => d.id).sort(), ids, JSON.stringify(filter));
	assert.equal((await vectors.similaritySearch('things', 9, { source: { neq: 'a' } })).length, 4);
	assert.equal((await vectors.similaritySearch('things', 2)).length, 2);
});
await check('PGVectorStore: maximal marginal relevance', async () => {
	assert.equal((await vectors.maxMarginalRelevanceSearch('red apples', { k: 2, fetchK: 5 }))[0].pageContent, 'red apples');
});
await check('PGVectorStore: what it stores a PineconeStore reads, and the reverse', async () => {
	const other = await PineconeStore.fromExistingIndex(words, { pineconeIndex, namespace: 'pgvector_store' });
	const [found] = await other.similaritySearch('green pears', 1);
	assert.deepEqual([found.pageContent, found.metadata, found.id], ['green pears', { source: 'b', year: 2002, tags: ['fruit', 'green'] }, TWO]);
	await other.addDocuments([doc(undefined, 'new words', { source: 'f' })]);
	assert.deepEqual((await vectors.similaritySearch('new words', 1)).map((d) => [d.pageContent, d.metadata]), [['new words', { source: 'f' }]]);
});
await check('PGVectorStore: delete({ids}) and delete({filter})', async () => {
	await vectors.delete({ ids: [ONE, TWO] });
	assert.deepEqual((await vectors.similaritySearch('things', 9)).map((d) => d.pageContent).sort(), ['fast cars', 'new words', 'old ships', 'slow trains']);
	await vectors.delete({ filter: { source: 'd' } });
	await vectors.delete({ filter: { source: { in: ['e', 'f'] } } });
	assert.deepEqual((await vectors.similaritySearch('things', 9)).map((d) => d.id), [THREE]);
});
await check('PGVectorStore: fromTexts into a table that is there', async () => {
	await db.query('TRUNCATE pgvector_store');
	const again = await PGVectorStore.fromTexts(['one text', 'another text'], [{ n: 1 }, { n: 2 }], words, { pool: new pg.Pool(), tableName: 'pgvector_store', columns: {} });
	assert.deepEqual((await again.similaritySearch('another text', 1)).map((d) => d.metadata), [{ n: 2 }]);
	await again.end();
});
await vectors.end();

// ---- LlamaIndex ----

await table('llamaindex', `id text COLLATE "C", embedding vector(8), node jsonb OPTIONS (field '_node_content', format 'json'), node_type text OPTIONS (field '_node_type'),
	ref_doc_id text, doc_id text, document_id text, lang text, metadata jsonb, score float8`);
const llama = new PineconeVectorStore({ indexName: INDEX, namespace: 'llamaindex', apiKey: config.apiKey, embeddingModel: {} });
llama.db = new (clientOf('@llamaindex/pinecone'))(config);
const ask = async (text) => (await llama.query({ queryEmbedding: vectorOf(text), similarityTopK: 1, mode: 'default' })).nodes[0];
const node = (id, text, document) => new TextNode({ id_: id, text, metadata: { lang: 'en' }, embedding: vectorOf(text), relationships: { [NodeRelationship.SOURCE]: { nodeId: document, metadata: {} } } });

await check('LlamaIndex: nodes, and SQL reads their text', async () => {
	await llama.add([node('n1', 'red apples grow', 'doc-1'), node('n2', 'fast cars drive', 'doc-1'), node('n3', 'green pears grow', 'doc-10')]);
	assert.deepEqual(await rows(`SELECT id, node ->> 'text' AS text, ref_doc_id, lang FROM llamaindex WHERE ref_doc_id = 'doc-1' ORDER BY id`), [
		{ id: 'doc-1_chunk_n1', text: 'red apples grow', ref_doc_id: 'doc-1', lang: 'en' }, { id: 'doc-1_chunk_n2', text: 'fast cars drive', ref_doc_id: 'doc-1', lang: 'en' },
	]);
});
await check('LlamaIndex: an INSERT made of another node is one', async () => {
	await db.query(`INSERT INTO llamaindex (id, embedding, node, node_type, ref_doc_id, doc_id, document_id, lang)
		SELECT 'doc-2_chunk_n4', $1, node || '{"id_": "n4", "text": "old ships sail"}', node_type, 'doc-2', 'doc-2', 'doc-2', 'en' FROM llamaindex WHERE id = 'doc-1_chunk_n1'`, [JSON.stringify(vectorOf('old ships sail'))]);
	const found = await ask('old ships sail');
	assert.deepEqual([found.text, found.id_, found.metadata.lang], ['old ships sail', 'n4', 'en']);
});
await check('LlamaIndex: SQL searches what its query finds, with a filter and with a threshold', async () => {
	const { ids, similarities } = await llama.query({ queryEmbedding: vectorOf('red apples grow'), similarityTopK: 2, mode: 'default', filters: { filters: [{ key: 'lang', value: 'en', operator: '==' }] } });
	const here = await rows(`SELECT id, 1 - (embedding <=> $1) AS score FROM llamaindex WHERE lang = 'en' ORDER BY embedding <=> $1 LIMIT 2`, JSON.stringify(vectorOf('red apples grow')));
	assert.deepEqual(here.map((r) => r.id), ids);
	here.forEach((r, i) => near(r.score, similarities[i]));
	assert.deepEqual((await rows(`SELECT node ->> 'text' AS text FROM llamaindex WHERE embedding <=> $1 < 0.001`, JSON.stringify(vectorOf('fast cars drive')))), [{ text: 'fast cars drive' }]);
});
await check('LlamaIndex: an UPDATE of the text within the document', async () => {
	await db.query(`UPDATE llamaindex SET node = jsonb_set(node, '{text}', '"red apples fall"') WHERE id = 'doc-1_chunk_n1'`);
	assert.equal((await ask('red apples grow')).text, 'red apples fall');
});
await check('LlamaIndex: delete by document, there by prefix and here exactly', async () => {
	await db.query(`DELETE FROM llamaindex WHERE ref_doc_id = 'doc-1'`);
	assert.deepEqual((await rows('SELECT id FROM llamaindex ORDER BY id')).map((r) => r.id), ['doc-10_chunk_n3', 'doc-2_chunk_n4']);
	await llama.delete('doc-10');
	assert.deepEqual((await rows('SELECT id FROM llamaindex')).map((r) => r.id), ['doc-2_chunk_n4']);
});

// ---- Mastra ----

await table('mastra', `id text COLLATE "C" DEFAULT gen_random_uuid()::text, embedding vector(8), text text, n double precision, published timestamptz OPTIONS (format 'iso_ms'), metadata jsonb, score float8`);
const mastra = new PineconeVector({ id: 'mastra', ...config });
const search = (text, filter) => mastra.query({ indexName: INDEX, namespace: 'mastra', queryVector: vectorOf(text), topK: 5, filter });

await check('Mastra: upsert, and SQL reads metadata and dates', async () => {
	await mastra.upsert({ indexName: INDEX, namespace: 'mastra', ids: ['a', 'b'], vectors: [vectorOf('red apples'), vectorOf('fast cars')], metadata: [{ text: 'red apples', n: 1, published: new Date('2024-05-01') }, { text: 'fast cars', n: 2.5, published: new Date('2024-06-01T10:00:00.5Z') }] });
	const found = await rows('SELECT id, text, n, published FROM mastra ORDER BY id');
	assert.deepEqual(found, [{ id: 'a', text: 'red apples', n: 1, published: new Date('2024-05-01') }, { id: 'b', text: 'fast cars', n: 2.5, published: new Date('2024-06-01T10:00:00.5Z') }]);
});
await check('Mastra: a time that SQL writes is met by a filter on it', async () => {
	await db.query(`INSERT INTO mastra (embedding, text, n, published) VALUES ($1, 'old ships', 3, '2024-07-01 12:00+02')`, [JSON.stringify(vectorOf('old ships'))]);
	const found = await search('old ships', { published: new Date('2024-07-01T10:00:00Z').toISOString() });
	assert.deepEqual(found.map((r) => r.metadata), [{ text: 'old ships', n: 3, published: '2024-07-01T10:00:00.000Z' }]);
	assert.deepEqual((await search('x', { n: { $gt: 1 } })).map((r) => r.metadata.n).sort(), [2.5, 3]);
});
await check('Mastra: SQL searches what its query finds, with a filter', async () => {
	const there = await search('red apples', { n: { $lt: 3 } });
	const here = await rows('SELECT id, text, 1 - (embedding <=> $1) AS score FROM mastra WHERE n < 3 ORDER BY embedding <=> $1 LIMIT 5', JSON.stringify(vectorOf('red apples')));
	assert.deepEqual(here.map((r) => r.text), ['red apples', 'fast cars']);
	assert.deepEqual(here.map((r) => r.id), there.map((r) => r.id));
	here.forEach((r, i) => near(r.score, there[i].score));
});
await check('Mastra: changed and deleted at either end', async () => {
	await mastra.updateVector({ indexName: INDEX, namespace: 'mastra', id: 'a', update: { metadata: { n: 7 } } });
	assert.deepEqual(await rows(`SELECT n, text FROM mastra WHERE id = 'a'`), [{ n: 7, text: 'red apples' }]);
	await db.query(`UPDATE mastra SET n = 8 WHERE text = 'fast cars'`);
	assert.deepEqual((await search('fast cars', { text: 'fast cars' }))[0].metadata.n, 8);
	await mastra.deleteVectors({ indexName: INDEX, namespace: 'mastra', ids: ['a'] });
	await db.query('DELETE FROM mastra WHERE n = 8');
	assert.deepEqual((await rows('SELECT text FROM mastra')).map((r) => r.text), ['old ships']);
});

// ---- Mem0 ----

await table('mem0', `id uuid DEFAULT gen_random_uuid(), embedding vector(8), data text, hash text, user_id text, created timestamptz OPTIONS (field 'createdAt', format 'iso_ms'),
	updated timestamptz OPTIONS (field 'updatedAt', format 'as_stored'), metadata jsonb, score float8`);
const mem0 = new PineconeDB({ client: new Pinecone(config), collectionName: INDEX, namespace: 'mem0', embeddingModelDims: 8 });

await check('Mem0: memories, and SQL reads them', async () => {
	await mem0.insert([vectorOf('likes tea'), vectorOf('likes coffee')], [ONE, TWO], [
		{ data: 'likes tea', hash: 'h1', user_id: 'alice', createdAt: '2024-05-01T10:00:00.000Z', updatedAt: '2024-05-01T10:00:00+00:00' }, { data: 'likes coffee', hash: 'h2', user_id: 'bob', createdAt: '2024-05-02T10:00:00.000Z' },
	]);
	assert.deepEqual(await rows(`SELECT id, data, created FROM mem0 WHERE user_id = 'alice'`), [{ id: ONE, data: 'likes tea', created: new Date('2024-05-01T10:00:00Z') }]);
});
await check('Mem0: an INSERT and an UPDATE of whole rows', async () => {
	const [{ id }] = await rows(`INSERT INTO mem0 (embedding, data, hash, user_id, created) VALUES ($1, 'likes water', md5('likes water'), 'alice', now()) RETURNING id`, JSON.stringify(vectorOf('likes water')));
	const [found] = await mem0.search(vectorOf('likes water'), 1, { user_id: 'alice' });
	assert.deepEqual([found.id, found.payload.data], [id, 'likes water']);
	assert.match(found.payload.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	await db.query(`UPDATE mem0 SET data = 'likes green tea', updated = updated WHERE id = $1`, [ONE]);
	assert.deepEqual((await mem0.get(ONE)).payload, { data: 'likes green tea', hash: 'h1', user_id: 'alice', createdAt: '2024-05-01T10:00:00.000Z', updatedAt: '2024-05-01T10:00:00+00:00' });
});
await check('Mem0: SQL searches what its search finds, with a filter', async () => {
	const there = await mem0.search(vectorOf('likes water'), 5, { user_id: 'alice' });
	const here = await rows(`SELECT id, data FROM mem0 WHERE user_id = 'alice' AND created >= '2024-01-01' ORDER BY embedding <=> $1 LIMIT 5`, JSON.stringify(vectorOf('likes water')));
	assert.deepEqual(here.map((r) => r.data), ['likes water', 'likes green tea']);
	assert.deepEqual(here.map((r) => r.id), there.map((r) => r.id));
});
await check('Mem0: forgetting', async () => {
	await db.query(`DELETE FROM mem0 WHERE user_id = 'bob'`);
	assert.equal(await mem0.get(TWO), null);
	await mem0.delete(ONE);
	assert.deepEqual((await rows('SELECT data FROM mem0')).map((r) => r.data), ['likes water']);
});

await db.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
