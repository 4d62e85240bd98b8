import { uuidv7 } from '@tallystick/event';
import { expect } from 'vitest';
import type { ConsoleService } from './console-service.ts';

/** Adds logins at a door to a trail, each with fields of its own. @returns their ids */
export async function submitLogins(
  service: ConsoleService,
  tenant: string,
  logins: readonly object[],
): Promise<string[]> {
  const events = logins.map((fields) => ({
    ...{ audit_id: uuidv7(), tenant_id: tenant, timestamp: new Date().toISOString() },
    ...{ event_type: 'auth.login', actor_type: 'user', actor_id: 'jane' },
    ...{ target_type: 'door', target_id: '1', source_service: 'doors' },
    ...fields,
  }));
  const results = await service.client.events.submit(events);
  expect(results.map(({ status }) => status)).toEqual(events.map(() => 'chained'));
  return events.map(({ audit_id }) => audit_id);
}

/** The logins of `acme-user-0` at `door-0`, of `acme-user-1` at `door-1` and so on, with the same fields beside. */
export async function submitNumberedLogins(
  service: ConsoleService,
  tenant: string,
  count: number,
  fields: object = {},
): Promise<void> {
  const numbered = (_: unknown, at: number) => ({
    ...{ actor_id: `${tenant}-user-${at}`, target_id: `door-${at}` },
    ...fields,
  });
  await submitLogins(service, tenant, Array.from({ length: count }, numbered));
}
