// Sequelize: models, finders, and its ways of writing.
import { DataTypes, Op, QueryTypes, Sequelize, literal } from 'sequelize';
import { assert, cancelled, check, done, lists, note, question, range, same, sql, vector, version, write } from '../lib/client.mjs';

version('sequelize');
const { PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database } = process.env;
const db = new Sequelize({ dialect: 'postgres', host, port, username, database, logging: false, pool: { max: 1 }, define: { timestamps: false, freezeTableName: true } });
const reals = DataTypes.ARRAY(DataTypes.REAL);
const models = {};
for (const name of ['items', 'items_local'])
	models[name] = db.define(name, {
		id: { type: DataTypes.TEXT, primaryKey: true }, embedding: reals, title: DataTypes.TEXT, category: DataTypes.TEXT, year: DataTypes.INTEGER,
		price: DataTypes.DOUBLE, tags: DataTypes.ARRAY(DataTypes.TEXT), metadata: DataTypes.JSONB,
	});
for (const name of ['notes', 'notes_local'])
	models[name] = db.define(name, { id: { type: DataTypes.TEXT, primaryKey: true }, embedding: reals, title: DataTypes.TEXT, year: DataTypes.INTEGER, metadata: DataTypes.JSONB });
const of = (ask) => (t) => ask(models[t], t);
const q = literal(`embedding <=> '{${vector}}'::real[]`);
const raw = { raw: true };

await check('introspection', async () => {
	const tables = await db.getQueryInterface().showAllTables();
	lists(tables.some((t) => (t.tableName ?? t) === 'items') ? 'yes' : 'no');
	const columns = await db.getQueryInterface().describeTable('items');
	assert.deepEqual(Object.entries(columns).map(([name, { type }]) => `${name} ${type}`), ['id TEXT', 'embedding ARRAY', 'title TEXT',
		'category TEXT', 'year INTEGER', 'price DOUBLE PRECISION', 'tags ARRAY', 'metadata JSONB', 'score DOUBLE PRECISION']);
});
await same('one row by its id', of(async (m) => (await m.findByPk('item-00007')).toJSON()));
await same('filter', of((m) => m.findAll({ attributes: ['id', 'title', 'price'], where: { category: 'books', year: { [Op.gte]: 2015 } }, order: ['id'], ...raw })));
await same('in, not, between, a field of the metadata', of((m) => m.findAll({
	attributes: ['id'], where: { category: ['maps', 'games'], year: { [Op.ne]: 1999 }, price: { [Op.between]: [3, 7.5] }, metadata: { shelf: 'shelf 4' } }, order: ['id'], ...raw,
})));
await same('knn', of((m) => m.findAll({ attributes: ['id', 'title'], order: [q], limit: 10, ...raw })), 10);
await same('knn with a bound vector', (t) => db.query(`SELECT id FROM ${t} ORDER BY embedding <=> $q::real[] LIMIT 10`, { bind: { q: vector }, type: QueryTypes.SELECT }), 10);
await same('join', (t) => db.query(`SELECT o.number, i.title FROM orders o JOIN ${t} i ON i.id = o.item_id WHERE o.customer = $c ORDER BY o.number`, { bind: { c: 'customer 1' }, type: QueryTypes.SELECT }), 10);
await same('pages', of(async (m) => {
	const pages = [];
	for (const offset of [0, 100, 200]) pages.push(await m.findAll({ attributes: ['id', 'year'], order: ['id'], limit: 100, offset, ...raw }));
	return pages;
}));
await same('findAndCountAll', of((m) => m.findAndCountAll({ attributes: ['id'], where: { category: 'music' }, order: ['id'], limit: 20, ...raw })));
await same('count(*)', of((m) => m.count()));
await same('count(1)', of((m) => m.findAll({ attributes: [[db.fn('count', 1), 'n']], where: { category: 'maps' }, ...raw })));
await same('distinct', of((m) => m.aggregate('category', 'DISTINCT', { plain: false, order: ['category'] })), 5);
await same('group and count', of(async (m) => (await m.count({ group: ['category'] })).sort((a, b) => a.category < b.category ? -1 : 1)), 5);
await same('min, max, sum', of(async (m) => [await m.min('year'), await m.max('year'), await m.sum('year')]));
await check('limit', async () => {
	const read = await question('limit', () => models.items.findAll({ limit: 1000, ...raw }));
	assert.equal(read.length, 1000);
	assert.deepEqual(read, await sql('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', of(async (m) => (await m.bulkCreate(range(50).map(note))).length));
await write('create', of(async (m) => (await m.create({ ...note(60), metadata: { lang: 'en' } })).title));
await write('save() of an instance', of(async (m) => {
	const one = await m.findByPk('note-005');
	one.title = 'saved';
	return (await one.save()).title;
}));
await write('update', of((m) => m.update({ title: 'changed' }, { where: { year: 2003 } })));
await write('delete', of((m) => m.destroy({ where: { id: ['note-001', 'note-002', 'note-030'] } })));
await write('a transaction', of((m) => db.transaction(async (transaction) => {
	await m.create(note(70), { transaction });
	return m.findAll({ where: { id: { [Op.gte]: 'note-060' } }, attributes: ['id'], order: ['id'], transaction, ...raw });
})));
await write('bulkCreate({ignoreDuplicates})', of(async (m) => (await m.bulkCreate([note(3), note(71)], { ignoreDuplicates: true })).length));
await write('upsert() of every column', of(async (m) => (await m.upsert({ ...note(6), title: 'merged', metadata: { lang: 'fr' } }))[0].id));
await write('upsert() of some', of(async (m) => (await m.upsert({ ...note(60), title: 'some' }))[0].id));
await write('bulkCreate({updateOnDuplicate})', of(async (m) => (await m.bulkCreate([{ ...note(60), title: 'listed' }, note(73)], { updateOnDuplicate: ['title'] })).length));
await check('sync({alter: true}) drops columns that it does not map, of the table and not of the records', async () => {
	await sql(`CREATE FOREIGN TABLE synced (id text COLLATE "C", embedding real[], title text, year integer) SERVER clients OPTIONS (namespace 'items')`);
	await db.define('synced', { id: { type: DataTypes.TEXT, primaryKey: true }, title: DataTypes.TEXT }).sync({ alter: true });
	assert.deepEqual((await sql(`SELECT attname FROM pg_attribute WHERE attrelid = 'synced'::regclass AND attnum > 0 AND NOT attisdropped`)).map((r) => r.attname), ['id', 'title']);
	await sql('ALTER FOREIGN TABLE synced ADD year integer');
	assert.deepEqual(await sql(`SELECT * FROM synced WHERE id = 'item-00007'`), await sql(`SELECT id, title, year FROM items_local WHERE id = 'item-00007'`));
	await sql('DROP FOREIGN TABLE synced');
});
await cancelled('a statement that another session cancels', () => models.items.findAll({ attributes: ['id'], order: [q], limit: 3, ...raw }), { aside: true });
await db.close();
await done();
