import { trusted } from './fixture.ts';
import { archiveOf, covered, type SelectionFiles } from './selection-parts.ts';

/** An export with evidence, and what a verifier must say of it. Each case states its result; nothing computes it. */
export interface SelectionCase {
  readonly file: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  /** Checkpoints that the user gives. */
  readonly given?: readonly string[];
  readonly expect: SelectionExpectation | { readonly refused: 'EVIDENCE_MALFORMED' };
}

interface SelectionExpectation {
  readonly verdict: 'verified_selection' | 'recovered_selection' | 'broken' | 'not_verifiable';
  readonly tenant_id: string;
  readonly records: number;
  readonly verified: number;
  readonly hash_only: number;
  readonly newer_than_checkpoint: number;
  readonly in_other_epochs: number;
  readonly omissions: 'not covered';
  readonly checkpoint_size: number;
  readonly findings: readonly string[];
  readonly rotations?: readonly object[];
  readonly not_compared?: readonly number[];
}

interface Options {
  readonly keys?: readonly string[];
  readonly given?: readonly string[];
}

/** @param changes what differs from a selection of four records that are all proven */
export function selectionCase(
  file: string,
  name: string,
  made: SelectionFiles | Uint8Array,
  verdict: SelectionExpectation['verdict'],
  changes: Partial<SelectionExpectation> = {},
  { keys = [trusted], given }: Options = {},
): SelectionCase {
  return {
    file: `${file}.zip`,
    name,
    bytes: made instanceof Uint8Array ? made : archiveOf(made),
    keys,
    ...(given !== undefined && { given }),
    expect: {
      verdict,
      tenant_id: 'acme',
      records: 4,
      verified: 4,
      hash_only: 0,
      newer_than_checkpoint: 0,
      in_other_epochs: 0,
      omissions: 'not covered',
      checkpoint_size: covered,
      findings: [],
      ...changes,
    },
  };
}

export function refusedSelection(
  file: string,
  name: string,
  made: SelectionFiles | Uint8Array,
): SelectionCase {
  return {
    file: `${file}.zip`,
    name,
    bytes: made instanceof Uint8Array ? made : archiveOf(made),
    keys: [trusted],
    expect: { refused: 'EVIDENCE_MALFORMED' },
  };
}
