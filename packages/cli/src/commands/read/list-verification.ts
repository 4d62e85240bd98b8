import {
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  rotationFromJson,
} from '@tallystick/log';
import type { EventFilters, EventPage, PageEvidence } from '@tallystick/protocol';
import { isTrusted, type SelectionReport, verifyPage } from '@tallystick/verify';
import type { Backend } from '../../backend/backend.ts';
import type { Context } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { askConsistency } from '../../trust/ask-consistency.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import { type TrustContext, TrustResolver } from '../../trust/trust-context.ts';
import { joinReports, printSelection } from '../verify/selection-verdict.ts';
import { exitCodeOf } from '../verify/verify-report.ts';
import { queryMatcher } from './query-matcher.ts';

/** The query of a list. */
interface ListedQuery {
  readonly tenant: string;
  readonly filters: EventFilters;
  readonly q: string | undefined;
}

/**
 * Verifies the pages of a list in this process, with keys and checkpoints of the user. The evidence comes from the service, which is not
 * trusted.
 */
export class ListVerification {
  readonly #context: Context;
  readonly #backend: Backend;
  readonly #query: ListedQuery;
  readonly #resolver: TrustResolver;
  /** What the first page with evidence was judged with. */
  #trust: (TrustContext & { readonly origin: string }) | undefined;
  #report: SelectionReport | undefined;
  /** The distinct checkpoints of the pages. */
  readonly #notes = new Set<string>();
  #equivocation: Equivocation | undefined;

  constructor(context: Context, backend: Backend, query: ListedQuery) {
    this.#context = context;
    this.#backend = backend;
    this.#query = query;
    this.#resolver = new TrustResolver(context, []);
  }

  /**
   * Verifies one page.
   *
   * @throws {CliError} `BROKEN` for evidence of another log or of no log; `NOT_VERIFIABLE` where no checkpoint exists yet; an alarm about
   *   the log's name, key or epoch
   */
  async judge({ events, evidence }: EventPage): Promise<void> {
    if (events.length === 0) return;
    const { name } = this.#backend;
    if (evidence === undefined)
      throw new CliError('NOT_VERIFIABLE', `${name} sent no evidence: it may be an older version`);
    const { checkpoint } = evidence;
    if (checkpoint === undefined) {
      const hint = `tally checkpoint --tenant ${this.#query.tenant} signs one`;
      throw new CliError('NOT_VERIFIABLE', 'the log has no checkpoint yet, so nothing is signed', { hint });
    }
    try {
      const { verifiers, ...relied } = await this.#trusted(evidence);
      const report = await verifyPage(
        events,
        { ...evidence, checkpoint },
        {
          keys: verifiers,
          ...relied,
          mustReach: true,
          onEquivocation: this.#onEquivocation,
          matches: queryMatcher(this.#query.filters, this.#query.q),
        },
      );
      this.#notes.add(checkpoint);
      this.#report = this.#report === undefined ? report : joinReports(this.#report, report);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      throw new CliError('BROKEN', `${name} sent evidence that can't be read: ${error.message}`, {
        cause: error,
      });
    }
  }

  /**
   * Compares the checkpoints with each other and with the kept one, and prints the verdict.
   *
   * @returns the exit code
   */
  async finish(): Promise<number> {
    if (this.#report === undefined)
      throw new CliError('NOT_VERIFIABLE', 'no events: there is nothing to verify');
    const notes = [...this.#notes].sort((a, b) => sizeOf(b) - sizeOf(a));
    let report = this.#report;
    if (isTrusted(report.verdict)) {
      const openClient = async () => this.#backend.client;
      const { findings, reason } = await askConsistency(openClient, notes[0]!, notes.slice(1));
      if (reason !== undefined)
        this.#context.terminal.warn(`the checkpoints of the pages were not compared: ${reason}`);
      if (findings.length > 0)
        report = { ...report, verdict: 'broken', findings: [...report.findings, ...findings] };
      report = await this.#resolver.comparedByService(openClient, report, notes[0]);
      await this.#resolver.confirmEpoch(report);
    }
    const compared = this.#resolver.comparedBy(report, this.#backend.name, true);
    await printSelection(this.#context, report, { compared, equivocation: this.#equivocation, isLast: true });
    return exitCodeOf(report);
  }

  readonly #onEquivocation = (first: string, second: string): void => {
    this.#equivocation = saveEquivocation(this.#context, [first, second]);
  };

  async #trusted({ origin, keys, rotations }: PageEvidence): Promise<TrustContext> {
    if (this.#trust?.origin === origin) return this.#trust;
    const { name, place } = this.#backend;
    if (this.#trust !== undefined)
      throw new CliError('NOT_VERIFIABLE', `${name} began a new epoch meanwhile: run the command again`);
    if (parseOrigin(origin).tenantId !== this.#query.tenant)
      throw new CliError('BROKEN', `${name} sent evidence of ${origin}, which is another trail`);
    const offered = keys.map(parseVerifierKey).find((key) => key.name === origin);
    const log = { origin, offered, rotations: rotations.map(rotationFromJson), place, from: name };
    this.#trust = { ...(await this.#resolver.resolve(log)), origin };
    return this.#trust;
  }
}

function sizeOf(note: string): number {
  return parseCheckpoint(parseNote(note).text).size;
}
