import type { Style, Terminal } from '../terminal/terminal.ts';

/** Prints the demo's story: as coloured text for people, or with `--json` as one object per step. */
export class Narrator {
  readonly #terminal: Terminal;
  readonly #started = performance.now();
  #chapter = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async title(text: string, subtitle: string): Promise<void> {
    if (this.#terminal.json) return;
    await this.#terminal.line();
    await this.#terminal.line(`  ${this.#terminal.style('bold', text)}`);
    await this.#terminal.line(`  ${this.#terminal.style('dim', subtitle)}`);
  }

  async chapter(title: string): Promise<void> {
    this.#chapter++;
    if (this.#terminal.json) return;
    const number = this.#terminal.style(['bold', 'cyan'], `${this.#chapter}`.padStart(3));
    await this.#terminal.line();
    await this.#terminal.line(`${number}  ${this.#terminal.style('bold', title)}`);
  }

  /** A step that succeeded. */
  async done(step: string, text: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#step(step, this.#terminal.style('green', '✓'), text, { ok: true, ...facts });
  }

  /** An attack that verification found: what was done, and the finding that shows it. */
  async caught(
    attack: { readonly name: string; readonly story: string },
    evidence: string,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const style = (how: Style, text: string) => this.#terminal.style(how, text);
    await this.#step('attack', style('red', '✗'), style('bold', attack.name), {
      ok: true,
      attack: attack.name,
      ...facts,
    });
    await this.remark(attack.story);
    if (!this.#terminal.json)
      await this.#terminal.line(`       ${style('green', 'caught')} ${style('yellow', evidence)}`);
  }

  async remark(text: string): Promise<void> {
    if (!this.#terminal.json) await this.#terminal.line(`       ${this.#terminal.style('dim', text)}`);
  }

  async end(text: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const seconds = this.#seconds();
    if (this.#terminal.json) return await this.#terminal.jsonLine({ step: 'end', ...facts, seconds });
    const duration = this.#terminal.style('dim', `(${seconds} s)`);
    await this.#terminal.line();
    await this.#terminal.line(`  ${this.#terminal.style(['bold', 'green'], text)} ${duration}`);
  }

  async #step(
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
