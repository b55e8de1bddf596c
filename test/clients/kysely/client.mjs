// Kysely: its query builder over node-postgres, introspection, streams.
import { Kysely, PostgresDialect, sql as raw } from 'kysely';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { assert, cancelled, check, done, lists, note, onConflict, question, range, refused, same, sql, vector, version, write } from '../lib/client.mjs';

version('kysely');
const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ max: 2 }), cursor: Cursor }) });

await check('introspection', async () => {
	const names = (await db.introspection.getTables()).map(({ name }) => name);
	lists(names.includes('items') ? 'yes' : 'no');
	assert.ok(names.includes('items_local'));
});
await same('one row by its id', (t) => db.selectFrom(t).select(['title', 'tags', 'embedding', 'metadata']).where('id', '=', 'item-00007').executeTakeFirst());
await same('filter', (t) => db.selectFrom(t).select(['id', 'title', 'price']).where('category', '=', 'books').where('year', '>=', 2015).orderBy('id').execute());
await same('in, not, or, and a field of the metadata', (t) => db.selectFrom(t).select('id').where('category', 'in', ['maps', 'games']).where('year', '!=', 1999)
	.where((eb) => eb.or([eb.between('price', 3, 7.5), eb(eb.ref('metadata', '->>').key('shelf'), '=', 'shelf 4')])).orderBy('id').execute());
await same('knn', (t) => db.selectFrom(t).select(['id', 'title']).orderBy(raw`embedding <=> ${vector}::real[]`).limit(10).execute(), 10);
await same('join', (t) => db.selectFrom('orders as o').innerJoin(`${t} as i`, 'i.id', 'o.item_id').where('o.customer', '=', 'customer 1').select(['o.number', 'i.title']).orderBy('o.number').execute(), 10);
await same('pages', async (t) => {
	const pages = [];
	for (const offset of [0, 100, 200]) pages.push(await db.selectFrom(t).select(['id', 'year']).orderBy('id').limit(100).offset(offset).execute());
	return pages;
});
await check('a stream that stops early', async () => {
	const read = [];
	await question('stream', async () => {
		for await (const row of db.selectFrom('items').select('id').orderBy('id').stream(100)) if (read.push(row) === 150) break;
	});
	assert.deepEqual(read, await sql('SELECT id FROM items_local ORDER BY id LIMIT 150'));
});
await same('count(*)', (t) => db.selectFrom(t).select(db.fn.countAll().as('n')).execute());
await same('count(1)', (t) => db.selectFrom(t).select(db.fn.count(raw.lit(1)).as('n')).where('category', '=', 'maps').execute());
await same('distinct', (t) => db.selectFrom(t).select('category').distinct().orderBy('category').execute(), 5);
await check('limit', async () => {
	const read = await question('limit', () => db.selectFrom('items').selectAll().limit(1000).execute());
	assert.equal(read.length, 1000);
	assert.deepEqual(read.map(({ score, ...row }) => row), await sql('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', async (t) => String((await db.insertInto(t).values(range(50).map(note)).executeTakeFirst()).numInsertedOrUpdatedRows));
await write('INSERT ... RETURNING', (t) => db.insertInto(t).values({ ...note(60), metadata: { lang: 'en' } }).returning(['id', 'title']).execute());
await write('update', async (t) => String((await db.updateTable(t).set({ title: 'changed' }).where('year', '=', 2003).executeTakeFirst()).numUpdatedRows));
await write('delete', async (t) => String((await db.deleteFrom(t).where('id', 'in', ['note-001', 'note-002', 'note-030']).executeTakeFirst()).numDeletedRows));
await write('a transaction that reads what it has written, and one that is rolled back', async (t) => {
	await db.transaction().execute(async (trx) => {
		await trx.updateTable(t).set({ title: 'lost' }).where('id', '=', 'note-007').execute();
		throw new Error('no');
	}).catch(() => null);
	return db.transaction().execute(async (trx) => {
		await trx.insertInto(t).values(note(70)).execute();
		await trx.deleteFrom(t).where('id', '=', 'note-008').execute();
		return trx.selectFrom(t).select(['id', 'title']).where('id', '>=', 'note-007').orderBy('id').limit(5).execute();
	});
});
await write('onConflict().doNothing()', async (t) => String((await db.insertInto(t).values([note(3), note(71)]).onConflict((oc) => oc.column('id').doNothing()).executeTakeFirst()).numInsertedOrUpdatedRows));
await write('onConflict().doUpdateSet() of excluded columns', async (t) => String((await db.insertInto(t).values([{ ...note(6), title: 'merged' }, note(72)])
	.onConflict((oc) => oc.column('id').doUpdateSet((eb) => ({ title: eb.ref('excluded.title') }))).executeTakeFirst()).numInsertedOrUpdatedRows));
await refused('onConflict().doUpdateSet() with a value of its own', () => db.insertInto('notes').values(note(3)).onConflict((oc) => oc.column('id').doUpdateSet({ title: 'x' })).execute(), onConflict);
await refused('mergeInto()', () => db.mergeInto('notes').using('notes_local', 'notes_local.id', 'notes.id').whenMatched().thenDelete().execute(), /cannot execute MERGE|not supported/);
await cancelled('statement_timeout', () => db.transaction().execute(async (trx) => {
	await raw`SET LOCAL statement_timeout = 300`.execute(trx);
	await trx.selectFrom('items').select('id').orderBy(raw`embedding <=> ${vector}::real[]`).limit(3).execute();
}));
await db.destroy();
await done();
