/**
 * The spool's own thread: an fsync takes milliseconds, which the application's event loop must not spend. Nor, at
 * 20 µs an event, the search for secrets, which therefore is here too, before anything is written.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Redactor } from '../redaction/redactor.ts';
import { takePlace } from './places.ts';
import type { Answers, Envelope, Reply, Request, SpoolSetup, UnwrittenEvent } from './protocol.ts';
import { SpoolFile } from './spool-file.ts';

const { directory, shared, redaction } = workerData as SpoolSetup;
const redactor = redaction === false ? undefined : new Redactor(redaction);
let file: SpoolFile | undefined;

function withoutSecrets(event: UnwrittenEvent): UnwrittenEvent {
  return redactor === undefined || event.prepared ? event : { ...event, text: redactor.redact(event.text) };
}

function answer(request: Request): Answers[keyof Answers] {
  if (request.op === 'open') {
    if (!shared) {
      file = new SpoolFile(directory);
      return file.open();
    }
    const place = takePlace(directory);
    file = place.file;
    return { ...file.open(), unreadable: place.unreadable };
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
    case 'forget':
      file.forget(request);
      return undefined;
    case 'end':
      file.end(request);
      return undefined;
    case 'letters':
      return file.letters(request);
    case 'purge':
      return file.purge(request);
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
