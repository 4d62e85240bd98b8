import { printable, truncate } from './printable.ts';
import type { Terminal } from './terminal.ts';

/** What a progress display shows. */
export interface Progress {
  readonly done: number;
  /** In the unit of `done`; undefined for a stream of unknown length. */
  readonly total?: number | undefined;
  /** The text beside the bar. */
  readonly text: string;
}

const redrawEveryMs = 100;
const barWidth = 24;

/**
 * One line on stderr that is drawn again and again, only if stderr is a terminal. It has no timer: the work calls `update`,
 * so that nothing keeps running when the work fails.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal;
    this.#now = now;
  }

  update(progress: Progress): void {
    if (!this.#terminal.showsProgress) return;
    const now = this.#now();
    if (now - this.#drawnAt < redrawEveryMs) return;
    this.#drawnAt = now;
    this.#visible = true;
    const line = truncate(printable(formatProgress(progress)), this.#terminal.progressWidth - 1);
    this.#terminal.drawOver(line);
  }

  /** Removes the line before other output is written. */
  clear(): void {
    if (!this.#visible) return;
    this.#visible = false;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#terminal.drawOver('');
  }
}

export function formatProgress({ done, total, text }: Progress): string {
  if (total === undefined || total <= 0) return text;
  const part = Math.min(1, done / total);
  const filled = Math.round(part * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)}%  ${text}`;
}
