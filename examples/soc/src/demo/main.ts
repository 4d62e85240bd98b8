/** `npm run demo`: the reference platform at work, what its trail answers, and attacks on the trail. */
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  KeptAttacks,
  Narrator,
  type ProcessContext,
  performTyped,
  sayAttacks,
  Terminal,
  untilStopped,
} from 'tallystick/demo/story-parts';
import { missingForModels } from '../models/named-catalog.ts';
import { Unavailable } from '../platform/topics.ts';
import { missingForKafka } from './broker.ts';
import { type DemoOptions, readOptions, usage } from './options.ts';
import { Stopped, stopSignal } from './stopped.ts';
import { directoriesOf, type Told, tellStory } from './story.ts';
import { quoted, whereToLook } from './where-to-look.ts';

const processContext: ProcessContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  stopped: stopSignal(),
};

const options = optionsOrExit();
const missing =
  (options.kafka && options.brokers === undefined ? missingForKafka() : undefined) ??
  missingForModels(options.models, process.env);
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
try {
  const told = await tellStory({ terminal, narrator, processContext }, { ...options, directory });
  await narrator.end('Every attack was found and located.', { ok: true, attacks_caught: told.attacksCaught });
  if (options.keep) await keep(told);
  else await whereToLook(terminal, told, { directory, running: undefined });
} catch (error) {
  if (error instanceof Unavailable) {
    console.error(error.message);
    process.exit(3);
  }
  if (!(error instanceof Stopped)) throw error;
  await sayStopped(error);
  process.exit(error.exitCode);
}

/** Until a signal comes. */
async function keep(told: Told): Promise<void> {
  // Signed every second, so that a browser can check the newest record too.
  await using attacks = await KeptAttacks.start(directoriesOf(directory), told.victim, {
    checkpointIntervalMs: 1_000,
  });
  await whereToLook(terminal, told, { directory, running: attacks.running });
  if (!options.json) await sayAttacks(terminal, attacks);
  // Without a terminal, the input ends at once, and the service goes on.
  await performTyped(terminal, processContext, attacks);
  await untilStopped(processContext);
}

async function sayStopped({ signal }: Stopped): Promise<void> {
  if (terminal.json) return await terminal.jsonLine({ step: 'stopped', ok: false, signal, directory });
  await terminal.line();
  await terminal.line(`  Stopped by ${signal}. What was recorded until now stays in ${directory}. Ask it:`);
  await terminal.line(`    npx tally --data ${quoted(directory)} tenants`);
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
