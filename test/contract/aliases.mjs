// Namespace aliases: the calls of 2026-07, reads through them on every version,
// refused writes, and official clients that know nothing of them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Server, KEY, check, directory, finish, request, sleep } from './harness.mjs';

const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const file = join(directory, 'aliases.jsonl');
const server = await Server.start('--store', file);
const host = await server.createIndex('dense', 2, 'euclidean');
const call = (method, path, body, headers = NEW) => request(method, host + path, body, headers);
const upsert = (namespace, ids, shift = 0) =>
	call('POST', '/vectors/upsert', { namespace, vectors: ids.map((id, i) => ({ id, values: [i + 1, shift], metadata: { of: namespace } })) });

async function refused(reply, status, code, reason) {
	const { status: got, json, text } = await reply;
	assert.deepEqual([got, json?.code, json?.details?.[0]?.reason], [status, code, reason], text);
	return json.details[0];
}

await upsert('v1', ['a', 'b', 'c']);
await upsert('v2', ['x', 'y'], 1);

await check('create, describe, list, repoint, delete', async () => {
	const made = await call('POST', '/namespace-aliases', { name: 'prod', target_namespace: 'v1' });
	assert.equal(made.status, 200, made.text);
	assert.deepEqual(Object.keys(made.json), ['name', 'target_namespace', 'created_at', 'updated_at']);
	assert.equal(new Date(made.json.created_at).getFullYear(), new Date().getFullYear());
	assert.deepEqual((await call('GET', '/namespace-aliases/prod')).json, made.json);
	await call('POST', '/namespace-aliases', { name: 'test', target_namespace: 'v2' });
	await call('POST', '/namespace-aliases', { name: 'd', target_namespace: '__default__' });
	const all = (await call('GET', '/namespace-aliases')).json;
	assert.equal(all.total_count, 3);
	assert.deepEqual(all.namespace_aliases.map((a) => [a.name, a.target_namespace]), [['d', '__default__'], ['prod', 'v1'], ['test', 'v2']]);
	const first = (await call('GET', '/namespace-aliases?limit=2')).json;
	assert.equal(first.namespace_aliases.length, 2);
	const second = (await call('GET', `/namespace-aliases?limit=2&paginationToken=${encodeURIComponent(first.pagination.next)}`)).json;
	assert.deepEqual([second.namespace_aliases.length, second.pagination], [1, undefined]);
	assert.equal((await call('GET', '/namespace-aliases?prefix=pr')).json.total_count, 1);
	assert.equal((await call('GET', '/namespace-aliases?target_namespace=v2')).json.namespace_aliases[0].name, 'test');
	assert.equal((await call('GET', '/namespace-aliases?limit=101')).status, 400);
	const moved = (await call('PATCH', '/namespace-aliases/test', { target_namespace: 'v1' })).json;
	assert.equal(moved.target_namespace, 'v1');
	assert.ok(moved.updated_at > moved.created_at);
	assert.deepEqual((await call('DELETE', '/namespace-aliases/test')).json, {});
	await refused(call('GET', '/namespace-aliases/test'), 404, 5, 'ALIAS_NOT_FOUND');
});
await check('the calls are those of 2026-07', async () => {
	for (const version of ['2025-10', '2026-04']) {
		const reply = await call('GET', '/namespace-aliases', undefined, { 'X-Pinecone-Api-Version': version });
		assert.deepEqual([reply.status, reply.json.details], [404, []]);
	}
	assert.equal((await call('PUT', '/namespace-aliases/prod')).status, 405);
});
await check('reasons', async () => {
	const create = (name, target_namespace) => call('POST', '/namespace-aliases', { name, target_namespace });
	for (const name of ['', '.', '..', '__default__', 'a b', 'a/b', 'a?', 'a#', 'a%', 'a&', 'a=', 'a\\', 'a;', 'a+', 'é', 'a\x7f', 'a'.repeat(513)])
		await refused(create(name, 'v1'), 400, 3, 'ALIAS_NAME_INVALID');
	const detail = await refused(create('prod', 'v2'), 409, 6, 'ALIAS_ALREADY_EXISTS');
	assert.equal(detail.metadata.target_namespace, 'v1');
	await refused(create('v2', 'v1'), 409, 6, 'NAME_IN_USE_BY_NAMESPACE');
	await refused(create('other', 'nothing'), 404, 5, 'TARGET_NAMESPACE_NOT_FOUND');
	await refused(create('other', 'prod'), 400, 3, 'TARGET_IS_ALIAS');
	await refused(call('PATCH', '/namespace-aliases/none', { target_namespace: 'v1' }), 404, 5, 'ALIAS_NOT_FOUND');
	await refused(call('PATCH', '/namespace-aliases/prod', { target_namespace: 'd' }), 400, 3, 'TARGET_IS_ALIAS');
	await refused(call('DELETE', '/namespace-aliases/none'), 404, 5, 'ALIAS_NOT_FOUND');
	await refused(call('POST', '/namespaces', { name: 'prod' }), 409, 6, 'NAME_IN_USE_BY_ALIAS');
	await refused(call('GET', '/namespaces/prod'), 400, 9, 'NAMESPACE_OPERATION_ON_ALIAS');
	await refused(call('DELETE', '/namespaces/prod'), 400, 9, 'NAMESPACE_OPERATION_ON_ALIAS');
	await refused(call('DELETE', '/namespaces/v1'), 400, 9, 'NAMESPACE_TARGETED_BY_ALIAS');
	assert.equal((await call('POST', '/namespace-aliases', { name: 'x' })).status, 400);
	assert.equal((await call('POST', '/namespace-aliases', { name: 'x', target_namespace: 'v1', more: 1 })).status, 400);
});
await check('reads follow, on every version, and name the target', async () => {
	for (const version of ['2025-04', '2025-10', '2026-07']) {
		const h = { 'X-Pinecone-Api-Version': version };
		const query = (await call('POST', '/query', { namespace: 'prod', vector: [1, 0], topK: 5 }, h)).json;
		assert.deepEqual([query.namespace, query.matches.map((m) => m.id)], ['v1', ['a', 'b', 'c']]);
		const byId = (await call('POST', '/query', { namespace: 'prod', id: 'b', topK: 1 }, h)).json;
		assert.deepEqual([byId.namespace, byId.matches[0].id], ['v1', 'b']);
		const fetched = (await call('GET', '/vectors/fetch?ids=a&ids=x&namespace=prod', undefined, h)).json;
		assert.deepEqual([fetched.namespace, Object.keys(fetched.vectors)], ['v1', ['a']]);
		const filtered = (await call('POST', '/vectors/fetch_by_metadata', { namespace: 'prod', filter: { of: 'v1' } }, h)).json;
		assert.deepEqual([filtered.namespace, Object.keys(filtered.vectors).length], ['v1', 3]);
		const listed = (await call('GET', '/vectors/list?namespace=prod&prefix=b', undefined, h)).json;
		assert.deepEqual([listed.namespace, listed.vectors], ['v1', [{ id: 'b' }]]);
	}
	await upsert('', ['of default']);
	assert.equal((await call('GET', '/vectors/list?namespace=d')).json.namespace, '__default__');
});
await check('no listing has them', async () => {
	assert.deepEqual(Object.keys((await call('POST', '/describe_index_stats', {})).json.namespaces).sort(), ['', 'v1', 'v2']);
	assert.ok(!(await call('GET', '/namespaces')).text.includes('prod'));
});
await check('writes do not go through', async () => {
	await refused(upsert('prod', ['a']), 409, 6, 'NAME_IN_USE_BY_ALIAS');
	for (const body of [{ id: 'a', setMetadata: { n: 1 } }, { filter: { of: 'v1' }, setMetadata: { n: 1 } }, { filter: { of: 'v1' }, dryRun: true }])
		await refused(call('POST', '/vectors/update', { ...body, namespace: 'prod' }), 400, 9, 'WRITE_TO_ALIAS');
	for (const body of [{ ids: ['a'] }, { deleteAll: true }, { filter: { of: 'v1' } }])
		await refused(call('POST', '/vectors/delete', { ...body, namespace: 'prod' }), 400, 9, 'WRITE_TO_ALIAS');
	assert.equal((await call('GET', '/vectors/list?namespace=v1')).json.vectors.length, 3);
});
await check('a page follows a repointed alias', async () => {
	const { json } = await call('GET', '/vectors/list?namespace=prod&limit=1');
	await call('PATCH', '/namespace-aliases/prod', { target_namespace: 'v2' });
	const next = (await call('GET', `/vectors/list?namespace=prod&limit=5&paginationToken=${encodeURIComponent(json.pagination.next)}`)).json;
	assert.deepEqual([next.namespace, next.vectors.map((v) => v.id)], ['v2', ['x', 'y']]);
});
await check('a repoint takes as long as is ordered', async () => {
	await server.local('POST', 'settings', { alias_delay: 300 });
	await call('PATCH', '/namespace-aliases/prod', { target_namespace: 'v1' });
	assert.equal((await call('GET', '/vectors/list?namespace=prod')).json.namespace, 'v2');
	await sleep(350);
	assert.equal((await call('GET', '/vectors/list?namespace=prod')).json.namespace, 'v1');
	await server.local('POST', 'settings', { alias_delay: 0 });
});
for (const name of ['pinecone-7', 'pinecone-9']) {
	await check(`${name} reads through one and is told of a refused write`, async () => {
		const { Pinecone } = await import(name);
		const index = new Pinecone({ apiKey: KEY, controllerHostUrl: server.url }).index({ host, namespace: 'prod' });
		const found = await index.query({ vector: [1, 0], topK: 2 });
		assert.deepEqual(found.matches.map((m) => m.id), ['a', 'b']);
		assert.equal((await index.fetch({ ids: ['a'] })).namespace, 'v1');
		assert.equal((await index.listPaginated()).namespace, 'v1');
		await assert.rejects(index.upsert({ records: [{ id: 'n', values: [1, 1] }] }), /409|alias/);
		await assert.rejects(index.deleteMany({ ids: ['a'] }), /alias/);
	});
}
await check('at most 1000', async () => {
	for (let i = 0; i < 998; i++) assert.equal((await call('POST', '/namespace-aliases', { name: `n${i}`, target_namespace: 'v1' })).status, 200);
	await refused(call('POST', '/namespace-aliases', { name: 'more', target_namespace: 'v1' }), 400, 9, 'ALIASES_PER_INDEX_EXCEEDED');
});
await check('deleting one makes reads empty; saved ones come back', async () => {
	await call('DELETE', '/namespace-aliases/prod');
	const { json } = await call('GET', '/vectors/list?namespace=prod');
	assert.deepEqual([json.namespace, json.vectors], ['prod', []]);
	assert.equal(await server.stop(), 0);
	const again = await Server.start('--load', file);
	const reply = await request('GET', `${await again.host('dense')}/namespace-aliases/n5`, undefined, NEW);
	assert.equal(reply.json.target_namespace, 'v1', reply.text);
});

await finish();
