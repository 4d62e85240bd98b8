import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LogError, parseCheckpoint, parseNote, rotationFromJson } from '@tallystick/log';
import { gunzipIfNeeded, readBundle, readForkReport, readReceipt } from '@tallystick/verify';
import { peekFile, readWhole } from '../../backend/file-head.ts';
import type { Context } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { compareNotes, type NotePair, printComparisons } from './compare-notes.ts';

/** Longest file that is read as a whole, bytes. */
const maxBytes = 4 << 20;
/** Most checkpoints of one file that are compared. */
const maxNotes = 100;

/** Compares the checkpoints of two files: every pair of one log. */
export async function compareFiles(context: Context, files: readonly string[]): Promise<number> {
  const [a, b] = files;
  if (a === undefined || b === undefined || files.length !== 2)
    throw new CliError('USAGE', 'name two files to compare: tally verify --compare A B');
  const [ofA, ofB] = [await notesIn(context, a), await notesIn(context, b)];
  const pairs = ofA.flatMap((one) =>
    ofB.flatMap((other): NotePair[] =>
      originOf(one) === originOf(other) ? [{ notes: [one, other], from: [a, b] }] : [],
    ),
  );
  if (pairs.length === 0) {
    throw new CliError('NOT_VERIFIABLE', `${a} and ${b} have no checkpoints of the same log`, {
      hint: 'checkpoints of different tenants, or of epochs before and after a recovery, can not be compared',
    });
  }
  const comparisons = [];
  for (const pair of pairs) comparisons.push(await compareNotes(context, pair));
  return await printComparisons(context, comparisons);
}

/** Checks the report that a reader downloaded from the viewer. */
export async function checkForkReport(context: Context, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const text = (await readWhole(gunzipIfNeeded(bytes)))?.toString('utf8');
  const report = text === undefined ? undefined : readForkReport(text);
  if (report === undefined) {
    await context.terminal.line('? not verifiable  the report is damaged');
    return exitCodes.notVerifiable;
  }
  const { kept, shown, keptAt, shownAt, consistency, rotations = [] } = report;
  const comparison = await compareNotes(context, {
    notes: [kept, shown],
    from: [`what the reader verified ${keptAt ?? 'before'}`, `what the service showed at ${shownAt}`],
    proof: consistency,
    rotations: rotations.map(rotationFromJson),
  });
  return await printComparisons(context, [comparison]);
}

/** The signed checkpoints in a file: a checkpoint, a receipt, a bundle, a reader's report, or `known-logs.json`. */
async function notesIn({ processContext }: Context, file: string): Promise<readonly string[]> {
  const path = resolve(processContext.cwd, file);
  try {
    const head = await peekFile(createReadStream(path));
    if (head.header !== undefined) return await notesOfBundle(head.bytes);
    // The stream is not needed any more: these files are short.
    await head.bytes[Symbol.asyncIterator]().return?.();
    const text = await readFile(path, 'utf8');
    if (text.length > maxBytes) throw new CliError('USAGE', `${file} is too long`);
    const notes = notesOfText(text).slice(0, maxNotes);
    for (const note of notes) originOf(note);
    return notes;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall !== undefined)
      throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
    if (!(cause instanceof LogError || cause instanceof SyntaxError)) throw cause;
    const what = 'is not a checkpoint, receipt, bundle, report or known-logs.json';
    throw new CliError('USAGE', `${file} ${what}: ${cause.message}`, { cause });
  }
}

async function notesOfBundle(bytes: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const notes: string[] = [];
  for await (const entry of readBundle(gunzipIfNeeded(bytes)))
    if (entry.kind === 'checkpoint' && notes.length < maxNotes) notes.push(entry.note);
  return notes;
}

function notesOfText(text: string): readonly string[] {
  const report = readForkReport(text);
  if (report !== undefined) return [report.kept, report.shown];
  const receipt = readReceipt(text, '');
  if (receipt !== undefined) return [receipt.proof.checkpoint];
  if (!text.startsWith('{')) return [text];
  const known = JSON.parse(text) as { readonly [origin: string]: { checkpoint?: { note?: unknown } } | null };
  return Object.values(known).flatMap((entry) => {
    const note = entry?.checkpoint?.note;
    return typeof note === 'string' ? [note] : [];
  });
}

function originOf(note: string): string {
  return parseCheckpoint(parseNote(note).text).origin;
}
