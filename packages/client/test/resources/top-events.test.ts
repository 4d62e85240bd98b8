import type { TopEvents } from '@tallystick/protocol';
import { expect, test } from 'vitest';
import { ClientError, createClient } from '../../src/index.ts';

const answer = (values: readonly (number | string)[], next_cursor?: string): TopEvents => ({
  tenant_id: 'acme',
  by: 'context.cost',
  records: 100,
  events: values.map((value) => ({ value, event: { audit_id: `of ${next_cursor} ${value}` } })),
  complete: next_cursor === undefined,
  ...(next_cursor !== undefined && { next_cursor }),
  reads_left_out: true,
  sensitive_left_out: false,
});

function clientOf(answers: readonly TopEvents[]) {
  const asked: string[] = [];
  const client = createClient({
    url: 'http://audit.example',
    fetch: async (url) => {
      asked.push(url.search);
      return Response.json(answers[Math.min(asked.length, answers.length) - 1]);
    },
  });
  return { client, asked };
}

test('the greatest of all answers are the greatest of all, the newer one first among equal ones', async () => {
  const { client, asked } = clientOf([answer([5, 2], 'x'), answer([7, 5], 'y'), answer([1])]);
  const query = { filters: { actor: 'agent:bot' }, q: 'refund', by: 'context.cost', limit: 2 };
  const top = await client.events.topAll(query);
  const parameters = '?actor=agent%3Abot&q=refund&by=context.cost&limit=2';
  expect(asked).toEqual([parameters, `${parameters}&cursor=x`, `${parameters}&cursor=y`]);
  expect(top).toMatchObject({ records: 300, complete: true });
  expect(top.events.map(({ event }) => event.audit_id)).toEqual(['of y 7', 'of x 5']);
});

test('times are compared as times', async () => {
  const { client } = clientOf([answer(['2026-03-01T10:00:00.5Z'], 'x'), answer(['2026-03-01T10:00:00.25Z'])]);
  const { events } = await client.events.topAll({ by: 'timestamp', limit: 1 });
  expect(events.map(({ value }) => value)).toEqual(['2026-03-01T10:00:00.5Z']);
});

test('a service that repeats its cursor is not asked without end', async () => {
  const { client } = clientOf([answer([1], 'x')]);
  await expect(client.events.topAll({ by: 'context.cost' })).rejects.toThrow(ClientError);
});
