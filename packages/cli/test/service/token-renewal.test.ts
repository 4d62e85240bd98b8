import { createClient } from '@tallystick/client';
import { createAuditEmitter } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import { AuditService } from '@tallystick/server';
import { readLoginOptions, serveHttp } from '@tallystick/server/http';
import { openTestOpenIdProvider, prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

/** Tokens of a real OpenID provider, with a service whose clock the test moves. */
test('clients and transports with a function renew their tokens when these have expired', async () => {
  const dir = tempDir();
  await using provider = await openTestOpenIdProvider({ alice: { tenants: ['acme'], groups: ['agents'] } });
  const { issuer, audience } = provider;
  let shift = 0;
  const now = () => Date.now() + shift;
  await prepareEmbeddedStore(dir.path);
  const service = await AuditService.open({ store: { directory: dir.path }, logName: 'tally.local', now });
  const logins = readLoginOptions({
    issuer,
    audience,
    tenants: { claim: 'tenants' },
    scopes: { claim: 'groups', grant: { agents: ['events:write', 'events:read'] } },
  });
  const server = await serveHttp(service, { port: 0, logger: false, auditReads: false, logins, now });
  let asked = 0;
  const apiKey = async () => {
    asked++;
    return await provider.token('alice');
  };
  const client = createClient({ url: server.url, apiKey });
  const transport = httpTransport({ url: server.url, apiKey });
  const audit = createAuditEmitter({ service: 'refunds', transport, flushOnExit: false });
  const event = {
    eventType: 'content.publish',
    tenantId: 'acme',
    actorType: 'user',
    actorId: 'alice',
  } as const;
  try {
    await client.approvals.list();
    await audit.record(event);
    expect(asked).toBe(2);
    // Every token that exists has expired by the service's clock, and the next ones have not.
    shift = 2 * 60 * 60 * 1_000;
    provider.lifetimeSeconds = 4 * 60 * 60;
    await client.approvals.list();
    await audit.record(event);
    expect(asked).toBe(4);
  } finally {
    await audit.close();
    await server.close();
    await service.close();
    dir.remove();
  }
}, 60_000);
