// What the official client takes for a search, or a lookup by id, for each row:
//	node joins.mjs MODULE HOST KEY ROWS search|lookup CONCURRENCY
// ROWS has lines of an id, a tab and a vector in braces.  Prints milliseconds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [module, host, apiKey, file, kind, concurrency] = process.argv.slice(2);
const require = createRequire(new URL('../contract/', import.meta.url));
const { Pinecone } = require(module);
const index = new Pinecone({ apiKey }).index({ host, namespace: '' });
const rows = readFileSync(file, 'utf8').trim().split('\n').map((line) => {
  const [id, vector] = line.split('\t');
  return { id, vector: JSON.parse(vector.replace('{', '[').replace('}', ']')) };
});

// ids are looked up a hundred at a time, as one would
const tasks = [];
if (kind === 'search')
  for (const { vector } of rows)
    tasks.push(async () => (await index.query({ topK: 5, vector })).matches.length);
else
  for (let i = 0; i < rows.length; i += 100)
    tasks.push(async () => Object.keys((await index.fetch({ ids: rows.slice(i, i + 100).map((row) => row.id) })).records).length);

await index.fetch({ ids: ['r1'] });
const start = process.hrtime.bigint();
let next = 0;
let found = 0;
await Promise.all(Array.from({ length: Number(concurrency) }, async () => {
  while (next < tasks.length) found += await tasks[next++]();
}));
if (found === 0) throw new Error('nothing found');
console.log((Number(process.hrtime.bigint() - start) / 1e6).toFixed(1));
