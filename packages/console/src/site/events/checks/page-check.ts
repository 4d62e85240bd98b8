import { type ReadonlySignal, signal } from '@preact/signals';
import { type Client, ClientError, type EventQuery } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import type { PageFault, PageResult } from '../../proof/check-page.ts';
import { checkInWorker, checkPageInWorker } from '../../proof/checker.ts';
import { EvidenceReader } from '../../proof/gather-evidence.ts';
import { PinnedKeys } from '../../proof/pinned-keys.ts';

/**
 * What the check of a record came to.
 *
 * - `hidden`: its hash is proven, and its content is not shown to this reader.
 * - `gone`: the list showed it, and the service does not find it any more.
 * - `unsigned`: it is newer than the newest signed checkpoint.
 * - `other_epoch`: the newest checkpoint is of another epoch of the log.
 * - `unproven`: no proof holds for it, as after a fork.
 */
export type RecordState = 'verified' | 'hidden' | 'broken' | 'gone' | 'unsigned' | 'other_epoch' | 'unproven';

/** A fault of a record that the list shows. */
interface RecordFault extends PageFault {
  readonly event: EventView;
}

/** What the check of one record by its own receipt came to. */
interface RecordVerdict {
  readonly state: RecordState;
  readonly fault?: PageFault;
}

/** The result of the last check. */
export interface PageVerdict {
  /** By `audit_id`. */
  readonly states: ReadonlyMap<string, RecordState>;
  /** What is wrong with the page as a whole. */
  readonly pageFaults: readonly PageFault[];
  readonly recordFaults: readonly RecordFault[];
  readonly size: number | undefined;
  readonly history: PageResult['history'];
}

/** How many records of the list one check takes: a page of the list. */
export const mostChecked = 100;
/** Receipts that are read at the same time. */
const parallel = 4;

/**
 * The check of a page of the list by the reader's browser: the bytes of all its records, with one proof that the signed tree contains them.
 * Where that fails, each record in doubt is checked with a receipt of its own, which says what was expected and what was found.
 */
export class PageCheck {
  readonly #client: Client;
  readonly #query: EventQuery;
  readonly #closing = new AbortController();
  readonly #verdict = signal<PageVerdict | undefined>(undefined);
  readonly #isRunning = signal(false);
  readonly #error = signal<unknown>(undefined);

  constructor(client: Client, query: EventQuery) {
    this.#client = client;
    this.#query = query;
  }

  /** Absent before the first check, and while one runs. */
  get verdict(): ReadonlySignal<PageVerdict | undefined> {
    return this.#verdict;
  }
  get isRunning(): ReadonlySignal<boolean> {
    return this.#isRunning;
  }
  get error(): ReadonlySignal<unknown> {
    return this.#error;
  }

  /** @param events the first ones of the list as it is shown, at most {@link mostChecked} */
  async run(events: readonly EventView[]): Promise<void> {
    if (this.#isRunning.value) return;
    const { signal } = this.#closing;
    this.#isRunning.value = true;
    this.#verdict.value = undefined;
    this.#error.value = undefined;
    try {
      this.#verdict.value = await this.#check(events, signal);
    } catch (error) {
      if (!signal.aborted) this.#error.value = error;
    } finally {
      this.#isRunning.value = false;
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #check(shown: readonly EventView[], signal: AbortSignal): Promise<PageVerdict> {
    const page = await this.#client.events.list(this.#queryFor(shown), { signal });
    const keys = new PinnedKeys(localStorage);
    const reader = await EvidenceReader.for(this.#client, keys, String(this.#query.tenant_id), signal);
    const { evidence } = page;
    if (evidence === undefined) throw new Error('The service sent no evidence for this page.');
    const { checkpoint } = evidence;
    const consistency =
      checkpoint === undefined ? undefined : await reader.consistencyWith(checkpoint, signal);
    // What the list shows is checked with the bytes that the service sends now. The proof is of all records of the page, also of those that
    // the list does not show yet.
    const views = new Map(shown.map((view) => [String(view.audit_id), view]));
    const events = page.events.map((event) => {
      const view = views.get(String(event.audit_id));
      return view === undefined ? event : { ...view, ...('record' in event && { record: event.record }) };
    });
    const { key, checkpoint: kept } = reader.known;
    const result = await checkPageInWorker({ events, evidence, key, kept: kept?.note, consistency });
    if (result.checkpoint !== undefined) keys.keep(result.checkpoint);
    return await this.#judge(events, views, result, reader, signal);
  }

  /**
   * The page whose records are those of the list. A live chain has newer ones, so the query ends where the list begins. Numbers begin anew
   * with each epoch, so this holds within one epoch only.
   */
  #queryFor(shown: readonly EventView[]) {
    const [first] = shown;
    const isOneEpoch = shown.every(({ epoch }) => epoch === first?.epoch);
    const until =
      isOneEpoch && typeof first?.sequence_number === 'number' ? first.sequence_number : undefined;
    const filters = { ...this.#query.filters, ...(until !== undefined && { sequence_to: until }) };
    return { ...this.#query, filters, verify: true, limit: mostChecked };
  }

  async #judge(
    events: readonly EventView[],
    views: ReadonlyMap<string, EventView>,
    result: PageResult,
    reader: EvidenceReader,
    signal: AbortSignal,
  ): Promise<PageVerdict> {
    const pageFaults = result.faults.filter(({ sequence }) => sequence === undefined);
    const faultOf = new Map(result.faults.map((fault) => [fault.sequence, fault]));
    const states = new Map<string, RecordState>([...views.keys()].map((id) => [id, 'unproven']));
    const recordFaults: RecordFault[] = [];
    const judge = async (event: EventView) => {
      const id = String(event.audit_id);
      const sequence = Number(event.sequence_number);
      const fault = faultOf.get(sequence);
      const isCovered = event.epoch === result.epoch && sequence < (result.size ?? 0);
      const isInDoubt = fault !== undefined || (result.isProofLost && isCovered);
      const own = isInDoubt ? await this.#checkAlone(event, reader, signal) : undefined;
      const isExonerated = own?.state === 'verified' && fault?.isAboutLink === true;
      const found = own?.fault ?? (isExonerated ? undefined : fault);
      if (found !== undefined) recordFaults.push({ ...found, event: views.get(id) ?? event });
      if (!views.has(id)) return;
      if (found !== undefined) states.set(id, 'broken');
      else if (own !== undefined) states.set(id, own.state);
      else if (pageFaults.length === 0) states.set(id, coverageOf(event, result));
    };
    // The proof is of the records that the service lists now. One that the list shows and that answer leaves out is looked up by its id.
    const judgeLeftOut = async (view: EventView) => {
      const own = await this.#lookUp(view, result, reader, signal);
      if (own.fault !== undefined) recordFaults.push({ ...own.fault, event: view });
      states.set(String(view.audit_id), own.state);
    };
    const answered = new Set(events.map((event) => String(event.audit_id)));
    const leftOut = [...views.values()].filter((view) => !answered.has(String(view.audit_id)));
    const waiting = [
      ...events.map((event) => () => judge(event)),
      ...leftOut.map((view) => () => judgeLeftOut(view)),
    ];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
    };
    await Promise.all(Array.from({ length: parallel }, work));
    recordFaults.sort((a, b) => Number(b.event.sequence_number) - Number(a.event.sequence_number));
    const { size, history } = result;
    return { states, recordFaults, pageFaults, size, history };
  }

  /** Checks a record that the list shows and the service leaves out of its answer. */
  async #lookUp(
    view: EventView,
    result: PageResult,
    reader: EvidenceReader,
    signal: AbortSignal,
  ): Promise<RecordVerdict> {
    const query = { tenant_id: String(this.#query.tenant_id), include: 'record' } as const;
    try {
      const { record } = await this.#client.events.get(String(view.audit_id), query, { signal });
      const own = await this.#checkAlone({ ...view, record }, reader, signal);
      const coverage = coverageOf(view, result);
      const isOutside = coverage === 'unsigned' || coverage === 'other_epoch';
      return own.state === 'unproven' && isOutside ? { state: coverage } : own;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'NOT_FOUND') throw error;
      const text =
        'The list showed this record, and the service does not find it any more: it was removed. Check the whole chain on the page Verification.';
      return { state: 'gone', fault: { sequence: Number(view.sequence_number), text } };
    }
  }

  /** Checks one record by its own receipt. */
  async #checkAlone(
    { record, ...view }: EventView,
    reader: EvidenceReader,
    signal: AbortSignal,
  ): Promise<RecordVerdict> {
    if (typeof record !== 'string') return { state: 'unproven' };
    const { checks } = await checkInWorker(await reader.evidenceFor(view, record, signal));
    // The history is the same for all records: it is a fault of the page.
    const failed = checks.find(({ state, step }) => state === 'failed' && step !== 'history');
    if (failed !== undefined) {
      const { text, expected, found } = failed;
      return { state: 'broken', fault: { sequence: Number(view.sequence_number), text, expected, found } };
    }
    const isProven = checks.every(
      ({ step, state }) => state === 'checked' || step === 'link' || step === 'history',
    );
    return { state: isProven && checks.every(({ state }) => state !== 'failed') ? 'verified' : 'unproven' };
  }
}

/** What the proof of the page says of a record with which nothing is wrong. */
function coverageOf(event: EventView, { size = 0, epoch }: PageResult): RecordState {
  if (epoch !== undefined && event.epoch !== epoch) return 'other_epoch';
  if (Number(event.sequence_number) >= size) return 'unsigned';
  return typeof event.record === 'string' ? 'verified' : 'hidden';
}
