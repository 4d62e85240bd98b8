import { join } from 'node:path';
import { createClient } from '@tallystick/client';
import { systemClock } from '@tallystick/sdk';
import { AuditService, serveHttp, tenantPage } from '@tallystick/server';
import { startKafka, tempDir, until } from '@tallystick/testing';
import { Feed } from '../../examples/soc/src/corpus/feed.ts';
import { generateAlerts } from '../../examples/soc/src/corpus/generator.ts';
import { createIds } from '../../examples/soc/src/platform/ids.ts';
import { KafkaTopics } from '../../examples/soc/src/platform/kafka/kafka-topics.ts';
import { SeparateProcesses } from '../../examples/soc/src/processes/separate-processes.ts';
import { serviceNames } from '../../examples/soc/src/processes/service-names.ts';
import type { ServiceName } from '../../examples/soc/src/soc.ts';
import { median, type Result } from '../result.ts';
import { type Figures, figuresMark } from './figures.ts';
import { emitResult, lossResult, none, round2 } from './measure.ts';

const tenants = ['acme', 'globex'];
const warmUp = 100;
const rounds = 4;
const alertsOfRound = 250;

type FiguresOf = Readonly<Record<ServiceName, Figures>>;

/**
 * End to end over Kafka: nine processes, a broker, and an audit service with an embedded store in this process. The clock runs from the first
 * alert until every message is handled and every record is chained.
 */
export async function overKafka(): Promise<Result[]> {
  using directory = tempDir();
  const kafka = await startKafka();
  const service = await AuditService.open({
    store: { directory: join(directory.path, 'audit') },
    signerDirectory: join(directory.path, 'signer'),
    logName: 'bench.local',
  });
  const server = await serveHttp(service, { port: 0, logger: false });
  const { key } = await service.keys.create({ name: 'bench', scopes: ['admin'] });
  const lines = new Map<ServiceName, string[]>(serviceNames.map((name) => [name, []]));
  const processes = await SeparateProcesses.start({
    admin: createClient({ url: server.url, apiKey: key }),
    program: join(import.meta.dirname, 'measured-service.ts'),
    platform: {
      kafka: { brokers: [...kafka.bootstrap] },
      audit: { url: server.url },
      directory: join(directory.path, 'services'),
      tenants: tenants.map((id) => ({ id, tier: 'premium', shadow: false })),
      // Budgets and quotas end nothing, and nobody has to answer: the benchmark is about the work of the platform.
      thresholds: {
        'governance.accumulation.maxActions': 1_000_000,
        'router.quotasPerHour.premium': 1_000_000_000,
        'response.automaticUpToTier': 3,
      },
    },
    onOutput: (name, text) => {
      for (const line of text.split('\n')) {
        if (line.startsWith(figuresMark)) lines.get(name)!.push(line.slice(figuresMark.length));
        else if (line !== '') console.error(line);
      }
    },
  });
  const topics = new KafkaTopics({ brokers: kafka.bootstrap });
  const feed = new Feed(topics, createIds(systemClock));
  const alerts = generateAlerts({ seed: 1, tenants, from: systemClock.now() - 86_400_000 });
  /** @returns alerts per second */
  const handle = async (count: number) => {
    const start = performance.now();
    for (let number = 0; number < count; number++) await feed.alert(alerts.next().value);
    await processes.settled();
    return count / ((performance.now() - start) / 1_000);
  };
  const figures = async (): Promise<FiguresOf> => {
    const all = serviceNames.map(async (name) => {
      const known = lines.get(name)!.length;
      process.kill(processes.supervisor.pidOf(name)!, 'SIGUSR2');
      await until(() => lines.get(name)!.length > known, { what: `figures of ${name}`, timeoutMs: 60_000 });
      return [name, JSON.parse(lines.get(name)!.at(-1)!) as Figures] as const;
    });
    return Object.fromEntries(await Promise.all(all)) as FiguresOf;
  };
  const recordCount = async () => {
    const page = await tenantPage(service.database, { among: tenants, after: '', limit: 10 });
    return page.tenants.reduce((sum, { size }) => sum + size, 0);
  };

  await handle(warmUp);
  const before = await recordCount();
  const taken: FiguresOf[] = [await figures()];
  const speeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    speeds.push(await handle(alertsOfRound));
    taken.push(await figures());
  }
  const records = (await recordCount()) - before;
  const stopped = await processes.stop();
  await topics.close();
  await server.close();
  await service.close();
  await kafka.stop();

  const shares = taken.slice(1).map((now, at) => {
    const of = (member: 'emitMs' | 'activeMs') => sum(now, member) - sum(taken[at]!, member);
    return (100 * of('emitMs')) / of('activeMs');
  });
  const perAlert = (member: 'processorMs' | 'events') =>
    round2((sum(taken.at(-1)!, member) - sum(taken[0]!, member)) / (rounds * alertsOfRound));
  for (const [name, how] of Object.entries(stopped))
    if (how !== 0) console.error(`${name} ended with ${how}`);
  const incomplete = Object.values(stopped).filter((how) => how !== 0).length;
  return [
    {
      ...{ ...none, name: 'soc, kafka: alerts per second end to end', unit: 'alerts/s' },
      value: round2(median(speeds)),
    },
    {
      ...{ ...none, name: 'soc, kafka: processor time of the nine processes per alert', unit: 'ms' },
      value: perAlert('processorMs'),
    },
    emitResult('soc, kafka: working time within emit', median(shares)),
    {
      ...{ ...none, name: 'soc, kafka: records per alert', unit: 'records' },
      value: round2(records / (rounds * alertsOfRound)),
    },
    memoryResult('heap', taken, 1.25),
    memoryResult('resident', taken, 1.25),
    lossResult('soc, kafka: processes that ended with records on disk', incomplete),
  ];
}

function sum(figures: FiguresOf, member: keyof Figures): number {
  return serviceNames.reduce((total, name) => total + figures[name][member], 0);
}

/** Memory of the nine processes together, after each round. */
function memoryResult(kind: 'heap' | 'resident', taken: readonly FiguresOf[], goal: number): Result {
  const values = taken.slice(1).map((figures) => sum(figures, kind));
  const [value, baseline] = [values.at(-1)!, values[1]!];
  const ratio = round2(value / baseline);
  const each = values.join(', ');
  const alerts = rounds * alertsOfRound;
  return {
    name: `soc, kafka: ${kind} memory of all processes after ${alerts} alerts, beside ${2 * alertsOfRound} (${each})`,
    ...{ value, unit: 'MiB', baseline, ratio, goal: `<= ${goal}`, pass: ratio <= goal },
  };
}
