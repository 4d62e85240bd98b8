import { type Browser, type Page, until } from '@tallystick/testing';
import axe from 'axe-core';
import { expect } from 'vitest';
import type { ConsoleService } from './console-service.ts';

type ContextOptions = Parameters<Browser['newContext']>[0];

/** How much of a page has jumped: the sum of the layout shifts, and what has moved from where to where (x, y, width and height in pixels). */
export interface Jumps {
  readonly sum: number;
  readonly what: readonly string[];
}

/** Rules of axe for WCAG 2.2, levels A and AA. */
const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const checks: axe.RunOptions = {
  runOnly: wcag,
  // axe leaves the size of targets (2.5.8) out unless it is named.
  rules: { 'target-size': { enabled: true } },
  resultTypes: ['violations'],
};

/**
 * A person in front of a browser of their own. A test fails if the page they visit throws, breaks its Content-Security-Policy or makes a
 * request to another host.
 */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  readonly #console: Pick<ConsoleService, 'url' | 'site'>;
  readonly #complaints: string[];
  /** Where the page may make requests. */
  readonly #origins: Set<string>;
  /** Requests without an answer, by their addresses. Streams are left out: they have no end. */
  readonly #open = new Map<object, string>();
  #theme: 'light' | 'dark' = 'light';

  private constructor(
    page: Page,
    console: Pick<ConsoleService, 'url' | 'site'>,
    { complaints, origins }: { readonly complaints: string[]; readonly origins: Set<string> },
  ) {
    this.page = page;
    this.#console = console;
    this.#complaints = complaints;
    this.#origins = origins;
    page.setDefaultTimeout(30_000);
    page.on('pageerror', ({ message }) => this.#complaints.push(message));
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedType/i.test(message.text())) this.#complaints.push(message.text());
    });
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && !this.#origins.has(origin)) this.#complaints.push(request.url());
      if (!/\/stream(\?|$)/.test(request.url())) this.#open.set(request, request.url());
    });
    page.on('requestfinished', (request) => this.#open.delete(request));
    page.on('requestfailed', (request) => this.#open.delete(request));
  }

  static async arrive(
    browser: Browser,
    console: Pick<ConsoleService, 'url' | 'site'>,
    options?: ContextOptions,
  ): Promise<Visitor> {
    const context = await browser.newContext(options);
    return new Visitor(await context.newPage(), console, {
      complaints: [],
      origins: new Set([console.url]),
    });
  }

  /** A person who may do everything, signed in, and not on a page yet. */
  static async signedIn(browser: Browser, console: ConsoleService): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, console);
    const scopes = ['admin', 'approvals:decide'] as const;
    await visitor.signIn(await console.key('Maria Keller', scopes, { subject: 'maria' }));
    return visitor;
  }

  /**
   * Another tab of the same browser, with the same session. It is closed with the first one, which also reports its complaints. A tab loads a
   * page in a third of the time that a new browser needs, because the files and their compiled form are kept.
   */
  async secondTab(): Promise<Visitor> {
    return new Visitor(await this.page.context().newPage(), this.#console, {
      complaints: this.#complaints,
      origins: this.#origins,
    });
  }

  /** The page may also go there, as to the provider of a login. */
  mayVisit(origin: string): this {
    this.#origins.add(origin);
    return this;
  }

  /** Signs in as the form does. */
  async signIn(key: string): Promise<void> {
    const answer = await this.page.context().request.post(`${this.#console.site}session`, {
      headers: { 'x-tallystick-console': '1' },
      data: { key },
    });
    expect(answer.status()).toBe(200);
  }

  /** Signs in, and opens a page of the console. */
  async open(key: string, address: string): Promise<void> {
    await this.signIn(key);
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

  /** Shows the page in a theme or at a width, and waits until it has settled. */
  async look({ theme = this.#theme, width }: { theme?: 'light' | 'dark'; width?: number }): Promise<void> {
    this.#theme = theme;
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    if (width !== undefined) await this.page.setViewportSize({ width, height: 740 });
    await this.settled();
  }

  /**
   * Waits until the page has its theme and its width, every request has an answer, nothing is a placeholder or moves, and two frames in a
   * row have the same size. What is measured before that is the page on its way.
   */
  async settled(): Promise<void> {
    let missing: string[] = [];
    const isSettled = async () => {
      missing = await this.page.evaluate(whatMoves, {
        width: this.page.viewportSize()?.width,
        isDark: this.#theme === 'dark',
      });
      missing.push(...this.#open.values());
      return missing.length === 0;
    };
    await until(isSettled, { timeoutMs: 20_000 }).catch((cause: unknown) => {
      throw new Error(`the page did not settle: ${missing.join(', ')}`, { cause });
    });
  }

  /**
   * What has jumped since the page was opened, without the reader doing anything: the layout shifts from which browsers compute the
   * cumulative layout shift (https://web.dev/articles/cls).
   */
  async jumps(): Promise<Jumps> {
    return await this.page.evaluate(async () => {
      interface LayoutShift extends PerformanceEntry {
        readonly value: number;
        readonly hadRecentInput: boolean;
        readonly sources: readonly {
          readonly node: Node | null;
          readonly previousRect: DOMRectReadOnly;
          readonly currentRect: DOMRectReadOnly;
        }[];
      }
      const shifts: LayoutShift[] = [];
      const observer = new PerformanceObserver((list) => {
        shifts.push(...(list.getEntries() as LayoutShift[]));
      });
      observer.observe({ type: 'layout-shift', buffered: true });
      for (let frame = 0; frame < 2; frame += 1)
        await new Promise((resolve) => requestAnimationFrame(resolve));
      shifts.push(...(observer.takeRecords() as LayoutShift[]));
      observer.disconnect();
      const place = ({ x, y, width, height }: DOMRectReadOnly) =>
        [x, y, width, height].map(Math.round).join(' ');
      const unexpected = shifts.filter(({ hadRecentInput }) => !hadRecentInput);
      return {
        sum: unexpected.reduce((sum, { value }) => sum + value, 0),
        what: unexpected.flatMap(({ value, sources }) =>
          sources.map(({ node, previousRect, currentRect }) => {
            const element = node instanceof Element ? node : node?.parentElement;
            const name = element ? `${element.localName}.${element.className}` : 'removed';
            return `${value.toFixed(4)} ${name}: ${place(previousRect)} -> ${place(currentRect)}`;
          }),
        ),
      };
    });
  }

  /** What a person with a disability could not use (WCAG 2.2 AA). In the second theme only colours differ. */
  async barriers({ onlyColours = false } = {}): Promise<string[]> {
    // The page's policy refuses scripts that are not its own, so axe comes in through the debugger.
    await this.page.evaluate(`globalThis.axe === undefined && (() => { ${axe.source} })()`);
    const { violations } = await this.page.evaluate(
      async (options) => await (globalThis as unknown as { axe: typeof axe }).axe.run(options),
      onlyColours ? { ...checks, runOnly: ['color-contrast'] } : checks,
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  /** Closes the tab, and fails if a page of this browser complained. */
  async leave(): Promise<void> {
    await this.page.close();
    expect(this.#complaints.splice(0)).toEqual([]);
  }

  /** Closes the browser. Every test ends with it, so that none overlooks a complaint. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    expect(this.#complaints).toEqual([]);
  }
}

/** What in the page is not as it will stay. It runs in the page, after two frames. */
async function whatMoves({
  width,
  isDark,
}: {
  readonly width: number | undefined;
  readonly isDark: boolean;
}): Promise<string[]> {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const size = () => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return `${scrollWidth} ${scrollHeight} ${document.querySelectorAll('*').length}`;
  };
  await frame();
  const before = size();
  await frame();
  const moving = document.getAnimations().filter(({ playState, effect }) => {
    // The point of live mode breathes without an end.
    return playState === 'running' && effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
  });
  const checks = {
    width: width === undefined || innerWidth === width,
    theme: matchMedia('(prefers-color-scheme: dark)').matches === isDark,
    fonts: document.fonts.status === 'loaded',
    placeholders: document.querySelector('.placeholder, .matter-placeholder, .chain-placeholder') === null,
    animations: moving.length === 0,
    layout: size() === before,
  };
  return Object.entries(checks).flatMap(([name, isSo]) => (isSo ? [] : [name]));
}
