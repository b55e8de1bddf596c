// What the official client takes to upsert records:
//	node client_write.mjs MODULE HOST KEY BODYFILE CONCURRENCY
// BODYFILE has a request body a line; their vectors are in memory before the
// clock starts, as an application would have them.  Prints seconds.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [module, host, apiKey, file, concurrency] = process.argv.slice(2);
const require = createRequire(new URL('../contract/', import.meta.url));
const { Pinecone } = require(module);
const index = new Pinecone({ apiKey }).index({ host });

const batches = [];
for await (const line of createInterface({ input: createReadStream(file) })) batches.push(JSON.parse(line).vectors);

const running = new Set();
const start = process.hrtime.bigint();
for (const records of batches) {
  const upsert = index.upsert({ records }).finally(() => running.delete(upsert));
  running.add(upsert);
  if (running.size >= Number(concurrency)) await Promise.race(running);
}
await Promise.all(running);
console.log((Number(process.hrtime.bigint() - start) / 1e9).toFixed(4));
