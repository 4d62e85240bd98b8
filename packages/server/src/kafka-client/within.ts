import { SourceError } from '../ingest/kafka/source-error.ts';

/** What `work` resolves with, unless it takes longer than that; what it comes to later is nobody's concern then. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SourceError('TIMED_OUT', `no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
