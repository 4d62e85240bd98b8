import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainEvent } from '../src/chain.ts';
import { verifyChain } from '../src/chain-verifier.ts';
import { type SealedRecord, zeroHash } from '../src/record.ts';
import { event, genesis, ingest, ingestedAt, origin, tenantId } from './fixture.ts';

describe('chainEvent', () => {
  it('makes a chain that verifies, whatever the events', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), (contents) => {
        const list: SealedRecord[] = [genesis()];
        for (const content of contents) {
          const state = { tenantId, lastSequence: list.length - 1, lastHash: list.at(-1)!.hashHex };
          const next = event(list.length, { metadata: { content } });
          list.push(chainEvent(next, state, { ingest, ingestedAt: ingestedAt(1) }));
        }
        const { findings } = verifyChain(
          list.map(({ text }) => ({ text })),
          { tenantId, origin },
        );
        expect(findings).toEqual([]);
      }),
    );
  });

  it('takes no event of another tenant', () => {
    const state = { tenantId: 'other', lastSequence: 0, lastHash: zeroHash };
    expect(() => chainEvent(event(1), state, { ingest, ingestedAt: ingestedAt(1) })).toThrow(
      expect.objectContaining({ code: 'CHAIN_STATE_INVALID' }),
    );
  });
});
