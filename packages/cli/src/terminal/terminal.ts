import { randomBytes } from 'node:crypto';
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
/** Removes what a line of the screen shows, for the progress display. */
const eraseLine = '\r\x1b[2K';

/**
 * Writes everything that a command prints: results to stdout, everything else to stderr. No other code writes there, because
 * the events, the names and the messages of others pass a filter here: they can't move the cursor, hide text, or look like a
 * line or a style of this program.
 */
export class Terminal {
  readonly json: boolean;
  readonly #processContext: ProcessContext;
  readonly #quiet: boolean;
  readonly #colorOut: boolean;
  readonly #colorErr: boolean;
  /** Stands for the escape character in what {@link style} returns. Text of another party does not know it. */
  readonly #mark = `\x1b${randomBytes(8).toString('hex')}`;
  readonly #marked = new RegExp(`(${this.#mark}\\[\\d+m)`);
  readonly #decoder = new TextDecoder();
  readonly #errorDecoder = new TextDecoder();
  /** The first failed write to stdout. */
  #writeError: Error | undefined;

  constructor(processContext: ProcessContext, options: TerminalOptions = {}) {
    this.#processContext = processContext;
    this.json = options.json ?? false;
    this.#quiet = options.quiet ?? false;
    this.#colorOut = wantsColor(processContext.env, processContext.stdout, options.color);
    this.#colorErr = wantsColor(processContext.env, processContext.stderr, options.color);
  }

  /** Columns of the terminal, or of COLUMNS, for texts that are wrapped. */
  get width(): number {
    return this.#wantedWidth ?? this.#processContext.stdout.columns ?? widthWithoutTerminal;
  }

  /** How many columns a table may take. In a file or a pipe nothing is cut: the reader may need a whole value. */
  get tableWidth(): number {
    const { isTTY } = this.#processContext.stdout;
    return isTTY === true ? this.width : (this.#wantedWidth ?? Number.POSITIVE_INFINITY);
  }

  get #wantedWidth(): number | undefined {
    const wanted = Number(this.#processContext.env.COLUMNS);
    return Number.isInteger(wanted) && wanted > 0 ? wanted : undefined;
  }

  /** Whether a progress display may be drawn on stderr. */
  get showsProgress(): boolean {
    const { stderr, env } = this.#processContext;
    return stderr.isTTY === true && !this.#quiet && env.TERM !== 'dumb' && env.CI === undefined;
  }

  get progressWidth(): number {
    return this.#processContext.stderr.columns ?? 80;
  }

  /** Styles a text for {@link write} and {@link line}. */
  style(style: Style, text: string): string {
    if (!this.#colorOut) return text;
    const [begin, end] = styleText(style, '\0', { validateStream: false }).split('\0');
    return `${this.#withMark(begin!)}${text}${this.#withMark(end!)}`;
  }

  #withMark(sequences: string): string {
    return sequences.replaceAll('\x1b', () => this.#mark);
  }

  /** The text as it is shown: with the styles of {@link style}, and without anything else that a terminal obeys or hides. */
  #shown(text: string): string {
    return text
      .split(this.#marked)
      .map((part, at) => (at % 2 === 0 ? printable(part) : `\x1b${part.slice(this.#mark.length)}`))
      .join('');
  }

  /** Several lines: the line breaks of the text stay, so a value of another party must have passed `printable`. */
  async write(text: string): Promise<void> {
    await this.#out(this.#lines(text));
  }

  #lines(text: string): string {
    return text
      .split('\n')
      .map((line) => this.#shown(line))
      .join('\n');
  }

  /** One line. A line break in the text is shown as its escape. */
  async line(text = ''): Promise<void> {
    await this.#out(`${this.#shown(text)}\n`);
  }

  /** One JSON value on one line. */
  async jsonLine(value: unknown): Promise<void> {
    await this.#out(`${printableJson(JSON.stringify(value))}\n`);
  }

  /**
   * A file or a value that the user wants to have byte for byte. A pipe or a file gets it so. On a screen it is filtered like
   * {@link write}.
   */
  async bytes(content: string | Uint8Array): Promise<void> {
    if (this.#processContext.stdout.isTTY !== true) return await this.#out(content);
    await this.write(typeof content === 'string' ? content : this.#decoder.decode(content, { stream: true }));
  }

  /**
   * Writes to stdout. Resolves when the reader has taken it.
   *
   * A failed write does not throw, because it must not replace the exit code of the command: a verification that found
   * tampering ends with 1, also if its report can't be written. Later writes are dropped. A command that would go on writing
   * for long checks {@link outputEnded}.
   */
  async #out(content: string | Uint8Array): Promise<void> {
    if (this.outputEnded) return;
    const { stdout } = this.#processContext;
    const error = await new Promise<Error | null | undefined>((resolve) => stdout.write(content, resolve));
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

  /** A label of this program in front of a message. */
  #label(style: Style, text: string): string {
    return this.#colorErr ? styleText(style, text, { validateStream: false }) : text;
  }

  /** A remark that is not a result, on one line. It goes to stderr, so that a pipe gets results only. */
  note(text: string): void {
    if (!this.#quiet) this.#processContext.stderr.write(`${printable(text)}\n`);
  }

  warn(text: string): void {
    this.#processContext.stderr.write(`${this.#label('yellow', 'warning:')} ${printable(text)}\n`);
  }

  fail(failure: Failure): void {
    const label = this.#label(['red', 'bold'], 'error:');
    const { stderr } = this.#processContext;
    stderr.write(`${label} ${printable(failure.message)} (${printable(failure.code)})\n`);
    if (failure.hint !== undefined)
      stderr.write(`${this.#label('dim', 'hint:')} ${printable(failure.hint)}\n`);
  }

  /** Several lines on stderr, such as the help for a command that lacks a part. */
  writeNotes(text: string): void {
    this.#processContext.stderr.write(this.#lines(text));
  }

  /**
   * What another program writes to stderr. A file or a pipe gets it byte for byte. On a screen it is filtered, and each line says
   * from whom it is.
   */
  errorBytes(from: string, content: Uint8Array): void {
    const { stderr } = this.#processContext;
    if (stderr.isTTY !== true) stderr.write(content);
    else {
      const text = this.#errorDecoder.decode(content, { stream: true }).trimEnd();
      for (const line of text.split('\n')) stderr.write(`${from}: ${printable(line)}\n`);
    }
  }

  /** Shows a line on stderr in place of the one that the cursor is in. */
  drawOver(line: string): void {
    this.#processContext.stderr.write(`${eraseLine}${printable(line)}`);
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
