// TypeORM: entities, its query builder, and the repository's ways of writing.
import { Between, DataSource, EntitySchema, In, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not } from 'typeorm';
import { assert, cancelled, check, done, lists, note, question, range, refused, same, sql, vector, version, write } from '../lib/client.mjs';

version('typeorm');
const column = (type, more = {}) => ({ type, nullable: true, ...more });
const items = (tableName) => new EntitySchema({
	name: tableName, tableName, columns: {
		id: { type: 'text', primary: true }, embedding: column('float4', { array: true }), title: column('text'), category: column('text'),
		year: column('int'), price: column('float8'), tags: column('text', { array: true }), metadata: column('jsonb'),
	},
});
const notes = (tableName) => new EntitySchema({
	name: tableName, tableName, columns: {
		id: { type: 'text', primary: true }, embedding: column('float4', { array: true }), title: column('text'), year: column('int'), metadata: column('jsonb'),
	},
});
const orders = new EntitySchema({ name: 'orders', tableName: 'orders', columns: { number: { type: 'int', primary: true }, customer: { type: 'text' }, item_id: { type: 'text' } } });
const { PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database } = process.env;
const db = await new DataSource({
	type: 'postgres', host, port: Number(port), username, database, poolSize: 1, installExtensions: false,
	entities: [items('items'), items('items_local'), notes('notes'), notes('notes_local'), orders],
}).initialize();
const of = (ask) => (t) => ask(db.getRepository(t), t);
const plainNote = (i) => ({ ...note(i), metadata: null });

await check('introspection', async () => {
	const runner = db.createQueryRunner();
	const table = await runner.getTable('items');
	await runner.release();
	lists(table ? 'yes' : 'no');
	assert.deepEqual(table.columns.map((c) => c.name).sort(), ['category', 'embedding', 'id', 'metadata', 'price', 'score', 'tags', 'title', 'year']);
});
await same('one row by its id', of((r) => r.findOneBy({ id: 'item-00007' })));
await same('filter', of((r) => r.find({ select: { id: true, title: true, price: true }, where: { category: 'books', year: MoreThanOrEqual(2015) }, order: { id: 'ASC' } })));
await same('in, not, between', of((r) => r.find({ select: { id: true }, where: { category: In(['maps', 'games']), year: Not(1999), price: Between(3, 7.5) }, order: { id: 'ASC' } })));
await same('or', of((r) => r.find({ select: { id: true }, where: [{ category: 'maps', year: LessThanOrEqual(1992) }, { price: MoreThan(24) }], order: { id: 'ASC' } })));
await same('knn', of((r) => r.createQueryBuilder('i').select(['i.id', 'i.title']).orderBy('i.embedding <=> :q::real[]').setParameter('q', vector).limit(10).getMany()), 10);
await same('join', of((r, t) => db.getRepository('orders').createQueryBuilder('o').innerJoin(t, 'i', 'i.id = o.item_id').where('o.customer = :c', { c: 'customer 1' })
	.select(['o.number AS number', 'i.title AS title']).orderBy('o.number').getRawMany()), 10);
await same('pages', of(async (r) => {
	const pages = [];
	for (const skip of [0, 100, 200]) pages.push(await r.find({ select: { id: true, year: true }, order: { id: 'ASC' }, skip, take: 100 }));
	return pages;
}));
await same('findAndCount', of((r) => r.findAndCount({ select: { id: true }, where: { category: 'music' }, order: { id: 'ASC' }, take: 20 })));
await same('count(*)', of((r) => r.createQueryBuilder('i').select('count(*)', 'n').getRawOne()));
await same('count(1)', of((r) => r.countBy({ category: 'maps' })));
await same('exists', of((r) => r.existsBy({ category: 'maps' })));
await same('distinct', of((r) => r.createQueryBuilder('i').select('i.category', 'category').distinct(true).orderBy('i.category').getRawMany()), 5);
await same('sum, average, minimum', of(async (r) => [await r.sum('year', { category: 'maps' }), await r.minimum('year'), await r.maximum('year')]));
await check('limit', async () => {
	const read = await question('limit', () => db.getRepository('items').find({ take: 1000 }));
	assert.equal(read.length, 1000);
	assert.deepEqual(read.map((r) => ({ ...r })), await sql('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', of(async (r) => (await r.insert(range(50).map(note))).identifiers));
await write('save() of new ones', of(async (r) => (await r.save([plainNote(60), plainNote(61)])).length));
await write('save() of one that was loaded', of(async (r) => {
	const one = await r.findOneBy({ id: 'note-005' });
	one.title = 'saved';
	return (await r.save(one)).title;
}));
await write('update', of(async (r) => (await r.update({ year: 2003 }, { title: 'changed' })).affected));
await write('delete', of(async (r) => (await r.delete(['note-001', 'note-002', 'note-030'])).affected));
await write('remove()', of(async (r) => (await r.remove(await r.findBy({ id: In(['note-004', 'note-010']) }))).length));
await write('a transaction', (t) => db.transaction(async (manager) => {
	await manager.insert(t, note(70));
	return manager.find(t, { where: { id: MoreThanOrEqual('note-060') }, select: { id: true }, order: { id: 'ASC' } });
}));
await write('orIgnore()', of(async (r) => (await r.createQueryBuilder().insert().values([note(3), note(71)]).orIgnore().execute()).raw.length));
await write('upsert() of every column', of(async (r) => (await r.upsert([{ ...plainNote(6), title: 'merged' }, plainNote(72)], ['id'])).identifiers));
await write('upsert() of some', of(async (r) => (await r.upsert([note(3), note(73)], ['id'])).identifiers));
await refused('synchronize wants a primary key, which PostgreSQL has none of for foreign tables', () => db.synchronize(), /primary key constraints are not supported on foreign tables/);
await cancelled('a statement that another session cancels', () => db.getRepository('items').createQueryBuilder('i').select('i.id').orderBy('i.embedding <=> :q::real[]').setParameter('q', vector).limit(3).getMany(), { aside: true });
await db.destroy();
await done();
