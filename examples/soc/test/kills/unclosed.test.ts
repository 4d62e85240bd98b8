import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ProducerAccount } from '@tallystick/protocol';
import { tempDir, until } from '@tallystick/testing';
import { runCli } from 'tallystick/program';
import { expect, test } from 'vitest';
import { openKillsAudit } from './audit-service.ts';
import { tenants } from './orders.ts';
import { People } from './people.ts';
import { SocProcess } from './soc-process.ts';

const seed = 5;
/** A producer that is silent for longer counts as ended. */
const silent = ['--silent', '1s'];

/**
 * A killed process declares no end of its producers. What it had stored is delivered after a restart, by producers of the next process;
 * what was on a disk that is lost never comes. The service can't know which of the two happened, so it must report the producers in both cases.
 */
test('the producers of killed processes are reported as unclosed, whether their disk is kept or lost', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const audit = await openKillsAudit(directory.path);
  const reader = await audit.clientOf('reader', ['events:read']);
  const tally = async (...args: readonly string[]) => {
    const stdout = new PassThrough();
    const printed = text(stdout);
    const { url: TALLYSTICK_URL, adminKey: TALLYSTICK_API_KEY } = audit;
    const exitCode = await runCli(args, {
      ...{ stdin: new PassThrough().end(), stdout, stderr: new PassThrough(), cwd: directory.path },
      env: { TALLYSTICK_URL, TALLYSTICK_API_KEY, XDG_CONFIG_HOME: directory.path },
      ...{ now: Date.now, stopped: new AbortController().signal },
    });
    stdout.end();
    expect(exitCode).toBe(0);
    return await printed;
  };
  const accounts = async (...options: readonly string[]) =>
    (await tally('producers', '--json', ...silent, ...options))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ProducerAccount);
  /** Producers that the service knows. Each has an account per tenant. */
  const producers = async (...options: readonly string[]) =>
    new Set((await accounts(...options)).map(({ producer_id }) => producer_id));
  const ordersOf = (name: string, ends: boolean) => {
    const soc = join(directory.path, name);
    mkdirSync(soc, { recursive: true });
    const { url, apiKey } = audit;
    return { ...{ directory: soc, url, apiKey, seed, from: 0, to: 6, ends } };
  };
  /** Kills a process in the middle of its work. @returns those of its producers that the service knows */
  const kill = async (name: string): Promise<string[]> => {
    const known = await producers('--all');
    using child = new SocProcess();
    child.begin(ordersOf(name, false));
    const delivered = async () => (await producers('--all')).size > known.size + 1;
    await until(delivered, { what: 'records of two services', timeoutMs: 120_000 });
    await child.kill();
    return [...(await producers('--all'))].filter((id) => !known.has(id));
  };
  /** Accounts of these producers that `tally producers` lists, when they have been silent long enough. */
  const listed = async (ids: readonly string[]) => {
    const areListed = async () => {
      const found = await producers();
      return ids.every((id) => found.has(id));
    };
    const what = 'every producer of the killed process in the list';
    await until(areListed, { what, timeoutMs: 60_000 });
    return (await accounts()).filter(({ producer_id }) => ids.includes(producer_id));
  };

  const kept = await kill('kept');
  const lost = await kill('lost');
  rmSync(join(directory.path, 'lost'), { recursive: true });
  expect(kept.length).toBeGreaterThan(1);
  expect(lost.length).toBeGreaterThan(1);
  // What the first process had stored is delivered by the next one, whose producers declare their end.
  using successor = new SocProcess();
  successor.begin(ordersOf('kept', true));
  const persons = ['mia', 'jo'].map((name) => audit.clientOf(name, ['approvals:decide']));
  const people = new People(await Promise.all(persons), tenants);
  await successor.ended();
  await people.stop();

  const all = await accounts('--all');
  const closed = new Set(all.filter(({ state }) => state === 'closed').map(({ producer_id }) => producer_id));
  expect(closed.size).toBeGreaterThan(1);
  expect([...kept, ...lost].filter((id) => closed.has(id))).toEqual([]);
  for (const ids of [kept, lost]) {
    for (const { state, final_seq } of await listed(ids)) {
      expect(['unclosed', 'open']).toContain(state);
      expect(final_seq).toBeNull();
    }
  }
  // No gap is seen between the numbers of most producers, and a person must not read this as complete.
  expect(await tally('producers', ...silent)).toContain('unclosed: no gap seen, end unknown');

  // An operator who knows that the processes are gone says so, and the trail keeps that.
  await tally('producers', 'settle', '--older-than', '1s', '--reason', 'the processes were killed', '--yes');
  expect(await accounts()).toEqual([]);
  const unclosed = await Promise.all(
    tenants.map((tenant_id) =>
      reader.events.list({ tenant_id, filters: { event_type: 'delivery.unclosed' }, limit: 100 }),
    ),
  );
  const named = unclosed.flatMap(({ events }) => events.map(({ target_id }) => target_id));
  expect([...new Set(named)].toSorted()).toEqual([...kept, ...lost].toSorted());
  await audit.close();
});
