import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { CliError, type Failure } from '../errors.ts';
import { printable } from './printable.ts';

/** A process's streams and surroundings, so that tests can give their own. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted by the first SIGINT or SIGTERM: long work ends in good order. */
  readonly stopped: AbortSignal;
}

export type Style = Parameters<typeof styleText>[0];

export interface TerminalOptions {
  /** Machine-readable output: no tables, no colour on stdout. @defaultValue false */
  readonly json?: boolean;
  /** Overrides what the environment and the stream say. */
  readonly color?: boolean | undefined;
  /** No progress and no notes on stderr; errors still show. @defaultValue false */
  readonly quiet?: boolean;
}

const widthWithoutTerminal = 120;

/** Everything a command says: results on stdout, all else on stderr. */
export class Terminal {
  readonly json: boolean;
  readonly #surroundings: Surroundings;
  readonly #quiet: boolean;
  readonly #colorOut: boolean;
  readonly #colorErr: boolean;

  constructor(surroundings: Surroundings, options: TerminalOptions = {}) {
    this.#surroundings = surroundings;
    this.json = options.json ?? false;
    this.#quiet = options.quiet ?? false;
    this.#colorOut = wantsColor(surroundings.env, surroundings.stdout, options.color);
    this.#colorErr = wantsColor(surroundings.env, surroundings.stderr, options.color);
  }

  /** Columns to lay tables out for. */
  get width(): number {
    const told = Number(this.#surroundings.env.COLUMNS);
    if (Number.isInteger(told) && told > 0) return told;
    return this.#surroundings.stdout.columns ?? widthWithoutTerminal;
  }

  /** Whether a progress display may be drawn on stderr. */
  get showsProgress(): boolean {
    const { stderr, env } = this.#surroundings;
    return stderr.isTTY === true && !this.#quiet && env.TERM !== 'dumb' && env.CI === undefined;
  }

  get progressWidth(): number {
    return this.#surroundings.stderr.columns ?? 80;
  }

  /** Styles a text for stdout. */
  style(style: Style, text: string): string {
    return this.#colorOut ? styleText(style, text, { validateStream: false }) : text;
  }

  styleNote(style: Style, text: string): string {
    return this.#colorErr ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Writes to stdout and waits while the reader is slower than we are. */
  async write(text: string | Uint8Array): Promise<void> {
    const { stdout } = this.#surroundings;
    if (stdout.destroyed) throw new CliError('OUTPUT_FAILED', 'standard output is closed');
    await new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  async line(text = ''): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One JSON value on one line. */
  async jsonLine(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  /** Something worth knowing that is not a result; on stderr, so that piped output stays clean. */
  note(text: string): void {
    if (!this.#quiet) this.#surroundings.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.#surroundings.stderr.write(`${this.styleNote('yellow', 'warning:')} ${text}\n`);
  }

  fail(failure: Failure): void {
    const head = this.styleNote(['red', 'bold'], 'error:');
    const { stderr } = this.#surroundings;
    stderr.write(`${head} ${printable(failure.message)} (${failure.code})\n`);
    if (failure.hint !== undefined) stderr.write(`${this.styleNote('dim', 'hint:')} ${failure.hint}\n`);
  }

  /** Raw access for the progress display, which draws over its own line. */
  drawOver(text: string): void {
    this.#surroundings.stderr.write(text);
  }
}

/** FORCE_COLOR, then NO_COLOR (https://no-color.org: set and not empty), then whether a terminal is there. */
function wantsColor(
  env: Surroundings['env'],
  stream: { readonly isTTY?: boolean },
  option: boolean | undefined,
): boolean {
  if (option !== undefined) return option;
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return stream.isTTY === true && term !== 'dumb';
}
