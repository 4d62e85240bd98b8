import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { linesOf, recordLine } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { checkpoint, event, genesis, record, trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { leavesOf, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { verifyBundle } from '../../src/index.ts';
import { utf8 } from '../fixture.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const [recordCount, payload] = [3_000, 'é'.repeat(33_000)];

/** A bundle of 200 MB that exists nowhere as a whole; its checkpoint covers the genesis record. */
async function* largeBundle(): AsyncGenerator<Uint8Array> {
  const first = genesis();
  const note = await checkpoint(1, root(leavesOf([first])));
  const digest = createHash('sha256');
  let lines = 0;
  const line = (text: string) => {
    const bytes = utf8(`${text}\n`);
    digest.update(bytes);
    lines++;
    return bytes;
  };
  const header = { last: recordCount - 1 };
  for (const text of linesOf({ records: [first], checkpoints: [note], header })) yield line(text);
  let { hashHex } = first;
  for (let number = 1; number < recordCount; number++) {
    const sealed = record(number, hashHex, { event: event(number, { metadata: { payload } }) });
    hashHex = sealed.hashHex;
    yield line(recordLine(sealed.text));
  }
  const end = { records: recordCount, lines, sha256: digest.digest('hex') };
  yield utf8(`${JSON.stringify({ end })}\n`);
}

test('memory does not grow with the bundle', async () => {
  const used: number[] = [];
  let bytes = 0;
  const measured = async function* () {
    for await (const chunk of largeBundle()) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const report = await verifyBundle(measured(), {
    keys: [trusted],
    onProgress: () => {
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      used.push(heapUsed + arrayBuffers);
    },
  });
  expect(report).toMatchObject({
    verdict: 'verified',
    records: recordCount,
    covered_to: 0,
    unsigned_tail: 2_999,
  });
  expect(bytes).toBeGreaterThan(195e6);
  expect(used).toHaveLength(3);
  expect(used.at(-1)! - used[0]!).toBeLessThan(8e6);
});
