import { type AuditEvent, canonicalize } from '@tallystick/event';
import { readRecord } from '@tallystick/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let reader: string;
beforeAll(async () => {
  http = await Harness.open();
  reader = await http.key(['acme'], 'events:read');
});
afterAll(() => http[Symbol.asyncDispose]());

type View = Record<string, unknown>;
const list = async (query: string, key = reader) => {
  const answer = await http.get(`/v1/audit/events?${query}`, key);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as { events: View[]; next_cursor?: string };
};
const ids = (events: readonly View[]) => events.map((one) => one.audit_id);

describe('lists', () => {
  it('shows flat records, newest first, genesis last', async () => {
    const tenant_id = 'flat';
    const key = await http.key([tenant_id], 'events:read');
    const one = event({ tenant_id, outcome: { outcome_status: 'success' } });
    await http.ingest([one]);
    const { events } = await list('', key);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ ...one, epoch: 1, sequence_number: 1 });
    expect(events[1]).toMatchObject({ event_type: 'system.genesis', sequence_number: 0 });
    expect(events[0]!.previous_hash).toBe(events[1]!.record_hash);
    expect(events[0]!.record).toBeUndefined();
    const [withRecord] = (await list('include=record', key)).events;
    expect(readRecord(withRecord!.record as string).event).toEqual(one);
  });

  // Older versions took these events from any client that could write.
  it('shows an event that speaks for the service as claimed if a client submitted it', async () => {
    const tenant_id = 'claims';
    const asService = { actor_type: 'system', actor_id: 'tallystick' };
    const submitted = [
      event({ tenant_id, event_type: 'delivery.gap' }),
      event({ tenant_id, ...asService }),
      event({ tenant_id }),
    ] as unknown as AuditEvent[];
    const items = submitted.map((one) => ({
      event: one,
      canonical: canonicalize(one),
      ingest: { source: 'http', trust: 'api-key' } as const,
    }));
    await http.service.writer.submit(items);
    const { events } = await list(`tenant_id=${tenant_id}&order=asc`, http.admin);
    const shown = (events as Record<string, unknown>[]).map(({ event_type, claimed }) => [
      event_type,
      claimed,
    ]);
    expect(shown).toEqual([
      ['system.genesis', undefined],
      ['delivery.gap', true],
      ['content.publish', true],
      ['content.publish', undefined],
    ]);
  });

  it('pages without losing or repeating anything while events are appended', async () => {
    const tenant_id = 'paged';
    await http.ingest(Array.from({ length: 25 }, () => event({ tenant_id })));
    for (const order of ['desc', 'asc']) {
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await list(
          `tenant_id=${tenant_id}&limit=4&order=${order}&event_type=content.*${cursor === undefined ? '' : `&cursor=${cursor}`}`,
          http.admin,
        );
        seen.push(...page.events.map((one) => one.sequence_number));
        cursor = page.next_cursor;
        if (seen.length < 20) await http.ingest([event({ tenant_id })]);
      } while (cursor !== undefined);
      const first = seen[0] as number;
      expect(seen).toEqual(seen.map((_, at) => (order === 'desc' ? first - at : first + at)));
      expect(seen.at(order === 'desc' ? -1 : 0)).toBe(1);
      expect(seen.length).toBeGreaterThanOrEqual(25);
    }
  });

  it('refuses a cursor with other parameters, of another tenant, or made up', async () => {
    await http.ingest([event(), event(), event()]);
    const { next_cursor } = await list('limit=1&actor_id=ann');
    expect(next_cursor).toBeDefined();
    const bad = [
      `limit=1&actor_id=bob&cursor=${next_cursor}`,
      `limit=1&cursor=${next_cursor}`,
      `limit=1&actor_id=ann&order=asc&cursor=${next_cursor}`,
      `limit=1&actor_id=ann&cursor=${next_cursor!.slice(0, -3)}`,
      'cursor=AAAA',
      `cursor=${Buffer.from('[1,"x",1,1]').toString('base64url')}`,
      'cursor=%00',
    ];
    for (const query of bad) {
      const answer = await http.get(`/v1/audit/events?${query}`, reader);
      expect([answer.status, answer.json.code, answer.json.errors?.[0].pointer]).toEqual([
        400,
        'PARAMETER_INVALID',
        '/cursor',
      ]);
    }
    const other = await http.get(
      `/v1/audit/events?tenant_id=paged&limit=1&actor_id=ann&cursor=${next_cursor}`,
    );
    expect(other.status).toBe(400);
    // A cursor stays valid with another page size.
    expect((await list(`limit=2&actor_id=ann&cursor=${next_cursor}`)).events.length).toBeGreaterThan(0);
  });

  it('filters on every indexed field and on time', async () => {
    const tenant_id = 'filtered';
    const rich = event({
      tenant_id,
      timestamp: '2026-03-01T12:00:00.000Z',
      event_type: 'alert.classified',
      event_category: 'decision',
      severity: 'critical',
      actor_type: 'agent',
      actor_id: 'bot',
      target_type: 'alert',
      target_id: 'T1',
      investigation_id: 'I1',
      alert_id: 'A1',
      correlation_id: 'C1',
      trace_id: 'R1',
      outcome: { outcome_status: 'denied' },
      source_service: 'triage',
      is_sensitive: true,
    });
    const plain = event({ tenant_id, timestamp: '2026-04-01T12:00:00.000Z' });
    const chained = (await http.ingest([rich, plain])).json.results.map((r: View) => r.receipt);
    const found = async (query: string) =>
      ids((await list(`tenant_id=${tenant_id}&${query}`, http.admin)).events);
    const only = [rich.audit_id];
    for (const name of [
      'event_type',
      'event_category',
      'severity',
      'actor_type',
      'actor_id',
      'target_type',
      'target_id',
      'investigation_id',
      'alert_id',
      'correlation_id',
      'trace_id',
      'source_service',
      'is_sensitive',
    ]) {
      expect(await found(`${name}=${rich[name]}`), name).toEqual(only);
    }
    expect(await found('outcome_status=denied')).toEqual(only);
    expect(await found('event_type=alert.*')).toEqual(only);
    expect(await found('event_type=aler.*')).toEqual([]);
    expect(await found('severity=info&event_type=content.*')).toEqual([plain.audit_id]);
    expect(await found('is_sensitive=false&event_type=content.publish')).toEqual([plain.audit_id]);
    expect(await found('from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00.001Z')).toEqual(only);
    expect(await found('to=2026-03-01T12:00:00Z')).toEqual([]);
    expect(await found('sequence_from=1&sequence_to=1')).toEqual(only);
    expect(await found('sequence_from=2')).toEqual([plain.audit_id]);
    expect(await found(`ingested_from=${chained[0].ingested_at}&event_type=alert.*`)).toEqual(only);
    expect(await found(`ingested_to=${chained[0].ingested_at}`)).toEqual([]);
  });

  it('filters by several values, by what events must not have, and by what no column holds', async () => {
    const tenant_id = 'derived';
    const key = await http.key([tenant_id], 'events:read');
    const [one, two] = [
      event({ tenant_id, source_ip: '10.1.2.3', metadata: { platform: 'web', http: { status: 200 } } }),
      event({
        tenant_id,
        actor_type: 'agent',
        actor_id: 'bot',
        entity_ids: ['host-1'],
        severity: 'critical',
      }),
    ];
    await http.ingest([one, two]);
    const found = async (query: string) =>
      ids((await list(`event_type=${one.event_type}&${query}`, key)).events);
    const all = [two.audit_id, one.audit_id];
    expect(await found(`actor_id=bot&actor_id=${one.actor_id}`)).toEqual(all);
    expect(await found('severity=critical&severity=info')).toEqual(all);
    expect(await found('actor=agent:bot')).toEqual([two.audit_id]);
    expect(await found('actor=user:bot')).toEqual([]);
    expect(await found('not.actor=agent:bot')).toEqual([one.audit_id]);
    expect(await found('not.severity=info')).toEqual([two.audit_id]);
    expect(await found('source_ip=10.0.0.0%2F8')).toEqual([one.audit_id]);
    expect(await found('not.source_ip=10.0.0.0%2F8')).toEqual([two.audit_id]);
    expect(await found('metadata.platform=web&metadata.http.status=200')).toEqual([one.audit_id]);
    expect(await found('metadata.platform=web&metadata.http.status=404')).toEqual([]);
    expect(await found('not.metadata.platform=web')).toEqual([two.audit_id]);
    expect(await found('entity_ids=host-1&entity_ids=host-2')).toEqual([two.audit_id]);
    const page = await list('metadata.platform=web', key);
    expect(page).toEqual({ events: [expect.objectContaining({ audit_id: one.audit_id })] });
    // Nothing is said about a sensitive event: a filter by its content does not find it, and neither does a negation.
    await http.ingest([
      event({ tenant_id, is_sensitive: true, metadata: { platform: 'web' }, source_ip: '10.9.9.9' }),
    ]);
    expect(await found('metadata.platform=web')).toEqual([one.audit_id]);
    expect(await found('not.metadata.platform=mobile')).toEqual(all);
    expect(await found('source_ip=10.0.0.0%2F8')).toEqual([one.audit_id]);
  });

  it('searches the texts of events, and names the place of a fault', async () => {
    const tenant_id = 'searched';
    const key = await http.key([tenant_id], 'events:read');
    const [one, two] = [
      event({ tenant_id, source_ip: '10.1.2.3', metadata: { note: 'third failed login' } }),
      event({ tenant_id, metadata: { note: 'login of maria@example.com' }, severity: 'critical' }),
    ];
    await http.ingest([one, two, event({ tenant_id, is_sensitive: true, metadata: { note: 'login' } })]);
    const found = async (q: string, more = '') =>
      ids((await list(`q=${encodeURIComponent(q)}${more}`, key)).events);
    expect(await found('login')).toEqual([two.audit_id, one.audit_id]);
    expect(await found('login -third')).toEqual([two.audit_id]);
    expect(await found('"failed login" 10.0.0.0/8')).toEqual([one.audit_id]);
    expect(await found('login', '&severity=critical')).toEqual([two.audit_id]);
    const refused = await http.get(`/v1/audit/events?q=${encodeURIComponent('login colour:red')}`, key);
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({
      code: 'PARAMETER_INVALID',
      errors: [{ code: 'SEARCH_FIELD_UNKNOWN', pointer: '/q' }],
    });
    const page = await http.get('/v1/audit/events?q=login&limit=1', key);
    const { next_cursor } = page.json;
    expect((await http.get(`/v1/audit/events?q=other&limit=1&cursor=${next_cursor}`, key)).status).toBe(400);
  });

  it.each([
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=1e2', '/limit'],
    ['limit=5&limit=6', '/limit'],
    ['order=up', '/order'],
    ['colour=red', '/colour'],
    ['severity=loud', '/severity'],
    ['from=yesterday', '/from'],
    ['from=2026-02-30T00:00:00Z', '/from'],
    ['event_type=*', '/event_type'],
    ["event_type=a'--.*", '/event_type'],
    ['tenant_id=a%2Fb', '/tenant_id'],
    ['sequence_from=9007199254740993', '/sequence_from'],
    ['is_sensitive=yes', '/is_sensitive'],
    ['include=all', '/include'],
    ['severity=info&severity=loud', '/severity'],
    ['not.severity=loud', '/not.severity'],
    ['from=2026-02-01T00:00:00Z&from=2026-02-02T00:00:00Z', '/from'],
    ['not.from=2026-02-01T00:00:00Z', '/not.from'],
    ['source_ip=10.0.0', '/source_ip'],
    ['source_ip=10.0.0.0/33', '/source_ip'],
    ['source_ip=10.0.0.0/8/8', '/source_ip'],
    ['metadata=x', '/metadata'],
    ['metadata.=x', '/metadata.'],
    ['metadata.a=', '/metadata.a'],
    ['payload.a=x', '/payload.a'],
    ['not.not.metadata.a=x', '/not.not.metadata.a'],
    [`metadata.a=${'x'.repeat(513)}`, '/metadata.a'],
    [`metadata.${'x'.repeat(257)}=x`, `/metadata.${'x'.repeat(257)}`],
    [Array.from({ length: 51 }, (_, at) => `actor_id=${at}`).join('&'), '/actor_id'],
    [Array.from({ length: 21 }, (_, at) => `metadata.m${at}=x`).join('&'), '/metadata.m0'],
  ])('refuses ?%s and says which parameter', async (query, pointer) => {
    const answer = await http.get(`/v1/audit/events?${query}`, reader);
    expect([answer.status, answer.json.code]).toEqual([400, 'PARAMETER_INVALID']);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });

  it('cuts a page of huge events by bytes and still says that there is more', async () => {
    const tenant_id = 'huge';
    const note = 'x'.repeat(200_000);
    for (let at = 0; at < 5; at++) {
      await http.ingest(Array.from({ length: 10 }, () => event({ tenant_id, context: { note } })));
    }
    const seen: unknown[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await list(
        `tenant_id=${tenant_id}&limit=1000${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        http.admin,
      );
      seen.push(...page.events.map((one) => one.sequence_number));
      cursor = page.next_cursor;
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBeGreaterThan(1);
    expect(seen).toEqual(Array.from({ length: 51 }, (_, at) => 50 - at));
  });

  it('is empty for a tenant without a chain, and begins none', async () => {
    expect(await list('tenant_id=nobody', http.admin)).toEqual({ events: [] });
    const { tenants } = (await http.get('/v1/tenants')).json;
    expect(tenants.map((one: View) => one.tenant_id)).not.toContain('nobody');
  });
});

describe('sensitive events', () => {
  it('show no content without the scope, on every route', async () => {
    const tenant_id = 'secret';
    const one = event({
      tenant_id,
      is_sensitive: true,
      actor_id: 'informant',
      context: { name: 'informant' },
    });
    const { receipt } = (await http.ingest([one])).json.results[0];
    const low = await http.key([tenant_id], 'events:read', 'log:read');
    const high = await http.key([tenant_id], 'events:read', 'events:read-sensitive', 'log:read');
    const redacted = {
      ...receipt,
      previous_hash: expect.any(String),
      is_sensitive: true,
      redacted: true,
    };
    expect((await list('include=record', low)).events[0]).toEqual(redacted);
    expect((await http.get(`/v1/audit/events/${one.audit_id}?include=record`, low)).json).toEqual(redacted);
    expect((await http.get(`/v1/logs/${tenant_id}/receipt/${one.audit_id}`, low)).text).not.toContain(
      'extra ',
    );
    expect((await http.get(`/v1/logs/${tenant_id}/bundle`, low)).status).toBe(403);
    expect((await list('', high)).events[0]).toMatchObject(one);
    expect((await http.get(`/v1/logs/${tenant_id}/receipt/${one.audit_id}`, high)).text).toContain('extra ');
    expect((await http.get(`/v1/logs/${tenant_id}/bundle`, high)).status).toBe(200);
  });

  // A redacted row in a filtered list would disclose that the filter matches. A reader could so find out its fields.
  it('cannot be guessed by filters', async () => {
    const low = await http.key(['secret'], 'events:read');
    expect((await list('actor_id=informant', low)).events).toEqual([]);
    expect((await list('event_type=content.publish', low)).events).toEqual([]);
    expect((await list('is_sensitive=true', low)).events).toHaveLength(1);
  });
});

describe('one event', () => {
  it('is found by its id alone, and 404 otherwise', async () => {
    const one = event();
    await http.ingest([one]);
    expect((await http.get(`/v1/audit/events/${one.audit_id}`, reader)).json).toMatchObject(one);
    const unknown = await http.get('/v1/audit/events/00000000-0000-7000-8000-000000000000', reader);
    expect([unknown.status, unknown.json.code]).toEqual([404, 'NOT_FOUND']);
    expect((await http.get('/v1/audit/events/nope', reader)).json.errors[0].pointer).toBe('/audit_id');
  });

  it('is read from the record and never from columns; a row whose bytes are no longer a record is marked as damaged', async () => {
    const tenant_id = 'damaged';
    const [a, b] = [event({ tenant_id }), event({ tenant_id, is_sensitive: true })];
    await http.ingest([a, b]);
    await http.tamper(`update audit_records set actor_id = 'mallory' where audit_id = '${a.audit_id}'`);
    expect((await http.get(`/v1/audit/events/${a.audit_id}?tenant_id=${tenant_id}`)).json.actor_id).toBe(
      'ann',
    );
    await http.tamper(`update audit_records set record = '{}' where audit_id = '${a.audit_id}'`);
    const damaged = (await http.get(`/v1/audit/events/${a.audit_id}?tenant_id=${tenant_id}`)).json;
    expect(damaged).toMatchObject({ damaged: true, audit_id: a.audit_id });
    // A changed is_sensitive column discloses nothing either.
    await http.tamper(`update audit_records set is_sensitive = false where audit_id = '${b.audit_id}'`);
    const low = await http.key([tenant_id], 'events:read');
    expect((await http.get(`/v1/audit/events/${b.audit_id}`, low)).json).toMatchObject({ redacted: true });
  });
});
