// Knex: its query builder, its schema's questions, timeouts that cancel.
import knex from 'knex';
import { assert, cancelled, check, done, lists, note, onConflict, question, range, refused, same, sql, vector, version, via, write } from '../lib/client.mjs';

version('knex');
const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const db = knex({ client: 'pg', connection: { host, port, user, database }, pool: { min: 0, max: 2 } });

await check('introspection', async () => {
	const found = await db.schema.hasTable('items') && await db.schema.hasColumn('items', 'embedding');
	lists(found ? 'yes' : 'no');
	const columns = await db('items').columnInfo();
	assert.deepEqual(Object.entries(columns).map(([name, { type }]) => `${name} ${type}`), ['id text', 'embedding ARRAY', 'title text',
		'category text', 'year integer', 'price double precision', 'tags ARRAY', 'metadata jsonb', 'score double precision']);
});
await same('one row by its id', (t) => db(t).select('title', 'tags', 'embedding', 'metadata').where({ id: 'item-00007' }).first());
await same('filter', (t) => db(t).select('id', 'title', 'price').where({ category: 'books' }).andWhere('year', '>=', 2015).orderBy('id'));
await same('in, not, between and a field of the metadata', (t) => db(t).select('id').whereIn('category', ['maps', 'games']).whereNot('year', 1999)
	.whereBetween('price', [3, 7.5]).whereJsonPath('metadata', '$.shelf', '=', 'shelf 4').orderBy('id'));
await same('knn', (t) => db(t).select('id', 'title').orderByRaw('embedding <=> ?::real[]', [vector]).limit(10), 10);
await same('join', (t) => db('orders as o').join(`${t} as i`, 'i.id', 'o.item_id').where('o.customer', 'customer 1').select('o.number', 'i.title').orderBy('o.number'), 10);
await same('pages', async (t) => {
	const pages = [];
	for (const offset of [0, 100, 200]) pages.push(await db(t).select('id', 'year').orderBy('id').limit(100).offset(offset));
	return pages;
});
await same('count(*)', (t) => db(t).count('*'));
await same('count(1)', (t) => db(t).count(db.raw('1')).where({ category: 'maps' }));
await same('distinct', (t) => db(t).distinct('category').orderBy('category'), 5);
await same('countDistinct, min, max', (t) => db(t).countDistinct('category as n').min('year as least').max('year as most'));
await check('limit', async () => {
	const read = await question('limit', () => db('items').limit(1000));
	assert.equal(read.length, 1000);
	assert.deepEqual(read.map(({ score, ...row }) => row), await sql('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', async (t) => (await db(t).insert(range(50).map(note))).rowCount);
await write('INSERT ... RETURNING', (t) => db(t).insert({ ...note(60), metadata: { lang: 'en' } }, ['id', 'title']));
await write('update', (t) => db(t).where({ year: 2003 }).update({ title: 'changed' }));
await write('increment', (t) => db(t).whereIn('id', ['note-004', 'note-005']).increment('year', 3));
await write('delete', (t) => db(t).whereIn('id', ['note-001', 'note-002', 'note-030']).del());
await write('a transaction that reads what it has written, and one that is rolled back', async (t) => {
	await db.transaction((trx) => trx(t).where({ id: 'note-007' }).update({ title: 'lost' }).then(() => Promise.reject(new Error('no')))).catch(() => null);
	return db.transaction(async (trx) => {
		await trx(t).insert(note(70));
		await trx(t).where({ id: 'note-008' }).del();
		return trx(t).select('id', 'title').where('id', '>=', 'note-007').orderBy('id').limit(5);
	});
});
await write('onConflict().ignore()', async (t) => (await db(t).insert([note(3), note(71)]).onConflict('id').ignore()).rowCount);
await write('onConflict().merge() of every column', async (t) => (await db(t).insert([{ ...note(6), title: 'merged', metadata: null }, { ...note(72), metadata: null }]).onConflict('id').merge()).rowCount);
await write('onConflict().merge() of some', async (t) => (await db(t).insert([note(3), note(73)]).onConflict('id').merge()).rowCount);
await write('onConflict().merge() of columns by name', async (t) => (await db(t).insert({ ...note(60), title: 'named' }).onConflict('id').merge(['title'])).rowCount);
await refused('onConflict().merge() with a value of its own', () => db('notes').insert(note(3)).onConflict('id').merge({ title: 'x' }), onConflict);
const search = (connection) => connection('items').select('id').orderByRaw('embedding <=> ?::real[]', [vector]).limit(3);
// which asks for the end of a process that it knows by number: pgbouncer's numbers are its own
if (via === 'direct') await cancelled('timeout(MS, {cancel: true})', () => search(db).timeout(300, { cancel: true }));
await cancelled('statement_timeout', () => db.transaction(async (trx) => {
	await trx.raw('SET LOCAL statement_timeout = 300');
	await search(trx);
}));
await db.destroy();
await done();
