import { describe, expect, test } from 'vitest';
import { type Flags, resolveSettings } from '../../src/settings/settings.ts';

const resolve = (flags: Flags, env: Record<string, string> = {}, config: Flags = {}) =>
  resolveSettings({ flags, env, config: config as Record<string, string>, cwd: '/home/jane' });

const config = { server: 'https://audit.example.com', key: 'configured', tenant: 'acme' };

describe('the service or store', () => {
  test('options come before the environment, and that before the configuration', () => {
    expect(resolve({ data: 'store' }, { TALLYSTICK_URL: 'http://x' }, config).target()).toEqual({
      kind: 'directory',
      path: '/home/jane/store',
    });
    expect(resolve({}, { TALLYSTICK_DATA: '/var/tally' }, config).target()).toMatchObject({
      path: '/var/tally',
    });
    expect(resolve({}, {}, config).target()).toMatchObject({ kind: 'service', credential: 'configured' });
    expect(resolve({}, { TALLYSTICK_URL: '' }, config).target()).toMatchObject({ credential: 'configured' });
  });

  test('the tenant is decided separately', () => {
    expect(resolve({ tenant: 'a' }, { TALLYSTICK_TENANT: 'b' }, config).tenant).toBe('a');
    expect(resolve({}, { TALLYSTICK_TENANT: 'b' }, config).tenant).toBe('b');
    expect(resolve({}, {}, config).tenant).toBe('acme');
    expect(resolve({}).tenant).toBeUndefined();
  });

  test.each<[string, Flags, Record<string, string>, string]>([
    ['nothing', {}, {}, 'this command needs a service or a store'],
    ['both', { server: 'http://x', data: 'y' }, {}, 'the command line names both'],
    [
      'both in the environment',
      {},
      { TALLYSTICK_URL: 'http://x', TALLYSTICK_DATA: 'y' },
      'the environment names both',
    ],
    ['no address', { server: 'audit.example.com' }, {}, 'is not the address of a service'],
    [
      'a key in the address',
      { server: 'https://me:secret@x' },
      {},
      'the address must not contain a key: use --key',
    ],
  ])('%s', (_, flags, env, message) => {
    expect(() => resolve(flags, env).target()).toThrow(message);
  });
});

describe('which service gets the API key', () => {
  const keyOf = (flags: Flags, env: Record<string, string> = {}) => resolve(flags, env, config).target();

  test('a configured key goes only to the configured service', () => {
    expect(keyOf({ server: 'https://audit.example.com/' })).toMatchObject({ credential: 'configured' });
    expect(keyOf({ server: 'https://elsewhere.example.com' })).toMatchObject({ credential: undefined });
  });

  test('a token takes the place of the key at its level, and both at one level are refused', () => {
    const env = { TALLYSTICK_API_KEY: 'e', TALLYSTICK_TOKEN: '' };
    expect(keyOf({ server: 'http://x', token: 't' }, env)).toMatchObject({ credential: 't' });
    expect(keyOf({}, { TALLYSTICK_TOKEN: 't' })).toMatchObject({ credential: 't' });
    expect(() => keyOf({ key: 'k', token: 't' })).toThrow(
      'the command line names both an API key and a token',
    );
    expect(() => keyOf({}, { ...env, TALLYSTICK_TOKEN: 't' })).toThrow('the environment names both');
    expect(() => keyOf({ data: 'store', token: 't' })).toThrow('--token is for a service');
  });

  test('a key of the command line or the environment goes to any service', () => {
    expect(keyOf({ server: 'http://x', key: 'k' })).toMatchObject({ credential: 'k' });
    expect(keyOf({ server: 'http://x' }, { TALLYSTICK_API_KEY: 'e' })).toMatchObject({ credential: 'e' });
    expect(keyOf({ key: 'k' }, { TALLYSTICK_API_KEY: 'e' })).toMatchObject({ credential: 'k' });
  });
});
