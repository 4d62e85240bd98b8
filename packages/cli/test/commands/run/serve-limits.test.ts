import { expect, test } from 'vitest';
import { rate } from '../../../src/commands/options/option-values.ts';
import { limitSettings } from '../../../src/commands/run/serve-limits.ts';

test('options come before the environment, and what neither names has its default', () => {
  const env = {
    TALLYSTICK_RATE_LIMIT: '50/s',
    TALLYSTICK_RATE_LIMIT_ADDRESS: '',
    TALLYSTICK_CORS_ORIGINS: 'https://a.example,https://b.example  https://c.example',
    TALLYSTICK_TRUSTED_PROXIES: '10.0.0.1',
  };
  const given = limitSettings(
    {
      rateLimit: rate('5/s:10'),
      rateLimitKey: [['0123456789ab', rate('500/s')]],
      trustedProxy: ['10.0.0.2'],
    },
    { env },
  );
  expect(given).toEqual({
    rates: {
      callers: { perSecond: 5, burst: 10 },
      exceptions: new Map([['key:0123456789ab', { perSecond: 500, burst: 500 }]]),
      addresses: { perSecond: 20, burst: 500 },
    },
    trustedProxies: ['10.0.0.2'],
    corsOrigins: ['https://a.example', 'https://b.example', 'https://c.example'],
  });
  expect(limitSettings({}, { env }).rates?.callers).toEqual({ perSecond: 50, burst: 50 });
  expect(limitSettings({}, { env: {} })).toMatchObject({ trustedProxies: [], corsOrigins: [] });
});

test('an environment variable that is not a rate is refused by its name', () => {
  expect(() => limitSettings({}, { env: { TALLYSTICK_RATE_LIMIT: 'much' } })).toThrow(
    /TALLYSTICK_RATE_LIMIT must be a rate/,
  );
});

test.each([
  ['50/s', 50, 50],
  ['50/s:100', 50, 100],
  ['30/m', 0.5, 1],
  ['120/m:7', 2, 7],
])('the rate %s', (text, perSecond, burst) => {
  expect(rate(text)).toEqual({ perSecond, burst });
});

test.each([
  '',
  '50',
  '0/s',
  '-1/s',
  '1.5/s',
  '50/h',
  '50/s:0',
  '50/s:',
  '1e3/s',
  '1000000/s',
  '5/s:1000000',
  ' 5/s',
])('%j is no rate', (text) => {
  expect(() => rate(text)).toThrow(/must be a rate/);
});
