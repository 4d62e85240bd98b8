import type { Browser, Page } from '@tallystick/testing';

/** An interaction that took longer than a frame, as the browser's event timing reports it. */
interface Interaction {
  readonly id: number;
  readonly name: string;
  /** From the input to the next paint, ms. The browser rounds it to 8 ms. */
  readonly ms: number;
}

/** A task of the page's main thread. */
export interface Task {
  /** By the clock, ms. On a busy machine it includes the time in which other processes ran. */
  readonly ms: number;
  /** Processor time of the thread, ms. */
  readonly processorMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly data?: { readonly functionName?: string } };
}

/** Shorter interactions are not reported by the browser; they count as this, ms. */
const shortestMs = 16;

/** Measures one page of a browser: tasks of its main thread, interactions, memory. */
export class PageMeter {
  readonly page: Page;
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
  }

  static async open(browser: Browser): Promise<PageMeter> {
    const context = await browser.newContext({ viewport: { width: 1_440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.addInitScript(observe);
    return new PageMeter(browser, page);
  }

  /** Tasks of the main thread while something is done, the longest first. */
  async tasksOf(work: () => Promise<void>): Promise<readonly Task[]> {
    await this.#browser.startTracing(this.page, {
      categories: ['toplevel', '__metadata', 'disabled-by-default-devtools.timeline'],
    });
    await work();
    const { traceEvents } = JSON.parse((await this.#browser.stopTracing()).toString()) as {
      readonly traceEvents: readonly TraceEvent[];
    };
    const tasks = mainThreadOf(traceEvents).filter(
      ({ name, ph }) => ph === 'X' && (name === 'RunTask' || name === 'ThreadControllerImpl::RunTask'),
    );
    return tasks
      .map(({ dur = 0, tdur = dur }) => ({ ms: dur / 1_000, processorMs: tdur / 1_000 }))
      .sort((a, b) => b.processorMs - a.processorMs);
  }

  /** Milliseconds from the input to the next paint, for the slowest event of one interaction. */
  async interaction(act: () => Promise<void>): Promise<number> {
    await this.page.evaluate(() => {
      (globalThis as unknown as Observed).interactions.length = 0;
    });
    await act();
    // The browser reports an interaction after its paint.
    const seen = await this.page.evaluate(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await frame();
      await frame();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return (globalThis as unknown as Observed).interactions;
    });
    return Math.max(shortestMs, ...seen.map(({ ms }) => ms));
  }

  /** The page's heap after a collection of garbage, MB, and its nodes. */
  async memory(): Promise<{ readonly heapMb: number; readonly nodes: number }> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send('HeapProfiler.collectGarbage');
    await session.send('Performance.enable');
    const { metrics } = await session.send('Performance.getMetrics');
    await session.detach();
    const metric = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
    return { heapMb: metric('JSHeapUsedSize') / 1e6, nodes: metric('Nodes') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

interface Observed {
  readonly interactions: Interaction[];
}

/** Runs in the page before its scripts. */
function observe(): void {
  const interactions: Interaction[] = [];
  (globalThis as unknown as { interactions: Interaction[] }).interactions = interactions;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { readonly interactionId: number })[])
      if (entry.interactionId > 0)
        interactions.push({ id: entry.interactionId, name: entry.name, ms: entry.duration });
  }).observe({ type: 'event', durationThreshold: 16, buffered: true } as PerformanceObserverInit);
}

/** The events of the thread that runs the page: the one with the most work among those of this name. */
function mainThreadOf(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => events.filter((event) => event.pid === pid && event.tid === tid));
  return threads.sort((a, b) => b.length - a.length)[0] ?? [];
}
