import { AuditService } from '../../src/app.ts';
import { serveHttp } from '../../src/http/serve.ts';

/** A service of its own process: arguments are the URL of the database and the signer's directory. It prints its URL and two keys. */
const [databaseUrl, signerDirectory] = process.argv.slice(2);
const service = await AuditService.open({
  store: { databaseUrl: databaseUrl! },
  signerDirectory: signerDirectory!,
  logName: 'memory.test',
  checkpointIntervalMs: 0,
});
const server = await serveHttp(service, { port: 0, logger: false, auditReads: false });
const create = async (name: string) => (await service.keys.create({ name, scopes: ['events:write'] })).key;
process.send!({ url: server.url, greedy: await create('greedy'), modest: await create('modest') });
process.on('message', () => process.send!({ rss: process.resourceUsage().maxRSS / 1024 }));
process.on('disconnect', () => process.exit());
