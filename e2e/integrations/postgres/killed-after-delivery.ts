/** Delivers the events of an outbox, and is killed when the service has answered and before they are deleted. */
import { httpTransport } from '@tallystick/sdk/http';
import { createOutboxRelay } from '@tallystick/sdk/postgres';
import pg from 'pg';

const transport = httpTransport({
  url: process.env.TALLYSTICK_URL ?? '',
  apiKey: process.env.TALLYSTICK_API_KEY,
});
const relay = createOutboxRelay({
  db: new pg.Pool({ connectionString: process.argv[2] }),
  // The next relay need not wait for the lease of this one.
  leaseMs: 1,
  transport: {
    send: async (batch, signal) => {
      await transport.send(batch, signal);
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    },
    close: () => transport.close(),
  },
});
await relay.deliverWaiting();
