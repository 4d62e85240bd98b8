import { readFileSync } from 'node:fs';
import { type AuditEvent, findViolations } from '@tallystick/event';
import { type FormatName, formats } from '../../src/import/formats.ts';
import { isFault } from '../../src/import/slice.ts';
import { readSource } from '../../src/import/source-json.ts';

export const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

/** The original text that an event keeps. */
export const originalOf = (event: AuditEvent) => event.event_data?.source_payload?.original as string;

/** Maps every event of a fixture, or of a text, and checks that each is valid. */
export function mapAll(name: FormatName, content: Uint8Array | string): AuditEvent[] {
  const format = formats[name];
  const scanner = format.createScanner();
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return [...scanner.scan(bytes), ...scanner.end()].map((slice) => {
    if (isFault(slice)) throw new Error(slice.reason);
    const event = format.map(
      readSource(slice.bytes),
      { tenantOf: () => 'acme' },
      { origin: 'test', ordinal: 0 },
    );
    const violations = findViolations(event, { now: Date.now() });
    if (violations.length > 0) throw new Error(JSON.stringify(violations));
    return event;
  });
}
