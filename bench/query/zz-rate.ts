import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { startPostgres, tempDir } from '@tallystick/testing';
import { openStore } from '../store.ts';
import pg from 'pg';
const postgres = await startPostgres({ durable: false, dataDir: '/tmp/query12-data', settings: {shared_buffers: '256MB'} });
const url = `postgres://bench:bench@127.0.0.1:${postgres.port}/${process.argv[2] ?? 'q20000x3'}`;
const trees = (process.argv[3] ?? '/work/wt/query12').split(',');
using dir = tempDir();
const servers = [];
for (const [i, tree] of trees.entries()) {
  const child = fork(`${tree}/bench/query/page-server.ts`, [url, `${dir.path}`], { cwd: tree, execArgv: ['--conditions=tallystick-source', ...(process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/query12-prof'] : [])] });
  const [{ url: http, key }] = await once(child, 'message') as any;
  servers.push({ tree, child, http, key, rates: [] as number[], cpu: [] as number[] });
}
import { readFileSync } from 'node:fs';
const cpuOf = (pid: number) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); return (Number(f[11]) + Number(f[12])) * 10; };
const pgCpu = async () => { const c = new pg.Client(postgres.adminUrl); await c.connect(); const { rows } = await c.query("select pid from pg_stat_activity where usename='bench'"); await c.end(); return rows.reduce((s, r) => s + cpuOf(r.pid), 0); };
async function rate(s: any, ms: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const end = performance.now() + ms; let n = 0; const began = performance.now();
  const one = () => new Promise<void>((res, rej) => { const r = request(`${s.http}/v1/audit/events?limit=50`, { agent, headers: { authorization: `Bearer ${s.key}` } }, (a) => { if (a.statusCode !== 200) rej(new Error(String(a.statusCode))); a.on('data', () => {}); a.on('end', res); }); r.on('error', rej); r.end(); });
  const c0 = cpuOf(s.child.pid), p0 = await pgCpu();
  await Promise.all([1, 2, 3, 4].map(async () => { while (performance.now() < end) { await one(); n++; } }));
  const took = performance.now() - began;
  agent.destroy();
  return { rate: n * 1000 / took, cpu: (cpuOf(s.child.pid) - c0) / n, pg: (await pgCpu() - p0) / n };
}
const rounds = Number(process.argv[4] ?? 4);
for (let r = 0; r < rounds; r++) for (const s of r % 2 ? servers : servers.toReversed()) { const x = await rate(s, 4000); console.log(s.tree, x); s.rates.push(x.rate); s.cpu.push(x.cpu); }
for (const s of servers) { s.child.kill('SIGTERM'); await once(s.child, 'exit'); }
await postgres.stop();
