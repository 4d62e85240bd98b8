import { join } from 'node:path';
import { createAuditEmitter } from '@tallystick/sdk';
import { createGate, rulePolicy } from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';
import { AuditService, serveHttp } from '@tallystick/server';
import { startPostgres, tempDir } from '@tallystick/testing';
import { median, type Result } from './result.ts';
import { openStore } from './store.ts';

/**
 * What a gate adds before an effect: with a local decision, the time until the effect begins, compared with `record()` of one event.
 * Both wait until the service has chained their events, over HTTP and PostgreSQL with durable commits. They take turns.
 */
export async function run(): Promise<Result[]> {
  const directory = tempDir();
  const postgres = await startPostgres();
  const service = await AuditService.open({
    store: { databaseUrl: await openStore(postgres) },
    signerDirectory: join(directory.path, 'signer'),
    logName: 'bench.example.com',
    checkpointIntervalMs: 0,
  });
  const server = await serveHttp(service, { port: 0, logger: false });
  const { key } = await service.keys.create({ name: 'bench', scopes: ['events:write'] });
  const audit = createAuditEmitter({
    service: 'bench',
    transport: httpTransport({ url: server.url, apiKey: key }),
  });
  try {
    const gate = createGate({
      audit,
      policy: rulePolicy({
        name: 'bench',
        version: '1',
        rules: [
          {
            name: 'large',
            when: { action: 'refund', arguments: { '/amount': { greaterThan: 50 } } },
            effect: 'ask',
          },
          { name: 'small', when: { action: 'refund' }, effect: 'allow' },
        ],
      }),
      tenantId: 'acme',
      actor: { actorType: 'agent', actorId: 'refund-bot' },
    });
    const action = { action: 'refund', arguments: { order: 'o-17', amount: 40 } };
    const beforeEffect: number[] = [];
    const afterEffect: number[] = [];
    const recorded: number[] = [];
    for (let round = -30; round < 400; round++) {
      let start = performance.now();
      await audit.record({
        tenantId: 'acme',
        eventType: 'order.refunded',
        actorType: 'agent',
        actorId: 'refund-bot',
        targetType: 'order',
        targetId: 'o-17',
        metadata: { amount: 40 },
      });
      if (round >= 0) recorded.push(performance.now() - start);
      start = performance.now();
      let began = 0;
      await gate.run(action, () => {
        began = performance.now();
      });
      const ended = performance.now();
      if (round >= 0) {
        beforeEffect.push(began - start);
        afterEffect.push(ended - began);
      }
      // The record of the effect is on its way. Its delivery must not slow the next round.
      await audit.flush();
    }
    const ratio = round2(median(beforeEffect.map((took, at) => took / recorded[at]!)));
    const after = round3(median(afterEffect));
    const none = { baseline: null, ratio: null };
    return [
      {
        ...{
          name: 'gated call until its effect begins, beside record()',
          value: round3(median(beforeEffect)),
        },
        ...{ unit: 'ms', baseline: round3(median(recorded)), ratio, goal: '<= 1.5', pass: ratio <= 1.5 },
      },
      {
        ...{ name: 'gated call, from the effect to the result', value: after, unit: 'ms', ...none },
        ...{ goal: '< 0.5: nothing is awaited', pass: after < 0.5 },
      },
    ];
  } finally {
    await audit.close();
    await server.close();
    await service.close();
    await postgres.stop();
    directory.remove();
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function round3(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
