import { exportFormat } from '@tallystick/protocol';
import { expect, test } from 'vitest';
import { createClient } from '../../src/index.ts';

const { header } = exportFormat('csv');
const line = (n: number) => `1,${n},rest\r\n`;
const end = (events: number) => `{"end":{"events":${events}}}\n`;

/** An answer that sends these texts and then breaks, or ends. */
function answer(texts: readonly string[], ends: 'whole' | 'broken'): Response {
  const body = new ReadableStream({
    pull(controller) {
      const [next] = left.splice(0, 1);
      if (next !== undefined) controller.enqueue(new TextEncoder().encode(next));
      else if (ends === 'whole') controller.close();
      else controller.error(new TypeError('terminated'));
    },
  });
  const left = [...texts];
  return new Response(body, { headers: { 'tallystick-export-until': '1-9' } });
}

async function exported(answers: readonly Response[]) {
  const left = [...answers];
  const asked: string[] = [];
  const client = createClient({
    url: 'http://audit.example',
    retry: { delaysMs: [] },
    fetch: async ({ search }) => {
      asked.push(search);
      return left.shift()!;
    },
  });
  const parts = await Array.fromAsync(
    client.events.export({ tenant_id: 'acme', filters: { actor_id: ['a', 'b'] } }),
  );
  return { parts, asked };
}

test('an export that breaks goes on after the last whole line, to the same end', async () => {
  const { parts, asked } = await exported([
    answer([header, line(1), `${line(2)}1,3,r`], 'broken'),
    answer([line(3), line(4) + end(2)], 'whole'),
  ]);
  expect(parts.map(({ text }) => text).join('')).toBe(header + [1, 2, 3, 4].map(line).join(''));
  expect(parts.map(({ events }) => events)).toEqual([0, 1, 1, 1, 1]);
  expect(parts.at(-1)).toMatchObject({
    position: { epoch: 1, sequence: 4 },
    until: { epoch: 1, sequence: 9 },
  });
  expect(asked[0]).toBe('?actor_id=a&actor_id=b&tenant_id=acme&format=csv&end=true');
  expect(asked[1]).toContain('&after=1-2&until=1-9');
});

test('a header comes once, also if the first answer breaks right after it', async () => {
  const { parts } = await exported([answer([header], 'broken'), answer([header, line(1), end(1)], 'whole')]);
  expect(parts.map(({ text }) => text).join('')).toBe(header + line(1));
});

test('an answer that ends at the end of a line, without saying that it is whole, was cut off: the export goes on', async () => {
  const { parts, asked } = await exported([
    answer([header + line(1), line(2)], 'whole'),
    answer([line(3) + end(1)], 'whole'),
  ]);
  expect(parts.map(({ text }) => text).join('')).toBe(header + [1, 2, 3].map(line).join(''));
  expect(parts.reduce((sum, { events }) => sum + events, 0)).toBe(3);
  expect(asked[1]).toContain('&after=1-2&until=1-9');
});

test('an answer with another number of events than it states is no export', async () => {
  await expect(exported([answer([header, line(1), end(2)], 'whole')])).rejects.toMatchObject({
    code: 'RESPONSE_INVALID',
    message: expect.stringContaining('sent 1 events, and stated 2'),
  });
});

test('an export that ends within a line is no export', async () => {
  await expect(exported([answer([`${header}1,1`], 'whole')])).rejects.toMatchObject({
    code: 'RESPONSE_INVALID',
  });
});

test('an answer that does not say where the export ends is no export', async () => {
  await expect(exported([new Response(header)])).rejects.toMatchObject({ code: 'RESPONSE_INVALID' });
});

/** A service that never ends its line. */
function endless(): { readonly response: Response; readonly sent: () => number } {
  let sent = 0;
  const chunk = new TextEncoder().encode('x'.repeat(1 << 20));
  const body = new ReadableStream({
    pull(controller) {
      if (++sent > 64) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return {
    response: new Response(body, { headers: { 'tallystick-export-until': '1-9' } }),
    sent: () => sent,
  };
}

test('a line that never ends is read no further than the longest line of a service', async () => {
  const { response, sent } = endless();
  await expect(exported([response])).rejects.toMatchObject({
    code: 'RESPONSE_INVALID',
    message: expect.stringContaining('a line that is too long'),
  });
  expect(sent()).toBeLessThan(20);
});

test.each(['null', '7', '"end"', '{"end":7}', '{"end":null}'])(
  'an export with evidence that has the line %s is no export',
  async (text) => {
    const client = createClient({
      url: 'http://audit.example',
      retry: { delaysMs: [] },
      fetch: async () => answer([`${text}\n`], 'whole'),
    });
    await expect(Array.fromAsync(client.events.exportEvidence({}))).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    });
  },
);
