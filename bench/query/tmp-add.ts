import { readFileSync } from 'node:fs';
import { buildStore } from './build-store.ts';
const dir = process.argv[2]!;
const port = Number(readFileSync(dir + '/data/postmaster.pid', 'utf8').split('\n')[3]);
const password = readFileSync(dir + '/password', 'utf8');
const postgres = { adminUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, port } as never;
const began = performance.now();
console.log(await buildStore(postgres, process.argv[3]!, { rows: Number(process.argv[4]), months: Number(process.argv[5]) }));
console.log('ms', performance.now() - began);
