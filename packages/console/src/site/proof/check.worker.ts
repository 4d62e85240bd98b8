import { checkPage, type PageToCheck } from './check-page.ts';
import { checkRecord, type Evidence } from './check-record.ts';

/** What the page asks for: the check of one record, or of a page of a list. */
export type CheckTask = { readonly record: Evidence } | { readonly page: PageToCheck };

// Hashes and signatures are computed here, so that the page stays responsive.
addEventListener('message', async ({ data }: MessageEvent<{ id: number; task: CheckTask }>) => {
  const { id, task } = data;
  try {
    const result = 'record' in task ? await checkRecord(task.record) : await checkPage(task.page);
    postMessage({ id, result });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
