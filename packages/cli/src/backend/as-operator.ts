import type { AuditService, Principal } from '@tallystick/server';

/** A user who can open a store's directory can already do everything with it. */
const operator: Principal = { id: 'operator', scopes: ['admin'], tenants: undefined };

/**
 * The service as an HTTP app inside this process must see it: every request comes from this process, so every request is
 * the operator's. No API key is created for it.
 */
export function asOperator(service: AuditService): AuditService {
  const keys = withMembers(service.keys, { authenticate: async () => operator });
  return withMembers(service, { keys });
}

/** An object with some members replaced. A copy would not do: private members work on the object that owns them. */
function withMembers<T extends object>(object: T, members: { readonly [name in keyof T]?: unknown }): T {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
