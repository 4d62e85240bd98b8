import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';

/** More than the client allows without a record in between. */
const mostBreaks = 5;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const head = JSON.stringify({
  tallystick_selection: 1,
  origin: 'log.test/acme/1',
  checkpoint: 'log.test/acme/1\n9\nroot\n',
});
const record = (sequence_number: number) => JSON.stringify({ epoch: 1, sequence_number, record: '{}' });
const end = JSON.stringify({ end: { hashes: ['aa'] } });

/** An answer that sends these lines and then breaks, or ends. */
function answer(lines: readonly string[], ends: 'whole' | 'broken'): Response {
  const left = [...lines];
  const body = new ReadableStream({
    pull(controller) {
      const [next] = left.splice(0, 1);
      if (next !== undefined) controller.enqueue(new TextEncoder().encode(`${next}\n`));
      else if (ends === 'whole') controller.close();
      else controller.error(new TypeError('terminated'));
    },
  });
  return new Response(body, { headers: { 'tallystick-export-until': '1-9' } });
}

/** Reads an export whose connections get these answers, without waiting for the pauses between them. */
async function exported(answerTo: (request: number) => Response) {
  const asked: string[] = [];
  const client = createClient({
    url: 'http://audit.example',
    retry: { delaysMs: [] },
    fetch: async ({ search }) => {
      asked.push(search);
      return answerTo(asked.length - 1);
    },
  });
  const kinds: string[] = [];
  const reading = (async () => {
    for await (const part of client.events.exportEvidence({ tenant_id: 'acme' })) kinds.push(part.kind);
  })().then(
    () => undefined,
    (error: unknown) => error,
  );
  let isOver = false;
  void reading.then(() => {
    isOver = true;
  });
  while (!isOver) await vi.advanceTimersByTimeAsync(1_000);
  return { error: await reading, kinds, asked };
}

test('an export that breaks again and again without a record ends with the error', async () => {
  // Each connection sends the head again, which is no progress.
  const { error, kinds, asked } = await exported(() => answer([head], 'broken'));
  expect(error).toMatchObject({ message: 'terminated' });
  expect(asked).toHaveLength(1 + mostBreaks);
  expect(new Set(kinds)).toEqual(new Set(['head']));
});

test('an export that gets a record with each connection goes on as often as it takes', async () => {
  const connections = 2 * mostBreaks;
  const { error, kinds, asked } = await exported((nth) =>
    nth < connections
      ? answer(nth === 0 ? [head, record(nth)] : [record(nth)], 'broken')
      : answer([end], 'whole'),
  );
  expect(error).toBeUndefined();
  expect(kinds).toEqual(['head', ...Array<string>(connections).fill('record'), 'end']);
  expect(asked[1]).toContain('&after=1-0&until=1-9&tree=1-9');
  expect(asked.at(-1)).toContain(`&after=1-${connections - 1}&`);
});

test('breaks count anew after a record', async () => {
  const { error, asked } = await exported((nth) =>
    answer(nth === mostBreaks ? [head, record(1)] : [], 'broken'),
  );
  // The connection with the record breaks too: it is the first of five that may break after it.
  expect(asked).toHaveLength(mostBreaks + 1 + mostBreaks);
  expect(error).toMatchObject({ message: 'terminated' });
});

test('a connection that ends before the end of the export is a broken one', async () => {
  const { error, asked } = await exported(() => answer([head], 'whole'));
  expect(error).toMatchObject({ message: 'the connection ended before the export' });
  expect(asked).toHaveLength(1 + mostBreaks);
});
