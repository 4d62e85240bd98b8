import { AuditService } from '@tallystick/server';
import { serveHttp } from '../../packages/server/src/http/serve.ts';
import { benchTenant } from './made-events.ts';

/** A service on a made store, in a process of its own. Arguments: URL of the store, directory of the signer. */
const [databaseUrl, signerDirectory] = process.argv.slice(2) as [string, string];
const service = await AuditService.open({
  store: { databaseUrl },
  signerDirectory,
  logName: 'bench.local',
  checkpointIntervalMs: 0,
  followers: false,
});
const server = await serveHttp(service, { port: 0, logger: false });
const scopes = ['events:read', 'events:read-sensitive'] as const;
const { key } = await service.keys.create({ name: 'bench', scopes, tenants: [benchTenant] });
process.send!({ url: server.url, key });
process.once('SIGTERM', async () => {
  await server.close();
  await service.close();
  process.disconnect();
});
