/**
 * The spool's thread. An fsync takes milliseconds and the search for secrets 20 µs per event; neither must block the
 * application's event loop. Secrets are removed here before an event is written.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WireRedactor } from '../redaction/wire-redactor.ts';
import type {
  Request,
  RequestMessage,
  ResponseMessage,
  Responses,
  SpoolSetup,
  UnwrittenEvent,
} from './requests.ts';
import { claimSubdirectory } from './shared-directory.ts';
import { SpoolFile } from './spool-file.ts';

const { directory, shared, redaction } = workerData as SpoolSetup;
const redactor = redaction === false ? undefined : new WireRedactor(redaction);
/** Owned by this thread. Set while the spool is open. */
let file: SpoolFile | undefined;

function withoutSecrets(event: UnwrittenEvent): UnwrittenEvent {
  return redactor === undefined || event.redacted ? event : { ...event, text: redactor.redact(event.text) };
}

function handle(request: Request): Responses[keyof Responses] {
  if (request.op === 'open') {
    if (!shared) {
      file = new SpoolFile(directory);
      return file.open();
    }
    const claimed = claimSubdirectory(directory);
    file = claimed.file;
    return { ...file.open(), unreadable: claimed.unreadable };
  }
  if (file === undefined) throw new Error('the spool is not open');
  switch (request.op) {
    case 'append':
      file.append({ ...request, events: request.events.map(withoutSecrets) });
      return undefined;
    case 'read':
      return file.read(request);
    case 'settle':
      file.settle(request);
      return undefined;
    case 'forgetProducer':
      file.forgetProducer(request);
      return undefined;
    case 'recordEnd':
      file.recordEnd(request);
      return undefined;
    case 'listDeadLetters':
      return file.listDeadLetters(request);
    case 'purgeDeadLetters':
      return file.purgeDeadLetters(request);
    case 'close':
      file.close();
      file = undefined;
      return undefined;
  }
}

parentPort?.on('message', ({ number, request, done }: RequestMessage) => {
  let message: ResponseMessage;
  try {
    message = { number, response: handle(request) };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    message = {
      number,
      failure: { code: typeof code === 'string' ? code : 'SPOOL_FAILED', message: (error as Error).message },
    };
  }
  if (done !== undefined) {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  }
  parentPort?.postMessage(message);
});
