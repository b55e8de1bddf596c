// Genkit writes and SQL reads, SQL writes and Genkit reads.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { genkit, Document } from 'genkit';
import { pinecone, pineconeIndexerRef, pineconeRetrieverRef } from 'genkitx-pinecone';
import pg from 'pg';

const INDEX = process.argv[2];
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

await db.connect();
await db.query(`LOAD 'pinecone_fdw'`);
await db.query(`ALTER DATABASE "${process.env.PGDATABASE}" SET pinecone_fdw.unseen_time = 0; SET pinecone_fdw.unseen_time = 0`);
await db.query('CREATE EXTENSION IF NOT EXISTS pinecone_fdw');
await db.query(`CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '${INDEX}', control_host '${process.env.PINECONE_LOCAL_URL}')`);
await db.query(`CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '${process.env.PINECONE_LOCAL_KEY}')`);
// as docs/frameworks.md has it
await db.query(`CREATE FOREIGN TABLE genkit (
	id text COLLATE "C",
	embedding real[],
	content text OPTIONS (role 'text', field '_content'),
	content_type text OPTIONS (field '_contentType'),
	doc jsonb OPTIONS (field 'docMetadata', format 'json'),
	score float8
) SERVER pinecone OPTIONS (namespace 'genkit')`);

const ai = genkit({
	plugins: [pinecone([{
		indexId: INDEX, embedder: 'words',
		clientParams: { apiKey: process.env.PINECONE_LOCAL_KEY, controllerHostUrl: process.env.PINECONE_LOCAL_URL },
	}])],
});
ai.defineEmbedder({ name: 'words' }, async (input) => ({
	embeddings: (input.input ?? input).map((document) => ({ embedding: vectorOf(document.text ?? document.content[0].text) })),
}));
const options = { namespace: 'genkit' };
const rows = async (text, ...values) => (await db.query(text, values)).rows;
const retrieved = (text, k = 2) => ai.retrieve({ retriever: pineconeRetrieverRef({ indexId: INDEX }), query: text, options: { ...options, k } });

await check('Genkit: documents are indexed, and SQL reads them with their metadata', async () => {
	await ai.index({
		indexer: pineconeIndexerRef({ indexId: INDEX }), options,
		documents: [Document.fromText('red apples', { tenant: 'acme', n: 1 }), Document.fromText('fast cars', { tenant: 'other', n: 2 })],
	});
	assert.deepEqual(await rows('SELECT content, content_type, doc FROM genkit ORDER BY content'), [
		{ content: 'fast cars', content_type: 'text', doc: { tenant: 'other', n: 2 } },
		{ content: 'red apples', content_type: 'text', doc: { tenant: 'acme', n: 1 } },
	]);
	for (const { id } of await rows('SELECT id FROM genkit')) assert.match(id, /^[0-9a-f]{32}$/);
});
await check('Genkit: SQL searches, and filters by the metadata that Genkit does not send', async () => {
	assert.deepEqual(await rows(`SELECT content FROM genkit WHERE doc ->> 'tenant' = 'acme' ORDER BY embedding <=> $1::real[] LIMIT 4`, vectorOf('fast cars')), [{ content: 'red apples' }]);
});
await check('Genkit: a document that SQL writes is retrieved', async () => {
	const id = createHash('md5').update('old ships').digest('hex');
	await db.query(`INSERT INTO genkit (id, embedding, content, content_type, doc) VALUES ($1, $2, 'old ships', 'text', '{"tenant": "acme", "n": 3}')`, [id, vectorOf('old ships')]);
	const [first] = await retrieved('old ships', 1);
	assert.equal(first.text, 'old ships');
	assert.deepEqual(first.metadata, { tenant: 'acme', n: 3 });
});
await check('Genkit: what SQL changes and deletes is so there', async () => {
	await db.query(`UPDATE genkit SET doc = doc || '{"n": 9}' WHERE content = 'red apples'`);
	await db.query(`DELETE FROM genkit WHERE content = 'fast cars'`);
	const found = await retrieved('red apples', 5);
	assert.deepEqual(found.map((d) => d.text).sort(), ['old ships', 'red apples']);
	assert.deepEqual(found.find((d) => d.text === 'red apples').metadata, { tenant: 'acme', n: 9 });
});

await db.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
