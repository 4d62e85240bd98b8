import { readFileSync } from 'node:fs';
import { writer } from '../packages/server/src/store/database.ts';
import { PostgresDatabase } from '../packages/server/src/store/postgres.ts';
import { Trail } from '../packages/server/src/trail/trail.ts';
import { TrailStats } from '../packages/server/src/trail/stats/stats.ts';
import { common, pairs, ranges, rare, searches, withoutMatches } from './query/queries.ts';
const [base, big, small] = process.argv.slice(2) as [string, string, string];
const only = process.argv[5];
const n = Number(process.argv[6] ?? 20);
const urlOf = (name: string) => { const u = new URL(base); u.username = u.password = 'bench'; u.pathname = '/' + name; return u.href; };
const stores = [big, small].map((name) => { const database = new PostgresDatabase({ url: urlOf(name), maxConnections: 1 }); const trail = new Trail(database); return { name, database, trail, stats: new TrailStats(database, trail) }; });
const pids: number[] = [];
for (const s of stores) pids.push((await s.database.query<{ pid: number }>(writer, 'select pg_backend_pid() as pid'))[0]!.pid);
const cpuOf = (pid: number) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
const own = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
const q = (v: number[], p: number) => [...v].sort((a, b) => a - b)[Math.min(v.length - 1, Math.floor(v.length * p))]!;
for (const query of [...ranges, ...common, ...rare, ...withoutMatches, ...searches, ...(only === 'pairs' ? pairs : [])]) {
  if (only && only !== 'pairs' && !query.name.includes(only)) continue;
  const times: number[][] = [[], []]; const backend: number[][] = [[], []]; const service: number[][] = [[], []]; const info: any[] = [];
  for (let i = -3; i < n; i++) for (const [at, s] of stores.entries()) {
    pids[at] = (await s.database.query<{ pid: number }>(writer, "select pg_backend_pid() as pid"))[0]!.pid; const t = performance.now(), c0 = cpuOf(pids[at]!), o0 = own();
    const page = await s.trail.rows({ tenantId: 'bench', filters: query.filters, q: query.q, limit: query.q ? 50 : 100, includeReads: false }, { sensitive: true });
    if (i >= 0) { times[at]!.push(performance.now() - t); backend[at]!.push(cpuOf(pids[at]!) - c0); service[at]!.push(own() - o0); }
    info[at] = { n: page.rows.length, cut: page.isCut };
  }
  console.log(query.name.padEnd(55), ...stores.map((_, at) => `| min ${q(times[at]!, 0).toFixed(1).padStart(6)} p50 ${q(times[at]!, 0.5).toFixed(1).padStart(6)} cpu pg ${q(backend[at]!, 0.5).toFixed(1).padStart(5)} node ${q(service[at]!, 0.5).toFixed(1).padStart(5)} n=${info[at].n}${info[at].cut ? ' CUT' : ''}`.padEnd(58)));
}
await Promise.all(stores.map((s) => s.database.close()));
