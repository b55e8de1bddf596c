// PostGraphile 4 as an application: a server, and GraphQL over HTTP.
import { createServer } from 'node:http';
import pg from 'pg';
import { assert, cancelled, check, done, lists, note, question, range, same, sameNotes, sql, vector, version, via } from '../lib/client.mjs';

version('postgraphile');
// it prepares statements by name, of which the next backend has not heard
if (via === 'pgbouncer') process.env.POSTGRAPHILE_PREPARED_STATEMENT_CACHE_SIZE = '0';
const { default: { postgraphile } } = await import('postgraphile');
// What it takes from comments: a key, so that there are single rows, cursors and mutations; and a relation
await sql(`COMMENT ON FOREIGN TABLE items IS E'@primaryKey id'`);
await sql(`COMMENT ON FOREIGN TABLE notes IS E'@primaryKey id'`);
await sql(`COMMENT ON TABLE orders IS E'@foreignKey (item_id) references items (id)|@fieldName item\n@foreignKey (item_id) references items_local (id)|@fieldName itemsLocal'`);
for (const t of ['items', 'items_local'])
	await sql(`CREATE FUNCTION near_${t}(q real[]) RETURNS SETOF ${t} LANGUAGE sql STABLE AS 'SELECT * FROM ${t} ORDER BY embedding <=> q'`);

const pool = new pg.Pool({ max: 1 });
const server = createServer(postgraphile(pool, 'public', { disableQueryLog: true, extendedErrors: ['hint', 'detail'] }));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/graphql`;

async function ask(query, variables = {}) {
	const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables }) });
	const { data, errors } = await reply.json();
	if (errors) throw new Error(errors.map((e) => `${e.message} ${e.detail ?? ''} ${e.hint ?? ''}`).join('\n'));
	return data;
}
// the names that PostGraphile makes of a table's
const names = {
	items: { all: 'allItems', near: 'nearItems', relation: 'item' },
	items_local: { all: 'allItemsLocals', near: 'nearItemsLocal', relation: 'itemsLocal' },
	notes: { all: 'allNotes', one: 'noteById', type: 'Note', field: 'note' },
	notes_local: { all: 'allNotesLocals', one: 'notesLocalById', type: 'NotesLocal', field: 'notesLocal' },
};
const of = (f) => (t) => f(names[t]);
const input = (o) => JSON.stringify(o).replace(/"(\w+)":/g, '$1:');
// mutations of both, and the same afterwards
const mutate = (name, f) => check(name, async () => {
	const results = [];
	for (const t of ['notes', 'notes_local'])
		results.push(Object.values(await (t === 'notes' ? question(name, () => ask(f(names[t]))) : ask(f(names[t])))).map((r) => Object.values(r)));
	assert.deepEqual(results[0], results[1]);
	await sameNotes();
});

await check('introspection', async () => {
	const { __schema: { queryType } } = await ask('{ __schema { queryType { fields { name } } } }');
	const found = queryType.fields.map((f) => f.name);
	lists(found.includes('allItems') ? 'yes' : 'no');
	for (const name of ['allItems', 'itemById', 'allNotes', 'noteById', 'nearItems']) assert.ok(found.includes(name), name);
});
await check('types', async () => {
	const { itemById } = await ask('{ itemById(id: "item-00007") { id embedding title category year price tags metadata } }');
	const [local] = await sql(`SELECT * FROM items_local WHERE id = 'item-00007'`);
	assert.deepEqual({ ...itemById, metadata: JSON.parse(itemById.metadata) }, local);
});
await same('filter', of(async (n) => (await ask(`{ ${n.all}(condition: {category: "books", year: 2015}, orderBy: ID_ASC) { nodes { id title price } } }`))[n.all].nodes));
await same('knn', of(async (n) => (await ask(`query ($q: [Float]!) { ${n.near}(q: $q, first: 10) { nodes { id title } } }`, { q: vector }))[n.near].nodes), 10);
await same('join', of(async (n) => (await ask(`{ allOrders(condition: {customer: "customer 1"}) { nodes { number ${n.relation} { title } } } }`)).allOrders.nodes.map((o) => [o.number, o[n.relation].title])), 10);
await same('pages', of(async (n) => {
	const pages = [];
	for (let after = null; pages.length < 3;) {
		const { nodes, pageInfo } = (await ask(`query ($after: Cursor) { ${n.all}(first: 100, after: $after, orderBy: PRIMARY_KEY_ASC) { nodes { id year } pageInfo { endCursor } } }`, { after }))[n.all];
		pages.push(nodes);
		after = pageInfo.endCursor;
	}
	return pages;
}));
await same('a page with what comes before and after it', of(async (n) => {
	const { nodes, totalCount, pageInfo } = (await ask(`{ ${n.all}(first: 5, offset: 10, orderBy: ID_ASC, condition: {category: "music"}) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } }`))[n.all];
	return [nodes, totalCount, pageInfo];
}));
await same('the last ones, by year', of(async (n) => (await ask(`{ ${n.all}(last: 5, orderBy: [YEAR_ASC, ID_ASC]) { nodes { id year } } }`))[n.all].nodes));
await same('count(*)', of(async (n) => (await ask(`{ ${n.all} { totalCount } }`))[n.all].totalCount));
await same('count(1)', of(async (n) => (await ask(`{ ${n.all}(condition: {category: "maps"}) { totalCount } }`))[n.all].totalCount));
await check('limit', async () => {
	const read = await question('limit', async () => (await ask('{ allItems(first: 1000) { nodes { id title year tags } } }')).allItems.nodes);
	assert.equal(read.length, 1000);
	assert.deepEqual(read, await sql('SELECT id, title, year, tags FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', read.map((r) => r.id)));
});
await mutate('insert', (n) => `mutation { ${range(50).map((i) => `m${i}: create${n.type}(input: {${n.field}: ${input(note(i))}}) { ${n.field} { id title } }`).join(' ')} }`);
await mutate('update', (n) => `mutation { ${[3, 23, 43].map((i) => `m${i}: update${n.type}ById(input: {id: "note-0${String(i).padStart(2, 0)}", ${n.field}Patch: {title: "changed"}}) { ${n.field} { id title year } }`).join(' ')} }`);
await mutate('delete', (n) => `mutation { ${['note-001', 'note-002', 'note-030'].map((id, i) => `m${i}: delete${n.type}ById(input: {id: "${id}"}) { ${n.field} { id } }`).join(' ')} }`);
await check('an update of what is not there is an error', async () => {
	for (const n of [names.notes, names.notes_local])
		await assert.rejects(ask(`mutation { update${n.type}ById(input: {id: "nothing", ${n.field}Patch: {title: "x"}}) { clientMutationId } }`), /No values were updated/);
});
await cancelled('a request that another session cancels', () => ask('query ($q: [Float]!) { nearItems(q: $q, first: 3) { nodes { id } } }', { q: vector }), { aside: true });
await new Promise((resolve) => server.close(resolve));
await pool.end();
for (const t of ['items', 'items_local']) await sql(`DROP FUNCTION near_${t}`);
for (const what of ['FOREIGN TABLE items', 'FOREIGN TABLE notes', 'TABLE orders']) await sql(`COMMENT ON ${what} IS NULL`);
await done();
