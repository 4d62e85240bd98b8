import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptChecks, keptFindings } from '../../../../src/proofs/verification/history.ts';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ limits: { maxVerifyRecords: 700 } });
});
afterAll(() => http[Symbol.asyncDispose]());

async function chain(tenant_id: string, count: number): Promise<void> {
  await http.ingest(Array.from({ length: count }, () => event({ tenant_id })));
  await http.get(`/v1/logs/${tenant_id}/checkpoint?fresh=true`);
}

const verify = async (tenant: string, query = '') => {
  const answer = await http.get(`/v1/audit/verify?tenant_id=${tenant}${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

describe('an honest chain', () => {
  it('is verified, by sequence and by time, in parts, and the result is kept', async () => {
    await chain('honest', 600);
    expect(await verify('honest')).toMatchObject({
      verdict: 'verified',
      records: 601,
      first: 0,
      last: 600,
      covered_to: 600,
      unsigned_tail: 0,
      complete: true,
      findings: [],
    });
    for (const [from, to] of [
      [0, 0],
      [1, 1],
      [255, 257],
      [300, 600],
      [600, 600],
      [17, 511],
    ]) {
      const report = await verify('honest', `&sequence_from=${from}&sequence_to=${to}`);
      expect(report, `${from} to ${to}`).toMatchObject({
        verdict: 'verified',
        first: from,
        last: to,
        covered_to: to,
        records: to! - from! + 1,
      });
    }
    const all = await verify('honest', '&ingested_from=2020-01-01T00:00:00Z');
    expect(all).toMatchObject({ verdict: 'verified', records: 601 });
    const [kept] = await http.service.database.query<{ count: number; last: string }>(
      { role: 'writer' },
      "select count(*) as count, max(verdict) as last from audit_verification_log where tenant_id = 'honest'",
      [],
    );
    expect(kept).toEqual({ count: 8, last: 'verified' });
  });

  it('says what is not signed yet, and signs it when asked', async () => {
    await http.ingest(Array.from({ length: 3 }, () => event({ tenant_id: 'honest' })));
    expect(await verify('honest')).toMatchObject({
      verdict: 'verified',
      covered_to: 600,
      unsigned_tail: 3,
      last: 603,
    });
    const tail = await verify('honest', '&sequence_from=601');
    expect(tail).toMatchObject({
      verdict: 'not_verifiable',
      covered_to: null,
      findings: [{ code: 'NOTHING_COVERED' }],
    });
    expect(await verify('honest', '&fresh=true')).toMatchObject({ covered_to: 603, unsigned_tail: 0 });
  });

  it('is checked in parts if it is long', async () => {
    await chain('long', 800);
    const first = await verify('long');
    expect(first).toMatchObject({ verdict: 'verified', complete: false, next_sequence: 700, last: 699 });
    const rest = await verify('long', `&sequence_from=${first.next_sequence}`);
    expect(rest).toMatchObject({ verdict: 'verified', complete: true, first: 700, last: 800 });
  });

  it('that is empty, or not there, is never verified', async () => {
    expect(await verify('honest', '&sequence_from=5000')).toMatchObject({
      verdict: 'not_verifiable',
      records: 0,
    });
    expect(await verify('honest', '&ingested_to=2020-01-01T00:00:00Z')).toMatchObject({
      verdict: 'not_verifiable',
    });
    expect((await http.get('/v1/audit/verify?tenant_id=nobody')).status).toBe(404);
  });
});

describe('a tampered chain', () => {
  // Whether the field index and the hourly counts have the rows yet, and so contradict them, depends on their followers.
  const codes = (report: { findings: { code: string; sequence_number: number }[] }) =>
    report.findings
      .filter(({ code }) => code !== 'INDEX_MISMATCH' && code !== 'COUNT_MISMATCH')
      .map(({ code, sequence_number }) => `${code} ${sequence_number}`);

  it.each<[string, (tenant: string) => string[], string[]]>([
    [
      'an edited record',
      (t) => [
        `update audit_records set record = replace(record, '"ann"', '"eve"') where tenant_id = '${t}' and sequence_number = 7`,
      ],
      ['RECORD_HASH_MISMATCH 7', 'COLUMN_MISMATCH 7', 'CHECKPOINT_ROOT_MISMATCH 20'],
    ],
    [
      'an edited record with a fresh hash',
      (t) => [
        `update audit_records set record = replace(record, '"ann"', '"eve"'), actor_id = 'eve' where tenant_id = '${t}' and sequence_number = 7`,
        `update audit_records set record_hash = sha256(record::bytea) where tenant_id = '${t}' and sequence_number = 7`,
      ],
      ['CHAIN_LINK_BROKEN 8', 'CHECKPOINT_ROOT_MISMATCH 20'],
    ],
    [
      'an edited column',
      (t) => [`update audit_records set actor_id = 'eve' where tenant_id = '${t}' and sequence_number = 7`],
      ['COLUMN_MISMATCH 7'],
    ],
    [
      'a deleted record',
      (t) => [`delete from audit_records where tenant_id = '${t}' and sequence_number = 7`],
      ['SEQUENCE_GAP 8'],
    ],
    [
      'a tail cut off',
      (t) => [`delete from audit_records where tenant_id = '${t}' and sequence_number > 15`],
      ['HEAD_MISMATCH 16'],
    ],
    [
      'a tail cut off, the head with it',
      (t) => [
        `delete from audit_records where tenant_id = '${t}' and sequence_number > 15`,
        `update audit_chain_state set last_sequence = 15, frontier = (select substring(frontier from 1 for 32) from audit_chain_state where tenant_id = '${t}'),
         last_hash = (select record_hash from audit_records where tenant_id = '${t}' and sequence_number = 15) where tenant_id = '${t}'`,
      ],
      ['CHECKPOINT_ROOT_MISMATCH 20', 'HEAD_MISMATCH 16'],
    ],
    [
      'an altered head',
      (t) => [`update audit_chain_state set last_hash = sha256('x') where tenant_id = '${t}'`],
      ['HEAD_MISMATCH 20'],
    ],
    [
      'everything gone',
      (t) => [
        `delete from audit_records where tenant_id = '${t}'`,
        `delete from audit_chain_state where tenant_id = '${t}'`,
      ],
      ['HEAD_MISMATCH 0'],
    ],
  ])('%s is found and located', async (what, statements, expected) => {
    const tenant = what.replaceAll(/\W/g, '-');
    await chain(tenant, 20);
    expect((await verify(tenant)).verdict).toBe('verified');
    await http.tamper(...statements(tenant));
    const report = await verify(tenant);
    expect(report.verdict).toBe('broken');
    expect(report.covered_to).toBeNull();
    expect(codes(report)).toEqual(expected);
  });

  // Another system's verify endpoint returned the hash that a tampered row should have had, which a forger needs.
  it('never shows which hash would have been right', async () => {
    const report = await verify('an-edited-record');
    const finding = report.findings.find((one: { code: string }) => one.code === 'RECORD_HASH_MISMATCH');
    expect(finding).toEqual({ code: 'RECORD_HASH_MISMATCH', sequence_number: 7 });
    const link = (await verify('an-edited-record-with-a-fresh-hash')).findings[0];
    expect(link).toEqual({ code: 'CHAIN_LINK_BROKEN', sequence_number: 8, found: expect.any(String) });
  });

  it('is found from a part that lies before or behind the forged record, through the signed root', async () => {
    await chain('rewritten', 20);
    await http.tamper(
      `update audit_records set record_hash = sha256('x'), record = record where tenant_id = 'rewritten' and sequence_number = 3`,
    );
    expect((await verify('rewritten', '&sequence_from=10&sequence_to=12')).verdict).toBe('broken');
    expect((await verify('rewritten', '&sequence_from=0&sequence_to=1')).verdict).toBe('broken');
  });
});

describe('the history', () => {
  const history = async (query: string) => (await http.get(`/v1/audit/verifications?${query}`)).json;
  const tenantInfo = async (tenant: string) =>
    (await http.get(`/v1/tenants?tenant_id=${tenant}`)).json.tenants[0];

  it('says who checked what with which verdict, the newest first, page by page', async () => {
    await chain('watched', 800);
    expect(await tenantInfo('watched')).toMatchObject({ signed_size: 801, last_verification: null });
    const { key, id } = await http.service.keys.create({ name: 'auditor', scopes: ['log:read'] });
    const asAuditor = (query: string) => http.get(`/v1/audit/verify?tenant_id=watched${query}`, key);
    await asAuditor('');
    // Another caller's check of the same place begins a run of its own.
    await verify('watched', '&sequence_from=700');
    await asAuditor('&sequence_from=700');
    const first = await history('tenant_id=watched&limit=2');
    const { verifications: rest, next_cursor } = await history(
      `tenant_id=watched&limit=2&cursor=${first.next_cursor}`,
    );
    expect(next_cursor).toBeUndefined();
    const [end, other] = first.verifications;
    const [start] = rest;
    expect(end).toMatchObject({
      ...{ tenant_id: 'watched', checked_by: `key:${id}`, verdict: 'verified', run_id: start.id },
      ...{ first: 700, last: 800, records: 101, findings: 0, first_finding: null, whole: true },
    });
    expect(Date.parse(end.checked_at)).toBeGreaterThan(Date.now() - 60_000);
    expect(other).toMatchObject({ run_id: other.id, first: 700, whole: false });
    expect(other.checked_by).not.toBe(end.checked_by);
    expect(start).toMatchObject({ run_id: start.id, first: 0, last: 699, whole: false });
    expect((await tenantInfo('watched')).last_verification).toEqual({
      ...{ verdict: 'verified', checked_at: end.checked_at, size: 801 },
    });
    expect((await history(`tenant_id=honest&cursor=${first.next_cursor}`)).code).toBe('PARAMETER_INVALID');
  });

  it('keeps the worst verdict of a run, and a part is no check of the whole chain', async () => {
    await chain('scarred', 800);
    await http.tamper(
      `update audit_records set record = replace(record, '"actor_id"', '"actor_ix"') where tenant_id = 'scarred' and sequence_number = 3`,
    );
    await verify('scarred', '&sequence_from=0&sequence_to=5');
    await verify('scarred', '&sequence_from=10');
    expect((await tenantInfo('scarred')).last_verification).toBe(null);
    expect((await verify('scarred')).verdict).toBe('broken');
    expect((await verify('scarred', '&sequence_from=700')).verdict).toBe('verified');
    const [last, before] = (await history('tenant_id=scarred')).verifications;
    expect(last).toMatchObject({ verdict: 'verified', whole: true, run_id: before.id });
    expect(before).toMatchObject({ verdict: 'broken', first_finding: { sequence_number: 3 } });
    expect(before.findings).toBeGreaterThan(0);
    expect((await tenantInfo('scarred')).last_verification.verdict).toBe('broken');
  });

  // A report that was edited in the database made each check of its tenant answer 500, and the list of all tenants.
  it('that somebody has edited in the database prevents no check, and hides no other entry', async () => {
    await chain('edited', 5);
    const edits = [
      `report = '{"next_sequence":"x","last":"x","epoch":[],"first":{},"records":"many","unsigned_tail":1e99,"findings":7}'`,
      `report = '{"next_sequence":1e99,"last":1e99,"epoch":1e99,"findings":[7]}'`,
      `report = 'null'`,
      `verified_at = 'infinity', run_verdict = 'perfect', verdict = 'perfect'`,
    ];
    for (const edit of edits) {
      await verify('edited');
      await http.tamper(
        `update audit_verification_log set ${edit}
          where id = (select max(id) from audit_verification_log where tenant_id = 'edited')`,
      );
      expect((await tenantInfo('edited')).tenant_id, edit).toBe('edited');
      expect((await verify('edited', '&sequence_from=3')).verdict, edit).toBe('verified');
    }
    const page = await http.get('/v1/audit/verifications?tenant_id=edited');
    expect(page.status, page.text).toBe(200);
    expect(page.json.verifications.map(({ records }: { records: number }) => records)).toEqual([3, 3, 3, 3]);
  });

  // Each check was kept for ever: a key that may check a chain could fill the disk.
  it('keeps the newest checks of a tenant, those that found something for longer, and the newest of the whole chain', async () => {
    await chain('busy', 3);
    await chain('calm', 3);
    await verify('calm');
    await verify('busy');
    const { checked_at } = (await tenantInfo('busy')).last_verification;
    const entry = (verdict: string, count: number) =>
      `insert into audit_verification_log (tenant_id, verdict, report)
       select 'busy', '${verdict}', '{}' from generate_series(1, ${count})`;
    await http.tamper(entry('verified', 5), entry('broken', keptFindings + 2), entry('verified', keptChecks));
    await verify('busy', '&sequence_from=1');
    const kept = await http.service.database.query<{ tenant_id: string; verdict: string; count: number }>(
      { role: 'writer' },
      `select tenant_id, verdict, count(*)::integer as count from audit_verification_log
        where tenant_id in ('busy', 'calm') group by 1, 2 order by 1, 2`,
      [],
    );
    expect(kept).toEqual([
      { tenant_id: 'busy', verdict: 'broken', count: keptFindings },
      { tenant_id: 'busy', verdict: 'verified', count: keptChecks + 1 },
      { tenant_id: 'calm', verdict: 'verified', count: 1 },
    ]);
    expect((await tenantInfo('busy')).last_verification).toEqual({
      verdict: 'verified',
      checked_at,
      size: 4,
    });
  });

  it('is that of one tenant, for a key that may read it', async () => {
    const { key } = await http.service.keys.create({
      ...{ name: 'neighbour', scopes: ['log:read', 'events:read'], tenants: ['neighbour'] },
    });
    const foreign = await http.get('/v1/audit/verifications?tenant_id=watched', key);
    expect([foreign.status, foreign.json.code]).toEqual([403, 'FORBIDDEN']);
    expect((await http.get('/v1/tenants?tenant_id=watched', key)).status).toBe(403);
    expect((await http.get('/v1/audit/verifications', key)).json).toEqual({ verifications: [] });
  });
});
