import { eventJsonSchema } from '@tallystick/event';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fromJSONSchema } from 'zod';
import { findViolationsIn } from '../packages/event/src/validation/validate.ts';
import { microsecondsPerCall } from './per-call.ts';
import type { Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';

/**
 * Checks a 1 KB event as the service does: shape, limits, times and type. Compared with two general validators that check only
 * the shape: zod, and ajv, which compiles to code and so needs `unsafe-eval` in a browser.
 */
export async function run(): Promise<Result[]> {
  const event = sampleEvent('tenant-1');
  const options = { now: Date.now() };
  const schema = eventJsonSchema();
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  const zod = fromJSONSchema(schema as never);
  if (!ajv(event) || !zod.safeParse(event).success || findViolationsIn(event, options, false).length > 0) {
    throw new Error('the sample event is not valid everywhere');
  }
  const took = microsecondsPerCall({
    own: () => findViolationsIn(event, options, true),
    zod: () => zod.safeParse(event),
    ajv: () => ajv(event),
  });
  return [
    {
      name: 'validate: shape, limits, times, type',
      value: Number(took.own.toFixed(2)),
      unit: 'µs',
      baseline: Number(took.zod.toFixed(2)),
      ratio: Number((took.own / took.zod).toFixed(3)),
      goal: 'ratio <= 0.5 (zod, shape alone)',
      pass: took.own <= took.zod / 2,
    },
    {
      name: 'validate: ajv, shape alone, for scale',
      value: Number(took.ajv.toFixed(2)),
      unit: 'µs',
      baseline: null,
      ratio: null,
      goal: null,
      pass: null,
    },
  ];
}
