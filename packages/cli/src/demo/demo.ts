import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpTransport } from '@tallystick/sdk/http';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { untilStopped } from '../process-context.ts';
import { attackTrail } from './attack-trail.ts';
import { importTwice } from './import-log.ts';
import { Narrator } from './narrator.ts';
import { type Directories, directoriesIn, type RunningService, startService } from './running-service.ts';
import { takeEvidence } from './take-evidence.ts';
import type { Evidence } from './tamper.ts';
import { emitEverything, tenants } from './trail.ts';

/** Name of the demo's log. */
const logName = 'demo.tallystick';

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
      await using running = await startService(directories, { logName });
      const started = `listening on ${running.url}, with PostgreSQL in the same process`;
      await narrator.done('start', started, { url: running.url });
      await emit(running, narrator);
      await importTwice(running, narrator, { directory, tenantId: victim.tenantId, context });
      await query(running, narrator);
      evidence = await takeEvidence(running, narrator, { directory, victim });
    }
    const attacks_caught = await attackTrail(narrator, { trail: directories.trail, victim, evidence });
    await narrator.end('Every attack was found and located.', { ok: true, attacks_caught });
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

async function keepRunning(context: Context, directories: Directories, directory: string): Promise<void> {
  const { terminal, processContext } = context;
  await using running = await startService(directories, { logName });
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
