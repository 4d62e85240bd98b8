import { scopes } from '@tallystick/protocol';
import { describe, expect, test } from 'vitest';
import { authorize, hasScope, mayUseTenant, type Principal } from '../../src/access/principal.ts';

const principal = (more: Partial<Principal>): Principal => ({
  id: 'key:0',
  scopes: [],
  tenants: undefined,
  ...more,
});

describe('a scope', () => {
  test.each(scopes)('%s allows itself and nothing else; admin allows all but deciding approvals', (scope) => {
    const allowed = scopes.filter((asked) => hasScope(principal({ scopes: [scope] }), asked));
    const ofAdmin = scopes.filter((other) => other !== 'approvals:decide');
    expect(allowed).toEqual(scope === 'admin' ? ofAdmin : [scope]);
  });

  test('that is lacking is named', () => {
    expect(() => authorize(principal({ scopes: ['log:read'] }), 'events:write')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining('events:write') }),
    );
  });
});

describe('tenants', () => {
  test('are exactly those of the key; without any, all tenants', () => {
    const limited = principal({ tenants: ['a', 'b.c'] });
    expect(
      ['a', 'b.c', 'A', 'b', 'bxc', 'a ', '', '*'].filter((tenant) => mayUseTenant(limited, tenant)),
    ).toEqual(['a', 'b.c']);
    expect(mayUseTenant(principal({ tenants: [] }), 'a')).toBe(false);
    expect(mayUseTenant(principal({}), 'a')).toBe(true);
  });

  test("bind an admin's key too, and the answer does not tell whether the tenant exists", () => {
    const admin = principal({ scopes: ['admin'], tenants: ['a'] });
    authorize(admin, 'events:read', 'a');
    expect(() => authorize(admin, 'events:read', 'b')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: 'the key is not for this tenant' }),
    );
  });
});
