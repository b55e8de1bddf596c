// node-postgres: SQL of one's own, parameters and cursors.
import pg from 'pg';
import Cursor from 'pg-cursor';
import { assert, cancelled, check, done, lists, note, onConflict, question, range, refused, same, sql, vector, version, via, write } from '../lib/client.mjs';

version('pg');
lists('-');
const pool = new pg.Pool({ max: 1 });
const rows = async (text, values) => (await pool.query(text, values)).rows;

await check('types', async () => {
	const { fields, rows: [row] } = await pool.query(`SELECT * FROM items WHERE id = 'item-00007'`);
	const [local] = await sql(`SELECT *, NULL AS score FROM items_local WHERE id = 'item-00007'`);
	assert.ok(row.id === 'item-00007' && row.tags.length === 2);
	assert.deepEqual(row, local);
	assert.deepEqual(fields.map((f) => f.name), ['id', 'embedding', 'title', 'category', 'year', 'price', 'tags', 'metadata', 'score']);
});
if (via === 'pgbouncer') await check('what follows each other is not the same backend\'s', async () => {
	// it opens a second and a third connection only for who would wait
	const several = new pg.Pool({ max: 3 });
	await Promise.all(range(3).map(() => several.query('SELECT pg_sleep(0.2)')));
	await several.end();
	const pids = new Set();
	for (const _ of range(6)) pids.add((await rows('SELECT pg_backend_pid() AS pid'))[0].pid);
	assert.ok(pids.size > 1, [...pids].join());
});
await same('filter', (t) => rows(`SELECT id, title, price FROM ${t} WHERE category = $1 AND year >= $2 ORDER BY id`, ['books', 2015]));
await same('knn', (t) => rows(`SELECT id, title FROM ${t} ORDER BY embedding <=> $1::real[] LIMIT 10`, [vector]), 10);
await check('kNN with vectors bound as pgvector wants them', async () => {
	const local = await rows('SELECT id FROM items_local ORDER BY embedding <=> $1::real[] LIMIT 10', [vector]);
	assert.deepEqual(await rows('SELECT id FROM items_vector ORDER BY embedding <=> $1 LIMIT 10', [JSON.stringify(vector)]), local);
});
await same('join', (t) => rows(`SELECT o.number, i.title FROM orders o JOIN ${t} i ON i.id = o.item_id WHERE o.customer = $1 ORDER BY o.number`, ['customer 1']));
await same('pages', async (t) => {
	const pages = [];
	for (let last = ''; pages.length < 3; last = pages.at(-1).at(-1).id)
		pages.push(await rows(`SELECT id, year FROM ${t} WHERE id > $1 ORDER BY id LIMIT 100`, [last]));
	return pages;
});
await check('a cursor that stops early', async () => {
	const client = await pool.connect();
	try {
		await client.query('BEGIN');
		const asked = await question('cursor', async () => {
			const cursor = client.query(new Cursor('SELECT id FROM items ORDER BY id'));
			const read = [...await cursor.read(100), ...await cursor.read(100)];
			await cursor.close();
			return read;
		});
		await client.query('COMMIT');
		assert.deepEqual(asked, await sql('SELECT id FROM items_local ORDER BY id LIMIT 200'));
	} finally {
		client.release();
	}
});
await same('count(*)', (t) => rows(`SELECT count(*) FROM ${t}`));
await same('count(1)', (t) => rows(`SELECT count(1) FROM ${t} WHERE category = 'maps'`));
await same('distinct', (t) => rows(`SELECT DISTINCT category FROM ${t} ORDER BY category`), 5);
await check('limit', async () => {
	const read = await question('limit', () => rows('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000'));
	assert.equal(read.length, 1000);
	assert.deepEqual(read, await sql('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await write('insert', async (t) => (await pool.query(
	`INSERT INTO ${t} (id, embedding, title, year) SELECT n ->> 'id', ARRAY(SELECT e::real FROM jsonb_array_elements_text(n -> 'embedding') e), n ->> 'title', (n ->> 'year')::int
		FROM jsonb_array_elements($1) AS n`, [JSON.stringify(range(50).map(note))])).rowCount);
await write('update', async (t) => (await pool.query(`UPDATE ${t} SET title = $1 WHERE year = $2`, ['changed', 2003])).rowCount);
await write('delete', async (t) => (await pool.query(`DELETE FROM ${t} WHERE id = ANY ($1)`, [['note-001', 'note-002', 'note-030']])).rowCount);
await write('ON CONFLICT DO NOTHING', async (t) => (await pool.query(`INSERT INTO ${t} (id, embedding, title) VALUES ('note-003', $1, 'x'), ('note-080', $1, 'y') ON CONFLICT DO NOTHING`, [vector])).rowCount);
await write('ON CONFLICT DO UPDATE of some columns', async (t) => (await pool.query(
	`INSERT INTO ${t} (id, embedding, title) VALUES ('note-003', $1, 'x'), ('note-081', $1, 'y') ON CONFLICT (id) DO UPDATE SET title = excluded.title RETURNING id, title, year`, [vector])).rows);
await refused('ON CONFLICT DO UPDATE with a value of its own says what to write instead',
	() => pool.query(`INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'`), onConflict);
await cancelled('cancel, by the protocol\'s request', async () => {
	const client = await pool.connect();
	const query = new pg.Query('SELECT id FROM items ORDER BY embedding <=> $1::real[] LIMIT 3', [vector]);
	const timer = setInterval(() => new pg.Client().cancel(client, query), 100);
	try {
		await new Promise((resolve, reject) => client.query(query).on('error', reject).on('end', resolve));
	} finally {
		clearInterval(timer);
		client.release();
	}
});
await check('and the connection goes on', async () => assert.deepEqual(await rows('SELECT 1 AS one'), [{ one: 1 }]));
await pool.end();
await done();
