// What the official client takes to upsert records from a file for COPY:
//	node client_write.mjs MODULE HOST KEY FILE BATCH CONCURRENCY
// prints the seconds of doing so from the file, parsing included, and those of
// doing so with the records in memory.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [module, host, apiKey, file, batch, concurrency] = process.argv.slice(2);
const require = createRequire(new URL('../contract/', import.meta.url));
const { Pinecone } = require(module);
const index = new Pinecone({ apiKey }).index({ host });

async function* batches() {
  let records = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [id, n, values] = line.split('\t');
    records.push({ id, values: values.slice(1, -1).split(',').map(Number), metadata: { n: Number(n) } });
    if (records.length === Number(batch)) {
      yield records;
      records = [];
    }
  }
  if (records.length > 0) yield records;
}

async function upsert(source) {
  const running = new Set();
  const start = process.hrtime.bigint();
  for await (const records of source) {
    const call = index.upsert({ records }).finally(() => running.delete(call));
    running.add(call);
    if (running.size >= Number(concurrency)) await Promise.race(running);
  }
  await Promise.all(running);
  return (Number(process.hrtime.bigint() - start) / 1e9).toFixed(4);
}

const parsing = await upsert(batches());
const parsed = [];
for await (const records of batches()) parsed.push(records);
console.log(parsing, await upsert(parsed));
