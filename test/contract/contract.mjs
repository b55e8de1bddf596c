// What the official client does with a Pinecone index, against pinecone-local.
import assert from 'node:assert/strict';

const url = process.env.PINECONE_LOCAL_URL;
const apiKey = process.env.PINECONE_LOCAL_KEY;
let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`not ok - ${name}\n${error.stack}`);
  }
}

async function rejects(promise, name, message) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, name);
    if (message) assert.match(error.message, message);
    return true;
  });
}

// The two versions describe an index in their own way.
const shapes = {
  'pinecone-2025-10': {
    create: (name, dimension, metric) => ({
      name, dimension, metric, spec: { serverless: { cloud: 'aws', region: 'us-east-1' } },
    }),
    dimension: (index) => index.dimension,
    metric: (index) => index.metric,
  },
  'pinecone-2026-07': {
    create: (name, dimension, metric) => ({
      name,
      schema: { fields: { _values: { type: 'dense_vector', dimension, metric } } },
      deployment: { deploymentType: 'managed', cloud: 'aws', region: 'us-east-1' },
    }),
    dimension: (index) => index.schema.fields._values.dimension,
    metric: (index) => index.schema.fields._values.metric,
  },
};

async function controlPlane(pc, shape, label, name) {
  await check(`${label}: create index`, async () => {
    const created = await pc.createIndex(shape.create(name, 3, 'cosine'));
    assert.equal(created.name, name);
  });
  await check(`${label}: describe, wait until ready`, async () => {
    let index;
    for (let i = 0; i < 50; i++) {
      index = await pc.describeIndex(name);
      if (index.status.ready) break;
      await new Promise((done) => setTimeout(done, 20));
    }
    assert.equal(index.status.ready, true);
    assert.equal(index.status.state, 'Ready');
    assert.equal(shape.dimension(index), 3);
    assert.equal(shape.metric(index), 'cosine');
    assert.ok(index.host);
  });
  await check(`${label}: list indexes`, async () => {
    const { indexes } = await pc.listIndexes();
    assert.ok(indexes.some((index) => index.name === name));
  });
  await check(`${label}: create it again`, async () =>
    rejects(pc.createIndex(shape.create(name, 3, 'cosine')), 'PineconeConflictError', /already exists/));
  await check(`${label}: describe one that is not there`, async () =>
    rejects(pc.describeIndex('nothing'), 'PineconeNotFoundError', /nothing/));
  await check(`${label}: an invalid name`, async () =>
    rejects(pc.createIndex(shape.create('Not_A_Name', 3, 'cosine')), 'PineconeBadRequestError', /lowercase/));
}

const records = [
  { id: 'a', values: [1, 0, 0], metadata: { genre: 'drama', year: 2019, tags: ['x', 'y'], seen: true } },
  { id: 'b', values: [0.6, 0.8, 0], metadata: { genre: 'comedy', year: 2020 } },
  { id: 'c', values: [0, 0, 1], metadata: { genre: 'drama', year: 2021, tags: ['y'] } },
  { id: 'd with space/and?more', values: [0, 1, 0] },
];

async function dataPlane(index, label) {
  const ids = (result) => result.matches.map((match) => match.id);

  await check(`${label}: upsert`, async () => {
    await index.upsert({ records });
    const stats = await index.describeIndexStats();
    assert.equal(stats.totalRecordCount, 4);
    assert.equal(stats.dimension, 3);
    assert.equal(stats.namespaces.films.recordCount, 4);
  });
  await check(`${label}: query`, async () => {
    const result = await index.query({ topK: 2, vector: [1, 0.1, 0], includeMetadata: true, includeValues: true });
    assert.deepEqual(ids(result), ['a', 'b']);
    assert.deepEqual(result.matches[0].values, [1, 0, 0]);
    assert.deepEqual(result.matches[0].metadata, records[0].metadata);
    assert.ok(Math.abs(result.matches[0].score - 0.995037) < 1e-5);
    assert.equal(result.namespace, 'films');
    assert.ok(result.usage.readUnits > 0);
  });
  await check(`${label}: query without values and metadata`, async () => {
    const result = await index.query({ topK: 1, vector: [0, 0, 1] });
    assert.deepEqual(result.matches[0].values, []);
    assert.equal(result.matches[0].metadata, undefined);
  });
  await check(`${label}: query by id`, async () => {
    assert.deepEqual(ids(await index.query({ topK: 1, id: 'c' })), ['c']);
    assert.deepEqual(ids(await index.query({ topK: 1, id: 'nobody' })), []);
  });
  const filters = [
    [{ genre: 'drama' }, ['a', 'c']],
    [{ genre: { $eq: 'drama' }, year: { $gte: 2020 } }, ['c']],
    [{ year: { $in: [2019, 2020] } }, ['a', 'b']],
    [{ $or: [{ tags: 'x' }, { genre: 'comedy' }] }, ['a', 'b']],
    [{ tags: { $exists: true } }, ['a', 'c']],
    [{ $and: [{ genre: { $ne: 'drama' } }, { genre: { $exists: true } }] }, ['b']],
    [{ seen: true }, ['a']],
  ];
  for (const [filter, expected] of filters) {
    await check(`${label}: query with ${JSON.stringify(filter)}`, async () => {
      assert.deepEqual(ids(await index.query({ topK: 10, vector: [1, 1, 1], filter })).sort(), expected);
    });
  }
  await check(`${label}: fetch`, async () => {
    const result = await index.fetch({ ids: ['a', 'nobody', 'd with space/and?more'] });
    assert.deepEqual(Object.keys(result.records).sort(), ['a', 'd with space/and?more']);
    assert.deepEqual(JSON.parse(JSON.stringify(result.records.a)), records[0]);
  });
  await check(`${label}: fetch by metadata`, async () => {
    const result = await index.fetchByMetadata({ filter: { genre: 'drama' }, limit: 1 });
    assert.equal(Object.keys(result.records).length, 1);
    assert.ok(result.pagination.next);
  });
  await check(`${label}: list with prefix and paging`, async () => {
    const first = await index.listPaginated({ limit: 3 });
    assert.deepEqual(first.vectors.map((v) => v.id), ['a', 'b', 'c']);
    const second = await index.listPaginated({ limit: 3, paginationToken: first.pagination.next });
    assert.deepEqual(second.vectors.map((v) => v.id), ['d with space/and?more']);
    assert.equal(second.pagination, undefined);
    const some = await index.listPaginated({ prefix: 'd ' });
    assert.equal(some.vectors.length, 1);
  });
  await check(`${label}: update`, async () => {
    await index.update({ id: 'b', metadata: { year: 2022 } });
    await index.update({ id: 'c', values: [0, 1, 1] });
    await index.update({ id: 'nobody', metadata: { year: 1 } });
    const { records: now } = await index.fetch({ ids: ['b', 'c', 'nobody'] });
    assert.deepEqual(now.b.metadata, { genre: 'comedy', year: 2022 });
    assert.deepEqual(now.c.values, [0, 1, 1]);
    assert.equal(now.nobody, undefined);
  });
  await check(`${label}: a vector of the wrong size`, async () => {
    await rejects(index.upsert({ records: [{ id: 'x', values: [1] }] }), 'PineconeBadRequestError', /dimension 1 does not match the dimension of the index 3/);
    await rejects(index.query({ topK: 1, vector: [1, 2] }), 'PineconeBadRequestError', /dimension/);
  });
  await check(`${label}: a vector of zeroes`, async () =>
    rejects(index.upsert({ records: [{ id: 'x', values: [0, 0, 0] }] }), 'PineconeBadRequestError', /only zeros/));
  await check(`${label}: metadata that cannot be`, async () =>
    rejects(index.upsert({ records: [{ id: 'x', values: [1, 0, 0], metadata: { n: { m: 1 } } }] }), 'PineconeBadRequestError', /Metadata value must be/));
  await check(`${label}: too large a topK`, async () =>
    rejects(index.query({ topK: 10001, vector: [1, 0, 0] }), 'PineconeBadRequestError', /topK/));
  await check(`${label}: a filter that cannot be`, async () =>
    rejects(index.query({ topK: 1, vector: [1, 0, 0], filter: { year: { $regex: 'x' } } }), 'PineconeBadRequestError', /illegal condition for field year/));
  await check(`${label}: namespaces`, async () => {
    const { namespaces } = await index.listNamespaces();
    assert.deepEqual(namespaces.map((n) => n.name), ['films']);
    assert.equal(Number(namespaces[0].recordCount), 4);
    const one = await index.describeNamespace('films');
    assert.equal(one.name, 'films');
    await rejects(index.describeNamespace('nowhere'), 'PineconeNotFoundError');
  });
  await check(`${label}: delete`, async () => {
    await index.deleteOne({ id: 'a' });
    await index.deleteMany({ ids: ['b', 'nobody'] });
    await index.deleteMany({ filter: { genre: 'drama' } });
    assert.deepEqual((await index.listPaginated()).vectors.map((v) => v.id), ['d with space/and?more']);
    await index.deleteAll();
    assert.deepEqual((await index.listPaginated()).vectors, []);
    await index.deleteNamespace('films');
    await rejects(index.describeNamespace('films'), 'PineconeNotFoundError');
  });
}

for (const [module, shape] of Object.entries(shapes)) {
  const { Pinecone } = await import(module);
  const pc = new Pinecone({ apiKey, controllerHostUrl: url });
  const name = module;

  await controlPlane(pc, shape, module, name);
  const index = pc.index({ name, namespace: 'films' });
  await dataPlane(index, module);
  await check(`${module}: delete index`, async () => {
    await pc.deleteIndex(name);
    await rejects(pc.describeIndex(name), 'PineconeNotFoundError');
  });
  await check(`${module}: a wrong key`, async () => {
    const stranger = new Pinecone({ apiKey: 'wrong', controllerHostUrl: url });
    await rejects(stranger.listIndexes(), 'PineconeAuthorizationError');
  });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
