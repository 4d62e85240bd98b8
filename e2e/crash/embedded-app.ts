import { setTimeout as delay } from 'node:timers/promises';
import { createAuditEmitter } from '@tallystick/sdk';
import { embedded } from '@tallystick/server/embedded';

/** An application with the embedded store. It emits until it is told to stop, and prints what it sees, one JSON document a line. */
const [directory = '', logName = '', tenantId = ''] = process.argv.slice(2);

/** What the application prints. */
export interface Progress {
  /** Turns of the application's own event loop. */
  readonly turns: number;
  readonly delivered: number;
  /** The last error of delivery. */
  readonly error: string;
  /** Whether the trail could be read just now. */
  readonly reads: boolean;
}

const transport = await embedded({ directory, logName });
let error = '';
const emitter = createAuditEmitter({
  service: 'app',
  transport,
  retryDelaysMs: [50],
  probeIntervalMs: 100,
  onError: ({ message }) => {
    error = message;
  },
});
let stopping = false;
process.on('SIGTERM', () => {
  stopping = true;
});
const payload = 'x'.repeat(2_000);
for (let turns = 0; !stopping; turns++) {
  for (let event = 0; event < 10; event++) {
    emitter.emit({ eventType: 'a.b', tenantId, actorType: 'user', actorId: 'u', context: { payload } });
  }
  await delay(20);
  if (turns % 10 === 0) {
    const reads = await transport.service.database
      .query({ role: 'reader', tenants: [tenantId] }, 'select count(*) from audit_records')
      .then(
        () => true,
        () => false,
      );
    print({ turns, delivered: emitter.report().delivered, error, reads } satisfies Progress);
  }
}
print(await emitter.close({ deadlineMs: 30_000 }));

function print(document: object): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
