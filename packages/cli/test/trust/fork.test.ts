import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { formatTlogProof } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  head3,
  head5,
  leaves,
  plain,
  records,
  rewritten,
  signedAll,
} from '../../../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, type Parts, seal } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { chain, checkpoint, event, origin, trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { consistency, inclusion, leavesOf, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { readKnownLogs } from '../../src/trust/known-logs.ts';
import { tally } from '../run-tally.ts';

/**
 * The operator has the signing key and shows this user a fork: the same log with another record 2. The user verified the
 * genuine trail before, so a checkpoint is kept. Whatever form the fork has, it must not pass and not replace the checkpoint.
 */
const dir = tempDir();
let env: { XDG_CONFIG_HOME: string };
let run = 0;
afterAll(() => dir.remove());

const verify = (...args: string[]) => tally(['verify', ...args], { cwd: dir.path, env });
const write = (name: string, text: string) => writeFileSync(join(dir.path, name), text);
const kept = () => readKnownLogs(env).get(origin)?.checkpoint?.note;
const evidence = () => {
  const directory = join(env.XDG_CONFIG_HOME, 'tallystick/evidence');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
};

beforeEach(async () => {
  env = { XDG_CONFIG_HOME: join(dir.path, `config-${run++}`) };
  await tally(['log-keys', 'pin', trusted], { env });
  write('genuine.tally', seal(linesOf(plain)));
  expect((await verify('genuine.tally')).exitCode).toBe(0);
  expect(kept()).toBe(head5);
});

const longer = chain(7, { 2: { event: event(2, { actor_id: 'mallory' }) } });
const fork = await signedAll(longer);
const forkHead = fork.checkpoints[0]!;
const sameSize = await signedAll(rewritten);
const partOf = (parts: Parts, more: Partial<Parts> = {}): Parts => ({
  ...parts,
  records: [parts.records[2]!],
  complete: false,
  leaves: leavesOf(parts.records),
  ...more,
});

test('a whole bundle of the fork is broken, and both notes are saved', async () => {
  write('fork.tally', seal(linesOf(fork)));
  const { exitCode, stdout, stderr } = await verify('fork.tally');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('CHECKPOINT_ROOT_MISMATCH');
  expect(stderr).toContain('equivocation');
  expect(evidence().sort()).toEqual([head5, forkHead].sort());
  expect(kept()).toBe(head5);
});

test('a part of the fork at the same size is broken', async () => {
  write('part.tally', seal(linesOf(partOf(sameSize))));
  const { exitCode, stderr } = await verify('part.tally');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('equivocation');
  expect(evidence().sort()).toEqual([head5, sameSize.checkpoints[0]!].sort());
});

test.each([
  ['alone', {}],
  // The genuine checkpoint is in the file, but nothing proves that the fork extends it.
  ['with the genuine checkpoint beside it', { checkpoints: [forkHead, head5] }],
])('a part of the fork at another size does not replace what is kept: %s', async (_, more) => {
  write('part.tally', seal(linesOf(partOf(fork, more))));
  const { stdout, stderr } = await verify('part.tally');
  expect(stdout).not.toContain('compared with the checkpoint');
  expect(stderr).toContain("can't be compared with the checkpoint of 5 records kept since");
  expect(kept()).toBe(head5);
});

test('a part with a proof that it extends the kept checkpoint replaces it', async () => {
  const genuine = chain(7);
  const all = leavesOf(genuine);
  const hashes = consistency(5, all).map((hash) => Buffer.from(hash).toString('base64'));
  const head7 = await checkpoint(7, root(all));
  const more = { checkpoints: [head7, head5], between: [{ consistency: { from: 5, to: 7, hashes } }] };
  write('part.tally', seal(linesOf(partOf({ records: genuine, checkpoints: [] }, more))));
  const { stdout } = await verify('part.tally');
  expect(stdout).toContain('compared with the checkpoint of 5 records');
  expect(kept()).toBe(head7);
});

test('a bundle whose first checkpoint is too far into the file for a quick look', async () => {
  const [header, ...rest] = linesOf(fork);
  write('padded.tally', seal([`${header!.slice(0, -1)}${' '.repeat(1_100_000)}}`, ...rest]));
  expect((await verify('padded.tally')).exitCode).not.toBe(0);
  const [, first, ...records] = linesOf(fork);
  write('padded.tally', seal([header!, `${first!.slice(0, -1)}${' '.repeat(1_100_000)}}`, ...records]));
  expect((await verify('padded.tally')).exitCode).toBe(1);
  expect(kept()).toBe(head5);
});

test('an old head in front does not hide the records after it from the comparison', async () => {
  write(
    'tail.tally',
    seal(linesOf({ records: rewritten, checkpoints: [await checkpoint(2, root(leaves.slice(0, 2)))] })),
  );
  const { exitCode, stdout } = await verify('tail.tally');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('CHECKPOINT_ROOT_MISMATCH');
});

test('a receipt of the fork at the same size is broken, one of another size is not compared', async () => {
  const receiptOf = (parts: Parts) =>
    formatTlogProof({
      extra: Buffer.from(parts.records[2]!.text),
      index: 2,
      inclusion: inclusion(2, leavesOf(parts.records)),
      checkpoint: parts.checkpoints[0]!,
    });
  write('fork.receipt', receiptOf(sameSize));
  const forged = await verify('fork.receipt');
  expect(forged.exitCode).toBe(1);
  expect(forged.stderr).toContain('equivocation');
  expect(evidence().sort()).toEqual([head5, sameSize.checkpoints[0]!].sort());
  write('other.receipt', receiptOf(fork));
  expect((await verify('other.receipt')).stderr).toContain(
    "can't be compared with the checkpoint of 5 records",
  );
  expect(kept()).toBe(head5);
});

describe('the service is asked to prove what a file of another size does not show', () => {
  /** A service with the genuine log, and what is configured to reach it. */
  let service: Server;
  const genuine = leavesOf(chain(7));
  const ask = (file: string) =>
    tally(['verify', file], { cwd: dir.path, env: { ...env, TALLYSTICK_URL: url() } });
  const url = () => `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const receiptOf = (records: Parts['records'], note: string) =>
    formatTlogProof({
      extra: Buffer.from(records[2]!.text),
      index: 2,
      inclusion: inclusion(2, leavesOf(records)),
      checkpoint: note,
    });

  beforeAll(async () => {
    service = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://x');
      const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
      if (pathname !== '/v1/logs/acme/proof/consistency' || to !== 7)
        return void response.writeHead(404).end();
      const hashes = consistency(from, genuine).map((hash) => Buffer.from(hash).toString('base64'));
      response.end(JSON.stringify({ origin, from, to, hashes }));
    });
    await once(service.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(() => service.close());

  test('a receipt and a part of the fork are broken', async () => {
    write('other.receipt', receiptOf(fork.records, forkHead));
    write('part.tally', seal(linesOf(partOf(fork))));
    for (const file of ['other.receipt', 'part.tally']) {
      const { stdout, exitCode } = await ask(file);
      expect(stdout, file).toContain('✘ BROKEN');
      expect(stdout, file).toMatch(/CHECKPOINT_INCONSISTENT +4 /);
      expect(exitCode, file).toBe(1);
    }
    expect(kept()).toBe(head5);
  });

  test('a genuine receipt of another size is compared', async () => {
    write('genuine.receipt', receiptOf(chain(7), await checkpoint(7, root(genuine))));
    const { stderr, exitCode } = await ask('genuine.receipt');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  test('without an answer it is said that nothing was compared', async () => {
    write('genuine.receipt', receiptOf(chain(7), await checkpoint(7, root(genuine))));
    env = { ...env, TALLYSTICK_URL: 'http://127.0.0.1:9' } as typeof env;
    const { stderr, exitCode } = await verify('genuine.receipt');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('not asked for a consistency proof: no answer from http://127.0.0.1:9');
    expect(stderr).toContain("can't be compared with the checkpoint of 5 records");
  });
});

test('a checkpoint is kept although the log has another key now', async () => {
  expect((await tally(['log-keys', 'unpin', origin], { env })).exitCode).toBe(0);
  expect((await verify('genuine.tally', '--key', trusted)).exitCode).toBe(0);
  write('fork.tally', seal(linesOf(fork)));
  expect((await verify('fork.tally', '--key', trusted)).exitCode).toBe(1);
  expect(kept()).toBe(head5);
});

test('an older export is genuine; with --checkpoint it is said that it ends before', async () => {
  write('old.tally', seal(linesOf({ records: records.slice(0, 3), checkpoints: [head3] })));
  write('newer', head5);
  const alone = await verify('old.tally');
  expect(alone.exitCode).toBe(0);
  expect(alone.stderr).toContain('old.tally ends before the checkpoint of 5 records kept since');
  const { exitCode, stdout, stderr } = await verify('old.tally', '--checkpoint', 'newer');
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('old.tally ends before the checkpoint of 5 records in newer');
});
