import { ClientError } from '@tallystick/client';
import { parseOrigin } from '@tallystick/log';
import type { Backend } from '../../backend/backend.ts';
import type { Context } from '../../context.ts';
import { CliError, describeFailure, exitCodes } from '../../errors.ts';
import { unread, withFindings } from '../../live-checks/with-findings.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import type { GivenCheckpoint } from '../../trust/given-checkpoints.ts';
import { readKnownLogs } from '../../trust/known-logs.ts';
import { logsExpectedAt, readKnownPlaces, type SeenLog } from '../../trust/known-places.ts';
import { TrustResolver } from '../../trust/trust-context.ts';
import { ofOtherLog } from './file-under-test.ts';
import { exitCodeOf, printReport } from './verify-report.ts';

/** Verifies the tenant that the settings name, or every tenant of a service or store, and every tenant that it had before. */
export async function verifyTenants(context: Context, given: readonly GivenCheckpoint[]): Promise<number> {
  await using backend = await context.openBackend();
  const { tenant } = context.settings;
  const round = new VerificationRound(context, backend, given);
  if (tenant !== undefined) await round.verify(tenant);
  else await round.verifyAll();
  return round.exitCode();
}

/** One run over the tenants of a service or store. */
class VerificationRound {
  readonly #context: Context;
  readonly #backend: Backend;
  readonly #given: readonly GivenCheckpoint[];
  readonly #codes: number[] = [];
  /** The logs that were found. */
  readonly #origins = new Set<string>();

  constructor(context: Context, backend: Backend, given: readonly GivenCheckpoint[]) {
    this.#context = context;
    this.#backend = backend;
    this.#given = given;
  }

  /**
   * Verifies the tenants that are listed, then those that were verified at this place before and are not listed any more. An
   * alarm about one tenant does not keep the others from being verified.
   */
  async verifyAll(): Promise<void> {
    const visited = new Set<string>();
    let failure: unknown;
    try {
      for await (const { tenant_id } of this.#backend.client.tenants.listAll()) {
        visited.add(tenant_id);
        await this.#verifyOne(tenant_id);
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      failure = error;
    }
    for (const [tenant, { origin }] of this.#expected()) {
      if (visited.has(tenant) || (failure !== undefined && this.#isElsewhere(origin))) continue;
      await this.#verifyOne(tenant);
    }
    if (failure !== undefined && !this.#codes.includes(exitCodes.broken)) throw failure;
  }

  async #verifyOne(tenant: string): Promise<void> {
    try {
      await this.verify(tenant);
    } catch (error) {
      const expected = this.#expected().get(tenant);
      const isMissing = error instanceof ClientError && error.code === 'NOT_FOUND';
      // At a loopback address another program can listen now, which never had this tenant.
      if (isMissing && expected !== undefined && this.#isElsewhere(expected.origin)) return;
      if (!(error instanceof CliError) || !ofOneTenant.has(error.code)) throw error;
      const failure = describeFailure(error);
      this.#context.terminal.fail({ ...failure, message: `${tenant}: ${failure.message}` });
      this.#codes.push(failure.exitCode);
    }
  }

  /**
   * Verifies one tenant.
   *
   * @throws {CliError} also an alarm about the tenant's log
   */
  async verify(tenant: string): Promise<void> {
    const { terminal, processContext } = this.#context;
    const { name, place } = this.#backend;
    const trust = new TrustResolver(this.#context, this.#given);
    let equivocation: Equivocation | undefined;
    const progress = new ProgressLine(terminal, processContext.now);
    try {
      const report = await this.#backend.verify(tenant, {
        trustFor: (origin, offered, rotations) => {
          this.#origins.add(origin);
          return trust.resolve({ origin, offered, rotations, place, from: name });
        },
        onTrustedCheckpoint: trust.keepCheckpoint,
        onEquivocation: (...notes) => {
          equivocation = saveEquivocation(this.#context, notes);
        },
        onRecord: trust.noteRecord,
        onNotice: (notice) => terminal.warn(`${tenant}: ${notice}`),
        onProgress: (done, total) => progress.update({ done, total, text: `${tenant}: ${done} records` }),
      });
      progress.clear();
      await trust.confirmEpoch(report);
      const compared = trust.comparedBy(report, name, false);
      await printReport(this.#context, report, { compared, equivocation });
      this.#codes.push(exitCodeOf(report));
    } catch (error) {
      progress.clear();
      await this.#reportMissing(tenant, error);
    }
  }

  /** A tenant that was verified at this place has no trail there any more. */
  async #reportMissing(tenant: string, error: unknown): Promise<void> {
    const seen = this.#expected().get(tenant);
    const isMissing = error instanceof ClientError && error.code === 'NOT_FOUND';
    if (!isMissing || seen === undefined || this.#isElsewhere(seen.origin)) throw error;
    this.#origins.add(seen.origin);
    const expected = `${seen.origin}, verified here on ${seen.seenAt.slice(0, 10)}`;
    const finding = { code: 'LOG_MISSING' as const, sequence_number: null, expected, found: 'no trail' };
    const report = withFindings(unread(tenant), [finding]);
    await printReport(this.#context, report);
    this.#codes.push(exitCodeOf(report));
  }

  #expected(): ReadonlyMap<string, SeenLog> {
    const { env } = this.#context.processContext;
    return logsExpectedAt(readKnownPlaces(env), readKnownLogs(env), this.#backend.place, this.#origins);
  }

  /** Whether a log can be in another program's store, because nothing at this loopback address has its name. */
  #isElsewhere(origin: string): boolean {
    if (!this.#backend.place.isLoopback) return false;
    const { logName } = parseOrigin(origin);
    return ![...this.#origins].some((shown) => parseOrigin(shown).logName === logName);
  }

  /** @throws {CliError} `NOT_VERIFIABLE` for a place without tenants; `USAGE` for a given checkpoint of another log */
  exitCode(): number {
    const codes = this.#codes;
    if (codes.length === 0) {
      const message = `${this.#backend.name} has no tenants: there is nothing to verify`;
      throw new CliError('NOT_VERIFIABLE', message);
    }
    for (const worst of [exitCodes.broken, exitCodes.changed]) if (codes.includes(worst)) return worst;
    const unused = this.#given.find(({ origin }) => !this.#origins.has(origin));
    // A given checkpoint must not be ignored silently. A broken chain is reported first.
    if (unused !== undefined) throw ofOtherLog(unused);
    return Math.max(...codes);
  }
}

/** Errors that are about one tenant's log, and not about the whole place. */
const ofOneTenant: ReadonlySet<string> = new Set([
  'BROKEN',
  'NOT_VERIFIABLE',
  'LOG_NAME_CHANGED',
  'LOG_KEY_CHANGED',
  'LOG_EPOCH_CHANGED',
]);
