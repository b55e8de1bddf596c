// Full-text search: analysis, BM25 against a computation of our own, and the
// language of query_string.
import assert from 'node:assert/strict';
import { Server, check, finish, request } from './harness.mjs';

const NEW = { 'X-Pinecone-Api-Version': '2026-07' };
const server = await Server.start();

async function create(name, fields) {
	const reply = await server.control('POST', '/indexes', { name, schema: { fields } }, NEW);
	assert.equal(reply.status, 201, reply.text);
	return reply.json.host;
}
const call = (host, operation, body) => request('POST', `${host}/namespaces/ns/documents/${operation}`, body, NEW);
async function upsert(host, documents) {
	for (let from = 0; from < documents.length; from += 1000) {
		const reply = await call(host, 'upsert', { documents: documents.slice(from, from + 1000) });
		assert.equal(reply.status, 202, reply.text);
	}
}
async function search(host, score_by, more) {
	const reply = await call(host, 'search', { score_by: [].concat(score_by), top_k: 1000, ...more });
	assert.equal(reply.status, 200, `${JSON.stringify(score_by)}: ${reply.text}`);
	return reply.json.matches;
}
const words = (query, ...fields) => ({ type: 'text', fields, query });
const query = (q) => ({ type: 'query_string', query: q });
const found = async (host, score_by) => (await search(host, score_by)).map((m) => m._id).sort();
const assume = (assume) => server.local('POST', 'settings', { assume });
const text = (full_text_search = {}) => ({ type: 'string', full_text_search });

// ---- Analysis ----

const analysed = async (name, full_text_search, cases) => {
	const host = await create(name, { t: text(full_text_search) });
	await upsert(host, cases.map(([t], i) => ({ _id: `${i}`, t })));
	for (const [i, [t, hits, misses = []]] of cases.entries()) {
		for (const q of hits) assert.ok((await found(host, words(q, 't'))).includes(`${i}`), `${t} has ${q}`);
		for (const q of misses) assert.ok(!(await found(host, words(q, 't'))).includes(`${i}`), `${t} has not ${q}`);
	}
	return host;
};

await check('split at what is no letter or digit, and lower case', () =>
	analysed('plain', {}, [
		['State-of-the-art: C3PO, R2_D2!', ['STATE', 'of', 'art', 'c3po', 'r2', 'd2'], ['r2d2', 'stateofart', '-', '!?']],
		['Ärger mit ÉCOLE Ωmega Привет 東京 naïve', ['ärger', 'école', 'ωMEGA', 'ПРИВЕТ', '東京', 'NAÏVE'], ['arger', 'ecole', 'naive', '東']],
		['it isn’t', ['isn', 't'], ['isnt']],
		['running', ['running'], ['run', 'runs']],
	]));
await check('stemming and stop words', async () => {
	await analysed('stemmed', { stemming: true }, [['The runner was running', ['runs', 'was', 'THE', 'runners'], ['ran']]]);
	const host = await analysed('stopped', { stemming: true, stop_words: true }, [['The runner was running to the station', ['runs', 'stations'], ['the', 'was', 'to']]]);
	// What is dropped leaves its place
	const phrase = async (p) => (await call(host, 'fetch', { filter: { t: { $match_phrase: p } } })).json.documents['0'] !== undefined;
	assert.deepEqual([await phrase('running to the station'), await phrase('running station'), await phrase('runner running'), await phrase('runner was running')], [true, false, false, true]);
	await analysed('german', { language: 'de', stemming: true, stop_words: true }, [['Die Häuser und der Garten', ['haus', 'Gärten'], ['die', 'und']]]);
	await analysed('french', { language: 'french', stemming: true, stop_words: true }, [['Les chevaux mangeaient', ['cheval', 'manger'], ['les']]]);
	await analysed('russian', { language: 'ru', stemming: true }, [['красивые книги', ['книга', 'КРАСИВАЯ']]]);
	for (const [i, language] of ['ar', 'da', 'el', 'es', 'fi', 'hu', 'it', 'nl', 'no', 'pt', 'ro', 'sv', 'ta', 'tr'].entries()) {
		await analysed(`language-${i}`, { language, stemming: true }, [['alpha beta', ['alpha', 'beta']]]);
	}
});
await check('n-grams, all and at the beginning', async () => {
	await analysed('grams', { ngram: { min_gram: 3, max_gram: 4 } }, [['Search', ['sea', 'earc', 'arch', 'rch', 'xxsea'], ['se', 'scr']], ['ab', [], ['ab']]]);
	await analysed('prefixes', { ngram: { min_gram: 2, max_gram: 4, prefix_only: true } }, [['Search für', ['se', 'sear', 'searching', 'fü'], ['ea', 'arch', 'ür']]]);
});
await check('words of more than 40 characters', async () => {
	const long = 'x'.repeat(45);
	const host = await analysed('long', {}, [[`a ${long}`, [long, 'x'.repeat(40), 'x'.repeat(50)], ['x'.repeat(39)]]]);
	await assume({ 'long-token': 'drop' });
	await upsert(host, [{ _id: '1', t: `b ${long}` }]);
	assert.deepEqual(await found(host, words(`${long} b`, 't')), ['1']);
	await assume({ 'long-token': 'cut' });
});

// ---- BM25 ----

const tokens = (t) => t.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);

// From the formula alone: documents, a query, the fields that it is of
function bm25(documents, q, fields, length = (n) => n) {
	const N = documents.length;
	const scores = new Map();
	for (const f of fields) {
		const all = documents.map((d) => tokens(d[f] ?? ''));
		const average = all.reduce((sum, t) => sum + t.length, 0) / N;
		for (const term of tokens(q)) {
			const n = all.filter((t) => t.includes(term)).length;
			const idf = Math.log(1 + (N - n + 0.5) / (n + 0.5));
			all.forEach((t, i) => {
				const tf = t.filter((x) => x === term).length;
				if (tf) scores.set(documents[i]._id, (scores.get(documents[i]._id) ?? 0) + (idf * 2.2 * tf) / (tf + 1.2 * (0.25 + (0.75 * length(t.length)) / average)));
			});
		}
	}
	return scores;
}
const near = (matches, expected) => {
	assert.deepEqual(matches.map((m) => m._id).sort(), [...expected.keys()].sort());
	for (const m of matches) assert.ok(Math.abs(m._score - expected.get(m._id)) < 1e-4 * (1 + expected.get(m._id)), `${m._id}: ${m._score} ${expected.get(m._id)}`);
	for (let i = 1; i < matches.length; i++) {
		assert.ok(matches[i - 1]._score > matches[i]._score || (matches[i - 1]._score === matches[i]._score && matches[i - 1]._id < matches[i]._id));
	}
};
let seed = 4711;
const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
const word = () => `w${Math.floor(40 ** (random(1000) / 1000) * 1.5)}`;
const sentence = (n) => Array.from({ length: n }, word).join(' ');
let corpus = Array.from({ length: 700 }, (_, i) => ({ _id: `d${i}`, ...(i % 9 ? { title: sentence(1 + random(5)) } : {}), body: sentence(5 + random(90)), n: i % 7 }));
const bm = await create('bm', { title: text(), body: text() });
await upsert(bm, corpus);

await check('BM25, words and fields added up', async () => {
	for (const q of ['w3', 'w1 w2', 'w40 w50 w58', 'w2 w2', 'unknown w9', 'unknown']) {
		for (const fields of [['title'], ['body'], ['title', 'body']]) near(await search(bm, words(q, ...fields)), bm25(corpus, q, fields));
	}
	const sum = bm25(corpus, 'w1', ['title']);
	for (const [id, score] of bm25(corpus, 'w7 w8', ['body'])) sum.set(id, (sum.get(id) ?? 0) + score);
	near(await search(bm, [words('w1', 'title'), words('w7 w8', 'body')]), sum);
	near(await search(bm, [words('w1', 'title'), query('body:(w7 w8)')]), sum);
	near(await search(bm, query('w3')), bm25(corpus, 'w3', ['title', 'body']));
});
await check('counts are of all documents, whatever the filter; top_k is of those that match', async () => {
	const all = bm25(corpus, 'w3 w12', ['body']);
	const some = new Map([...all].filter(([id]) => Number(id.slice(1)) % 7 === 3));
	near(await search(bm, words('w3 w12', 'body'), { filter: { n: 3 } }), some);
	const best = [...some].sort((a, b) => b[1] - a[1]).slice(0, 5).map(([id]) => id);
	assert.deepEqual((await search(bm, words('w3 w12', 'body'), { filter: { n: 3 }, top_k: 5 })).map((m) => m._id), best);
});
await check('BM25 after deletes, updates and replacements', async () => {
	const gone = corpus.splice(100, 200);
	await call(bm, 'delete', { ids: gone.map((d) => d._id) });
	for (const d of corpus.slice(0, 50)) d.body = sentence(30);
	await call(bm, 'update', { documents: corpus.slice(0, 50).map(({ _id, body }) => ({ _id, body })) });
	corpus[60] = { _id: corpus[60]._id, body: 'w3 w3 w3' };
	await upsert(bm, [corpus[60]]);
	for (const q of ['w3', 'w1 w2', 'w58']) near(await search(bm, words(q, 'body')), bm25(corpus, q, ['body']));
	const lengths = (n) => {
		for (let base = 40, step = 2; ; base += 8 * step, step *= 2) {
			if (n <= 40) return n;
			if (n < base + 8 * step) return base + Math.floor((n - base) / step) * step;
		}
	};
	await assume({ 'field-length': 'quantised' });
	near(await search(bm, words('w3 w5', 'body')), bm25(corpus, 'w3 w5', ['body'], lengths));
	await assume({ 'field-length': 'exact' });
});
await check('many more replacements than documents', async () => {
	const host = await create('churn', { t: text() });
	const docs = Array.from({ length: 500 }, (_, i) => ({ _id: `${i}`, t: '' }));
	for (let round = 0; round < 30; round++) {
		for (const d of docs) d.t = sentence(10);
		await upsert(host, docs);
	}
	near(await search(host, words('w2 w17', 't')), bm25(docs, 'w2 w17', ['t']));
	assert.deepEqual(await found(host, query('"w2 w3"')), docs.filter((d) => /\bw2 w3\b/.test(d.t)).map((d) => d._id).sort());
});

// ---- query_string ----

const docs = [
	{ _id: 'ml', title: 'Machine learning', body: 'learning machines learn the machine way' },
	{ _id: 'fox', title: 'The quick brown fox', body: 'fast brown foxes search fast' },
	{ _id: 'db', title: 'Database search', body: 'old database, fast search in a database' },
	{ _id: 'james', title: 'James Webb and James Watt', body: 'james west saw the computer' },
	{ _id: 'none', title: 'computing', n: 1 },
];
const q = await create('queries', { title: text(), body: text(), v: { type: 'dense_vector', dimension: 2, metric: 'cosine' } });
await upsert(q, [...docs, { _id: 'bare', v: [1, 2] }]);

await check('what query_string finds', async () => {
	for (const [s, expected] of [
		['machine', ['ml']], ['MACHINE', ['ml']], ['title:machine', ['ml']], ['body:fox', []], ['title:(quick search)', ['db', 'fox']], ['quick search', ['db', 'fox']],
		['quick AND search', ['fox']], ['quick OR james', ['fox', 'james']], ['fast AND (brown OR old)', ['db', 'fox']], ['quick OR james AND watt', ['fox', 'james']],
		['(quick OR james) AND watt', ['james']], ['fast NOT brown', ['db']], ['+fast -old', ['fox']], ['+search quick', ['db', 'fox']], ['fast AND NOT old', ['fox']], ['title:search OR body:(computer saw)', ['db', 'james']],
		['"machine learning"', ['ml']], ['"learning machine"', []], ['"the machine"', ['ml']], ['"fast search"', ['db']], ['"brown search"', []], ['"brown search"~1', ['fox']], ['"fast foxes"~1', ['fox']], ['"search fast"', ['fox']],
		['"search fast"~2', ['db', 'fox']], ['"james w"*', ['james']], ['"james wa"*', ['james']], ['"james x"*', []], ['body:"james w"*', ['james']],
		['machine^3', ['ml']], ['"brown fox"^2', ['fox']], ['(quick OR james)^0.5', ['fox', 'james']], ['quick^0', ['fox']],
		['mashine~', ['ml']], ['mashine~1', ['ml']], ['mahcine~1', []], ['mahcine~2', ['ml']], ['machine~0', ['ml']], ['fux~', []], ['fux~1', ['fox']], ['databse~', ['db']],
		['body:/comput.*/', ['james']], ['/comput(er|ing)/', ['james', 'none']], ['/omput.*/', []], ['title:/j.mes/', ['james']],
		['*', ['bare', 'db', 'fox', 'james', 'ml', 'none']], ['auto*', []], ['data* OR machine', ['ml']], ['-fast', []], ['quick-brown', ['fox']], ['brown-quick', []], ['un\\:known OR fox', ['fox']],
		['and OR or', ['james']], ['...', []], ['state', []],
	]) assert.deepEqual(await found(q, query(s)), expected, s);
	await assume({ 'pure-negation': 'all', star: 'with-text' });
	assert.deepEqual(await found(q, query('-fast')), ['james', 'ml', 'none']);
	assert.deepEqual(await found(q, query('*')), ['db', 'fox', 'james', 'ml', 'none']);
	await assume({ 'pure-negation': 'none', star: 'all' });
});
await check('scores of query_string: boosts, constants', async () => {
	const score = async (s) => (await search(q, query(s))).map((m) => m._score);
	const [plain] = await score('body:machine');
	assert.deepEqual(await score('body:machine^3'), [Math.fround(plain * 3)]);
	assert.deepEqual(await score('(body:machine)^0'), [0]);
	assert.deepEqual(await score('*'), Array(6).fill(1));
	assert.deepEqual(await score('body:machin~1'), [1]);
	assert.deepEqual(await score('body:/machin.*/^2.5'), [2.5]);
	const n = docs.length + 1;
	const lengths = [6, 5, 7, 5];
	const idf = (k) => Math.log(1 + (n - k + 0.5) / (k + 0.5));
	const [phrase] = await score('body:"fast search"');
	assert.ok(Math.abs(phrase - ((idf(2) + idf(2)) * 2.2) / (1 + 1.2 * (0.25 + (0.75 * 7) / (lengths.reduce((a, b) => a + b) / n)))) < 1e-5);
});
await check('query_string that is not right', async () => {
	for (const s of [
		'"open', '(open', 'close)', 'AND x', 'x AND', 'OR x', 'x OR', 'x AND OR y', 'NOT', '+', '-', '()', 'x ^2', 'x^', 'x^-2', 'x^.5', 'x^1e3', 'x^2^3', 'x^(2*3)', 'x^ 2', 'x~3', 'none:x', 'v:x', 'n:1', 'title:',
		'title: x', 'title:*', '[a TO b]', 'title:[a TO b]', '{a TO b}', '/open', '/(/', '/a{9999}/', '/(a{200}){200}/', '"one"*', '"x"~', 'x:y:z', ':', '^', '~', 'x\\', '(('.repeat(200), 'title:'.repeat(200) + 'x',
	]) {
		const reply = await call(q, 'search', { score_by: [query(s)], top_k: 1 });
		assert.equal(reply.status, 400, `${s}: ${reply.text}`);
		assert.match(reply.json.error.message, /query/);
	}
	// Text is never wrong
	for (const s of ['"open', '(', 'AND', 'x ^ ~ *', '/']) assert.equal((await call(q, 'search', { score_by: [words(s, 'title')], top_k: 1 })).status, 200);
});
await check('ties in an order that nobody knows', async () => {
	const host = await create('ties', { t: text() });
	await upsert(host, Array.from({ length: 200 }, (_, i) => ({ _id: `${i + 100}`, t: 'same' })));
	const order = async () => (await search(host, words('same', 't'))).map((m) => m._id);
	const sorted = Array.from({ length: 200 }, (_, i) => `${i + 100}`);
	assert.deepEqual(await order(), sorted);
	await assume({ ties: 'random' });
	const random_ = await order();
	assert.notDeepEqual(random_, sorted);
	assert.deepEqual([...random_].sort(), sorted);
	await assume({ ties: 'id' });
});
await check('a clean end', async () => assert.equal(await server.stop(), 0));
await finish();
