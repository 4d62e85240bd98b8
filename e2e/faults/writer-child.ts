/**
 * A replica of the service that reads the topic as `tally serve --kafka` does, and that kills or freezes itself at a failpoint
 * when the campaign asks for it. Background errors go to stderr, which is a file.
 */
import { AuditService } from '@tallystick/server';
import { type IngestRange, type IngestStage, KafkaIngest } from '@tallystick/server/kafka';
import { offsetsFirst } from './mutant.ts';
import {
  type Failpoint,
  failpoints,
  type WriterConfig,
  type WriterMessage,
  type WriterRequest,
} from './writer-messages.ts';

const config = JSON.parse(process.argv[2]!) as WriterConfig;
let { clockOffsetMs } = config;
let armed: Failpoint | undefined;
let batches = 0;
const retries: Record<string, number> = {};

const send = (message: WriterMessage) => process.send!(message);
const log = (what: string, error: unknown) => {
  const code = (error as { code?: string } | null)?.code ?? '';
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${new Date().toISOString()} ${what}: ${code} ${text}`);
};
const countRetry = (reason: string) => {
  retries[reason] = (retries[reason] ?? 0) + 1;
};

/** Does not return from SIGKILL. Returns from SIGSTOP once the campaign has sent SIGCONT. */
function failAt(stage: IngestStage, ranges: readonly IngestRange[]): void {
  if (armed === undefined || failpoints[armed].stage !== stage) return;
  const { signal } = failpoints[armed];
  console.error(`${new Date().toISOString()} ${armed} at ${JSON.stringify(ranges)}`);
  armed = undefined;
  process.kill(process.pid, signal);
}

// Without the campaign's process, nothing else would end this one.
process.on('disconnect', () => process.exit(1));

const service = await AuditService.open({
  store: { databaseUrl: config.databaseUrl },
  signerDirectory: config.signerDirectory,
  logName: config.logName,
  checkpointIntervalMs: 3_000,
  now: () => Date.now() + clockOffsetMs,
  observer: { onBackgroundError: log, onRetry: countRetry },
});
const ingest = await KafkaIngest.start(config.offsetsFirst ? offsetsFirst(service) : service, {
  connection: { bootstrapBrokers: config.bootstrapBrokers, clientId: config.clientId },
  topics: { events: config.topic },
  groupId: config.groupId,
  sessionTimeoutMs: config.sessionTimeoutMs,
  rebalanceTimeoutMs: config.sessionTimeoutMs,
  topicIntervalMs: 1_000,
  onStage: failAt,
  observer: {
    onBatch: () => {
      batches++;
    },
    onRetry: countRetry,
    onAssigned: (partitions) => log('assigned', partitions.map(({ partition }) => partition).join(' ')),
    onRevoked: (partitions) => log('revoked', partitions.map(({ partition }) => partition).join(' ')),
    onProblem: (error) => log('problem', error),
  },
});

process.on('message', (request: WriterRequest) => {
  if ('report' in request) {
    const stoppedChains = Object.fromEntries(service.logs.stopped);
    send({ status: { ingest: ingest.status(), batches, retries, stoppedChains } });
  } else if ('arm' in request) armed = request.arm;
  else if ('clockOffsetMs' in request) clockOffsetMs = request.clockOffsetMs;
  else void drain();
});
send({ ready: true });

async function drain(): Promise<void> {
  await ingest.close();
  await service.close();
  process.exit(0);
}
