import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { booksVectors } from './generator/books.ts';
import { brokenBundles } from './generator/bundles-broken.ts';
import { closedBundles } from './generator/bundles-closed.ts';
import { refusedBundles } from './generator/bundles-refused.ts';
import { rotatedBundles } from './generator/bundles-rotated.ts';
import { soundBundles } from './generator/bundles-sound.ts';
import { canonicalVectors } from './generator/canonical.ts';
import { eventVectors } from './generator/events.ts';
import { multiproofVectors } from './generator/multiproofs.ts';
import { checkpointVectors, noteVectors, sealedVectors, tlogProofVectors } from './generator/notes.ts';
import { receiptVectors } from './generator/receipts.ts';
import { recordVectors } from './generator/records.ts';
import { selectionCases, selectionVectors } from './generator/selections.ts';
import { termVectors } from './generator/terms.ts';
import { proofVectors, treeVectors } from './generator/tree.ts';

const bundleCases = [
  ...soundBundles,
  ...brokenBundles,
  ...closedBundles,
  ...rotatedBundles,
  ...refusedBundles,
];

/**
 * Makes all vectors from fixed seeds. `node --conditions=tallystick-source spec/vectors/generate.ts` writes them beside this
 * file. A test compares the committed files with {@link vectorFiles}.
 */
export async function vectorFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const json: readonly (readonly [string, unknown])[] = [
    ['canonical.json', canonicalVectors()],
    ['events.json', eventVectors()],
    ['records.json', recordVectors()],
    ['tree.json', treeVectors()],
    ['proofs.json', proofVectors()],
    ['multiproofs.json', multiproofVectors()],
    ['notes.json', await noteVectors()],
    ['checkpoints.json', checkpointVectors()],
    ['tlog-proof.json', await tlogProofVectors()],
    ['receipts.json', await receiptVectors()],
    ['sealed.json', sealedVectors()],
    ['books.json', booksVectors()],
    ['terms.json', termVectors()],
    [
      'bundles/index.json',
      {
        description:
          'Bundles by spec/bundle.md: verified with the keys given, each has the result given. findings are code@sequence_number, code@epoch/sequence_number for a closed epoch, or the code alone where there is no place, in any order; `trust` is left out.',
        bundles: bundleCases.map(({ bytes: _, ...rest }) => rest),
      },
    ],
    ['selections/index.json', selectionVectors()],
  ];
  const encoder = new TextEncoder();
  return new Map<string, Uint8Array>([
    ...json.map(([name, value]) => [name, encoder.encode(`${writeList(value)}\n`)] as const),
    ...bundleCases.map(({ file, bytes }) => [`bundles/${file}`, bytes] as const),
    ...selectionCases.map(({ file, bytes }) => [`selections/${file}`, bytes] as const),
  ]);
}

/** JSON with one line per vector: compact, and readable in a diff. */
function writeList(value: unknown): string {
  const sections = Object.entries(value as object).map(([name, section]) => {
    if (!Array.isArray(section)) return `${JSON.stringify(name)}: ${JSON.stringify(section)}`;
    return `${JSON.stringify(name)}: [\n${section.map((one) => `  ${JSON.stringify(one)}`).join(',\n')}\n]`;
  });
  return `{\n${sections.join(',\n')}\n}`;
}

if (import.meta.main) {
  const folder = import.meta.dirname;
  for (const kind of ['bundles', 'selections']) rmSync(join(folder, kind), { recursive: true, force: true });
  for (const old of readdirSync(folder)) {
    // biome.json stays: it keeps the formatter away from the vectors, which have one line each.
    if (old.endsWith('.json') && old !== 'biome.json') rmSync(join(folder, old));
  }
  for (const kind of ['bundles', 'selections']) mkdirSync(join(folder, kind));
  let bytes = 0;
  for (const [name, content] of await vectorFiles()) {
    writeFileSync(join(folder, name), content);
    bytes += content.length;
  }
  console.log(`${bytes} bytes written`);
}
