/** Starts the audit service and all services of the platform, each in a process of its own, until Ctrl-C or SIGTERM. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startService } from 'tallystick/demo/story-parts';
import { SeparateProcesses } from './separate-processes.ts';
import { serviceNames } from './service-names.ts';

const usage = `usage: start.ts --brokers LIST --data DIR --tenant ID [--tenant ID …] [--prefix TEXT]

  --brokers LIST  Kafka: host:port, separated by commas
  --data DIR      for the trail, the signing key and what each service keeps; a later start goes on with it
  --tenant ID     a tenant that the platform serves
  --prefix TEXT   stands before the names of topics and consumer groups`;

/** How often logs that have grown are signed, ms. */
const checkpointIntervalMs = 60_000;

const { brokers, data, tenants, prefix } = optionsOrExit();
mkdirSync(data, { recursive: true, mode: 0o700 });
const audit = await startService(
  { trail: join(data, 'trail'), signer: join(data, 'signer') },
  { checkpointIntervalMs },
);
const processes = await SeparateProcesses.start({
  admin: audit.client,
  platform: {
    kafka: { brokers, prefix },
    audit: { url: audit.url },
    directory: join(data, 'services'),
    tenants: tenants.map((id) => ({ id, tier: 'standard', shadow: false })),
  },
  onRestart: (name, how) => console.error(`${name} ended with ${how}, and is started again`),
}).catch(async (error: Error) => {
  await audit[Symbol.asyncDispose]();
  console.error(error.message);
  return process.exit(1);
});
for (const name of serviceNames) console.log(`${name}: process ${processes.supervisor.pidOf(name)}`);
console.log(`The audit service runs on ${audit.url}. In another terminal:`);
console.log(`export TALLYSTICK_URL=${audit.url} TALLYSTICK_API_KEY=${audit.key}`);

await new Promise<void>((end) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end());
});
const stopped = await processes.stop();
await audit[Symbol.asyncDispose]();
for (const [name, how] of Object.entries(stopped)) if (how !== 0) console.error(`${name} ended with ${how}`);
// What was not delivered stays on disk, and is delivered after the next start.
process.exit(Object.values(stopped).every((how) => how === 0) ? 0 : 1);

function optionsOrExit() {
  try {
    const { values } = parseArgs({
      options: {
        brokers: { type: 'string' },
        data: { type: 'string' },
        tenant: { type: 'string', multiple: true },
        prefix: { type: 'string', default: '' },
      },
    });
    const { brokers, data, tenant, prefix } = values;
    if (!brokers || !data || !tenant) throw new Error('--brokers, --data and --tenant are needed');
    return { brokers: brokers.split(','), data: resolve(data), tenants: tenant, prefix };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return process.exit(2);
  }
}
