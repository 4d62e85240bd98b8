import { afterEach, expect, test } from 'vitest';
import { GateError, type GateOptions } from '../../src/gate/index.ts';
import { closeGates, open } from './open-gate.ts';

afterEach(closeGates);

test.each<[string, Partial<GateOptions>]>([
  ['a time limit of zero', { policyTimeoutMs: 0 }],
  ['a time limit that is not a number', { effectTimeoutMs: Number.NaN }],
  ['another acknowledgement', { acknowledgement: 'sent' as never }],
  ['a short hiding key', { hidingKey: 'short' }],
])('%s is refused at once', (_name, options) => {
  expect(() => open(options)).toThrow(GateError);
});
