import type { SelectionCase } from './selection-case.ts';
import { cellVectors } from './selection-cells.ts';
import { brokenSelections } from './selections-broken.ts';
import { refusedSelections } from './selections-refused.ts';
import { soundSelections } from './selections-sound.ts';

export const selectionCases: readonly SelectionCase[] = [
  ...soundSelections,
  ...brokenSelections,
  ...refusedSelections,
];

/** `selections/index.json`: what each of the archives beside it must be found to be, and cells of the table. */
export function selectionVectors(): unknown {
  return {
    description:
      'Exports with evidence by spec/selection.md: verified with the keys and the checkpoints given, each has the result given, or must be refused. findings are code@sequence_number, or the code alone where there is no place, in any order; `trust` is left out. cells: the text of a value in the table.',
    cells: cellVectors,
    selections: selectionCases.map(({ bytes: _, ...rest }) => rest),
  };
}
