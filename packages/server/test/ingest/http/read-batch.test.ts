import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchError, readBatch } from '../../../src/ingest/http/read-batch.ts';

afterEach(() => vi.restoreAllMocks());

function refusal(body: Buffer): BatchError {
  try {
    readBatch(body, 1_000);
  } catch (error) {
    if (error instanceof BatchError) return error;
    throw error;
  }
  throw new Error('the batch was accepted');
}

const million = 1_000_000;

// Eight kilobytes of gzip that unpack to a delivery with millions of levels once ended the process under the container's heap limit.
describe('an envelope that would fill the heap', () => {
  it.each([
    ['nested lists', `{"delivery":${'['.repeat(4 * million)}${']'.repeat(4 * million)},"events":[]}`],
    ['nested lists without an end', `{"delivery":${'['.repeat(8 * million)}`],
    ['nested objects', `{"delivery":${'{"a":'.repeat(million)}1${'}'.repeat(million)},"events":[]}`],
    ['many objects', `{"delivery":[${'{},'.repeat(2 * million)}{}],"events":[]}`],
    ['many members', `{${Array.from({ length: 200_000 }, (_, at) => `"${at}":1,`).join('')}"events":[]}`],
    ['nested lists after the events', `{"events":[],"x":${'['.repeat(million)}${']'.repeat(million)}}`],
    ['no object', '['.repeat(8 * million)],
  ])('is refused before it is parsed: %s', (_, text) => {
    const parse = vi.spyOn(JSON, 'parse');
    expect(refusal(Buffer.from(text)).code).toBe('JSON_INVALID');
    // Names of at most 64 bytes are parsed alone, to compare them with `events`.
    for (const [argument] of parse.mock.calls) expect(argument.length).toBeLessThanOrEqual(64);
  });

  it('may hold everything that a producer can declare', () => {
    const tenant = (at: number) => `tenant-${at}`;
    const gaps = Array.from({ length: 10_000 }, (_, at) => ({
      tenant_id: tenant(at),
      from: 1,
      to: 2,
      reason: 'x',
    }));
    const final = Array.from({ length: 10_000 }, (_, at) => ({ tenant_id: tenant(at), final_seq: 3 }));
    const delivery = { producer_id: '01932c07-3f5e-7a6b-8b3c-2d1f0e9a8b7c', service: 's', gaps, final };
    const read = readBatch(Buffer.from(JSON.stringify({ delivery, events: [] })), 1_000);
    expect(read.delivery).toEqual(delivery);
  });

  it('does not affect an event that is nested as deep: the event alone is refused later', () => {
    const deep = `${'['.repeat(million)}${']'.repeat(million)}`;
    const { events } = readBatch(Buffer.from(`{"events":[1,${deep},{"a":[{}]}]}`), 1_000);
    expect(events.map(({ length }) => length)).toEqual([1, 2 * million, 10]);
  });
});
