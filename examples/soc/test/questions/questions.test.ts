/**
 * Each line and each request of docs/questions.md, on a trail of the platform's eight services and an imported CloudTrail file. What the
 * document shows must be what is printed, and the answers must agree with the events as they were emitted and with the file as AWS wrote it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { AuditEvent } from '@tallystick/sdk';
import { runCli } from 'tallystick/program';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askedQuestions } from './asked-questions.ts';
import { type AskedTrail, openAskedTrail, tenant } from './asked-trail.ts';

const file = join(import.meta.dirname, 'cloudtrail.json.txt');
const today = Date.parse('2026-03-12T09:00:00Z');
const daysAgo = (days: number) => today - days * 86_400_000;
const questions = askedQuestions();

/** A record of CloudTrail, as far as the questions look at it. */
interface AwsRecord {
  readonly eventID: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly sourceIPAddress: string;
  readonly userIdentity: { readonly arn: string };
  readonly responseElements: { readonly ConsoleLogin?: string } | null;
  readonly requestParameters: {
    readonly bucketName?: string;
    readonly key?: string;
    readonly userName?: string;
  } | null;
}
const aws = (JSON.parse(readFileSync(file, 'utf8')) as { Records: AwsRecord[] }).Records;

let trail: AskedTrail;
beforeAll(async () => {
  trail = await openAskedTrail();
  const imported = await tally(['import', '--format', 'cloudtrail', file]);
  expect(imported.stdout).toBe(`${aws.length} imported, 0 duplicate, 0 rejected\n`);
}, 120_000);
afterAll(() => trail?.[Symbol.asyncDispose]());

/** Runs a command line of `tally`, on a terminal that is wide enough for the tables of the document. */
async function tally(args: readonly string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  const exitCode = await runCli(args, {
    stdin: new PassThrough().end(),
    stdout: Object.assign(stdout, { isTTY: true, columns: 108 }),
    stderr,
    env: {
      NO_COLOR: '1',
      XDG_CONFIG_HOME: trail.directory,
      TALLYSTICK_URL: trail.url,
      TALLYSTICK_API_KEY: trail.key,
      TALLYSTICK_TENANT: tenant,
    },
    cwd: trail.directory,
    now: () => today,
    stopped: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { exitCode, stdout: out, stderr: err };
}

/** What a command answers as JSON lines. `-n` and its number are left out where all events are wanted. */
async function jsonOf(command: readonly string[], { all = false } = {}): Promise<Record<string, unknown>[]> {
  const limit = command.indexOf('-n');
  const whole =
    all && limit >= 0 ? [...command.slice(0, limit), ...command.slice(limit + 2), '--all'] : command;
  const { stdout } = await tally([...whole, '--json']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('the document asks ten questions', () => {
  const numbers = questions.map(({ title }) => Number.parseInt(title, 10));
  expect(numbers).toEqual(Array.from({ length: 10 }, (_, at) => at + 1));
  for (const { title, answers } of questions) expect(answers.length, title).toBeGreaterThan(0);
});

const answers = questions.flatMap(({ answers }) => answers.map((answer) => [answer.line, answer] as const));
test.each(answers)('%s', async (_, { command, shown }) => {
  const { exitCode, stdout } = await tally(command);
  expect(exitCode).toBe(command[0] === 'missing' ? 7 : 0);
  const printed = stdout.split('\n').map((line) => line.trimEnd());
  // A shown line that ends with an ellipsis of its own is the beginning of a line.
  const isShown = (line: string, wanted: string) =>
    wanted.endsWith(' …') ? line.startsWith(wanted.slice(0, -1)) : line === wanted;
  let at = 0;
  for (const wanted of shown.filter((line) => line !== '…')) {
    const found = printed.findIndex((line, nth) => nth >= at && isShown(line, wanted));
    expect(found, `${wanted}\nis not in\n${stdout}`).toBeGreaterThanOrEqual(0);
    at = found + 1;
  }
});

describe('the answers agree with what happened:', () => {
  const [changed, logins, agent, word, month, existed, deleted, several, calls, missing] = questions.map(
    ({ answers, requests }) => ({ commands: answers.map(({ command }) => command), requests }),
  );
  const since = (days: number) => aws.filter(({ eventTime }) => Date.parse(eventTime) >= daysAgo(days));
  const timesOf = (records: readonly AwsRecord[]) =>
    records.map(({ eventTime }) => Date.parse(eventTime)).sort();
  const timesIn = (events: readonly Record<string, unknown>[]) =>
    events.map(({ timestamp }) => Date.parse(String(timestamp))).sort();
  const groupsIn = ([answer]: readonly Record<string, unknown>[]) =>
    (answer as { groupings: { groups: { values: object; records: number }[] }[] }).groupings[0]!.groups;
  const idsIn = (events: readonly Record<string, unknown>[]) => events.map(({ audit_id }) => audit_id);
  const arrived = () => trail.emitted.filter(({ audit_id }) => !trail.lost.includes(audit_id));
  const ask = async ({ requests: [path] }: { readonly requests: readonly string[] }) => {
    const response = await fetch(trail.url + path, {
      headers: { authorization: `Bearer ${trail.auditorKey}` },
    });
    expect(response.status).toBe(200);
    return await response.text();
  };
  const isFailedLogin = ({ responseElements }: AwsRecord) => responseElements?.ConsoleLogin === 'Failure';
  const isDeletion = ({ eventName }: AwsRecord) => eventName.startsWith('Delete');

  test('who changed X', async () => {
    const changes = since(7).filter(
      ({ eventName, errorCode, requestParameters: of }) =>
        /^(?:Put|Delete)/.test(eventName) &&
        errorCode === undefined &&
        of?.bucketName === 'payroll-exports' &&
        !of.key,
    );
    expect(changes.map(({ userIdentity }) => userIdentity.arn)).toEqual([
      'arn:aws:iam::111122223333:user/olga',
    ]);
    expect(groupsIn(await jsonOf(changed!.commands[0]!))).toEqual([
      {
        values: { actor: 'user:arn:aws:iam::111122223333:user/olga', event_type: 'aws.s3.put_bucket_policy' },
        records: 1,
      },
    ]);
    expect(timesIn(JSON.parse(await ask(changed!)).events)).toEqual(timesOf(changes));
  });

  test('failed logins', async () => {
    const expected: Record<string, number> = {};
    for (const { userIdentity, eventTime } of since(30).filter(isFailedLogin)) {
      const group = `user:${userIdentity.arn} ${eventTime.slice(0, 10)}`;
      expected[group] = (expected[group] ?? 0) + 1;
    }
    expect(Object.values(expected).reduce((sum, count) => sum + count)).toBe(6);
    for (const answer of [await jsonOf(logins!.commands[0]!), [JSON.parse(await ask(logins!))]]) {
      const groups = groupsIn(answer).map(({ values, records }) => [
        Object.values(values).join(' ').replace('T00:00:00Z', ''),
        records,
      ]);
      expect(Object.fromEntries(groups)).toEqual(expected);
    }
  });

  test('what an agent did in an investigation', async () => {
    const command = agent!.commands[0]!;
    const investigation = command[command.indexOf('--investigation') + 1];
    const did = arrived().filter(
      (event) => event.actor_type === 'agent' && event.investigation_id === investigation,
    );
    expect(did.length).toBeGreaterThan(3);
    expect(idsIn(await jsonOf(command))).toEqual(idsIn(did));
  });

  test('a word and an address range', async () => {
    const expected = since(30).filter(
      ({ sourceIPAddress, userIdentity }) =>
        sourceIPAddress.startsWith('192.0.2.') && userIdentity.arn.endsWith('/olga'),
    );
    expect(expected).toHaveLength(4);
    expect(timesIn(await jsonOf(word!.commands[0]!))).toEqual(timesOf(expected));
    expect(timesIn(JSON.parse(await ask(word!)).events)).toEqual(timesOf(expected));
  });

  test('last month as CSV', async () => {
    await tally(month!.commands[0]!);
    const csv = readFileSync(join(trail.directory, 'february.csv'), 'utf8');
    expect(csv).toBe(await ask(month!));
    const [header, ...lines] = csv.trimEnd().split('\r\n');
    const at = header!.split(',').indexOf('timestamp');
    const times = lines.map((line) => Date.parse(line.split(',')[at]!)).sort();
    expect(times).toEqual(timesOf(aws.filter(({ eventTime }) => eventTime.startsWith('2026-02'))));
  });

  test('whether Y existed on a date', async () => {
    const about = aws.filter(
      ({ eventName, requestParameters: of }) => eventName.endsWith('User') && of?.userName === 'contractor',
    );
    expect(about.map(({ eventName }) => eventName)).toEqual(['CreateUser', 'DeleteUser']);
    const latest = existed!.commands.map(async (command) =>
      (await jsonOf(command)).map(({ value }) => Date.parse(String(value))),
    );
    expect(await Promise.all(latest)).toEqual(about.map((record) => timesOf([record])));
  });

  test('what was deleted or refused', async () => {
    const inAws = since(30).filter((record) => isDeletion(record) || record.errorCode === 'AccessDenied');
    expect(inAws.some(isDeletion) && !inAws.every(isDeletion)).toBe(true);
    const isFound = (event: AuditEvent) =>
      ['denied', 'blocked'].includes(event.outcome?.outcome_status ?? '') ||
      /(?<![\p{L}\p{N}])delet/iu.test(JSON.stringify(Object.values(event)));
    const ofServices = arrived().filter(isFound);
    expect(ofServices.length).toBeGreaterThan(5);
    const expected = [...timesIn(ofServices as never), ...timesOf(inAws)].sort();
    expect(timesIn(await jsonOf(deleted!.commands[0]!, { all: true }))).toEqual(expected);
    expect(timesIn(JSON.parse(await ask(deleted!)).events)).toEqual(expected);
  });

  test('what several actors did', async () => {
    const did = arrived().filter(
      ({ actor_type, actor_id }) => actor_type === 'user' && ['mia', 'kim'].includes(actor_id),
    );
    expect(did).toHaveLength(6);
    expect(idsIn(await jsonOf(several!.commands[0]!)).sort()).toEqual(idsIn(did as never).sort());
  });

  test('the slowest and the costliest calls', async () => {
    for (const [at, member] of (['llm_latency_ms', 'llm_cost_usd'] as const).entries()) {
      const values = arrived().map(
        ({ context }) => (context as Record<string, unknown> | undefined)?.[member],
      );
      const greatest = values
        .filter((value) => typeof value === 'number')
        .sort((a, b) => b - a)
        .slice(0, 3);
      expect(greatest[2]).toBeGreaterThan(0);
      expect((await jsonOf(calls!.commands[at]!)).map(({ value }) => value)).toEqual(greatest);
      if (member === 'llm_cost_usd') {
        const { events } = JSON.parse(await ask(calls!)) as { events: { value: number }[] };
        expect(events.map(({ value }) => value)).toEqual(greatest);
      }
    }
  });

  test('what is missing', async () => {
    const numbers = arrived().length + trail.lost.length;
    expect(numbers).toBe(trail.emitted.length);
    const textsOf = async (command: readonly string[]) =>
      (await jsonOf(command)).flatMap(({ kind, text: found }) =>
        kind === undefined ? [] : [`${String(kind)}: ${String(found)}`],
      );
    const ofLost = (text: string) => trail.lost.find((id) => text.endsWith(id));
    const found = await textsOf(missing!.commands[0]!);
    expect(found).toContainEqual(
      expect.stringMatching(/^gap: context-gateway \S+: 2 of 99 numbers have no known outcome: 8–9$/),
    );
    const causes = found.filter((text) => text.startsWith('cause: '));
    const emittedCauses = arrived().filter(({ parent_id }) => trail.lost.includes(parent_id ?? ''));
    expect(causes.map(ofLost).sort()).toEqual(emittedCauses.map(({ parent_id }) => parent_id).sort());
    expect(causes.length).toBeGreaterThan(0);
    const command = missing!.commands[1]!;
    const lost = trail.emitted.filter(
      (event) => event.investigation_id === command[1] && trail.lost.includes(event.audit_id),
    );
    const inInvestigation = await textsOf(command);
    expect(inInvestigation.filter((text) => text.startsWith('investigation: ')).map(ofLost)).toEqual(
      lost.map(({ audit_id }) => audit_id),
    );
    for (const path of missing!.requests) expect(await ask({ requests: [path] })).not.toBe('');
  });
});
