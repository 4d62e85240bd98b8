import type { Style, Terminal } from '../terminal/terminal.ts';

/** Tells the demo's story: to people in colour, to machines one JSON object a step. */
export class Narrator {
  readonly #terminal: Terminal;
  readonly #started = performance.now();
  #chapter = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async title(text: string, under: string): Promise<void> {
    if (this.#terminal.json) return;
    await this.#terminal.line();
    await this.#terminal.line(`  ${this.#terminal.style('bold', text)}`);
    await this.#terminal.line(`  ${this.#terminal.style('dim', under)}`);
  }

  async chapter(title: string): Promise<void> {
    this.#chapter++;
    if (this.#terminal.json) return;
    await this.#terminal.line();
    await this.#terminal.line(
      `${this.#terminal.style(['bold', 'cyan'], `${this.#chapter}`.padStart(3))}  ${this.#terminal.style('bold', title)}`,
    );
  }

  /** Something that happened as it should. */
  async done(step: string, text: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#tell(step, this.#terminal.style('green', '✓'), text, { ok: true, ...facts });
  }

  /** Tampering that was found: what was done, and where it shows. */
  async caught(
    crime: { readonly name: string; readonly story: string },
    evidence: string,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const style = (how: Style, text: string) => this.#terminal.style(how, text);
    await this.#tell('attack', style('red', '✗'), style('bold', crime.name), {
      ok: true,
      attack: crime.name,
      ...facts,
    });
    await this.aside(crime.story);
    if (!this.#terminal.json)
      await this.#terminal.line(`       ${style('green', 'caught')} ${style('yellow', evidence)}`);
  }

  async aside(text: string): Promise<void> {
    if (!this.#terminal.json) await this.#terminal.line(`       ${this.#terminal.style('dim', text)}`);
  }

  async end(text: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const seconds = this.#seconds();
    if (this.#terminal.json) return await this.#terminal.jsonLine({ step: 'end', ...facts, seconds });
    await this.#terminal.line();
    await this.#terminal.line(
      `  ${this.#terminal.style(['bold', 'green'], text)} ${this.#terminal.style('dim', `(${seconds} s)`)}`,
    );
  }

  async #tell(
    step: string,
    sign: string,
    text: string,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    if (this.#terminal.json) await this.#terminal.jsonLine({ step, ...facts, seconds: this.#seconds() });
    else await this.#terminal.line(`     ${sign} ${text}`);
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#started) / 100) / 10;
  }
}
