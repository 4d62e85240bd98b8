import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type CopyIn,
  type CopyResult,
  copyUnfinished,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  uniqueViolationAsResult,
} from '../database.ts';
import type { EngineThread } from './engine-thread.ts';
import type { Step } from './messages.ts';
import type { SpaceWatch } from './space-watch.ts';

/** Statements that take space. All statements are the service's own. */
const writing = /\b(?:insert\s+into|update|delete\s+from|copy)\b/i;
const locking = /\bfor\s+(?:no\s+key\s+)?update\b/gi;
/** A check at every start names statements in texts and does not run them. A full store must open for reading. */
const quoted = /'(?:[^']|'')*'/g;

/** Characters of rows that are sent at once. Larger pieces leave PGlite idle at first, smaller ones cost a statement each. */
const copyLength = 256 * 1024;

export interface SessionContext {
  readonly thread: EngineThread;
  readonly space: SpaceWatch;
  /** How long PGlite may be silent, ms. */
  readonly answerMs: number;
}

/** One transaction. It begins with the first statement, in the same message. */
export class PgliteSession implements Session {
  readonly #context: SessionContext;
  #opening: readonly Step[];
  #unfinishedCopy: PgliteCopy | undefined;
  #begun = false;

  /** @param opening the steps that begin the transaction */
  constructor(context: SessionContext, opening: readonly Step[]) {
    this.#context = context;
    this.#opening = opening;
  }

  async query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    await this.#assertRoom([sql]);
    const step = parameters === undefined ? { script: sql } : { text: sql, values: copyable(parameters) };
    const [rows] = await this.#call([step]);
    return rows as object[] as R[];
  }

  async pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>> {
    if (statements.length === 0) return [] as RowsOf<S>;
    await this.#assertRoom(statements.map(({ text }) => text));
    return (await this.#call(statements.map(toStep))) as object[][] as RowsOf<S>;
  }

  beginCopy(copy: string, before: readonly Statement[] = []): CopyIn {
    const { space } = this.#context;
    this.#unfinishedCopy = new PgliteCopy({
      copy,
      before: before.map(toStep),
      send: (steps) => this.#call(steps),
      makeRoom: async (bytes) => {
        await space.assertRoomFor(bytes);
        space.add(bytes);
      },
      onFinish: () => {
        this.#unfinishedCopy = undefined;
      },
    });
    return this.#unfinishedCopy;
  }

  async commit(): Promise<void> {
    if (this.#unfinishedCopy !== undefined) throw copyUnfinished();
    if (this.#begun) await this.#call([{ commit: true }]);
  }

  async rollback(): Promise<void> {
    if (this.#begun) await this.#call([{ script: 'rollback' }]);
  }

  async #assertRoom(texts: readonly string[]): Promise<void> {
    if (texts.some((text) => writing.test(text.replace(quoted, "''").replace(locking, ''))))
      await this.#context.space.assertRoomFor(0);
  }

  async #call(steps: readonly Step[]): Promise<Row[][]> {
    const opening = this.#opening;
    this.#opening = [];
    this.#begun = true;
    const { thread, answerMs } = this.#context;
    return (await thread.call([...opening, ...steps], answerMs)).slice(opening.length);
  }
}

interface CopyParts {
  readonly copy: string;
  readonly before: readonly Step[];
  readonly send: (steps: readonly Step[]) => Promise<Row[][]>;
  readonly makeRoom: (bytes: number) => Promise<void>;
  readonly onFinish: () => void;
}

/** Sends the rows in pieces, each a COPY of its own, so that PGlite stores one while the caller computes the next. */
class PgliteCopy implements CopyIn {
  readonly #parts: CopyParts;
  readonly #answers: Promise<unknown>[] = [];
  #before: readonly Step[];
  #rows = '';
  #failed = false;

  constructor(parts: CopyParts) {
    this.#parts = parts;
    this.#before = parts.before;
  }

  async write(rows: string): Promise<boolean> {
    this.#rows += rows;
    if (this.#rows.length >= copyLength) {
      await this.#send([]);
      // The application's own work comes first: a batch takes tens of milliseconds to compute.
      await nextTurn();
    }
    return !this.#failed;
  }

  async finish(after: readonly Statement[] = []): Promise<CopyResult> {
    this.#parts.onFinish();
    if (!this.#failed) await this.#send(after.map(toStep));
    // PGlite answers in order, so the first error is the reason of all others.
    return await uniqueViolationAsResult(Promise.all(this.#answers));
  }

  async #send(after: readonly Step[]): Promise<void> {
    const { copy, send, makeRoom } = this.#parts;
    const rows = this.#rows;
    await makeRoom(rows.length);
    const steps = [...this.#before, ...(rows === '' ? [] : [{ copy, rows }]), ...after];
    this.#before = [];
    this.#rows = '';
    const answer = send(steps);
    answer.catch(() => {
      this.#failed = true;
    });
    this.#answers.push(answer);
  }
}

function toStep({ text, values = [] }: Statement<object>): Step {
  return { text, values: copyable(values) };
}

/** `postMessage` copies the whole memory behind a view: of a small slice of a request, the request. */
function copyable(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (Array.isArray(value)) return copyable(value);
    if (!(value instanceof Uint8Array)) return value;
    return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);
  });
}
