import { expect, test } from 'vitest';
import {
  type BatchAnswer,
  BatchQueue,
  type BatchTask,
  type SubmitBatch,
} from '../../src/batch-scheduler/batch-queue.ts';
import { defaultSettings } from '../../src/platform/settings.ts';
import { TestClock } from '../platform-parts.ts';

const task = (at: number): BatchTask<number> => ({ customId: `t${at}`, task: at });
const answerAll: SubmitBatch<number, number> = async (tasks) =>
  tasks.map(({ customId, task }) => ({ customId, answer: task * 2 })).toReversed();

function start(submit: SubmitBatch<number, number> = answerAll, answered?: (at: number) => void) {
  const clock = new TestClock();
  const batches: number[] = [];
  const answers: string[] = [];
  const errors: string[] = [];
  const queue = new BatchQueue<number, number>({
    submit: async (tasks) => {
      batches.push(tasks.length);
      return submit(tasks);
    },
    answered: async ({ customId, task }, answer) => {
      answered?.(task);
      answers.push(`${customId}=${answer}`);
    },
    settings: defaultSettings.batch,
    clock,
    onError: (error) => errors.push((error as Error).message),
  });
  return { clock, queue, batches, answers, errors };
}

test('50 tasks make a batch; answers are matched by id, in any order', async () => {
  const { queue, batches, answers } = start();
  for (let at = 0; at < 49; at++) queue.add(task(at));
  expect(batches).toEqual([]);
  queue.add(task(49));
  await queue.flush();
  expect(batches).toEqual([50]);
  expect(answers).toHaveLength(50);
  expect(answers).toContain('t7=14');
  expect(queue.size).toBe(0);
});

test('fewer tasks are submitted 6 hours after the first', async () => {
  const { queue, clock, batches } = start();
  queue.add(task(1));
  clock.advance(3 * 3_600_000);
  queue.add(task(2));
  clock.advance(3 * 3_600_000 - 1);
  expect(batches).toEqual([]);
  clock.advance(1);
  await queue.flush();
  expect(batches).toEqual([2]);
});

test('a batch that can not be submitted is submitted again, with nothing lost', async () => {
  let isDown = true;
  const { queue, clock, batches, answers, errors } = start(async (tasks) => {
    if (isDown) throw new Error('503');
    return answerAll(tasks);
  });
  queue.add(task(1));
  await queue.flush();
  expect([queue.size, errors]).toEqual([1, ['503']]);
  isDown = false;
  clock.advance(defaultSettings.batch.retryMs);
  await queue.flush();
  expect([batches, answers]).toEqual([[1, 1], ['t1=2']]);
});

test('a task without an answer, with an error, or whose answer could not be handled goes into a later batch', async () => {
  const seen = new Map<number, number>();
  const firstTime = (at: number) => {
    seen.set(at, (seen.get(at) ?? 0) + 1);
    return seen.get(at) === 1;
  };
  const { queue, answers, errors } = start(
    async (tasks) =>
      tasks.flatMap(({ customId, task: at }): BatchAnswer<number>[] => {
        if (at === 1 && firstTime(1)) return [];
        if (at === 2 && firstTime(2)) return [{ customId, error: 'overloaded' }];
        return [{ customId, answer: at * 2 }];
      }),
    (at) => {
      if (at === 3 && firstTime(3)) throw new Error('disk full');
    },
  );
  for (const at of [1, 2, 3, 4]) queue.add(task(at));
  await queue.flush();
  expect([answers, queue.size, errors]).toEqual([['t4=8'], 3, ['task t2: overloaded', 'disk full']]);
  await queue.flush();
  expect([answers, queue.size]).toEqual([['t4=8', 't1=2', 't2=4', 't3=6'], 0]);
});

test('a task that is added twice is one task; answers to unknown and answered tasks are ignored', async () => {
  const { queue, answers } = start(async () => [
    { customId: 't1', answer: 1 },
    { customId: 't1', answer: 2 },
    { customId: 'stranger', answer: 3 },
  ]);
  queue.add(task(1));
  queue.add(task(1));
  expect(queue.size).toBe(1);
  await queue.flush();
  expect(answers).toEqual(['t1=1']);
});
