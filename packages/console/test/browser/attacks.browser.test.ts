import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type Browser, copySocTrail, startBrowser, tempDir, until } from '@tallystick/testing';
import { KeptAttacks, performTyped, sayAttacks, Terminal } from 'tallystick/demo/story-parts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Visitor } from './visitor.ts';

/**
 * A person who attacks the trail of the demo by the words that its last screen offers, and watches it in the console. The tests go on from each
 * other, as the person does.
 */
const dir = tempDir();
const stopping = new AbortController();
const stdin = new PassThrough();
const stdout = new PassThrough();
let printed = '';
let attacks: KeptAttacks;
let typing: Promise<void>;
let browser: Browser;
let visitor: Visitor;
let id: string;
let next: string;

beforeAll(async () => {
  const { directory, signerDirectory } = await copySocTrail(join(dir.path, 'trail'));
  const directories = { trail: directory, signer: signerDirectory };
  attacks = await KeptAttacks.start(directories, { tenantId: 'acme', sequence: await victimIn(directories) });
  [id, next] = [(await attacks.idAt(sequence()))!, (await attacks.idAt(sequence() + 1))!];
  const context = {
    ...{ stdin, stdout, stderr: stdout, env: {}, cwd: '/', now: Date.now },
    stopped: stopping.signal,
  };
  stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const terminal = new Terminal(context, { color: false });
  await sayAttacks(terminal, attacks);
  typing = performTyped(terminal, context, attacks);
  browser = await startBrowser();
  const { url, key } = attacks.running;
  visitor = await Visitor.arrive(browser, { url, site: `${url}/console/` });
  await visitor.open(key, record(id));
});
afterAll(async () => {
  stopping.abort();
  await typing;
  await visitor?.[Symbol.asyncDispose]();
  await browser?.close();
  await attacks?.[Symbol.asyncDispose]();
  dir.remove();
});

const sequence = () => attacks.target.sequence;
const record = (auditId: string) => `events?tenant=acme&event=${auditId}`;

/** A decision that was made successfully. */
async function victimIn(directories: { readonly trail: string; readonly signer: string }): Promise<number> {
  await using found = await KeptAttacks.start(directories, { tenantId: 'acme', sequence: 0 });
  const filters = { event_type: 'alert.classified', outcome_status: 'success' };
  const { events } = await found.running.client.events.list({ tenant_id: 'acme', filters, limit: 1 });
  return Number(events[0]!.sequence_number);
}

/** Types a word and waits for what the demo says about it. */
async function type(word: string, says: string): Promise<void> {
  printed = '';
  stdin.write(`${word}\n`);
  await until(() => printed.includes(says), { timeoutMs: 30_000, what: `“${says}” after ${word}` });
}

/** The two values of a failed check. */
async function expectedAndFound(): Promise<string[]> {
  const failed = visitor.drawer.locator('.checks li[data-state="failed"]').last();
  return await failed.locator('.expected-found code').allInnerTexts();
}

async function isVerified(auditId: string): Promise<void> {
  await visitor.go(record(auditId));
  await visitor.drawer.getByText('Verified here, by your browser').waitFor();
}

async function verifiesChain(...texts: readonly string[]): Promise<void> {
  await visitor.go('verification?tenant=acme');
  await visitor.page.getByRole('button', { name: 'Check all records now' }).click();
  await visitor.sees(...texts);
}

it('says what can be typed, and where to look before', async () => {
  expect(printed).toContain(record(id));
  expect(printed).toMatch(/change +change record \d+ in the database/);
  await type('nonsense', 'Type one of: change, remove, hide, rewrite, undo.');
  await type('undo', 'There is nothing to undo.');
  await isVerified(id);
});

it('a changed record: expected and found, in the drawer, in the list and in the chain', async () => {
  await type('change', `Record ${sequence()} says something else now.`);
  expect(printed).toContain(record(id));
  await type('remove', 'An attack stands already.');
  await visitor.go(record(id));
  await visitor.drawer.getByText('This record is not intact').waitFor();
  const [expected, found] = await expectedAndFound();
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  expect(found).toMatch(/^[0-9a-f]{64}$/);
  expect(found).not.toBe(expected);
  await visitor.go('events?tenant=acme&event_type=alert.classified');
  await visitor.rows.first().waitFor();
  await visitor.page.getByRole('button', { name: 'Verify' }).click();
  await visitor.sees('Records of this page are not intact', /1 not intact/, `Record ${sequence()} ·`);
  await verifiesChain('The chain is not intact', 'RECORD_HASH_MISMATCH');
  await type('undo', 'The trail is as it was.');
  await isVerified(id);
});

it('a removed record: the list that showed it says so, and the one after it misses it', async () => {
  await visitor.go(`events?tenant=acme&event_type=alert.classified`);
  await visitor.rows.first().waitFor();
  await type('remove', `Record ${sequence()} is gone.`);
  // The list still shows it. The service proves the others, so that nothing but its absence tells.
  await visitor.page.getByRole('button', { name: 'Verify' }).click();
  await visitor.sees('Records of this page were removed', /1 gone/, /the service does not find it any more/);
  expect(await visitor.page.locator('.record-mark[data-state="gone"]').count()).toBe(1);
  expect(printed).toContain(record(next));
  await visitor.go(record(next));
  await visitor.drawer
    .getByText('The record before this one is not in the trail: it was removed.')
    .first()
    .waitFor();
  expect(await expectedAndFound()).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), 'no record']);
  await verifiesChain('The chain is not intact', 'SEQUENCE_GAP');
  await type('undo', 'The trail is as it was.');
  await isVerified(next);
});

it('a hidden record: no list has it, the check of the list finds nothing, and that of the chain names it', async () => {
  const list = 'events?tenant=acme&event_type=alert.classified';
  await type('hide', 'The list of all events of its type does not have it any more');
  expect(printed).toContain(list);
  await isVerified(id);
  await visitor.go(list);
  await visitor.rows.first().waitFor();
  const listed = async () =>
    (
      await attacks.running.client.events.list({
        tenant_id: 'acme',
        filters: { event_type: 'alert.classified' },
        limit: 200,
      })
    ).events.map(({ audit_id }) => audit_id);
  expect(await listed()).not.toContain(id);
  await visitor.page.getByRole('button', { name: 'Verify' }).click();
  await visitor.sees(/\d+ verified here/);
  await verifiesChain('The chain is not intact', 'INDEX_MISMATCH');
  await type('undo', 'The trail is as it was.');
  expect(await listed()).toContain(id);
  await verifiesChain('The chain is intact');
});

it('a rewritten chain: a fork of what this browser remembers, which no other browser can find', async () => {
  await type('rewrite', 'Each hash and each signature fits.');
  await visitor.go(record(id));
  await visitor.drawer.getByText('This is not the log that you verified before').waitFor();
  await visitor.drawer.getByText('it was forked').first().waitFor();
  const [expected, found] = await expectedAndFound();
  expect([expected, found]).toEqual([
    expect.stringMatching(/^\d+ [0-9a-f]{64}$/),
    expect.stringMatching(/^\d+ [0-9a-f]{64}$/),
  ]);
  await visitor.go('events?tenant=acme&event_type=alert.classified');
  await visitor.rows.first().waitFor();
  await visitor.page.getByRole('button', { name: 'Verify' }).click();
  await visitor.sees('The evidence of this page does not hold', /it was forked/);
  await visitor.sees(/^0 verified here; \d+ not proven, because no proof holds for them/);
  // The service has only what the attacker wrote. It finds the indexes that the attacker did not rebuild, and no wrong hash, link or signature.
  await verifiesChain('The chain is not intact', 'INDEX_MISMATCH');
  const { findings } = await attacks.running.client.verify({ tenant_id: 'acme' });
  const ofRecords = findings.filter(({ code }) => !['INDEX_MISMATCH', 'COUNT_MISMATCH'].includes(code));
  expect(ofRecords).toEqual([]);
  // A browser that looks for the first time finds nothing.
  const { url, key } = attacks.running;
  await using stranger = await Visitor.arrive(browser, { url, site: `${url}/console/` });
  await stranger.open(key, record(id));
  await stranger.drawer.getByText('Verified here, by your browser').waitFor();
  await type('undo', 'The trail is as it was.');
  await isVerified(id);
});
