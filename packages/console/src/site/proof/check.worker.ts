import { checkRecord, type Evidence } from './check-record.ts';

// Hashes and signatures are computed here, so that the page stays responsive.
addEventListener('message', async ({ data }: MessageEvent<{ id: number; evidence: Evidence }>) => {
  const { id, evidence } = data;
  try {
    postMessage({ id, result: await checkRecord(evidence) });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
