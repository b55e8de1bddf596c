// Drizzle: tables as its guide declares them, its vector type and its distances.
import { and, asc, between, count, cosineDistance, desc, eq, getTableColumns, gt, gte, inArray, sql as raw } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { doublePrecision, integer, jsonb, pgTable, real, text, vector as vectorType } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { assert, cancelled, check, done, lists, note, onConflict, question, range, refused, same, sql, vector, version, write } from '../lib/client.mjs';

version('drizzle-orm');
lists('-');
const pool = new pg.Pool({ max: 1 });
const db = drizzle(pool);
const notes = (name) => pgTable(name, { id: text().primaryKey(), embedding: real().array(), title: text(), year: integer(), metadata: jsonb() });
const items = (name) => pgTable(name, { ...columns(), embedding: real().array() });
const columns = () => ({ id: text().primaryKey(), title: text(), category: text(), year: integer(), price: doublePrecision(), tags: text().array(), metadata: jsonb() });
const tables = { items: items('items'), items_local: items('items_local'), notes: notes('notes'), notes_local: notes('notes_local') };
const vectors = pgTable('items_vector', { ...columns(), embedding: vectorType({ dimensions: 8 }) });
const orders = pgTable('orders', { number: integer().primaryKey(), customer: text(), itemId: text('item_id') });
const of = (ask) => (t) => ask(tables[t]);
const q = raw`${raw.param(vector)}::real[]`;

await same('one row by its id', of((t) => db.select().from(t).where(eq(t.id, 'item-00007'))));
await same('filter', of((t) => db.select({ id: t.id, title: t.title, price: t.price }).from(t).where(and(eq(t.category, 'books'), gte(t.year, 2015))).orderBy(asc(t.id))));
await same('in, between', of((t) => db.select({ id: t.id }).from(t).where(and(inArray(t.category, ['maps', 'games']), between(t.price, 3, 7.5))).orderBy(t.id)));
await same('knn', of((t) => db.select({ id: t.id, title: t.title }).from(t).orderBy(raw`${t.embedding} <=> ${q}`).limit(10)), 10);
await check('the guide\'s similarity search, of a pgvector column', async () => {
	const similarity = raw`1 - (${cosineDistance(vectors.embedding, vector)})`;
	const found = await question('similarity', () => db.select({ id: vectors.id, similarity }).from(vectors).where(gt(similarity, 0.5)).orderBy((t) => desc(t.similarity)).limit(4));
	const local = await sql('SELECT id, 1 - (embedding <=> $1) AS similarity FROM items_local WHERE 1 - (embedding <=> $1) > 0.5 ORDER BY 2 DESC LIMIT 4', vector);
	assert.deepEqual(found.map((r) => r.id), local.map((r) => r.id));
	found.forEach((r, i) => assert.ok(Math.abs(r.similarity - local[i].similarity) < 1e-5));
	assert.equal((await sql(`SELECT requests FROM asked WHERE question = 'similarity' ORDER BY ctid DESC LIMIT 1`))[0].requests, 1);
});
await check('a vector column is read', async () => {
	const [row] = await db.select().from(vectors).where(eq(vectors.id, 'item-00007'));
	const [local] = await sql(`SELECT * FROM items_local WHERE id = 'item-00007'`);
	assert.deepEqual(row, local);
});
await same('join', of((t) => db.select({ number: orders.number, title: t.title }).from(orders).innerJoin(t, eq(t.id, orders.itemId)).where(eq(orders.customer, 'customer 1')).orderBy(orders.number)), 10);
await same('pages', of(async (t) => {
	const pages = [];
	for (let last = ''; pages.length < 3; last = pages.at(-1).at(-1).id)
		pages.push(await db.select({ id: t.id, year: t.year }).from(t).where(gt(t.id, last)).orderBy(asc(t.id)).limit(100));
	return pages;
}));
await same('count(*)', of((t) => db.$count(t)));
await same('count(1)', of((t) => db.select({ n: count(raw`1`) }).from(t).where(eq(t.category, 'maps'))));
await same('distinct', of((t) => db.selectDistinct({ category: t.category }).from(t).orderBy(t.category)), 5);
await check('limit', async () => {
	const read = await question('limit', () => db.select().from(tables.items).limit(1000));
	assert.equal(read.length, 1000);
	assert.deepEqual(read, await db.select().from(tables.items_local).where(inArray(tables.items_local.id, read.map((r) => r.id))).orderBy(raw`array_position(${raw.param(read.map((r) => r.id))}::text[], id)`));
});
await write('insert', of(async (t) => (await db.insert(t).values(range(50).map(note))).rowCount));
await write('returning()', of((t) => db.insert(t).values({ ...note(60), metadata: { lang: 'en' } }).returning({ id: t.id })));
await write('update', of(async (t) => (await db.update(t).set({ title: 'changed' }).where(eq(t.year, 2003))).rowCount));
await write('delete', of(async (t) => (await db.delete(t).where(inArray(t.id, ['note-001', 'note-002', 'note-030']))).rowCount));
await write('a transaction', of((t) => db.transaction(async (tx) => {
	await tx.insert(t).values(note(70));
	return tx.select({ id: t.id }).from(t).where(gte(t.id, 'note-060')).orderBy(t.id);
})));
await write('onConflictDoNothing()', of(async (t) => (await db.insert(t).values([note(3), note(71)]).onConflictDoNothing()).rowCount));
await write('onConflictDoUpdate() of every column', of(async (t) => (await db.insert(t).values([{ ...note(6), title: 'merged' }, note(72)]).onConflictDoUpdate({
	target: t.id, set: Object.fromEntries(Object.keys(getTableColumns(t)).map((c) => [c, raw.raw(`excluded.${c}`)])),
})).rowCount));
await write('onConflictDoUpdate() of some', of(async (t) => (await db.insert(t).values([{ ...note(60), title: 'some' }, note(73)]).onConflictDoUpdate({
	target: t.id, set: { title: raw`excluded.title` } }).returning({ id: t.id, year: t.year }))));
await refused('onConflictDoUpdate() with a value of its own', () => db.insert(tables.notes).values(note(3)).onConflictDoUpdate({ target: tables.notes.id, set: { title: 'x' } }), onConflict);
await cancelled('a statement that another session cancels', () => db.select({ id: tables.items.id }).from(tables.items).orderBy(raw`embedding <=> ${q}`).limit(3), { aside: true });
await pool.end();
await done();
