import { findMissing, type Missing } from '@tallystick/client';
import { counted } from '@tallystick/protocol';
import { InvalidArgumentError } from 'commander';
import type { Context, Register } from '../../context.ts';
import { exitCodes } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { addExamples } from '../options/examples.ts';
import { pointInTime, wholeNumber } from '../options/option-values.ts';
import { type MissingSection, sectionsOf } from './missing-sections.ts';

interface MissingOptions {
  readonly from?: string;
  readonly limit: number;
  readonly records: number;
}

/** A list that is further behind than this is not called current, seconds. */
const currentSeconds = 60;

/** `tally missing`: what the trail of a tenant, or one investigation, lacks as far as the service knows. */
export const registerMissing: Register = (program, run) => {
  const command = program
    .command('missing')
    .summary('show what is missing from a trail, or from one investigation')
    .description(
      "Shows what is missing from a tenant's trail: gaps in the numbers of producers, producers that ended without their last number, refused " +
        'events, losses that were declared, actions of agents without an end or an intent, and causes that no record has. Each kind names ' +
        'the command to go on with. With an investigation, only what concerns it. The exit code is 7 if something is missing, and 5 if ' +
        'nothing was found but not everything was read. It is what the service says: tally verify proves that no record was changed or removed.',
    )
    .argument('[investigation]', 'the investigation_id of events')
    .option('--from <time>', 'losses and causes from this time on: RFC 3339, a day or an age such as 7d')
    .option('-n, --limit <count>', 'read at most this many of each kind, up to 1000', upTo(1_000), 100)
    .option(
      '--records <count>',
      'look up the causes of so many of the newest records, up to 10000',
      upTo(10_000),
      1_000,
    );
  addExamples(
    command,
    'tally missing --tenant acme',
    'tally missing inv-17 --tenant acme',
    'tally missing --from 7d --json',
  );
  run<MissingOptions>(command, async (context, { from, limit, records, tenant }, [investigation]) => {
    const tenantId = context.requireTenant();
    await using backend = await context.openBackend();
    const missing = await findMissing(backend.client, {
      tenant_id: tenantId,
      investigation_id: investigation,
      from: from === undefined ? undefined : pointInTime(from, context.processContext.now()),
      limit,
      records,
    });
    const sections = sectionsOf(missing, { investigation, tenant });
    const lost = sections.filter(({ texts, isPending }) => texts.length > 0 && !isPending);
    const isCut = sections.some(({ more }) => more);
    if (missing.behind_seconds > currentSeconds)
      context.terminal.warn(
        `the list of actions lacks records of the last ${Math.round(missing.behind_seconds)} s: see tally followers show open-intents`,
      );
    if (context.terminal.json) await printJson(context, tenantId, missing, sections);
    else await print(context, tenantId, investigation, missing, sections);
    if (lost.length > 0) return exitCodes.missing;
    return isCut ? exitCodes.partial : undefined;
  });
};

function upTo(most: number): (text: string) => number {
  return (text) => {
    const count = wholeNumber(text);
    if (count < 1 || count > most) throw new InvalidArgumentError(`It must be 1 to ${most}.`);
    return count;
  };
}

/** One line for each thing, and a last line with the sums. */
async function printJson(
  { terminal }: Context,
  tenantId: string,
  missing: Missing,
  sections: readonly MissingSection[],
): Promise<void> {
  for (const { kind, texts, next, isPending } of sections)
    for (const text of texts) await terminal.jsonLine({ kind, text, pending: isPending, next });
  const sum = (isPending: boolean) =>
    sections.filter((each) => each.isPending === isPending).reduce((all, { texts }) => all + texts.length, 0);
  await terminal.jsonLine({
    summary: {
      tenant_id: tenantId,
      missing: sum(false),
      pending: sum(true),
      records: missing.causes.read,
      cut: sections.filter(({ more }) => more).map(({ kind }) => kind),
    },
  });
}

/** Things of one kind that are printed. `--json` has all that were read. */
const shown = 10;

async function print(
  { terminal }: Context,
  tenantId: string,
  investigation: string | undefined,
  missing: Missing,
  sections: readonly MissingSection[],
): Promise<void> {
  const what = investigation === undefined ? tenantId : `the investigation ${investigation} of ${tenantId}`;
  const found = sections.filter(({ texts }) => texts.length > 0);
  for (const { title, texts, more, isPending, next } of found) {
    const count = `${texts.length}${more ? ' or more' : ''}`;
    await terminal.line(
      terminal.style(
        isPending ? 'bold' : 'yellow',
        `${capital(title)}: ${count}${isPending ? ', may still come' : ''}`,
      ),
    );
    for (const text of texts.slice(0, shown)) await terminal.line(`  ${printable(text)}`);
    if (texts.length > shown) await terminal.line(`  and ${texts.length - shown} more`);
    await terminal.line(`  → ${printable(next)}`);
    await terminal.line();
  }
  const none = sections.filter(({ texts, more }) => texts.length === 0 && !more).map(({ title }) => title);
  if (none.length > 0) await terminal.line(`None: ${none.join(', ')}.`);
  const unread = sections.filter(({ texts, more }) => texts.length === 0 && more).map(({ title }) => title);
  if (unread.length > 0)
    await terminal.line(
      `None found, but not everything was read: ${unread.join(', ')}. --limit and --records read more.`,
    );
  const looked =
    investigation === undefined
      ? `the causes of the newest ${counted(missing.causes.read, 'record')}`
      : counted(missing.causes.read, 'record');
  await terminal.line(
    terminal.style(
      'dim',
      `What the service knows of ${printable(what)}; it looked at ${looked}. tally verify proves that no record was changed or removed.`,
    ),
  );
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
