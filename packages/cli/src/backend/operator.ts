import { randomBytes } from 'node:crypto';
import type { AuditService, Principal } from '@tallystick/server';

/** Whoever can open a store's directory may do everything with it already. */
const operator: Principal = { id: 'operator', scopes: ['admin'], tenants: undefined };

/**
 * The service as its HTTP app is to see it in this process: a key that exists nowhere but here is the operator's, so that
 * reading a store of one's own leaves no API key behind. Other keys stay what they are.
 */
export function withOperatorKey(service: AuditService): {
  readonly service: AuditService;
  readonly key: string;
} {
  const key = randomBytes(32).toString('hex');
  const keys = overlaid(service.keys, {
    authenticate: async (given: string) =>
      given === key ? operator : await service.keys.authenticate(given),
  });
  return { service: overlaid(service, { keys }), key };
}

/** An object with some members replaced. Not a copy: private members only work on the object that owns them. */
function overlaid<T extends object>(object: T, members: { readonly [name in keyof T]?: unknown }): T {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
