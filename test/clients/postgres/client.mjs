// postgres.js: tagged templates, named prepared statements, cursors, COPY, cancels.
import postgres from 'postgres';
import { assert, cancelled, check, done, lists, note, onConflict, question, range, refused, same, sql as aside, vector, version, via, write } from '../lib/client.mjs';

version('postgres');
lists('-');
// pgbouncer before 1.21 does not know prepared statements
const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const sql = postgres({ host, port: Number(port), user, database, max: 1, prepare: via === 'direct', onnotice: () => {} });

await same('one row by its id', (t) => sql`SELECT title, tags, embedding, metadata FROM ${sql(t)} WHERE id = ${'item-00007'}`);
await same('filter', (t) => sql`SELECT id, title, price FROM ${sql(t)} WHERE category = ${'books'} AND year >= ${2015} ORDER BY id`);
await same('IN, and an array', (t) => sql`SELECT id FROM ${sql(t)} WHERE category IN ${sql(['maps', 'games'])} AND id = ANY (${['item-00001', 'item-00002', 'item-00003', 'item-00004', 'item-00005']}) ORDER BY id`);
await same('knn', (t) => sql`SELECT id, title FROM ${sql(t)} ORDER BY embedding <=> ${vector}::real[] LIMIT 10`, 10);
await check('kNN again and again, when the server has prepared it', async () => {
	const local = await aside('SELECT id FROM items_local ORDER BY embedding <=> $1::real[] LIMIT 10', vector);
	for (const _ of range(8)) {
		const before = await aside('SELECT question(NULL) AS n');
		assert.deepEqual([...await sql`SELECT id FROM items ORDER BY embedding <=> ${vector}::real[] LIMIT 10`], local);
		assert.equal((await aside('SELECT question(NULL) AS n'))[0].n - before[0].n, 1);
	}
});
await check('kNN with vectors bound as pgvector wants them', async () => {
	const local = await aside('SELECT id FROM items_local ORDER BY embedding <=> $1::real[] LIMIT 10', vector);
	assert.deepEqual([...await sql`SELECT id FROM items_vector ORDER BY embedding <=> ${JSON.stringify(vector)} LIMIT 10`], local);
});
await same('join', (t) => sql`SELECT o.number, i.title FROM orders o JOIN ${sql(t)} i ON i.id = o.item_id WHERE o.customer = ${'customer 1'} ORDER BY o.number`);
await same('pages', async (t) => {
	const pages = [];
	for (let last = ''; pages.length < 3; last = pages.at(-1).at(-1).id)
		pages.push(await sql`SELECT id, year FROM ${sql(t)} WHERE id > ${last} ORDER BY id LIMIT 100`);
	return pages;
});
await check('a cursor that stops early', async () => {
	const read = [];
	await sql`SELECT id FROM items ORDER BY id`.cursor(100, (rows) => {
		read.push(...rows);
		return read.length >= 200 ? sql.CLOSE : undefined;
	});
	assert.deepEqual(read, await aside('SELECT id FROM items_local ORDER BY id LIMIT 200'));
});
await same('count(*)', (t) => sql`SELECT count(*) FROM ${sql(t)}`);
await same('count(1)', (t) => sql`SELECT count(1) FROM ${sql(t)} WHERE category = 'maps'`);
await same('distinct', (t) => sql`SELECT DISTINCT category FROM ${sql(t)} ORDER BY category`, 5);
await check('limit', async () => {
	const read = await question('limit', () => sql`SELECT * FROM items LIMIT 1000`);
	assert.equal(read.length, 1000);
	assert.deepEqual(read.map(({ score, ...row }) => row), await aside('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', async (t) => (await sql`INSERT INTO ${sql(t)} ${sql(range(50).map(note))}`).count);
await write('INSERT ... RETURNING', (t) => sql`INSERT INTO ${sql(t)} ${sql({ ...note(60), metadata: { lang: 'en' } })} RETURNING id, title`);
await write('update', async (t) => (await sql`UPDATE ${sql(t)} SET ${sql({ title: 'changed' })} WHERE year = ${2003}`).count);
await write('delete', async (t) => (await sql`DELETE FROM ${sql(t)} WHERE id = ANY (${['note-001', 'note-002', 'note-030']})`).count);
await write('a transaction that reads what it has written', (t) => sql.begin(async (trx) => {
	await trx`INSERT INTO ${trx(t)} ${trx(note(70))}`;
	await trx`DELETE FROM ${trx(t)} WHERE id = 'note-008'`;
	return trx`SELECT id, title FROM ${trx(t)} WHERE id >= 'note-007' ORDER BY id LIMIT 5`;
}));
await write('COPY', async (t) => {
	const out = await sql`COPY ${sql(t)} (id, embedding, title, year) FROM STDIN`.writable();
	await new Promise((resolve, reject) => {
		out.on('finish', resolve).on('error', reject);
		out.end('note-090\t{1,2,3,4,5,6,7,8}\tcopied\t2020\n');
	});
});
await write('ON CONFLICT DO UPDATE of some columns', async (t) => (await sql`INSERT INTO ${sql(t)} ${sql([note(3), note(73)])} ON CONFLICT (id) DO UPDATE SET title = excluded.title`).count);
await refused('ON CONFLICT DO UPDATE with a value of its own', () => sql`INSERT INTO notes ${sql(note(3))} ON CONFLICT (id) DO UPDATE SET title = 'x'`, onConflict);
await cancelled('cancel()', () => {
	const asked = sql`SELECT id FROM items ORDER BY embedding <=> ${vector}::real[] LIMIT 3`.execute();
	setTimeout(() => asked.cancel(), 300);
	return asked;
});
await sql.end();
await done();
