import type { CheckTask } from './check.worker.ts';
import workerUrl from './check.worker.ts?worker&url';
import type { PageResult, PageToCheck } from './check-page.ts';
import type { Evidence, RecordCheck } from './check-record.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Waiting calls by their ids. Owned by this module, like the worker. */
const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
let worker: Worker | undefined;
let lastId = 0;

/** Checks a record in a worker. The worker starts with the first check and stays. */
export async function checkInWorker(record: Evidence): Promise<RecordCheck> {
  return (await ask({ record })) as RecordCheck;
}

/** Checks a page of a list in the same worker. */
export async function checkPageInWorker(page: PageToCheck): Promise<PageResult> {
  return (await ask({ page })) as PageResult;
}

function ask(task: CheckTask): Promise<unknown> {
  worker ??= startWorker();
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.postMessage({ id, task });
  });
}

function startWorker(): Worker {
  const started = new Worker(ownAddress(workerUrl), { type: 'module' });
  started.addEventListener('message', ({ data: { id, result, error } }: MessageEvent<Answer>) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (result !== undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  started.addEventListener('error', () => {
    for (const { reject } of waiting.values())
      reject(new Error('The browser could not start the check. Reload the page.'));
    waiting.clear();
    worker = undefined;
  });
  return started;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** The page's Content-Security-Policy refuses scripts at addresses that no policy of this name allows. */
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('tallystick', {
  createScriptURL(url) {
    if (new URL(url, document.baseURI).href !== new URL(workerUrl, document.baseURI).href)
      throw new TypeError('only the worker of the console may be started');
    return url;
  },
});

function ownAddress(url: string): string {
  return policy?.createScriptURL(url) ?? url;
}
