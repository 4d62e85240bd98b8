import type { Browser, Page } from '@tallystick/testing';
import axe from 'axe-core';
import { expect } from 'vitest';
import type { ConsoleService } from './console-service.ts';

type ContextOptions = Parameters<Browser['newContext']>[0];

/** Rules of axe for WCAG 2.2, levels A and AA. */
const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * A person in front of a browser of their own. A test fails if the page they visit throws, breaks its Content-Security-Policy or makes a
 * request to another host.
 */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  readonly #console: ConsoleService;
  readonly #complaints: string[] = [];

  private constructor(page: Page, console: ConsoleService) {
    this.page = page;
    this.#console = console;
    page.setDefaultTimeout(30_000);
    page.on('pageerror', ({ message }) => this.#complaints.push(message));
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedType/i.test(message.text())) this.#complaints.push(message.text());
    });
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== console.url) this.#complaints.push(request.url());
    });
  }

  static async arrive(browser: Browser, console: ConsoleService, options?: ContextOptions): Promise<Visitor> {
    const context = await browser.newContext(options);
    return new Visitor(await context.newPage(), console);
  }

  /** Signs in as the form does, and opens a page of the console. */
  async open(key: string, address: string): Promise<void> {
    const answer = await this.page.context().request.post(`${this.#console.site}session`, {
      headers: { 'x-tallystick-console': '1' },
      data: { key },
    });
    expect(answer.status()).toBe(200);
    await this.go(address);
    await this.page.locator('.shell').waitFor();
  }

  async go(address: string): Promise<void> {
    await this.page.goto(this.#console.site + address);
  }

  get rows() {
    return this.page.locator('.event-row');
  }

  get drawer() {
    return this.page.getByRole('complementary', { name: 'Event' });
  }

  /** A parameter of the address. */
  parameter(name: string): string | null {
    return new URL(this.page.url()).searchParams.get(name);
  }

  /** Waits for texts of the page, in any order. */
  async sees(...texts: readonly (string | RegExp)[]): Promise<void> {
    for (const text of texts) await this.page.getByText(text).first().waitFor();
  }

  /** What a person with a disability could not use (WCAG 2.2 AA). In the second theme only colours differ. */
  async barriers({ onlyColours = false } = {}): Promise<string[]> {
    // The page's policy refuses scripts that are not its own, so axe comes in through the debugger.
    await this.page.evaluate(`globalThis.axe === undefined && (() => { ${axe.source} })()`);
    const { violations } = await this.page.evaluate(
      async (options) => await (globalThis as unknown as { axe: typeof axe }).axe.run(options),
      onlyColours ? { runOnly: ['color-contrast'] } : { runOnly: wcag },
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  /** Closes the browser. Every test ends with it, so that none overlooks a complaint. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    expect(this.#complaints).toEqual([]);
  }
}
