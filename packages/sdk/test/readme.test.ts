import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { auditServer } from './support/audit-server.ts';
import { runChild } from './support/run-child.ts';

test('the first example of the README puts an event into the trail, without another line', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const snippet = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const server = await auditServer();
  const sources = snippet
    .replace(
      "'@tallystick/sdk/http'",
      JSON.stringify(new URL('../src/transport/http.ts', import.meta.url).href),
    )
    .replace("'@tallystick/sdk'", JSON.stringify(new URL('../src/index.ts', import.meta.url).href))
    .replace('import { httpTransport } from', 'import { httpTransport as _ } from')
    .replace('http://127.0.0.1:8040', server.url);
  const { code, output } = await runChild(sources, { TALLYSTICK_API_KEY: 'k' }).ended;
  await server.close();
  expect([code, output]).toEqual([0, '']);
  expect(server.received.flatMap((request) => request.body.events)).toMatchObject([
    { tenant_id: 'acme', event_type: 'order.refunded', source_service: 'checkout' },
  ]);
});
