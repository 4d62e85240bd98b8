import type { Result } from '../result.ts';
import type { Task } from './page-meter.ts';

/** Most ms of a task of the main thread. A longer one delays what the reader does. */
const longestTaskMs = 50;
/** Most ms from an input to the next paint. */
const mostPaintMs = 100;

/** The longest task by processor time; the longest by the clock is printed beside it. */
export function longestTask(name: string, tasks: readonly Task[]): Result {
  const byClock = tasks.reduce((longest, { ms }) => Math.max(longest, ms), 0);
  const value = round1(tasks[0]?.processorMs ?? Number.NaN);
  const long = tasks.filter(({ processorMs }) => processorMs > longestTaskMs).length;
  console.log(
    `${name}: ${tasks.length} tasks, ${long} over ${longestTaskMs} ms of processor time; by the clock the longest took ${byClock.toFixed(0)} ms`,
  );
  const goal = `<= ${longestTaskMs} ms`;
  return {
    ...figure(`console: ${name}, longest task (processor)`, value, 'ms'),
    goal,
    pass: value <= longestTaskMs,
  };
}

/** The time from an input to the next paint as browsers report it (INP): the worst one, or without one outlier for each 50 interactions. */
export function worstPaint(name: string, times: readonly number[]): Result {
  const sorted = [...times].sort((a, b) => a - b);
  const value = sorted.at(-1 - Math.floor(sorted.length / 50))!;
  console.log(`${name}: ${sorted.join(' ')} ms`);
  const result = figure(`console: ${name}, ${times.length} times, to the next paint`, value, 'ms');
  return { ...result, goal: `<= ${mostPaintMs} ms`, pass: value <= mostPaintMs };
}

export function figure(name: string, value: number, unit: string, most?: number): Result {
  const goal = most === undefined ? null : `<= ${most} ${unit}`;
  const pass = most === undefined ? null : value <= most;
  return { name, value: round1(value), unit, baseline: null, ratio: null, goal, pass };
}

const round1 = (value: number) => Number(value.toFixed(1));
