import { spawn } from 'node:child_process';
import { rmSync, readdirSync, existsSync } from 'node:fs';
import { PgliteDatabase } from '../../packages/server/src/store/pglite.ts';
for (const ms of [0, 10,30,60,100,200,400, 800]) {
  const dir = '/tmp/zz-dir'; rmSync(dir,{recursive:true,force:true});
  const c = spawn(process.execPath, ['--conditions=tallystick-source', import.meta.dirname+'/ingest-child.ts'], {stdio:['pipe','ignore','inherit']});
  c.stdin.write(JSON.stringify({store:{directory:dir}, signerDirectory:dir+'/signer', logName:'a.test', tenants:['a'], unacknowledged:[]})+'\n');
  const count=()=>{ try { return readdirSync(dir+'/postgres').length; } catch { return 0; } };
  while(count()===0) await new Promise(r=>setTimeout(r,1));
  await new Promise(r=>setTimeout(r,ms)); c.kill('SIGKILL'); await new Promise(r=>c.once('exit',r));
  const st = readdirSync(dir+'/postgres').join(' ').slice(0,150);
  let t=performance.now();
  try { const d = await PgliteDatabase.open(dir); console.log(ms,'ok', (await d.asOwner(s=>s.query("select to_regclass('tally_migrations')::text as t")))[0]!.t, Math.round(performance.now()-t), st); await d.close(); } catch(e:any){ console.log(ms, e.code, e.cause?.message ?? e.message, st); }
}
