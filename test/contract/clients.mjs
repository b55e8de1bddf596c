// What the official TypeScript client sees, in the version for API 2025-10 and
// in that for 2026-07.
import assert from 'node:assert/strict';
import { Server, KEY, check, finish, sleep } from './harness.mjs';

const server = await Server.start('--ready-delay', '150');

async function scenario(name, apiVersion) {
	const library = await import(name);
	const { Pinecone, Errors = library } = library;
	const pc = new Pinecone({ apiKey: KEY, controllerHostUrl: server.url });
	const movies = `movies-${name.slice(-1)}`;
	const newShape = apiVersion >= '2026-07';
	const is = (what, test) => check(`${name}: ${what}`, test);
	let index;

	await is('create an index and wait until it is ready', async () => {
		const made = await pc.createIndex({
			name: movies,
			dimension: 3,
			metric: 'cosine',
			spec: { serverless: { cloud: 'aws', region: 'us-east-1' } },
			tags: { team: 'search' },
			waitUntilReady: true,
		});
		assert.equal(made.name, movies);
		assert.equal(made.status.ready, true);
	});
	await is('describe it', async () => {
		const model = await pc.describeIndex(movies);
		assert.match(model.host, /^http:\/\/127\.0\.0\.1:\d+$/);
		assert.deepEqual(model.tags, { team: 'search' });
		assert.equal(model.deletionProtection, 'disabled');
		if (newShape) {
			assert.deepEqual(model.schema.fields._values, { ...model.schema.fields._values, type: 'dense_vector', dimension: 3, metric: 'cosine' });
			assert.equal(model.deployment.deploymentType, 'managed');
			assert.equal(model.deployment.region, 'us-east-1');
		}
		assert.equal(model.dimension, 3);
		assert.equal(model.metric, 'cosine');
		assert.equal(model.spec.serverless.cloud, 'aws');
	});
	await is('list indexes', async () => {
		const { indexes } = await pc.listIndexes();
		assert.ok(indexes.some((i) => i.name === movies));
	});
	await is('an index that exists', async () => {
		await assert.rejects(
			pc.createIndex({ name: movies, dimension: 3, spec: { serverless: { cloud: 'aws', region: 'us-east-1' } } }),
			{ name: 'PineconeConflictError' });
		await pc.createIndex({ name: movies, dimension: 3, spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, suppressConflicts: true });
	});
	await is('configure tags and deletion protection', async () => {
		const options = (more) => (more.name ? more : { name: movies, ...more });
		const configure = (more) => (pc.configureIndex.length > 1 ? pc.configureIndex(movies, more) : pc.configureIndex(options(more)));
		await configure({ deletionProtection: 'enabled', tags: { team: '', owner: 'me' } });
		assert.deepEqual((await pc.describeIndex(movies)).tags, { owner: 'me' });
		await assert.rejects(pc.deleteIndex(movies), (e) => /Deletion protection/.test(e.message));
		await configure({ deletionProtection: 'disabled' });
		assert.equal((await pc.describeIndex(movies)).deletionProtection, 'disabled');
	});

	index = pc.index({ name: movies, namespace: 'kb' });
	const records = [
		{ id: 'm1', values: [1, 0, 0], metadata: { title: 'Metropolis', year: 1927, genres: ['drama', 'sci-fi'], silent: true } },
		{ id: 'm2', values: [0, 1, 0], metadata: { title: 'Playtime', year: 1967, genres: ['comedy'] } },
		{ id: 'm3', values: [0.6, 0.8, 0], metadata: { title: 'Alien', year: 1979, genres: ['sci-fi', 'horror'] } },
		{ id: 'm4', values: [0, 0.6, 0.8], metadata: { title: 'Stalker', year: 1979, genres: ['drama', 'sci-fi'] } },
		{ id: 'n 5/u?', values: [0.5, 0.5, 0.5] },
	];
	await is('upsert', async () => {
		await index.upsert({ records });
	});
	await is('query with values and metadata', async () => {
		const reply = await index.query({ vector: [1, 0.25, 0], topK: 2, includeValues: true, includeMetadata: true });
		assert.deepEqual(reply.matches.map((m) => m.id), ['m1', 'm3']);
		assert.ok(Math.abs(reply.matches[0].score - 1 / Math.hypot(1, 0.25)) < 1e-6);
		assert.deepEqual(reply.matches[0].values, [1, 0, 0]);
		assert.deepEqual(reply.matches[0].metadata, records[0].metadata);
		assert.equal(reply.namespace, 'kb');
		assert.ok(reply.usage.readUnits > 0);
	});
	await is('query without values and metadata', async () => {
		const [match] = (await index.query({ vector: [1, 0, 0], topK: 1 })).matches;
		assert.deepEqual([match.values, match.metadata], [[], undefined]);
	});
	for (const [filter, ids] of [
		[{ genres: 'sci-fi' }, ['m1', 'm3', 'm4']],
		[{ year: { $eq: 1979 } }, ['m3', 'm4']],
		[{ year: { $gte: 1967, $lt: 1979 } }, ['m2']],
		[{ title: { $in: ['Alien', 'Playtime', 'none'] } }, ['m2', 'm3']],
		[{ $or: [{ silent: true }, { genres: { $eq: 'horror' } }] }, ['m1', 'm3']],
		[{ $and: [{ genres: 'drama' }, { genres: 'sci-fi' }] }, ['m1', 'm4']],
		[{ silent: { $exists: false } }, ['m2', 'm3', 'm4', 'n 5/u?']],
		[{ year: { $ne: 1979 } }, ['m1', 'm2', 'n 5/u?']],
		[{ title: { $nin: ['Alien'] }, year: { $exists: true } }, ['m1', 'm2', 'm4']],
	]) {
		await is(`filter ${JSON.stringify(filter)}`, async () => {
			const { matches } = await index.query({ vector: [1, 1, 1], topK: 10, filter });
			assert.deepEqual(matches.map((m) => m.id).sort(), ids);
		});
	}
	await is('query by id', async () => {
		const { matches } = await index.query({ id: 'm3', topK: 2 });
		assert.equal(matches[0].id, 'm3');
		assert.ok(Math.abs(matches[0].score - 1) < 1e-6);
		assert.deepEqual((await index.query({ id: 'unknown', topK: 2 })).matches, []);
	});
	await is('fetch', async () => {
		const reply = await index.fetch({ ids: ['m1', 'n 5/u?', 'unknown'] });
		assert.deepEqual(Object.keys(reply.records).sort(), ['m1', 'n 5/u?']);
		assert.deepEqual(reply.records.m1.metadata, records[0].metadata);
		assert.deepEqual(reply.records['n 5/u?'].values, [0.5, 0.5, 0.5]);
	});
	await is('fetch by metadata, page by page', async () => {
		const seen = [];
		let token;
		do {
			const page = await index.fetchByMetadata({ filter: { year: { $exists: true } }, limit: 3, paginationToken: token });
			seen.push(...Object.keys(page.records));
			token = page.pagination?.next;
		} while (token);
		assert.deepEqual(seen.sort(), ['m1', 'm2', 'm3', 'm4']);
	});
	await is('list with prefix, page by page', async () => {
		const first = await index.listPaginated({ prefix: 'm', limit: 3 });
		assert.deepEqual(first.vectors.map((v) => v.id), ['m1', 'm2', 'm3']);
		const second = await index.listPaginated({ prefix: 'm', limit: 3, paginationToken: first.pagination.next });
		assert.deepEqual(second.vectors.map((v) => v.id), ['m4']);
		assert.equal(second.pagination?.next, undefined);
	});
	await is('update values and metadata of a record', async () => {
		await index.update({ id: 'm2', values: [0, 2, 0], metadata: { rating: 4.5 } });
		const { records: got } = await index.fetch({ ids: ['m2'] });
		assert.deepEqual(got.m2.values, [0, 2, 0]);
		assert.deepEqual(got.m2.metadata, { ...records[1].metadata, rating: 4.5 });
	});
	await is('update by filter', async () => {
		await index.update({ filter: { year: { $eq: 1979 } }, metadata: { decade: '70s' } });
		const { records: got } = await index.fetch({ ids: ['m3', 'm4', 'm1'] });
		assert.deepEqual([got.m3.metadata.decade, got.m4.metadata.decade, got.m1.metadata.decade], ['70s', '70s', undefined]);
	});
	await is('delete by id, by filter', async () => {
		await index.deleteOne({ id: 'm1' });
		await index.deleteMany({ ids: ['n 5/u?', 'unknown'] });
		await index.deleteMany({ filter: { decade: '70s' } });
		assert.deepEqual((await index.listPaginated()).vectors.map((v) => v.id), ['m2']);
	});
	await is('stats', async () => {
		const stats = await index.describeIndexStats();
		assert.equal(stats.dimension, 3);
		assert.equal(stats.totalRecordCount, 1);
		assert.equal(stats.namespaces.kb.recordCount, 1);
	});
	await is('namespaces', async () => {
		const made = await index.createNamespace({ name: 'second one', schema: { fields: { genre: { filterable: true } } } });
		assert.equal(made.name, 'second one');
		await assert.rejects(index.createNamespace({ name: 'second one' }), { name: 'PineconeConflictError' });
		const { namespaces } = await index.listNamespaces();
		assert.deepEqual(namespaces.map((n) => n.name), ['kb', 'second one']);
		const page = await index.listNamespaces({ limit: 1 });
		assert.equal(page.namespaces.length, 1);
		assert.equal(Number((await index.describeNamespace('kb')).recordCount), 1);
		await index.deleteNamespace('second one');
		await assert.rejects(index.describeNamespace('second one'), { name: 'PineconeNotFoundError' });
	});
	await is('delete all', async () => {
		await index.deleteAll();
		assert.equal((await index.describeIndexStats()).totalRecordCount, 0);
		await assert.rejects(index.deleteMany({ ids: ['a'], namespace: 'never' }), { name: 'PineconeNotFoundError' });
	});
	await is('errors carry the message', async () => {
		await assert.rejects(index.upsert({ records: [{ id: 'x', values: [1] }] }),
			(e) => e.name === 'PineconeBadRequestError' && /Vector dimension 1 does not match the dimension of the index 3/.test(e.message));
		await assert.rejects(index.query({ vector: [1, 0, 0], topK: 1, filter: { a: { $regex: 'x' } } }),
			(e) => e.name === 'PineconeBadRequestError' && /illegal condition for field a/.test(e.message));
		await assert.rejects(pc.describeIndex('no-such'), { name: 'PineconeNotFoundError' });
		await assert.rejects(new Pinecone({ apiKey: 'wrong', controllerHostUrl: server.url }).listIndexes(), { name: 'PineconeAuthorizationError' });
	});
	await is('a sparse index', async () => {
		const name = `sparse-${movies}`;
		await pc.createIndex({ name, vectorType: 'sparse', metric: 'dotproduct', spec: { serverless: { cloud: 'aws', region: 'us-east-1' } }, waitUntilReady: true });
		const sparse = pc.index({ name });
		await sparse.upsert({ records: [
			{ id: 'a', sparseValues: { indices: [1, 5], values: [0.5, 2] } },
			{ id: 'b', sparseValues: { indices: [7], values: [1] } },
		] });
		const { matches } = await sparse.query({ sparseVector: { indices: [5, 9], values: [2, 1] }, topK: 5, includeValues: true });
		assert.deepEqual(matches.map((m) => [m.id, m.score]), [['a', 4]]);
		assert.deepEqual(matches[0].sparseValues, { indices: [1, 5], values: [0.5, 2] });
		assert.equal((await pc.describeIndex(name)).vectorType, 'sparse');
		await pc.deleteIndex(name);
	});
	await is('delete the index', async () => {
		await pc.deleteIndex(movies);
		await sleep(10);
		await assert.rejects(pc.describeIndex(movies), { name: 'PineconeNotFoundError' });
	});
	await is('it sent the version it should', async () => {
		const { requests } = await server.local('GET', 'requests');
		assert.ok(requests.length > 20);
		assert.deepEqual([...new Set(requests.map((r) => r.version))], [apiVersion]);
		assert.ok(requests.every((r) => r.user_agent.includes('typescript')));
		await server.local('DELETE', 'requests');
	});
}

await scenario('pinecone-7', '2025-10');
await scenario('pinecone-9', '2026-07');
await finish();
