import { AuditService, type AuditServiceOptions } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { PgliteDatabase, type Session } from '@tallystick/server/store';
import { prepareEmbeddedStore } from '@tallystick/testing';

/** A service on an embedded store, on a free port of the loopback address. */
export interface Service {
  readonly url: string;
  readonly key: string;
  /** What tells `tally` to use the service. */
  readonly env: { readonly TALLYSTICK_URL: string; readonly TALLYSTICK_API_KEY: string };
  /** Sends the body of a batch, whose events must all be accepted. */
  submit(batch: { readonly events: readonly object[]; readonly delivery?: object }): Promise<void>;
  /** Safe to call twice. */
  close(): Promise<void>;
  /** Changes the closed store as its owner, with triggers disabled, as an attacker with the database would. */
  tamper(work: (session: Session) => Promise<unknown>): Promise<void>;
}

export async function openService(
  directory: string,
  options: Pick<AuditServiceOptions, 'webhooks' | 'openIntents'> = {},
): Promise<Service> {
  await prepareEmbeddedStore(directory);
  const service = await AuditService.open({ ...options, store: { directory }, logName: 'tally.local' });
  const { key } = await service.keys.create({ name: 'test', scopes: ['admin'] });
  const server = await serveHttp(service, { port: 0, logger: false, tailIntervalMs: 20, auditReads: false });
  let closing: Promise<void> | undefined;
  return {
    url: server.url,
    key,
    env: { TALLYSTICK_URL: server.url, TALLYSTICK_API_KEY: key },
    submit: async (batch) => {
      const answer = await fetch(`${server.url}/v1/audit/events/batch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(batch),
      });
      // 207 answers a batch of which a part was refused.
      if (!answer.ok || answer.status === 207) throw new Error(`${answer.status}: ${await answer.text()}`);
    },
    close: () => {
      closing ??= server.close().then(() => service.close());
      return closing;
    },
    tamper: async (work) => {
      const database = await PgliteDatabase.open(directory);
      try {
        await database.asOwner(async (session) => {
          await session.query('set local session_replication_role = replica');
          await work(session);
        });
      } finally {
        await database.close();
      }
    },
  };
}
