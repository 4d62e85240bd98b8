/** `npm run demo`: the reference platform at work, what its trail answers, and attacks on the trail. */
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Narrator, type ProcessContext, startService, Terminal } from 'tallystick/demo/story-parts';
import { Unavailable } from '../platform/topics.ts';
import { missingForKafka } from './broker.ts';
import { type DemoOptions, readOptions, usage } from './options.ts';
import { directoriesOf, tellStory } from './story.ts';
import { whereToLook } from './where-to-look.ts';

const stopping = new AbortController();
const processContext: ProcessContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  stopped: stopping.signal,
};

const options = optionsOrExit();
const missing = options.kafka && options.brokers === undefined ? missingForKafka() : undefined;
if (missing !== undefined) {
  console.error(missing);
  process.exit(3);
}
const directory = directoryOf(options.data);
const terminal = new Terminal(processContext, { json: options.json });
const narrator = new Narrator(terminal);
await narrator.title(
  'Tallystick',
  'an AI security operations centre, and a trail in which every change is found',
);
const told = await tellStory({ terminal, narrator, processContext }, { ...options, directory }).catch(
  (error: unknown) => {
    if (!(error instanceof Unavailable)) throw error;
    console.error(error.message);
    return process.exit(3);
  },
);
await narrator.end('Every attack was found and located.', { ok: true, attacks_caught: told.attacksCaught });
if (options.keep) await keep();
else await whereToLook(terminal, told, { directory, running: undefined });

async function keep(): Promise<void> {
  const stopped = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  // Signed every second, so that a browser can check the newest record too.
  await using running = await startService(directoriesOf(directory), { checkpointIntervalMs: 1_000 });
  await whereToLook(terminal, told, { directory, running });
  await stopped;
}

function optionsOrExit(): DemoOptions {
  try {
    const read = readOptions(process.argv.slice(2));
    if (!read.help) return read;
    console.log(usage);
    return process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return process.exit(3);
  }
}

/** A directory of its own for each demo: a trail that exists has other records, and the demo attacks it. */
function directoryOf(given: string | undefined): string {
  if (given === undefined) return mkdtempSync(join(tmpdir(), 'tallystick-demo-'));
  const path = resolve(given);
  mkdirSync(path, { recursive: true });
  if (readdirSync(path).length === 0) return path;
  console.error(`${path} is not empty: the demo attacks its trail, so it takes a directory of its own`);
  return process.exit(3);
}
