import { Redactor } from '@tallystick/event/redaction';
import { microsecondsPerCall } from './per-call.ts';
import type { Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';

/**
 * Removes secrets from a 1 KB event. Compared with JSON.parse of its wire text, which the SDK and the service call for every
 * event too: the ratio does not depend on the machine.
 */
export async function run(): Promise<Result[]> {
  const redactor = new Redactor({ names: [], allowNames: [], patterns: [], paths: [] });
  const clean = withContext({});
  const logLine = withContext({
    log: '2026-11-28T12:00:00Z level=info host=web-1 request: GET https://shop.example.com/cart?item=17 took 812 ms; user ann@example.com, status: 200',
  });
  const secret = withContext({
    command:
      'mysql -u root -phunter2 --host db1 && curl -H "Authorization: Bearer 7f3a9c51d2e84b60" https://x.example',
  });
  if (redactor.redact(clean) !== clean || redactor.redact(logLine) !== logLine) {
    throw new Error('a clean event was changed');
  }
  if (redactor.redact(secret) === secret) throw new Error('the secrets were not found');
  const text = JSON.stringify(clean);
  const took = microsecondsPerCall({
    clean: () => redactor.redact(clean),
    logLine: () => redactor.redact(logLine),
    secret: () => redactor.redact(secret),
    parse: () => JSON.parse(text),
  });
  const beside = (name: 'clean' | 'logLine' | 'secret', what: string, most: number): Result => ({
    name: `redaction: ${what}`,
    value: Number(took[name].toFixed(2)),
    unit: 'µs',
    baseline: Number(took.parse.toFixed(2)),
    ratio: Number((took[name] / took.parse).toFixed(2)),
    goal: `ratio <= ${most} (JSON.parse of a clean event)`,
    pass: took[name] <= most * took.parse,
  });
  return [
    beside('clean', 'a clean event of 1 KB', 3),
    beside('logLine', 'a clean event with a log line', 6),
    beside('secret', 'an event with two secrets', 7),
  ];
}

/** The sample event as it is received, with further members in its context. */
function withContext(members: object): object {
  const event = sampleEvent('tenant-1');
  return JSON.parse(
    JSON.stringify({ ...event, context: { ...(event.context as object), ...members } }),
  ) as object;
}
