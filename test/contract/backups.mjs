// Backups of indexes and indexes made from them, as both versions of the official
// TypeScript client see them, and by requests of our own.
import assert from 'node:assert/strict';
import { Server, KEY, check, finish, request, sleep } from './harness.mjs';

const server = await Server.start();
const schema = {
	fields: {
		body: { type: 'string', full_text_search: {} },
		embedding: { type: 'dense_vector', dimension: 2, metric: 'cosine' },
	},
};
const modern = { 'X-Pinecone-Api-Version': '2026-07' };

async function clientScenario(name) {
	const { Pinecone } = await import(name);
	const pc = new Pinecone({ apiKey: KEY, controllerHostUrl: server.url });
	const source = `source-${name.slice(-1)}`;

	await check(`${name}: back up, list, describe, restore, delete`, async () => {
		const host = await server.createIndex(source, 2);
		await request('POST', `${host}/vectors/upsert`, { vectors: [{ id: 'a', values: [1, 0], metadata: { n: 1 } }], namespace: 'kb' });
		const backup = await pc.createBackup({ indexName: source, name: 'first', description: 'before' });
		assert.deepEqual([backup.name, backup.status, Number(backup.recordCount), Number(backup.namespaceCount)], ['first', 'Ready', 1, 1]);
		assert.equal((await pc.describeBackup(backup.backupId)).sourceIndexName, source);
		assert.deepEqual((await pc.listBackups({ indexName: source })).data.map((b) => b.backupId), [backup.backupId]);
		assert.ok((await pc.listBackups()).data.some((b) => b.backupId === backup.backupId));
		const restore = await pc.createIndexFromBackup({ backupId: backup.backupId, name: `${source}-again`, waitUntilReady: true });
		const job = await pc.describeRestoreJob(restore.restoreJobId);
		assert.deepEqual([job.status, job.backupId, job.targetIndexName, job.percentComplete], ['Completed', backup.backupId, `${source}-again`, 100]);
		assert.ok((await pc.listRestoreJobs()).data.some((j) => j.restoreJobId === restore.restoreJobId));
		const again = pc.index({ name: `${source}-again`, namespace: 'kb' });
		assert.deepEqual((await again.fetch({ ids: ['a'] })).records.a.metadata, { n: 1 });
		await pc.deleteBackup(backup.backupId);
		await assert.rejects(pc.describeBackup(backup.backupId), { name: 'PineconeNotFoundError' });
	});
}

async function make(name, body = {}) {
	const reply = await server.control('POST', `/indexes/${name}/backups`, body, modern);
	assert.equal(reply.status, 201, reply.text);
	return reply.json;
}

await clientScenario('pinecone-7');
await clientScenario('pinecone-9');

await check('a document index comes back with its schema, texts and namespaces', async () => {
	assert.equal((await server.control('POST', '/indexes', { name: 'articles', schema, tags: { team: 'search' } }, modern)).status, 201);
	const host = await server.host('articles');
	const documents = [
		{ _id: 'a', body: 'brown foxes', embedding: [1, 0], year: 2024 },
		{ _id: 'b', body: 'lazy dogs', year: 2020 },
	];
	assert.equal((await request('POST', `${host}/namespaces/kb/documents/upsert`, { documents }, modern)).status, 202);
	assert.equal((await request('POST', `${host}/namespaces`, { name: 'empty' }, modern)).status, 200);
	const backup = await make('articles');
	assert.deepEqual([backup.record_count, backup.namespace_count, backup.tags, backup.name], [2, 2, { team: 'search' }, null]);
	assert.deepEqual(Object.keys(backup.schema.fields).sort(), ['body', 'embedding']);
	// What comes later is not in it
	await request('POST', `${host}/namespaces/kb/documents/delete`, { delete_all: true }, modern);
	const restored = await server.control('POST', `/backups/${backup.backup_id}/create-index`, { name: 'articles2', tags: {}, deletion_protection: 'enabled' }, modern);
	assert.equal(restored.status, 202, restored.text);
	const model = (await server.control('GET', '/indexes/articles2', undefined, modern)).json;
	assert.deepEqual([model.schema, model.tags, model.deletion_protection], [backup.schema, null, 'enabled']);
	const target = `${await server.host('articles2')}/namespaces/kb/documents`;
	const fetched = await request('POST', `${target}/fetch`, { ids: ['a', 'b'] }, modern);
	assert.deepEqual(fetched.json.documents, { a: documents[0], b: documents[1] });
	const found = await request('POST', `${target}/search`, { score_by: [{ type: 'text', fields: ['body'], query: 'dogs' }], top_k: 5 }, modern);
	assert.deepEqual(found.json.matches.map((m) => m._id), ['b']);
	const { namespaces } = (await request('GET', `${await server.host('articles2')}/namespaces`, undefined, modern)).json;
	assert.deepEqual(namespaces.map((n) => n.name), ['empty', 'kb']);
});
await check('a backup outlives its index, and an index of the same name does not have it', async () => {
	await server.createIndex('brief', 2);
	const backup = await make('brief', { name: 'last' });
	await server.control('DELETE', '/indexes/brief');
	assert.equal((await server.control('GET', '/indexes/brief/backups')).status, 404);
	assert.equal((await server.control('GET', `/backups/${backup.backup_id}`)).json.name, 'last');
	await server.createIndex('brief', 2);
	assert.deepEqual((await server.control('GET', '/indexes/brief/backups')).json, { data: [] });
	assert.equal((await server.control('POST', `/backups/${backup.backup_id}/create-index`, { name: 'brief' })).status, 409);
});
await check('older versions describe it in their own form', async () => {
	const backup = (await server.control('POST', '/indexes/brief/backups', {})).json;
	assert.deepEqual([backup.dimension, backup.metric, backup.schema], [2, 'cosine', undefined]);
	const newer = (await server.control('GET', `/backups/${backup.backup_id}`, undefined, modern)).json;
	assert.deepEqual([newer.dimension, newer.schema.fields._values.dimension], [undefined, 2]);
});
await check('pages, newest first', async () => {
	await server.createIndex('paged', 2);
	const ids = [];
	for (const name of ['1', '2', '3']) ids.unshift((await make('paged', { name })).backup_id);
	const first = (await server.control('GET', '/indexes/paged/backups?limit=2')).json;
	assert.deepEqual(first.data.map((b) => b.backup_id), ids.slice(0, 2));
	const second = (await server.control('GET', `/indexes/paged/backups?limit=2&paginationToken=${encodeURIComponent(first.pagination.next)}`)).json;
	assert.deepEqual([second.data.map((b) => b.backup_id), second.pagination], [ids.slice(2), undefined]);
	assert.equal((await server.control('GET', '/backups?limit=101')).status, 400);
});
await check('what takes a while is not ready, and a backup that is being restored stays', async () => {
	await server.local('POST', 'settings', { assume: { backup: 'slow' } });
	const backup = await make('paged');
	const restore = (name) => server.control('POST', `/backups/${backup.backup_id}/create-index`, { name });
	assert.equal(backup.status, 'Initializing');
	assert.equal((await restore('slow')).status, 412);
	await sleep(550);
	assert.equal((await server.control('GET', `/backups/${backup.backup_id}`)).json.status, 'Ready');
	const job = (await restore('slow')).json.restore_job_id;
	assert.equal((await server.control('GET', '/indexes/slow')).json.status.ready, false);
	assert.equal((await server.control('GET', `/restore-jobs/${job}`)).json.status, 'InProgress');
	assert.equal((await server.control('DELETE', `/backups/${backup.backup_id}`)).status, 412);
	await sleep(550);
	const done = (await server.control('GET', `/restore-jobs/${job}`)).json;
	assert.deepEqual([done.status, Date.parse(done.completed_at) > Date.parse(done.created_at)], ['Completed', true]);
	assert.equal((await server.control('DELETE', `/backups/${backup.backup_id}`)).status, 202);
	await server.local('POST', 'settings', { assume: { backup: 'at-once' } });
});
await check('what is refused', async () => {
	const backup = await make('paged');
	for (const [method, path, body, status] of [
		['POST', '/indexes/none/backups', {}, 404], ['GET', '/indexes/none/backups', undefined, 404], ['POST', '/indexes/paged/backups', { color: 'red' }, 422],
		['POST', '/indexes/paged/backups', { name: 1 }, 422], ['POST', '/indexes/paged/backups', '{', 400],
		['GET', '/backups/none', undefined, 404], ['DELETE', '/backups/none', undefined, 404], ['POST', '/backups/none/create-index', { name: 'x' }, 404],
		['POST', `/backups/${backup.backup_id}/create-index`, {}, 422], ['POST', `/backups/${backup.backup_id}/create-index`, { name: 'A' }, 400],
		['POST', `/backups/${backup.backup_id}/create-index`, { name: 'x', dimension: 3 }, 422], ['GET', '/restore-jobs/none', undefined, 404],
	]) {
		const reply = await server.control(method, path, body);
		assert.equal(reply.status, status, `${method} ${path}: ${reply.text}`);
		assert.deepEqual([reply.json.status, typeof reply.json.error.message], [status, 'string']);
	}
});
await finish();
