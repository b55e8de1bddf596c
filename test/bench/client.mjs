// What the official client takes for a query and for reading a namespace:
//	node client.mjs MODULE HOST KEY QUERYFILE QUERIES CONCURRENCY
// prints the median of the queries in microseconds, and the seconds of a read of
// all vectors: ids listed page by page, records fetched, several in flight.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [module, host, apiKey, queryFile, queries, concurrency] = process.argv.slice(2);
const require = createRequire(new URL('../contract/', import.meta.url));
const { Pinecone } = require(module);
const pc = new Pinecone({ apiKey });
const { namespace, vector } = JSON.parse(readFileSync(queryFile, 'utf8'));

const small = pc.index({ host, namespace });
const times = [];
for (let i = 0; i < Number(queries); i++) {
  const start = process.hrtime.bigint();
  await small.query({ topK: 10, vector });
  times.push(Number(process.hrtime.bigint() - start) / 1000);
}
times.sort((a, b) => a - b);

const all = pc.index({ host, namespace: '' });
const running = new Set();
const start = process.hrtime.bigint();
let records = 0;
let paginationToken;
do {
  const page = await all.listPaginated({ limit: 100, paginationToken });
  const ids = page.vectors.map((vector) => vector.id);
  const fetch = all.fetch({ ids }).then((result) => {
    records += Object.keys(result.records).length;
    running.delete(fetch);
  });
  running.add(fetch);
  if (running.size >= Number(concurrency)) await Promise.race(running);
  paginationToken = page.pagination?.next;
} while (paginationToken);
await Promise.all(running);
console.log(times[times.length >> 1].toFixed(1), (Number(process.hrtime.bigint() - start) / 1e9).toFixed(4), records);
