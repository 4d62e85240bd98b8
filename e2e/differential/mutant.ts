import fc from 'fast-check';
import { seal } from '../../spec/vectors/generator/bundle-writer.ts';
import { checkpoints, corpus } from './corpus.ts';
import { editJson, type JsonEdit, jsonEditKinds } from './edit-json.ts';
import { editText, type TextEdit, textEditKinds } from './edit-text.ts';
import { type Packaging, packageFile, packagingKinds } from './package-file.ts';
import { signBundle, signReceipt } from './sign-again.ts';

/** A change of the text, in the whole file or inside of one line: its JSON, its note, its record. */
interface Step {
  readonly inside: 'file' | 'line' | 'note' | 'record';
  readonly line: number;
  readonly text: TextEdit;
  readonly json: JsonEdit;
}

/** How a file is made from a base. Small numbers are simple, so a failing recipe shrinks to a readable one. */
export interface Recipe {
  readonly base: number;
  readonly steps: readonly Step[];
  /** Whether the checkpoint is signed again for the changed records. */
  readonly sign: boolean;
  /** Whether a bundle gets an end line that fits. */
  readonly seal: boolean;
  readonly packaging: Packaging;
  /** The checkpoint that an earlier verification kept, and one from the command line: places in `checkpoints`. */
  readonly kept: number | undefined;
  readonly given: number | undefined;
}

const number = fc.nat(100_000);
const editOf = <K>(kinds: readonly K[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), at: number, pick: number });
const step: fc.Arbitrary<Step> = fc.record({
  inside: fc.constantFrom('record', 'line', 'note', 'file', 'record', 'record'),
  line: fc.nat(40),
  text: editOf(textEditKinds),
  json: editOf(jsonEditKinds),
});
const often = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
const someCheckpoint = (weight: number) =>
  fc.oneof(
    { weight, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(checkpoints.length - 1) },
  );

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  base: fc.nat(corpus.length - 1),
  steps: fc.array(step, { maxLength: 3 }),
  sign: fc.boolean(),
  seal: often(6),
  packaging: fc.record({
    kind: fc.oneof(...packagingKinds.map(({ weight, kind }) => ({ weight, arbitrary: fc.constant(kind) }))),
    at: number,
    pick: number,
  }),
  kept: someCheckpoint(3),
  given: someCheckpoint(5),
});

/** The bytes of the file that a recipe describes. */
export async function bake({ base, steps, sign, seal: sealed, packaging }: Recipe): Promise<Buffer> {
  const { bytes } = corpus[base]!;
  if (bytes[0] === 0x1f) return packageFile(bytes, packaging);
  const isReceipt = bytes.toString().startsWith('c2sp.org/');
  let text = bytes.toString();
  if (!isReceipt && sealed) text = text.split('\n').slice(0, -2).join('\n');
  for (const one of steps) text = isReceipt ? changeReceipt(text, one) : changeBundle(text, one);
  if (sign) text = isReceipt ? await signReceipt(text) : await signBundle(text);
  if (!isReceipt && sealed) text = seal(text.split('\n'));
  return packageFile(Buffer.from(text), packaging);
}

function changeBundle(text: string, { inside, line: place, text: edit, json }: Step): string {
  if (inside === 'file') return editText(text, edit);
  const lines = text.split('\n');
  const isWanted = (line: string) =>
    inside === 'line' || line.startsWith(inside === 'note' ? '{"checkpoint":' : '{"record":');
  const wanted = [...lines.keys()].filter((at) => isWanted(lines[at]!));
  const at = wanted[place % Math.max(1, wanted.length)];
  if (at === undefined) return text;
  const line = lines[at]!;
  return lines.with(at, inside === 'note' ? changeNote(line, edit) : editJson(line, json)).join('\n');
}

function changeNote(line: string, edit: TextEdit): string {
  try {
    const { checkpoint } = JSON.parse(line) as { checkpoint: string };
    return JSON.stringify({ checkpoint: editText(checkpoint, edit) });
  } catch {
    return line;
  }
}

function changeReceipt(text: string, { inside, text: edit, json }: Step): string {
  const extra = /^extra (.*)$/m.exec(text)?.[1];
  if (inside !== 'record' || extra === undefined) return editText(text, edit);
  const record = Buffer.from(extra, 'base64').toString();
  const changed = Buffer.from(editJson(record, json)).toString('base64');
  return text.replace(`extra ${extra}\n`, () => `extra ${changed}\n`);
}
