import { expect, test } from 'vitest';
import { SpaceWatch } from '../../../src/store/pglite/space-watch.ts';

const mebibyte = 1024 * 1024;

function watchOf(free: () => number): SpaceWatch {
  return new SpaceWatch('/data', { freeBytes: async () => free(), reserveBytes: 64 * mebibyte });
}

test('room for a batch is room for its rows, their indexes and the log, beside the reserve', async () => {
  const watch = watchOf(() => 70 * mebibyte);
  await watch.assertRoomFor(2 * mebibyte);
  await expect(watch.assertRoomFor(2 * mebibyte + 1)).rejects.toMatchObject({ code: 'STORE_FULL' });
});

// PGlite keeps new pages in memory, so that the file system reports space that they will take.
test('rows that PGlite has not written to their files yet count until the next checkpoint', async () => {
  const watch = watchOf(() => 94 * mebibyte);
  watch.add(10 * mebibyte);
  await watch.assertRoomFor(0);
  await expect(watch.assertRoomFor(1)).rejects.toMatchObject({ code: 'STORE_FULL' });
  watch.checkpointed();
  await watch.assertRoomFor(10 * mebibyte);
});

test('a checkpoint is due after 32 MiB of rows', () => {
  const watch = watchOf(() => 0);
  watch.add(32 * mebibyte - 1);
  expect(watch.checkpointIsDue).toBe(false);
  watch.add(1);
  expect(watch.checkpointIsDue).toBe(true);
});

test('a directory that cannot be read is not a full disk', async () => {
  const watch = new SpaceWatch('/data', {
    freeBytes: async () => {
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    },
  });
  await expect(watch.assertRoomFor(0)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('the default asks the file system', async () => {
  await new SpaceWatch(import.meta.dirname, { reserveBytes: 1 }).assertRoomFor(0);
  const endless = new SpaceWatch(import.meta.dirname, { reserveBytes: Number.MAX_SAFE_INTEGER });
  await expect(endless.assertRoomFor(0)).rejects.toMatchObject({ code: 'STORE_FULL' });
});
