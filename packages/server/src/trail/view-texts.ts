import type { EventRow, ViewOptions } from './view.ts';
import { copyView, viewTextOf } from './view-text.ts';

/** Most characters of records and texts that are kept. */
const maxCharacters = 16 * 1024 * 1024;

interface Kept {
  readonly epoch: number;
  readonly record: string;
  readonly text: string;
}

/**
 * The views of rows as JSON. Records do not change and the newest ones are read again and again, so the texts of some thousand are kept:
 * to parse a record takes 3 µs, and to compare its bytes with those of the text that is kept 0.3 µs (1 KB records, `npm run bench -- query`).
 * A page after a cursor is rarely read twice: its texts are made by {@link viewTextOf} and not kept, so they leave the others where they are.
 *
 * A text is only used for a row with the same bytes, and the store has decided before which rows a reader gets. Views that depend on the
 * reader are made anew each time: those of sensitive records, those with the record's bytes, and those without `ingest`.
 */
export class ViewTexts {
  /** By the hash in the row, in the order in which they were added. Owned by this object. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  readonly #most: number;

  constructor(most: number = maxCharacters) {
    this.#most = most;
  }

  /** The JSON of what `toView` makes of the row. */
  textOf(tenantId: string, row: EventRow, options: ViewOptions): string {
    const { record, record_hash: hash, epoch } = row;
    if (record === null || options.withRecord === true || options.withoutIngest === true)
      return viewTextOf(tenantId, row, options);
    const kept = this.#kept.get(hash);
    if (kept !== undefined && kept.record === record && kept.epoch === epoch) return kept.text;
    const copied = copyView(tenantId, row, options);
    if (copied === undefined) return viewTextOf(tenantId, row, options);
    if (!copied.isSensitive) this.#keep(hash, { epoch, record, text: copied.text });
    return copied.text;
  }

  #keep(hash: string, kept: Kept): void {
    const characters = charactersOf(kept);
    if (characters > this.#most / 64) return;
    this.#forget(hash);
    this.#kept.set(hash, kept);
    this.#characters += characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#most) break;
      this.#forget(oldest);
    }
  }

  #forget(hash: string): void {
    const kept = this.#kept.get(hash);
    if (kept === undefined) return;
    this.#kept.delete(hash);
    this.#characters -= charactersOf(kept);
  }
}

function charactersOf({ record, text }: Kept): number {
  return record.length + text.length;
}
