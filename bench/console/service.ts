import { consoleFiles } from '@tallystick/console';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '../../packages/server/src/http/serve.ts';
import { benchTenant } from '../query/made-events.ts';

/** A service with the console on a made store, in a process of its own. Arguments: URL of the store, directory of the signer. */
const [databaseUrl, signerDirectory] = process.argv.slice(2) as [string, string];
const service = await AuditService.open({
  store: { databaseUrl },
  signerDirectory,
  logName: 'bench.local',
  checkpointIntervalMs: 1_000,
});
const server = await serveHttp(service, { port: 0, logger: false, consoleSite: { files: consoleFiles } });
const { key } = await service.keys.create({ name: 'bench', scopes: ['admin'], tenants: [benchTenant] });
process.send!({ url: server.url, key });
process.once('SIGTERM', async () => {
  await server.close();
  await service.close();
  process.disconnect();
});
