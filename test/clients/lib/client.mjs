// What the clients in JavaScript share: TAP, questions that are counted, answers that are compared.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import pg from 'pg';

// beside the client, and never through pgbouncer
const aside = new pg.Client({ port: process.env.DIRECT_PORT });
await aside.connect();
let failed = 0;
let number = 0;

export { assert };
export const via = process.env.VIA;
export const sql = async (text, ...values) => (await aside.query(text, values)).rows;

export async function check(name, test) {
	number++;
	try {
		await test();
		console.log(`ok ${number} - ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${number} - ${name}`);
		console.log(String(error.stack ?? error).replace(/^/gm, '# '));
	}
}

// The version of a package, from where it is installed.
export function version(name) {
	console.log(`# version: ${JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url))).version}`);
}

export const lists = (what) => console.log(`# lists: ${what}`);

// Ask, and count the requests under that name.
export async function question(name, ask) {
	await sql('SELECT question($1)', name);
	try {
		return await ask();
	} finally {
		await sql('SELECT question(NULL)');
	}
}

const plain = (value) => JSON.parse(JSON.stringify(value));

// The same question to the foreign table and to its local copy, and the same answer.
export const same = (name, ask, least = 1) => check(name, async () => {
	const there = plain(await question(name, () => ask('items')));
	const here = plain(await ask('items_local'));
	if (Array.isArray(here)) assert.ok(here.length >= least, `only ${here.length} rows`);
	assert.deepEqual(there, here);
});

// The same write to both; afterwards they are the same.
export const write = (name, ask) => check(name, async () => {
	const there = plain(await question(name, () => ask('notes')) ?? null);
	assert.deepEqual(there, plain(await ask('notes_local') ?? null));
	await sameNotes();
});

export async function sameNotes() {
	assert.deepEqual(await sql('SELECT id, embedding, title, year, metadata FROM notes ORDER BY id'),
		(await sql(`SELECT id, embedding, title, year, coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('title', title, 'year', year)) AS metadata
			FROM notes_local ORDER BY id`)));
}

// An error says what to do instead.
export const refused = (name, ask, pattern) => check(name, async () => {
	await assert.rejects(ask, (error) => {
		const said = [error, error.cause, error.original, error.parent, error.driverError].filter(Boolean).map((e) => `${e.message} ${e.detail ?? ''} ${e.hint ?? ''}`).join('\n');
		assert.match(said, pattern);
		return true;
	});
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const running = `FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' AND query ~ 'items'`;

// While searches are slow: ask() ends with an error long before its answer is there, and so
// does the statement.  With { aside: true } it is another session that cancels it.
export const cancelled = (name, ask, { aside: fromAside = false, pattern = /cancel|timeout|abort/i } = {}) => check(name, async () => {
	await sql('SELECT slow(30000)');
	try {
		const began = performance.now();
		let settled = false;
		const asked = (async () => ask())().finally(() => { settled = true; });
		const rejection = assert.rejects(asked, (error) => {
			assert.match(`${error.message} ${error.cause?.message ?? ''}`, pattern);
			return true;
		});
		// again and again: what comes between two messages of a statement is lost
		while (fromAside && !settled) {
			await sql(`SELECT pg_cancel_backend(pid) ${running}`);
			await wait(20);
		}
		await rejection;
		while ((await sql(`SELECT ${running}`)).length > 0) {
			assert.ok(performance.now() - began < 15000, 'it goes on');
			await wait(20);
		}
		assert.ok(performance.now() - began < 15000, 'it waited');
	} finally {
		await sql('SELECT slow(0)');
	}
});

export const onConflict = /this form of ON CONFLICT is not supported.*INSERT without it replaces a record of the same id, and UPDATE changes/s;
export const vector = [0.9, -0.2, 0.4, 0.1, -0.7, 0.3, 0.5, -0.6];
export const range = (n) => Array.from({ length: n }, (_, i) => i);
export const note = (i) => ({ id: `note-${String(i).padStart(3, '0')}`, embedding: range(8).map((d) => (i + d) / 16 + 0.125), title: `Note ${i}`, year: 2000 + i % 20 });

export async function done() {
	await aside.end();
	console.log(`1..${number}`);
	process.exit(failed ? 1 : 0);
}
