// Are rendered manifests what Kubernetes takes?  Each is validated by the schema of
// its kind, and compiled by TypeScript against its type, which refuses unknown keys.
//
//	node check.mjs MANIFESTS.yaml...
//	node check.mjs --values SCHEMA.json VALUES.yaml...	against a chart's schema
//	node check.mjs --data MANIFESTS.yaml CONFIGMAP DIR	writes its entries there as files
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import * as yaml from 'js-yaml';

const here = dirname(fileURLToPath(import.meta.url));
const parse = path => yaml.loadAll(readFileSync(path, 'utf8')).filter(document => document);
const [mode, ...rest] = process.argv[2].startsWith('--') ? process.argv.slice(2) : ['', ...process.argv.slice(2)];

function merge(under, over) {
	for (const [key, value] of Object.entries(over ?? {})) {
		const both = [under[key], value].every(one => one && typeof one === 'object' && !Array.isArray(one));
		under[key] = both ? merge(under[key], value) : value;
	}
	return under;
}

if (mode === '--values') {
	const {default: Ajv} = await import('ajv');
	const validate = new Ajv({strict: false}).compile(JSON.parse(readFileSync(rest[0], 'utf8')));
	if (!validate(rest.slice(1).map(path => parse(path)[0]).reduce(merge, {}))) {
		console.error(validate.errors.map(error => `${error.instancePath} ${error.message}`).join('\n'));
		process.exit(1);
	}
} else if (mode === '--data') {
	const map = parse(rest[0]).find(document => document.kind === 'ConfigMap' && document.metadata.name === rest[1]);
	for (const [name, text] of Object.entries(map.data)) writeFileSync(join(rest[2], name), text);
} else {
	let source = '';
	let n = 0;
	for (const path of rest) {
		for (const document of parse(path)) {
			const group = document.apiVersion.startsWith('monitoring.') ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
			const module = `${group}/${document.apiVersion}`;
			const {[document.kind]: Kind} = await import(module);
			if (!Kind) throw new Error(`there is no ${document.kind} in ${module}`);
			new Kind(document).validate();
			source += `import type {I${document.kind} as Kind${n}} from '${module}';\nexport const o${n}: Kind${n} = ${JSON.stringify(document, null, 1)};\n`;
			n++;
		}
	}
	const dir = mkdtempSync(join(here, 'node_modules', '.check-'));
	try {
		writeFileSync(join(dir, 'manifests.ts'), source);
		execFileSync('node', [join(here, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--moduleResolution', 'bundler',
			'--module', 'esnext', '--target', 'esnext', join(dir, 'manifests.ts')], {stdio: 'inherit'});
	} finally {
		rmSync(dir, {recursive: true});
	}
	console.log(`${n} manifests`);
}
