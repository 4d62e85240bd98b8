import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { parseCheckpoint, parseNote } from '@tallystick/log';
import { runCli } from 'tallystick/program';
import { readKnownLogs, withCheckpoint, writeKnownLogs } from 'tallystick/trust/known-logs';
import { type Answer, PythonVerifier } from './python-verifier.ts';

/** What a reader has: a file, keys, and checkpoints from earlier. */
export interface Task {
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  readonly kept?: string | undefined;
  readonly given?: string | undefined;
}

/** What a verifier says, in the form in which two verifiers must agree. */
export interface Outcome {
  readonly code: number | string;
  /** The report without what is meant for people; absent where the verifier refused the task. */
  readonly report?: unknown;
  /** The notes that are kept afterwards. */
  readonly kept: readonly string[];
  readonly evidence: readonly string[];
}

/** Verifies the same file with the command line in TypeScript and with the verifier in Python. */
export class BothVerifiers {
  readonly #python = new PythonVerifier();
  readonly #directory = mkdtempSync(join(tmpdir(), 'tally-differential-'));
  readonly #config = join(this.#directory, 'typescript');
  readonly #keep = join(this.#directory, 'python');
  readonly #given = join(this.#directory, 'given.note');

  async run(task: Task): Promise<{ readonly typescript: Outcome; readonly python: Outcome }> {
    this.#prepare(task);
    const options = [
      ...task.keys.flatMap((key) => ['--key', key]),
      ...(task.given === undefined ? [] : ['--checkpoint', this.#given]),
      '--json',
    ];
    const answering = this.#python.run(['file', '-', ...options, '--keep', this.#keep], task.bytes);
    const env = { XDG_CONFIG_HOME: this.#config };
    const ran = await runTally(['verify', '-', ...options], task.bytes, env);
    const python = await answering;
    return {
      typescript: {
        ...outcomeOf(ran),
        kept: [...readKnownLogs(env).values()].flatMap(({ checkpoint }) => checkpoint?.note ?? []).sort(),
        evidence: notesIn(join(this.#config, 'tallystick/evidence')),
      },
      python: {
        ...outcomeOf(python),
        kept: notesIn(this.#keep),
        evidence: notesIn(join(this.#keep, 'evidence')),
      },
    };
  }

  #prepare({ kept, given }: Task): void {
    for (const directory of [this.#config, this.#keep]) {
      if (existsSync(directory)) rmSync(directory, { recursive: true });
    }
    if (given !== undefined) writeFileSync(this.#given, given);
    if (kept === undefined) return;
    const { origin } = parseCheckpoint(parseNote(kept).text);
    const env = { XDG_CONFIG_HOME: this.#config };
    writeKnownLogs(env, withCheckpoint(new Map(), kept, '2026-03-01T00:00:00.000Z'));
    mkdirSync(this.#keep);
    writeFileSync(join(this.#keep, `${encodeURIComponent(origin)}.note`), kept);
  }

  async close(): Promise<void> {
    await this.#python.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Runs the command line in this process. */
async function runTally(
  args: readonly string[],
  stdin: Uint8Array,
  env: { readonly [name: string]: string },
): Promise<Answer> {
  const stdout = new Text();
  const stderr = new Text();
  const code = await runCli(args, {
    stdin: Readable.from([stdin]),
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    now: Date.now,
    stopped: new AbortController().signal,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The contents of the notes in a directory, which may be missing. */
function notesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.note'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .sort();
}

interface Report {
  readonly findings: readonly {
    readonly code: string;
    readonly sequence_number: number | null;
    readonly epoch?: number;
  }[];
  readonly [member: string]: unknown;
}

function outcomeOf({ code, stdout }: Answer): { readonly code: number | string; readonly report?: unknown } {
  if (stdout === '') return { code };
  const { findings, record: _, held_against: __, equivocation: ___, ...rest } = JSON.parse(stdout) as Report;
  const places = findings.map(
    ({ code: found, sequence_number: place, epoch }) => `${found}@${epoch ?? ''}/${place}`,
  );
  return { code, report: { ...rest, findings: [...new Set(places)].sort() } };
}
