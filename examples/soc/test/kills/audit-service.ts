import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import { AuditService, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore } from '@tallystick/testing';
import { defaultSettings } from '../../src/platform/settings.ts';
import { minimumApprovalRules } from '../../src/response-agent/response-policy.ts';
import { tenants } from './orders.ts';

type Scopes = Parameters<AuditService['keys']['create']>[0]['scopes'];

/** An audit service over HTTP, with the rules of approvals, for platforms that are killed. */
export interface KillsAudit {
  readonly url: string;
  /** Records events and requests approvals. */
  readonly apiKey: string;
  readonly adminKey: string;
  /** A client with a key of its own. */
  clientOf(name: string, scopes: Scopes): Promise<Client>;
  close(): Promise<void>;
}

export async function openKillsAudit(directory: string): Promise<KillsAudit> {
  const data = join(directory, 'audit');
  await prepareEmbeddedStore(data);
  const service = await AuditService.open({
    store: { directory: data },
    signerDirectory: join(directory, 'signer'),
    logName: 'kills.example.com',
  });
  const server = await serveHttp(service, { port: 0, logger: false });
  const { url } = server;
  const keyOf = async (name: string, scopes: Scopes) =>
    (await service.keys.create({ name, subject: name, scopes, tenants })).key;
  const { key: adminKey } = await service.keys.create({ name: 'admin', scopes: ['admin'] });
  const rules = minimumApprovalRules(defaultSettings);
  await createClient({ url, apiKey: adminKey }).approvals.setRules({ tenant_id: '*', action: '*', rules });
  return {
    url,
    adminKey,
    apiKey: await keyOf('response-agent', ['events:write', 'approvals:request']),
    clientOf: async (name, scopes) => createClient({ url, apiKey: await keyOf(name, scopes) }),
    async close() {
      await server.close();
      await service.close();
    },
  };
}
