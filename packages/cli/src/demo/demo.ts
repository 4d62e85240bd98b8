import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpTransport } from '@tallystick/sdk/http';
import { type Finding, verifyBundle, verifyReceipt } from '@tallystick/verify';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { untilStopped } from '../process-context.ts';
import { missingRecords } from '../terminal/missing-records.ts';
import { attacks } from './attacks.ts';
import { importTwice } from './import-log.ts';
import { Narrator } from './narrator.ts';
import {
  type Directories,
  directoriesIn,
  logName,
  type RunningService,
  startService,
} from './running-service.ts';
import { type Evidence, tamper } from './tamper.ts';
import { emitEverything, tenants } from './trail.ts';

/** The tenant whose chain is attacked, and the record that the attacker wants to change or lose. */
const victim = { tenantId: tenants[0], sequence: 137, logName };

/**
 * The whole story with real parts: emit, import, query, verify, prove, and then an attacker with full access to the
 * database. Everything happens in one temporary directory, which is removed at the end.
 *
 * @returns the exit code: 0 only if every attack was found
 */
export async function runDemo(context: Context, options: { readonly keep?: boolean }): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tallystick-demo-'));
  const directories = directoriesIn(directory);
  const narrator = new Narrator(context.terminal);
  try {
    await narrator.title('Tallystick', 'an audit trail that nobody can change unnoticed');
    let evidence: Evidence;
    {
      await narrator.chapter('Start an audit service in this process: no server, no broker, one directory');
      await using running = await startService(directories);
      const started = `listening on ${running.url}, with PostgreSQL in the same process`;
      await narrator.done('start', started, { url: running.url });
      await emit(running, narrator);
      await importTwice(running, narrator, { directory, tenantId: victim.tenantId, context });
      await query(running, narrator);
      evidence = await prove(running, narrator, directory);
    }
    await attack(narrator, directories, evidence);
    await narrator.end('Every attack was found and located.', { ok: true, attacks_caught: attacks.length });
    if (options.keep === true) await keepRunning(context, directories, directory);
    return exitCodes.ok;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function emit({ url, key }: RunningService, narrator: Narrator): Promise<void> {
  await narrator.chapter('Services and agents emit events through the SDK');
  const emitted = await emitEverything(() => httpTransport({ url, apiKey: key }));
  if (emitted.delivered !== emitted.events) throw new Error('not every event was delivered');
  const { events, emitters, milliseconds } = emitted;
  await narrator.done(
    'emit',
    `${emitters} emitters of ${tenants.length} tenants at once: ${events} events chained in ${milliseconds} ms`,
    { ...emitted, tenants },
  );
}

async function query({ client }: RunningService, narrator: Narrator): Promise<void> {
  await narrator.chapter('Answer a question from the trail');
  const filters = { correlation_id: 'investigation-7' };
  const { events } = await client.events.list({ tenant_id: victim.tenantId, filters, limit: 1_000 });
  if (events.length === 0) throw new Error('the query found nothing');
  const actors = new Set(events.map((event) => event.actor_id)).size;
  await narrator.done('query', `investigation-7: ${events.length} actions by ${actors} agents`, {
    found: events.length,
    actors,
  });
}

/** The auditor takes what must be kept away from the records: a checkpoint, the verifier key and a receipt. */
async function prove({ client }: RunningService, narrator: Narrator, directory: string): Promise<Evidence> {
  await narrator.chapter('An auditor takes a checkpoint, the public key and a receipt away');
  const { tenantId, sequence } = victim;
  const auditor = join(directory, 'auditor');
  mkdirSync(auditor);
  const checkpoint = await client.logs.checkpoint(tenantId, { fresh: true });
  const { key } = (await client.logs.keys(tenantId)).keys[0]!;
  writeFileSync(join(auditor, 'checkpoint'), checkpoint);
  writeFileSync(join(auditor, 'key'), `${key}\n`);

  const report = await verifyBundle(client.logs.bundle(tenantId), { keys: [key] });
  if (report.verdict !== 'verified') throw new Error(`the genuine trail is ${report.verdict}`);
  const verified = `${report.records} records verified, signed up to #${report.covered_to}`;
  await narrator.done('verify', verified, { ...report });

  const filters = { sequence_from: sequence, sequence_to: sequence };
  const { events } = await client.events.list({ tenant_id: tenantId, filters });
  const receipt = await client.logs.receipt(tenantId, String(events[0]!.audit_id));
  writeFileSync(join(auditor, 'receipt.tlog-proof'), receipt);
  const proven = await verifyReceipt(receipt, { keys: [key] });
  if (proven.verdict !== 'verified') throw new Error(`the receipt is ${proven.verdict}`);
  await narrator.done(
    'receipt',
    `receipt of record ${proven.sequence_number} verified offline, with only the key`,
    { verdict: proven.verdict, sequence_number: proven.sequence_number },
  );
  return { checkpoint, key };
}

async function attack(narrator: Narrator, directories: Directories, evidence: Evidence): Promise<void> {
  await narrator.chapter('An attacker gets the whole database, with superuser rights');
  await tamper(directories.trail, victim, evidence, async ({ attack: crime, report, finding }) => {
    if (report.verdict !== 'broken') throw new Error(`${crime.name} was not found: ${report.verdict}`);
    await narrator.caught(crime, describeFinding(finding), {
      verdict: report.verdict,
      finding,
      findings: report.findings.length,
    });
  });
}

/** The finding, where it is, and the values if they are short. */
function describeFinding(finding: Finding): string {
  const missing = missingRecords(finding);
  if (missing !== undefined) return `${finding.code}: ${missing}`;
  const place = finding.sequence_number === null ? '' : ` at record ${finding.sequence_number}`;
  return `${finding.code}${place}${difference(finding)}`;
}

function difference({ expected, found }: Finding): string {
  if (expected === undefined || found === undefined || expected.length + found.length > 40) return '';
  return `: expected ${expected}, found ${found}`;
}

async function keepRunning(context: Context, directories: Directories, directory: string): Promise<void> {
  const { terminal, processContext } = context;
  await using running = await startService(directories);
  const facts = { url: running.url, key: running.key, directory };
  if (terminal.json) await terminal.jsonLine({ step: 'kept', ...facts });
  else {
    await terminal.line();
    await terminal.line(
      `  The service still runs on ${running.url}. Press Ctrl-C to stop it. In another terminal:`,
    );
    await terminal.line(`    export TALLYSTICK_URL=${running.url} TALLYSTICK_API_KEY=${running.key}`);
    await terminal.line(`    npx tallystick events --tenant ${victim.tenantId}`);
    await terminal.line(`    npx tallystick verify --tenant ${victim.tenantId}`);
  }
  await untilStopped(processContext);
}
