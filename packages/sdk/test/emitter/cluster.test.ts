import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { auditServer } from '../support/audit-server.ts';
import { runChild } from '../support/run-child.ts';

const sources = new URL('../../src/', import.meta.url).href;

// Cluster workers and forked children are processes of their own. If they inherited the parent's producer id, two processes would
// assign the same sequence numbers.
test('every cluster worker and every forked child has its own producer id', async () => {
  using directory = tempDir();
  const server = await auditServer();
  const worker = join(directory.path, 'worker.mjs');
  writeFileSync(
    worker,
    `import { createAuditEmitter } from '${sources}index.ts';
    const emitter = createAuditEmitter({
      service: 's', spool: { directory: process.env.SPOOLS + '/' + process.env.NAME, mode: 'always' },
    });
    for (let count = 0; count < 20; count++) {
      emitter.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: process.env.NAME });
    }
    await emitter.close();
    process.disconnect?.();`,
  );
  const script = `
    import cluster from 'node:cluster';
    import { fork } from 'node:child_process';
    const emitter = sdk.createAuditEmitter({ service: 's' });
    emitter.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 'primary' });
    const execArgv = ['--conditions=tallystick-source'];
    cluster.setupPrimary({ exec: ${JSON.stringify(worker)}, execArgv });
    const ends = (child) => new Promise((resolve) => child.on('exit', resolve));
    const codes = await Promise.all([
      ends(cluster.fork({ NAME: 'worker-1' })),
      ends(cluster.fork({ NAME: 'worker-2' })),
      ends(fork(${JSON.stringify(worker)}, { execArgv, env: { ...process.env, NAME: 'forked' } })),
    ]);
    emitter.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 'primary' });
    await emitter.close();
    console.log(JSON.stringify(codes));`;
  const { code, output } = await runChild(script, {
    TALLYSTICK_URL: server.url,
    SPOOLS: directory.path,
    NODE_NO_WARNINGS: '1',
  }).ended;
  await server.close();
  expect([code, output]).toEqual([0, '[0,0,0]\n']);

  const emitted = new Map<string, string[]>();
  const numbers = new Map<unknown, number[]>();
  for (const { body } of server.received) {
    const { producer_id: producer, sequences } = body.delivery as {
      producer_id: string;
      sequences: number[];
    };
    numbers.set(producer, [...(numbers.get(producer) ?? []), ...sequences]);
    for (const { actor_id: actor } of body.events as { actor_id: string }[]) {
      emitted.set(actor, [...(emitted.get(actor) ?? []), producer]);
    }
  }
  expect([...emitted.keys()].toSorted()).toEqual(['forked', 'primary', 'worker-1', 'worker-2']);
  expect(numbers.size).toBe(4);
  for (const producers of emitted.values()) expect(new Set(producers).size).toBe(1);
  for (const given of numbers.values()) expect(given).toEqual(given.map((_, index) => index + 1));
}, 60_000);
