/**
 * A replica of the service that reads the topic, as `tally serve --kafka` is one, and that can be told to die at a named
 * place. What it meets in the background goes to stderr, a file.
 */
import { AuditService } from '@tallystick/server';
import { type IngestRange, KafkaIngest } from '@tallystick/server/kafka';
import {
  type Failpoint,
  type FromWriter,
  failpoints,
  type ToWriter,
  type WriterOrders,
} from './writer-messages.ts';

const orders = JSON.parse(process.argv[2]!) as WriterOrders;
let { clockOffsetMs } = orders;
let armed: Failpoint | undefined;
let batches = 0;
const retries: Record<string, number> = {};

const say = (message: FromWriter) => process.send!(message);
const log = (what: string, error: unknown) => {
  const code = (error as { code?: string } | null)?.code ?? '';
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${new Date().toISOString()} ${what}: ${code} ${text}`);
};
const countRetry = (reason: string) => {
  retries[reason] = (retries[reason] ?? 0) + 1;
};

/** Never returns from a SIGKILL; returns from a SIGSTOP when somebody has sent SIGCONT. */
function reach(place: (typeof failpoints)[Failpoint]['at'], range: IngestRange): void {
  if (armed === undefined || failpoints[armed].at !== place) return;
  const { signal } = failpoints[armed];
  console.error(`${new Date().toISOString()} ${armed} at ${JSON.stringify(range)}`);
  armed = undefined;
  process.kill(process.pid, signal);
}

// Without its parent nobody is there to end it.
process.on('disconnect', () => process.exit(1));

const service = await AuditService.open({
  store: { databaseUrl: orders.databaseUrl },
  signerDirectory: orders.signerDirectory,
  logName: orders.logName,
  checkpointIntervalMs: 3_000,
  now: () => Date.now() + clockOffsetMs,
  observer: { onBackgroundError: log, onRetry: countRetry },
});
const ingest = await KafkaIngest.start(service, {
  connection: { bootstrapBrokers: orders.bootstrapBrokers, clientId: orders.clientId },
  topics: { events: orders.topic },
  groupId: orders.groupId,
  sessionTimeoutMs: orders.sessionTimeoutMs,
  rebalanceTimeoutMs: orders.sessionTimeoutMs,
  topicIntervalMs: 1_000,
  ...(orders.offsetsFirst && { offsetsFirst: true }),
  on: {
    copying: (range) => reach('copying', range),
    committing: (range) => reach('committing', range),
    committed: (range) => reach('committed', range),
    batch: () => {
      batches++;
    },
    retry: countRetry,
    assigned: (partitions) => log('assigned', partitions.map(({ partition }) => partition).join(' ')),
    revoked: (partitions) => log('revoked', partitions.map(({ partition }) => partition).join(' ')),
    problem: (error) => log('problem', error),
  },
});

process.on('message', (message: ToWriter) => {
  if ('tell' in message) {
    const stoppedChains = Object.fromEntries(service.logs.stopped);
    say({ status: { ingest: ingest.status(), batches, retries, stoppedChains } });
  } else if ('arm' in message) armed = message.arm;
  else if ('clockOffsetMs' in message) clockOffsetMs = message.clockOffsetMs;
  else void drain();
});
say({ ready: true });

async function drain(): Promise<void> {
  await ingest.close();
  await service.close();
  process.exit(0);
}
