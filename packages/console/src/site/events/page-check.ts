import { type ReadonlySignal, signal } from '@preact/signals';
import type { Client, EventQuery } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import { checkInWorker } from '../proof/checker.ts';
import { EvidenceReader } from '../proof/gather-evidence.ts';
import { PinnedKeys } from '../proof/pinned-keys.ts';

/** What the check of a record came to. */
export type RecordState = 'verified' | 'broken' | 'unproven';

/** How many records of the list one check takes: a page of the list. */
const mostChecked = 100;
/** Receipts that are read at the same time. */
const parallel = 4;

/** The check of many records of a list by the reader's browser, each by its own receipt. */
export class PageCheck {
  readonly #client: Client;
  readonly #query: EventQuery;
  readonly #closing = new AbortController();
  readonly #states = signal<ReadonlyMap<string, RecordState>>(new Map());
  readonly #progress = signal<{ readonly done: number; readonly of: number } | undefined>(undefined);
  readonly #error = signal<unknown>(undefined);

  constructor(client: Client, query: EventQuery) {
    this.#client = client;
    this.#query = query;
  }

  /** By `audit_id`. */
  get states(): ReadonlySignal<ReadonlyMap<string, RecordState>> {
    return this.#states;
  }
  /** Absent while no check runs. */
  get progress(): ReadonlySignal<{ readonly done: number; readonly of: number } | undefined> {
    return this.#progress;
  }
  get error(): ReadonlySignal<unknown> {
    return this.#error;
  }

  /** Checks the first records of the list as it is shown. */
  async run(events: readonly EventView[]): Promise<void> {
    if (this.#progress.value !== undefined) return;
    const shown = events.slice(0, mostChecked);
    const { signal } = this.#closing;
    this.#progress.value = { done: 0, of: shown.length };
    this.#states.value = new Map();
    this.#error.value = undefined;
    try {
      const records = await this.#recordsOf(shown, signal);
      const tenant = String(this.#query.tenant_id);
      const keys = new PinnedKeys(localStorage);
      const reader = await EvidenceReader.for(this.#client, keys, tenant, signal);
      const waiting = [...shown];
      const work = async () => {
        for (let view = waiting.shift(); view !== undefined; view = waiting.shift())
          await this.#check(view, records.get(String(view.audit_id)), reader, keys, signal);
      };
      await Promise.all(Array.from({ length: parallel }, work));
    } catch (error) {
      if (!signal.aborted) this.#error.value = error;
    } finally {
      this.#progress.value = undefined;
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** The bytes of the records, which the list does not carry. */
  async #recordsOf(shown: readonly EventView[], signal: AbortSignal): Promise<Map<string, string>> {
    const query = { ...this.#query, include: 'record', limit: mostChecked } as const;
    const { events } = await this.#client.events.list(query, { signal });
    const wanted = new Set(shown.map(({ audit_id }) => audit_id));
    const known = events.filter(({ audit_id, record }) => wanted.has(audit_id) && typeof record === 'string');
    return new Map(known.map(({ audit_id, record }) => [String(audit_id), String(record)]));
  }

  async #check(
    view: EventView,
    record: string | undefined,
    reader: EvidenceReader,
    keys: PinnedKeys,
    signal: AbortSignal,
  ): Promise<void> {
    let state: RecordState = 'unproven';
    if (record !== undefined) {
      const { checks, checkpoint } = await checkInWorker(await reader.evidenceFor(view, record, signal));
      const isSigned = checks.some(({ step, state }) => step === 'signature' && state === 'checked');
      const isBroken = checks.some(({ state }) => state === 'failed');
      if (isBroken) state = 'broken';
      else if (isSigned) state = 'verified';
      if (checkpoint !== undefined) keys.keep(checkpoint);
    }
    const { done, of } = this.#progress.value ?? { done: 0, of: 0 };
    this.#progress.value = { done: done + 1, of };
    this.#states.value = new Map([...this.#states.value, [String(view.audit_id), state]]);
  }
}
