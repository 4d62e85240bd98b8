import { styleText } from 'node:util';
import { CliError, type Failure } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import { printable, printableJson } from './printable.ts';

export type Style = Parameters<typeof styleText>[0];

export interface TerminalOptions {
  /** Writes JSON instead of tables. @defaultValue false */
  readonly json?: boolean;
  /** Switches colour on or off. @defaultValue decided by the environment and the stream */
  readonly color?: boolean | undefined;
  /** Hides progress and notes; warnings and errors still appear. @defaultValue false */
  readonly quiet?: boolean;
}

const widthWithoutTerminal = 120;
const breaks = /(\n)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences that styleText writes
const stylesAndBreaks = /(\x1b\[\d+m|\n)/;

/** Writes everything that a command prints: results to stdout, everything else to stderr. */
export class Terminal {
  readonly json: boolean;
  readonly #processContext: ProcessContext;
  readonly #quiet: boolean;
  readonly #colorOut: boolean;
  readonly #colorErr: boolean;
  /** The first failed write to stdout. */
  #writeError: Error | undefined;

  constructor(processContext: ProcessContext, options: TerminalOptions = {}) {
    this.#processContext = processContext;
    this.json = options.json ?? false;
    this.#quiet = options.quiet ?? false;
    this.#colorOut = wantsColor(processContext.env, processContext.stdout, options.color);
    this.#colorErr = wantsColor(processContext.env, processContext.stderr, options.color);
  }

  /** How many columns a table may take. */
  get width(): number {
    const wanted = Number(this.#processContext.env.COLUMNS);
    if (Number.isInteger(wanted) && wanted > 0) return wanted;
    return this.#processContext.stdout.columns ?? widthWithoutTerminal;
  }

  /** Whether a progress display may be drawn on stderr. */
  get showsProgress(): boolean {
    const { stderr, env } = this.#processContext;
    return stderr.isTTY === true && !this.#quiet && env.TERM !== 'dumb' && env.CI === undefined;
  }

  get progressWidth(): number {
    return this.#processContext.stderr.columns ?? 80;
  }

  /** Styles a text for stdout. */
  style(style: Style, text: string): string {
    return this.#colorOut ? styleText(style, text, { validateStream: false }) : text;
  }

  styleNote(style: Style, text: string): string {
    return this.#colorErr ? styleText(style, text, { validateStream: false }) : text;
  }

  /**
   * Writes to stdout. Resolves when the reader has taken it.
   *
   * A failed write does not throw, because it must not replace the exit code of the command: a verification that found
   * tampering ends with 1, also if its report can't be written. Later writes are dropped. A command that would go on writing
   * for long checks {@link outputEnded}.
   */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.outputEnded) return;
    const { stdout } = this.#processContext;
    const error = await new Promise<Error | null | undefined>((resolve) => stdout.write(text, resolve));
    if (error) this.#writeError ??= error;
  }

  /** Whether what the command writes to stdout is lost from now on. */
  get outputEnded(): boolean {
    return this.#writeError !== undefined;
  }

  /**
   * Why the output is incomplete; undefined if it is complete. A reader that closed the pipe has read enough, as in
   * `tally events | head`, so that is not a failure.
   */
  get outputFailure(): CliError | undefined {
    const { code, message } = (this.#writeError ?? {}) as NodeJS.ErrnoException;
    if (this.#writeError === undefined || code === 'EPIPE') return undefined;
    return new CliError('OUTPUT_FAILED', `can't write to standard output: ${code ?? message}`, {
      cause: this.#writeError,
    });
  }

  /**
   * One line, or several. Styles from {@link style} and line breaks stay; every other character that {@link printable} replaces
   * is replaced. A value that another party wrote needs `printable` too, because it must not contain styles or line breaks.
   */
  async line(text = ''): Promise<void> {
    const kept = this.#colorOut ? stylesAndBreaks : breaks;
    const parts = text.split(kept).map((part, at) => (at % 2 === 0 ? printable(part) : part));
    await this.write(`${parts.join('')}\n`);
  }

  /** One JSON value on one line. */
  async jsonLine(value: unknown): Promise<void> {
    await this.write(`${printableJson(JSON.stringify(value))}\n`);
  }

  /** A remark that is not a result, on one line. It goes to stderr, so that a pipe gets results only. */
  note(text: string): void {
    if (!this.#quiet) this.#processContext.stderr.write(`${printable(text)}\n`);
  }

  warn(text: string): void {
    this.#processContext.stderr.write(`${this.styleNote('yellow', 'warning:')} ${printable(text)}\n`);
  }

  fail(failure: Failure): void {
    const label = this.styleNote(['red', 'bold'], 'error:');
    const { stderr } = this.#processContext;
    stderr.write(`${label} ${printable(failure.message)} (${printable(failure.code)})\n`);
    if (failure.hint !== undefined)
      stderr.write(`${this.styleNote('dim', 'hint:')} ${printable(failure.hint)}\n`);
  }

  /** Writes to stderr as it is, for the progress display, which draws over its own line. */
  drawOver(text: string): void {
    this.#processContext.stderr.write(text);
  }
}

/** Decided by FORCE_COLOR, then NO_COLOR (https://no-color.org: set and not empty), then whether the stream is a terminal. */
function wantsColor(
  env: ProcessContext['env'],
  stream: { readonly isTTY?: boolean },
  option: boolean | undefined,
): boolean {
  if (option !== undefined) return option;
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return stream.isTTY === true && term !== 'dumb';
}
