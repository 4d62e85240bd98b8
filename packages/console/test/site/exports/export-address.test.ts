import { expect, it } from 'vitest';
import { bundleAddress, exportAddress } from '../../../src/site/exports/export-address.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const read = (query: string, format: 'csv' | 'jsonl' = 'csv') => {
  const address = exportAddress('a b', new URLSearchParams(query), format, now);
  const url = new URL(address, 'https://audit.example/console/exports');
  return [url.pathname, ...url.searchParams].map(String);
};

it('has the filters and the search of the view, and the time range as times', () => {
  expect(
    read(
      'tenant=x&event_type=auth.*&not.actor_id=a&not.actor_id=b&last=1h&reads=1&columns=x&q=%22no+such%22',
    ),
  ).toEqual([
    '/v1/audit/events/export',
    ...['tenant_id,a b', 'format,csv', 'event_type,auth.*', 'not.actor_id,a', 'not.actor_id,b'],
    ...['q,"no such"', 'from,2026-03-01T11:00:00.000Z', 'include_reads,true'],
  ]);
  expect(read('to=2026-02-01T00:00:00Z', 'jsonl')).toEqual([
    ...['/v1/audit/events/export', 'tenant_id,a b', 'format,jsonl', 'to,2026-02-01T00:00:00.000Z'],
  ]);
});

it('keeps a tenant inside its part of the path', () => {
  const url = new URL(bundleAddress('../../x?y'), 'https://audit.example/console/exports');
  expect(url.href).toBe('https://audit.example/v1/logs/..%2F..%2Fx%3Fy/bundle');
});
