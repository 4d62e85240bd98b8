import { expect, it } from 'vitest';
import { newKeyOf } from '../../../src/site/operations/new-key-form.tsx';

const now = Date.parse('2026-03-01T12:00:00Z');
const form = (fields: { readonly [name: string]: string }) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
};

it('asks for a key with tenants, a subject and an end', () => {
  const data = form({ name: ' Blog ', tenants: ' acme,globex  initech ', subject: 'maria', days: '30' });
  expect(newKeyOf(data, ['events:read'], now)).toEqual({
    ...{ name: 'Blog', scopes: ['events:read'], tenants: ['acme', 'globex', 'initech'], subject: 'maria' },
    expires_at: '2026-03-31T12:00:00.000Z',
  });
});

it('leaves out what the person left empty: every tenant, itself, without an end', () => {
  const data = form({ name: 'Ops', tenants: ' , ', subject: ' ', days: '0' });
  expect(newKeyOf(data, ['admin'], now)).toEqual({ name: 'Ops', scopes: ['admin'] });
});
