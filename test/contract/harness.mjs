// A server for a test, requests to it, and counting.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import http from 'node:http';
import https from 'node:https';
import assert from 'node:assert/strict';

export const KEY = 'test-key';
export const directory = mkdtempSync(join(tmpdir(), 'pinecone-local.'));
const servers = [];
let passed = 0;
let failed = 0;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// One test: a name and what must not throw.
export async function check(name, test) {
	try {
		await test();
		passed++;
		console.log(`ok ${passed + failed} - ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${passed + failed} - ${name}`);
		console.log(String(error.stack ?? error).replace(/^/gm, '# '));
	}
}

// Run the program to its end: {status, stdout, stderr}.
export function run(...options) {
	return new Promise((done) => {
		const child = spawn(process.env.PINECONE_LOCAL, options);
		let stdout = '';
		let stderr = '';
		child.stdout.on('data', (data) => (stdout += data));
		child.stderr.on('data', (data) => (stderr += data));
		child.on('close', (status) => done({ status, stdout, stderr }));
	});
}

export class Server {
	// Start one on free ports.
	static async start(...options) {
		const server = new Server();
		const file = join(directory, `port${servers.length}`);
		server.tls = options.includes('--tls-cert');
		server.child = spawn(process.env.PINECONE_LOCAL, ['--port', '0', '--port-file', file, '--api-key', KEY, ...options], {
			stdio: ['ignore', 'ignore', 'inherit'],
		});
		servers.push(server);
		for (let i = 0; !existsSync(file); i++) {
			assert.ok(i < 500 && server.child.exitCode === null, 'the server did not start');
			await sleep(10);
		}
		server.port = Number(readFileSync(file, 'utf8'));
		server.url = `${server.tls ? 'https' : 'http'}://${server.tls ? 'localhost' : '127.0.0.1'}:${server.port}`;
		return server;
	}

	// End it, and return its exit status.
	async stop() {
		if (this.child.exitCode !== null) return this.child.exitCode;
		return new Promise((done) => {
			this.child.on('close', (status) => done(status));
			this.child.kill('SIGTERM');
		});
	}

	async control(method, path, body, headers) {
		return request(method, this.url + path, body, headers);
	}

	// The URL of an index.
	async host(name) {
		const { json } = await this.control('GET', `/indexes/${name}`);
		return json.host.startsWith('http') ? json.host : `https://${json.host}`;
	}

	async createIndex(name, dimension, metric = 'cosine', version = '2025-10') {
		const reply = await this.control('POST', '/indexes', {
			name,
			metric,
			...(dimension ? { dimension } : { vector_type: 'sparse' }),
			spec: { serverless: { cloud: 'aws', region: 'us-east-1' } },
		}, { 'X-Pinecone-Api-Version': version });
		assert.equal(reply.status, 201, reply.text);
		return this.host(name);
	}

	async local(method, path, body) {
		const reply = await this.control(method, `/_local/${path}`, body);
		assert.equal(reply.status, 200, reply.text);
		return reply.json;
	}
}

// A request: {status, headers, text, json}.  A body that is not a string is sent as JSON.
export function request(method, url, body, headers = {}, options = {}) {
	return new Promise((done, fail) => {
		const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		const req = (url.startsWith('https') ? https : http).request(url, {
			method,
			agent: false,
			headers: {
				'Api-Key': KEY,
				'X-Pinecone-Api-Version': '2025-10',
				...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
				...headers,
			},
			...options,
		}, (reply) => {
			const parts = [];
			reply.on('data', (data) => parts.push(data));
			reply.on('error', fail);
			reply.on('end', () => {
				const bytes = Buffer.concat(parts);
				const result = { status: reply.statusCode, headers: reply.headers, bytes, text: bytes.toString() };
				if (!reply.complete) return fail(new Error('the body is not complete'));
				try {
					result.json = JSON.parse(result.text);
				} catch {
					// Not every reply is JSON
				}
				done(result);
			});
		});
		req.on('error', fail);
		if (options.signal) options.signal.addEventListener('abort', () => req.destroy());
		req.end(text);
	});
}

export async function finish() {
	for (const server of servers) await server.stop();
	rmSync(directory, { recursive: true });
	console.log(`${passed} passed, ${failed} failed`);
	process.exitCode = failed ? 1 : 0;
}
