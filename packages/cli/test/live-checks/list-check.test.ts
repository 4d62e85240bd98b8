import { createClient } from '@tallystick/client';
import { filterParameters } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServiceBackend } from '../../src/backend/service-backend.ts';
import { openService, type Service } from '../commands/service.ts';
import { tally } from '../run-tally.ts';

/** A service that exports genuine bundles and says that all is well, but shows its readers something else. */
const dir = tempDir();
let service: Service;

beforeAll(async () => {
  service = await openService(dir.path);
  const events = [1, 2, 3].map((n) =>
    JSON.stringify({
      tenant_id: 'acme',
      timestamp: `2026-01-02T03:04:0${n}.678Z`,
      event_type: 'access.granted',
      event_category: 'access',
      actor_type: 'user',
      actor_id: `actor-${n}`,
      target_type: 'door',
      target_id: 'x'.repeat(512),
      investigation_id: 'inv-1',
      alert_id: 'alert-1',
      correlation_id: `request-${n}`,
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      source_service: 'doors',
      outcome: { outcome_status: 'success' },
      entity_ids: ['host-1'],
      on_behalf_of: [{ actor_type: 'user', actor_id: 'ann' }],
      source_ip: '10.0.0.7',
      metadata: { platform: 'web' },
      context: { room: { floor: 3 } },
    }),
  );
  const { env } = service;
  expect(await tally(['emit'], { stdin: events.join('\n'), env })).toMatchObject({ exitCode: 0 });
}, 120_000);
afterAll(async () => {
  await service.close();
  dir.remove();
});

type Page = { readonly events: readonly EventView[]; readonly next_cursor?: string };

/** The findings of a verification of a service whose lists, and single events, are changed on their way. */
async function findingsOf(
  change: (events: readonly EventView[], query: URLSearchParams) => readonly EventView[],
): Promise<readonly string[]> {
  const client = createClient({
    url: service.url,
    apiKey: service.key,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!url.pathname.startsWith('/v1/audit/events')) return response;
      const body = (await response.json()) as Page | EventView;
      const isPage = url.pathname.endsWith('/events');
      const events = change(isPage ? (body as Page).events : [body as EventView], url.searchParams);
      return Response.json(isPage ? { ...body, events } : events[0]);
    },
  });
  const keptNotes: string[] = [];
  const report = await new ServiceBackend(new URL(service.url), client).verify('acme', {
    trustFor: async (_, offered) => ({
      verifiers: [offered!],
      trust: 'first-use',
      rotations: [],
      checkpoints: [],
      kept: [],
      keptOfClosed: [],
    }),
    onTrustedCheckpoint: (note) => keptNotes.push(note),
    onEquivocation: () => {},
    onRecord: () => {},
    onNotice: () => {},
    onProgress: () => {},
  });
  // A checkpoint is kept for a good verdict alone.
  expect([report.verdict, keptNotes.length]).toEqual(
    report.findings.length === 0 ? ['verified', 1] : ['broken', 0],
  );
  return report.findings.map(({ code, sequence_number }) => `${code} ${sequence_number}`);
}

test('an honest list has no findings', async () => {
  expect(await findingsOf((events) => events)).toEqual([]);
});

test.each([
  [
    'leaves a record out',
    (events: readonly EventView[]) => events.filter(({ sequence_number }) => sequence_number !== 2),
  ],
  [
    'shows another actor',
    (events: readonly EventView[]) =>
      events.map((event) => (event.sequence_number === 2 ? { ...event, actor_id: 'eve' } : event)),
  ],
  [
    'shows another record, with a hash that fits it',
    (events: readonly EventView[]) =>
      events.map((event) =>
        event.sequence_number === 2
          ? { ...events.find(({ sequence_number }) => sequence_number === 3)!, sequence_number: 2 }
          : event,
      ),
  ],
  [
    'shows a record without its text',
    (events: readonly EventView[]) =>
      events.map((event) => (event.sequence_number === 2 ? { ...event, record: undefined } : event)),
  ],
  [
    'shows a record twice',
    (events: readonly EventView[]) => [...events, ...events.filter((_, at) => at === 2)],
  ],
])('a list that %s', async (_, change) => {
  const isList = (query: URLSearchParams) => query.has('sequence_from');
  expect(await findingsOf((events, query) => (isList(query) ? change(events) : events))).toEqual([
    'LIST_MISMATCH 2',
  ]);
});

const filters = filterParameters.filter(({ field }) => field.name !== 'sequence_number');

test.each(filters.map(({ name }) => name))(
  'a filter by %s that leaves out what it should find',
  async (name) => {
    const findings = await findingsOf((events, query) =>
      [...query.keys()].some((given) => given === name || given.startsWith(`${name}.`)) ? [] : events,
    );
    expect(new Set(findings)).toContain('LIST_MISMATCH 2');
  },
);

test('the list without records of reads that leaves out another record', async () => {
  const findings = await findingsOf((events, query) =>
    query.get('include_reads') === 'false'
      ? events.filter(({ sequence_number }) => sequence_number !== 2)
      : events,
  );
  expect(findings).toEqual(['LIST_MISMATCH 2']);
});

test('a filter that finds what it should not', async () => {
  const all: EventView[] = [];
  const findings = await findingsOf((events, query) => {
    if (query.has('actor_id')) return all;
    if (query.has('sequence_from') && all.length === 0) all.push(...events);
    return events;
  });
  expect(findings).toContain('LIST_MISMATCH 3');
});

test('a look-up by id that answers with another event', async () => {
  let other: EventView | undefined;
  const findings = await findingsOf((events, query) => {
    if (query.has('sequence_from')) {
      other ??= events[0];
      return events;
    }
    return [other!];
  });
  expect(findings).toContain('LIST_MISMATCH 3');
});
