import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@tallystick/client';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';

/** The command that users start. */
export const tallyProgram = resolve(import.meta.dirname, '../../../packages/cli/bin/tally.js');

/** A service with a key for a proxy, and a directory with its rules. */
export interface GatedService extends AsyncDisposable {
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  /** The type and the status of each record about the calls of one tool. */
  trail(tool: string): Promise<(readonly [type: string, status: string | undefined])[]>;
  /** All records, as text. */
  text(): Promise<string>;
}

export async function openGatedService(rules: readonly object[]): Promise<GatedService> {
  const directory = tempDir();
  const store = join(directory.path, 'store');
  await prepareEmbeddedStore(store);
  const service = await AuditService.open({ store: { directory: store }, logName: 'mcp.example' });
  const http = await serveHttp(service, { port: 0, logger: false });
  const { key } = await service.keys.create({
    name: 'proxy',
    subject: 'service:mcp',
    scopes: ['events:write', 'events:read', 'approvals:request'],
  });
  const policy = { name: 'everything', version: '1', rules };
  writeFileSync(join(directory.path, 'rules.json'), JSON.stringify(policy));
  const audit = createClient({ url: http.url, apiKey: key });
  const all = () => Array.fromAsync(audit.events.listAll({ tenant_id: 'acme', order: 'asc' }));
  return {
    cwd: directory.path,
    env: {
      NODE_NO_WARNINGS: '1',
      TALLYSTICK_URL: http.url,
      TALLYSTICK_API_KEY: key,
      XDG_CONFIG_HOME: directory.path,
    },
    trail: async (tool) =>
      (await all())
        .filter((event) => (event.context as { action?: string } | undefined)?.action === tool)
        .map(({ event_type, outcome }) => [
          String(event_type),
          (outcome as { outcome_status: string } | undefined)?.outcome_status,
        ]),
    text: async () => JSON.stringify(await all()),
    [Symbol.asyncDispose]: async () => {
      await http.close();
      await service.close();
      directory.remove();
    },
  };
}
