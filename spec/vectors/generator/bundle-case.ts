import { createHash } from 'node:crypto';
import { linesOf, type Parts, seal } from './bundle-writer.ts';
import { hex, trusted } from './fixture.ts';

export interface BundleCase {
  readonly file: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  readonly expect: {
    readonly verdict: 'verified' | 'recovered' | 'verified_partial' | 'broken' | 'not_verifiable';
    readonly covered?: readonly (readonly [number, number])[];
    readonly missing?: readonly (readonly [number, number])[];
    readonly missing_records?: number;
    readonly tenant_id: string | null;
    readonly records: number;
    readonly covered_to: number | null;
    readonly unsigned_tail: number;
    readonly head: string | null;
    /** `code@sequence_number`, `code@epoch/sequence_number`, or only the code. The order does not matter. */
    readonly findings: readonly string[];
    /** What is left of each closed epoch. */
    readonly closed?: readonly object[];
    /** The rotations that were followed. */
    readonly rotations?: readonly object[];
  };
}

interface Options {
  readonly keys?: readonly string[];
  readonly head?: string;
  readonly unsignedTail?: number;
  /** The ranges of an incomplete bundle. */
  readonly part?: {
    readonly covered: readonly (readonly [number, number])[];
    readonly missing: readonly (readonly [number, number])[];
    readonly missing_records: number;
  };
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Collects cases. Each case states its expected result; nothing computes it. */
export class BundleCases {
  readonly cases: BundleCase[] = [];

  verified(
    file: string,
    name: string,
    parts: Parts,
    coveredTo: number,
    options: Options & { verdict?: 'recovered' } = {},
  ): void {
    this.cases.push({
      file: `${file}.tally`,
      name,
      bytes: utf8(seal(linesOf(parts))),
      keys: options.keys ?? [trusted],
      expect: {
        verdict: options.verdict ?? (options.part === undefined ? 'verified' : 'verified_partial'),
        ...options.part,
        tenant_id: 'acme',
        records: parts.records.length,
        covered_to: coveredTo,
        unsigned_tail: options.unsignedTail ?? 0,
        head: parts.records.at(-1)!.hashHex,
        findings: [],
      },
    });
  }

  /** If `lines` differ from those of the parts, `parts` must be what a verifier reads from them. */
  failed(
    verdict: 'broken' | 'not_verifiable',
    file: string,
    name: string,
    list: readonly { readonly text: string }[],
    lines: readonly string[],
    findings: readonly string[],
    options: Options = {},
  ): void {
    this.cases.push({
      file: `${file}.tally`,
      name,
      bytes: utf8(seal(lines)),
      keys: options.keys ?? [trusted],
      expect: {
        verdict,
        tenant_id: 'acme',
        records: list.length,
        covered_to: null,
        unsigned_tail: 0,
        head: list.length === 0 ? null : hex(createHash('sha256').update(list.at(-1)!.text).digest()),
        findings,
      },
    });
  }

  refused(
    file: string,
    name: string,
    bytes: Uint8Array | string,
    code = 'BUNDLE_DAMAGED',
    tenant: string | null = 'acme',
  ): void {
    this.cases.push({
      file: `${file}.tally`,
      name,
      bytes: typeof bytes === 'string' ? utf8(bytes) : bytes,
      keys: [trusted],
      expect: {
        verdict: 'not_verifiable',
        tenant_id: tenant,
        records: 0,
        covered_to: null,
        unsigned_tail: 0,
        head: null,
        findings: [code],
      },
    });
  }
}
