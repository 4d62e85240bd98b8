/** The spool's own thread: an fsync takes milliseconds, which the application's event loop must not spend. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Answers, Envelope, Reply, Request } from './protocol.ts';
import { SpoolFile } from './spool-file.ts';

let file: SpoolFile | undefined;

function answer(request: Request): Answers[keyof Answers] {
  if (request.op === 'open') {
    file = new SpoolFile((workerData as { directory: string }).directory);
    return file.open();
  }
  if (file === undefined) throw new Error('the spool is not open');
  switch (request.op) {
    case 'append':
      file.append(request);
      return undefined;
    case 'read':
      return file.read(request);
    case 'settle':
      file.settle(request);
      return undefined;
    case 'forget':
      file.forget(request);
      return undefined;
    case 'end':
      file.end(request);
      return undefined;
    case 'close':
      file.close();
      file = undefined;
      return undefined;
  }
}

parentPort?.on('message', ({ number, request }: Envelope) => {
  let reply: Reply;
  try {
    reply = { number, answer: answer(request) };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    reply = {
      number,
      failure: { code: typeof code === 'string' ? code : 'SPOOL_FAILED', message: (error as Error).message },
    };
  }
  parentPort?.postMessage(reply);
});
