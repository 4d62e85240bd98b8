import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GatewayHealth } from '../../../src/ingest/gateway/health.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open(probe: () => Promise<void>, isBusy = () => false): GatewayHealth {
  return new GatewayHealth({
    initialProblem: 'not reached yet',
    probe,
    describe: (error) => String(error),
    isBusy,
    intervalMs: 1_000,
  });
}

test('a broker that can not be reached is probed until it can', async () => {
  let down = true;
  const probe = vi.fn(async () => {
    if (down) throw new Error('down');
  });
  const health = open(probe);
  expect(health.problem).toBe('not reached yet');
  await vi.advanceTimersByTimeAsync(2_500);
  expect(probe).toHaveBeenCalledTimes(3);
  expect(health.problem).toBe('Error: down');
  down = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(health.problem).toBeUndefined();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probe).toHaveBeenCalledTimes(4);
  health.close();
});

test('a write that fails starts the probes again', async () => {
  const probe = vi.fn(async () => {});
  const health = open(probe);
  await vi.advanceTimersByTimeAsync(0);
  health.failed('timed out');
  expect(health.problem).toBe('timed out');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(probe).toHaveBeenCalledTimes(2);
  expect(health.problem).toBeUndefined();
  health.close();
});

test('there is no probe while a write is in flight, and none after closing', async () => {
  let busy = true;
  const probe = vi.fn(async () => {
    throw new Error('down');
  });
  const health = open(probe, () => busy);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(probe).not.toHaveBeenCalled();
  busy = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(probe).toHaveBeenCalledTimes(1);
  health.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probe).toHaveBeenCalledTimes(1);
});
