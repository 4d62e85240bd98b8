import { createInterface } from 'node:readline';
import type { ProcessContext } from '../process-context.ts';
import { consoleAddress } from '../service/console.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type AttackWord, attackWords, type KeptAttacks } from './kept-attacks.ts';

/** What each word does, for the last screen of a demo. `{n}` is the number of the record. */
const meanings: { readonly [word in AttackWord]: string } = {
  change: 'change record {n} in the database, behind the back of the service',
  remove: 'delete record {n}',
  hide: 'leave record {n} as it is, and hide it from lists: change its columns and indexes',
  rewrite: 'rewrite the whole chain and sign it with the key of the service, as its operator could',
  undo: 'put the trail back',
};

/** What the console shows after an attack. */
const afterwards: { readonly [word in AttackWord]: readonly string[] } = {
  change: [
    'Record {n} says something else now. Open it:',
    '  {record}',
    'Your browser says: this record is not intact, with the hash that it expected and the one that it found.',
    'The button "Verify" above the list marks its row. The page "Verification" says where the chain breaks:',
    '  {verification}',
  ],
  remove: [
    'Record {n} is gone. Open the one after it:',
    '  {next}',
    'Your browser says that the record before it was removed. The page "Verification" says where the chain breaks:',
    '  {verification}',
  ],
  hide: [
    'Record {n} is intact, and its address opens it:',
    '  {record}',
    'The list of all events of its type does not have it any more:',
    '  {list}',
    'The button "Verify" finds nothing above that list: it checks the records that are listed, and can\'t know of others. The page',
    '"Verification" compares the indexes with the chain, and names the record. So does tally verify:',
    '  {verification}',
  ],
  rewrite: [
    'The chain is rewritten from record {n} on. Each hash and each signature fits. Open the record:',
    '  {record}',
    'Your browser says that the log was forked, because it remembers a checkpoint from before. A browser that looks for',
    'the first time (try a private window) finds nothing: only a checkpoint that was kept shows this attack.',
    'The page "Verification" finds no wrong hash, only indexes of the old record, which an operator would rebuild, too:',
    '  {verification}',
  ],
  undo: ['The trail is as it was. Reload the page.'],
};

/** The lines that a person can type, with what has to be done before. */
export async function sayAttacks(terminal: Terminal, attacks: KeptAttacks): Promise<void> {
  const record = await attacks.idAt(attacks.target.sequence);
  if (record === undefined) return;
  await terminal.line();
  await terminal.line(
    '  Attack this trail, and watch your browser find it. First open this record and wait for',
  );
  await terminal.line('  "Verified here", so that your browser remembers the log:');
  await terminal.line(`    ${attacks.recordLink(record)}`);
  await terminal.line('  Then type a word here, and press Enter:');
  for (const word of attackWords)
    await terminal.line(`    ${word.padEnd(8)} ${filled(meanings[word], attacks)}`);
}

/** Performs the attacks that a person types, until the input ends or `stopped` aborts. */
export async function performTyped(
  terminal: Terminal,
  { stdin, stopped }: Pick<ProcessContext, 'stdin' | 'stopped'>,
  attacks: KeptAttacks,
): Promise<void> {
  const lines = createInterface({ input: stdin, signal: stopped });
  for await (const line of lines) {
    const word = line.trim().toLowerCase();
    if (word === '') continue;
    const known = attackWords.find((each) => each === word);
    if (known === undefined) await terminal.line(`  Type one of: ${attackWords.join(', ')}.`);
    else await perform(terminal, known, attacks);
  }
}

async function perform(terminal: Terminal, word: AttackWord, attacks: KeptAttacks): Promise<void> {
  const { sequence, tenantId } = attacks.target;
  const [record, next] = await Promise.all([attacks.recordAt(sequence), attacks.idAt(sequence + 1)]);
  if (!(await attacks.perform(word))) {
    const hint =
      word === 'undo' ? 'There is nothing to undo.' : 'An attack stands already. Type "undo" first.';
    return await terminal.line(`  ${hint}`);
  }
  if (terminal.json) return await terminal.jsonLine({ step: 'attack', attack: word, sequence });
  const { url } = attacks.running;
  const links: { readonly [name: string]: string } = {
    record: record === undefined ? '' : attacks.recordLink(record.auditId),
    list: record === undefined ? '' : attacks.listLink(record.eventType),
    next: next === undefined ? '' : attacks.recordLink(next),
    verification: `${consoleAddress(url)}verification?tenant=${tenantId}`,
  };
  await terminal.line();
  for (const text of afterwards[word]) {
    const line = filled(text, attacks).replace(/\{(\w+)\}/, (_, name: string) => links[name] ?? '');
    await terminal.line(`  ${line}`);
  }
}

function filled(text: string, { target }: KeptAttacks): string {
  return text.replace('{n}', String(target.sequence));
}
