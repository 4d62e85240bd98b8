import { createClient } from '@tallystick/client';
import { type AuditEvent, type Clock, systemClock } from '@tallystick/sdk';
import { createTestAudit, type TestAudit } from '@tallystick/sdk/testing';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { type SocEmitter, taxonomy } from '../../src/platform/recorder.ts';
import type { ServiceName } from '../../src/soc.ts';
import { type Platform, playMorning, wholePlatform } from '../whole-platform.ts';

/** A service whose trail the questions are put to. */
export interface AskedTrail extends AsyncDisposable {
  readonly url: string;
  /** May read and write the trail of the tenant. */
  readonly key: string;
  /** May read the trail of the tenant. */
  readonly auditorKey: string;
  /** A directory for files. */
  readonly directory: string;
  /** What the services of the platform emitted for the tenant, in the order in which each emitted it. */
  readonly emitted: readonly AuditEvent[];
  /** The ids of those that were lost on their way. */
  readonly lost: readonly string[];
}

/** The tenant that is asked about. */
export const tenant = 'acme';
const morning = '2026-03-10T08:00:00Z';
/** Numbers of the context gateway's events that never arrive. */
const lostNumbers = [8, 9];

/**
 * A trail of the tenant: what the services emit on the morning of the corpus, on 10 March 2026. Two events of the context gateway are lost
 * on their way.
 */
export async function openAskedTrail(): Promise<AskedTrail> {
  const directory = tempDir();
  const store = `${directory.path}/store`;
  await prepareEmbeddedStore(store);
  const service = await AuditService.open({ store: { directory: store }, logName: 'log.test' });
  const { key } = await service.keys.create({ name: 'platform', scopes: ['admin'] });
  const reads = ['events:read', 'events:read-sensitive'] as const;
  const { key: auditorKey } = await service.keys.create({
    name: 'auditor',
    scopes: reads,
    tenants: [tenant],
  });
  const server = await serveHttp(service, { port: 0, logger: false, auditReads: false });
  const trails = await playedMorning();
  const lost: string[] = [];
  const client = createClient({ url: server.url, apiKey: key });
  for (const [name, { events }] of trails) {
    const numbered = ofTenant(events).map((event, at) => ({ event, number: at + 1 }));
    const isLost = (number: number) => name === 'context-gateway' && lostNumbers.includes(number);
    lost.push(...numbered.filter(({ number }) => isLost(number)).map(({ event }) => event.audit_id));
    const arrived = numbered.filter(({ number }) => !isLost(number));
    if (arrived.length === 0) continue;
    const results = await client.events.submit(
      arrived.map(({ event }) => event),
      {
        delivery: {
          producer_id: producerOf(name),
          service: name,
          sequences: arrived.map(({ number }) => number),
          final: [{ tenant_id: tenant, final_seq: numbered.length }],
        },
      },
    );
    const refused = results.find((result) => 'error' in result);
    if (refused !== undefined) throw new Error(`an event of ${name} was refused: ${JSON.stringify(refused)}`);
  }
  return {
    url: server.url,
    key,
    auditorKey,
    directory: directory.path,
    emitted: [...trails.values()].flatMap(({ events }) => ofTenant(events)),
    lost,
    async [Symbol.asyncDispose]() {
      await server.close();
      await service.close();
      directory.remove();
    },
  };
}

const ofTenant = (events: readonly AuditEvent[]) => events.filter(({ tenant_id }) => tenant_id === tenant);

async function playedMorning(): Promise<Map<ServiceName, TestAudit<typeof taxonomy>>> {
  const trails = new Map<ServiceName, TestAudit<typeof taxonomy>>();
  let calls = 0;
  const platform: Platform = wholePlatform({
    now: morning,
    auditOf: (service, clock) => {
      const trail = createTestAudit({ service, taxonomy, clock: withRealTimers(clock) });
      trails.set(service, trail);
      return trail.emitter as unknown as SocEmitter;
    },
    // Each call of a model takes some time, by the clock of the platform.
    watchModel: (model) => ({
      ...model,
      async doGenerate(options) {
        platform.clock.advance(40 + ((++calls * 7_919) % 700));
        return await model.doGenerate(options);
      },
    }),
  });
  await playMorning(platform);
  return trails;
}

/** Events have the times of the platform. An emitter's timers run by the machine's clock, so that nothing waits for the morning to go on. */
function withRealTimers(clock: Clock): Clock {
  return { now: () => clock.now(), schedule: (...given) => systemClock.schedule(...given) };
}

/** The id of a producer, made from its name, so that each run has the same one. */
function producerOf(name: ServiceName): string {
  const at = Date.parse(morning).toString(16).padStart(12, '0');
  const ofName = Buffer.from(name.padEnd(6)).toString('hex').slice(0, 12);
  return `${at.slice(0, 8)}-${at.slice(8)}-7000-8000-${ofName}`;
}
