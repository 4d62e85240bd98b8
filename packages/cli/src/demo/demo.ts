import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpTransport } from '@tallystick/sdk/http';
import { type Finding, verifyBundle, verifyReceipt } from '@tallystick/verify';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { findSourceFiles } from '../import/files.ts';
import { formats } from '../import/formats.ts';
import { type ImportTotals, importFiles } from '../import/run.ts';
import { missingRecords } from '../terminal/missing-records.ts';
import { attacks } from './attacks.ts';
import { Narrator } from './narrator.ts';
import { logName, type Places, placesIn, type RunningService, startService } from './running-service.ts';
import { kubernetesAuditLog } from './sample-log.ts';
import { type Evidence, tamper } from './tamper.ts';
import { emitEverything, tenants } from './trail.ts';

/** The tenant whose records the attacker is after, and the record. */
const victim = { tenantId: tenants[0], sequence: 137, logName };

/**
 * The whole story on real parts: emit, import, query, verify, prove, and then an attacker with full access to the
 * database. Everything happens in one temporary directory, which is removed at the end.
 *
 * @returns exit code: 0 only if everything that must be found was found
 */
export async function runDemo(context: Context, options: { readonly keep?: boolean }): Promise<number> {
  const { terminal, surroundings } = context;
  const directory = mkdtempSync(join(tmpdir(), 'tallystick-demo-'));
  const places = placesIn(directory);
  const auditor = join(directory, 'auditor');
  mkdirSync(auditor);
  const narrator = new Narrator(terminal);
  try {
    await narrator.title('Tallystick', 'an audit trail that nobody can quietly change');
    let evidence: Evidence;
    {
      await narrator.chapter('An audit service, in process: no server, no broker, one directory');
      await using running = await startService(places);
      await narrator.done('start', `listening on ${running.url}, Postgres in process`, { url: running.url });
      await emit(running, narrator);
      await importLog(running, narrator, directory, surroundings);
      await query(running, narrator);
      evidence = await prove(running, narrator, auditor);
    }
    await attack(narrator, places, evidence);
    await narrator.end('Every attack was caught, named and located.', {
      ok: true,
      attacks_caught: attacks.length,
    });
    if (options.keep === true) await keepUp(context, places, directory);
    return exitCodes.ok;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function emit(running: RunningService, narrator: Narrator): Promise<void> {
  await narrator.chapter('Services and agents emit through the SDK');
  const emitted = await emitEverything(() => httpTransport({ url: running.url, apiKey: running.key }));
  if (emitted.delivered !== emitted.events) throw new Error('not every event was delivered');
  const { events, emitters, milliseconds } = emitted;
  await narrator.done(
    'emit',
    `${emitters} emitters of ${tenants.length} tenants at once: ${events} events chained in ${milliseconds} ms`,
    { ...emitted, tenants },
  );
}

async function importLog(
  running: RunningService,
  narrator: Narrator,
  directory: string,
  surroundings: Context['surroundings'],
): Promise<void> {
  await narrator.chapter('A Kubernetes audit log is imported, twice');
  const file = join(directory, 'audit.log');
  writeFileSync(file, kubernetesAuditLog());
  for (const round of ['first', 'second'] as const) {
    const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
    await importFiles(
      await findSourceFiles([file], surroundings),
      {
        format: formats['k8s-audit'],
        map: { tenantOf: () => victim.tenantId },
        now: surroundings.now,
        submit: (events) => running.service.submit({ events, source: 'import:k8s-audit', trust: 'operator' }),
        onRejected: (rejection) => {
          throw new Error(`${rejection.code}: ${rejection.reason}`);
        },
      },
      totals,
    );
    const { imported, duplicate, rejected } = totals;
    await narrator.done(
      `import-${round}`,
      `${imported} imported, ${duplicate} duplicate, ${rejected} rejected`,
      {
        imported,
        duplicate,
        rejected,
      },
    );
  }
  const { events } = await running.get<{
    events: { event_data: { source_payload: { original: string } } }[];
  }>(`/v1/audit/events?tenant_id=${victim.tenantId}&event_type=k8s.*&order=asc&limit=1`);
  const original = events[0]?.event_data.source_payload.original;
  if (original !== readFileSync(file, 'utf8').split('\n')[0])
    throw new Error('the original was not kept byte for byte');
  await narrator.aside('the original line is kept byte for byte, 9007199254740993 included');
}

async function query(running: RunningService, narrator: Narrator): Promise<void> {
  await narrator.chapter('Questions are answered from the trail alone');
  const { events } = await running.get<{
    events: { event_type: string; actor_id: string; target_id: string }[];
  }>(`/v1/audit/events?tenant_id=${victim.tenantId}&correlation_id=investigation-7&limit=1000`);
  if (events.length === 0) throw new Error('the query found nothing');
  const actors = new Set(events.map((event) => event.actor_id)).size;
  await narrator.done('query', `investigation-7: ${events.length} actions by ${actors} agents`, {
    found: events.length,
    actors,
  });
}

/** The auditor takes what must not stay where the records are: a checkpoint, the key, a receipt. */
async function prove(running: RunningService, narrator: Narrator, auditor: string): Promise<Evidence> {
  await narrator.chapter('An auditor takes a checkpoint, the public key and a receipt home');
  const checkpoint = await running.get<string>(`/v1/logs/${victim.tenantId}/checkpoint?fresh=true`);
  const { key } = (await running.service.logs.verifierKeys(victim.tenantId))[0]!;
  writeFileSync(join(auditor, 'checkpoint'), checkpoint);
  writeFileSync(join(auditor, 'key'), `${key}\n`);

  const bundle = await fetch(new URL(`/v1/logs/${victim.tenantId}/bundle`, running.url), {
    headers: { authorization: `Bearer ${running.key}` },
  });
  if (bundle.body === null || !bundle.ok) throw new Error(`the bundle answered ${bundle.status}`);
  const report = await verifyBundle(bundle.body, { keys: [key] });
  if (report.verdict !== 'verified') throw new Error(`the genuine trail is ${report.verdict}`);
  await narrator.done('verify', `${report.records} records verified, covered to ${report.covered_to}`, {
    ...report,
  });

  const { events } = await running.get<{ events: { audit_id: string }[] }>(
    `/v1/audit/events?tenant_id=${victim.tenantId}&sequence_from=${victim.sequence}&sequence_to=${victim.sequence}`,
  );
  const receipt = await running.get<string>(`/v1/logs/${victim.tenantId}/receipt/${events[0]!.audit_id}`);
  writeFileSync(join(auditor, 'receipt.tlog-proof'), receipt);
  const proven = await verifyReceipt(receipt, { keys: [key] });
  if (proven.verdict !== 'verified') throw new Error(`the receipt is ${proven.verdict}`);
  await narrator.done(
    'receipt',
    `receipt of record ${proven.sequence_number} checked offline, with nothing but the key`,
    {
      verdict: proven.verdict,
      sequence_number: proven.sequence_number,
    },
  );
  return { checkpoint, key };
}

async function attack(narrator: Narrator, places: Places, evidence: Evidence): Promise<void> {
  await narrator.chapter('An attacker gets the whole database, superuser and all');
  await tamper(places.trail, victim, evidence, async ({ attack: crime, report, finding }) => {
    if (report.verdict !== 'broken') throw new Error(`${crime.name} went unnoticed: ${report.verdict}`);
    await narrator.caught(crime, evidenceOf(finding), {
      verdict: report.verdict,
      finding,
      findings: report.findings.length,
    });
  });
}

/** The finding with its place, in words where there are any. */
function evidenceOf(finding: Finding): string {
  const missing = missingRecords(finding);
  if (missing !== undefined) return `${finding.code}: ${missing}`;
  const place = finding.sequence_number === null ? '' : ` at record ${finding.sequence_number}`;
  return `${finding.code}${place}${difference(finding)}`;
}

/** What was expected and found, where a person can read it at a glance. */
function difference({ expected, found }: Finding): string {
  if (expected === undefined || found === undefined || expected.length + found.length > 40) return '';
  return `: expected ${expected}, found ${found}`;
}

async function keepUp(context: Context, places: Places, directory: string): Promise<void> {
  const { terminal, surroundings } = context;
  await using running = await startService(places);
  const facts = { url: running.url, key: running.key, directory };
  if (terminal.json) await terminal.jsonLine({ step: 'kept', ...facts });
  else {
    await terminal.line();
    await terminal.line(`  The service is up at ${running.url}; stop it with Ctrl-C. Try:`);
    await terminal.line(`    export TALLYSTICK_URL=${running.url} TALLYSTICK_API_KEY=${running.key}`);
    await terminal.line(`    npx tally events --tenant ${victim.tenantId}`);
    await terminal.line(`    npx tally verify --tenant ${victim.tenantId}`);
  }
  if (surroundings.stopped.aborted) return;
  await new Promise<void>((resolve) => {
    // A listener alone keeps no process alive; the service's socket does.
    surroundings.stopped.addEventListener('abort', () => resolve(), { once: true });
  });
}
