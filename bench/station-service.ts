import { AuditService } from '@tallystick/server';
import { KafkaIngest } from '@tallystick/server/kafka';
import { PartitionReader } from '../packages/server/src/kafka-client/fetch/partition-reader.ts';
import { notePauses, nowMs, type Pause } from './clock.ts';

/** When an event passed the stations of the service, ms of the monotonic clock. */
export interface ServiceTimes {
  readonly fetched: number;
  /** The transaction began, with the locks of the heads. */
  begun: number;
  /** Every row is written, and the commit comes next. */
  written: number;
  committed: number;
}

/** What this process sends at its end. */
export interface StationReport {
  readonly events: readonly (readonly [id: string, times: ServiceTimes])[];
  readonly pauses: readonly Pause[];
}

/**
 * A process of `bench/kafka-stations.ts`: the service with its ingest from Kafka. It notes when each event passes each station,
 * keeps this in memory, and sends it when it is told to stop, so that the measurement itself does nothing while it runs.
 */
const [databaseUrl, signerDirectory, ...bootstrapBrokers] = process.argv.slice(2) as [
  string,
  string,
  ...string[],
];
const times = new Map<string, ServiceTimes>();
const auditId = /"audit_id":"([0-9a-f-]{36})"/;

const fetch = PartitionReader.prototype.fetch;
PartitionReader.prototype.fetch = async function (this: PartitionReader, ...args) {
  const range = await fetch.apply(this, args);
  const now = nowMs();
  for (const message of range.messages) {
    const id = 'value' in message ? auditId.exec(String(message.value))?.[1] : undefined;
    if (id === undefined) continue;
    times.set(id, { fetched: now, begun: 0, written: 0, committed: 0 });
  }
  return range;
};

const service = await AuditService.open({
  store: { databaseUrl },
  signerDirectory,
  logName: 'bench.local',
});
const { database, admission, serviceTenant, now, readinessChecks } = service;
const ingest = await KafkaIngest.start(
  {
    database,
    admission,
    serviceTenant,
    now,
    readinessChecks,
    appendRanges: async (batches, options) => {
      const ids = batches.flatMap(({ items }) =>
        items.flatMap((item) => ('event' in item ? item.event.audit_id : [])),
      );
      const note = (station: 'begun' | 'written' | 'committed') => {
        const now = nowMs();
        for (const id of ids) times.get(id)![station] = now;
      };
      note('begun');
      const results = await service.appendRanges(batches, {
        ...options,
        onStage: async (stage) => {
          if (stage === 'committing') note('written');
          await options?.onStage?.(stage);
        },
      });
      note('committed');
      return results;
    },
  },
  { connection: { bootstrapBrokers } },
);

const pauses = notePauses();
process.send!('ready');
process.once('message', async () => {
  pauses.stop();
  await ingest.close();
  await service.close();
  const report: StationReport = { events: [...times], pauses: pauses.pauses };
  process.send!(report, () => process.disconnect());
});
