// What the official client takes to embed the lines of a file:
//	node client_embed.mjs MODULE CONTROL_HOST KEY TEXTFILE CONCURRENCY
// 96 a request, several in flight; prints seconds and how many vectors have come.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [module, controllerHostUrl, apiKey, file, concurrency] = process.argv.slice(2);
const require = createRequire(new URL('../contract/', import.meta.url));
const { Pinecone } = require(module);
const pc = new Pinecone({ apiKey, controllerHostUrl });
const texts = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');

const start = process.hrtime.bigint();
const running = new Set();
let vectors = 0;
for (let i = 0; i < texts.length; i += 96) {
  const request = pc.inference
    .embed({
      model: 'llama-text-embed-v2',
      inputs: texts.slice(i, i + 96),
      parameters: { inputType: 'passage', truncate: 'NONE', dimension: 384 },
    })
    .then((result) => {
      vectors += result.data.length;
      running.delete(request);
    });
  running.add(request);
  if (running.size >= Number(concurrency)) await Promise.race(running);
}
await Promise.all(running);
console.log((Number(process.hrtime.bigint() - start) / 1e9).toFixed(4), vectors);
