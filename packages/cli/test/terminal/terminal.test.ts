import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ProcessContext } from '../../src/process-context.ts';
import { printRows } from '../../src/terminal/listed-rows.ts';
import { formatProgress, ProgressLine } from '../../src/terminal/progress.ts';
import { renderFields, renderTable } from '../../src/terminal/table.ts';
import { Terminal, type TerminalOptions } from '../../src/terminal/terminal.ts';

interface Given {
  readonly tty?: boolean;
  readonly columns?: number;
  readonly env?: ProcessContext['env'];
  readonly options?: TerminalOptions;
}

function terminalWith({ tty = false, columns = 60, env = {}, options = {} }: Given = {}) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => {
    const sink = new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
      },
    });
    return Object.assign(sink, { isTTY: tty, columns });
  };
  const processContext: ProcessContext = {
    stdin: Readable.from([]),
    stdout: stream('out'),
    stderr: stream('err'),
    env,
    cwd: '/',
    now: () => 0,
    stopped: new AbortController().signal,
  };
  return { terminal: new Terminal(processContext, options), written };
}

describe('colour', () => {
  test.each<[string, Given, boolean]>([
    ['a terminal', { tty: true }, true],
    ['a pipe', {}, false],
    ['NO_COLOR', { tty: true, env: { NO_COLOR: '1' } }, false],
    ['an empty NO_COLOR', { tty: true, env: { NO_COLOR: '' } }, true],
    ['FORCE_COLOR in a pipe', { env: { FORCE_COLOR: '1' } }, true],
    ['FORCE_COLOR before NO_COLOR', { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, true],
    ['FORCE_COLOR=0', { tty: true, env: { FORCE_COLOR: '0' } }, false],
    ['a dumb terminal', { tty: true, env: { TERM: 'dumb' } }, false],
    ['--no-color', { tty: true, env: { FORCE_COLOR: '1' }, options: { color: false } }, false],
    ['--color', { env: { NO_COLOR: '1' }, options: { color: true } }, true],
  ])('%s', (_, given, colored) => {
    const { terminal } = terminalWith(given);
    expect(terminal.style('red', 'x') !== 'x').toBe(colored);
  });
});

describe('tables', () => {
  const columns = [
    { title: 'SEQ', value: (row: [number, string]) => row[0], align: 'right' as const },
    { title: 'WHAT', value: (row: [number, string]) => row[1], flexible: true },
  ];

  test('align, and make what they show harmless', () => {
    const { terminal } = terminalWith();
    expect(
      renderTable(terminal, columns, [
        [1, 'short'],
        [1_000, '\x1b[31mred\n監査'],
      ]),
    ).toBe(' SEQ  WHAT\n   1  short\n1000  \\u{1b}[31mred\\u{a}監査\n');
  });

  test('cut a flexible column to the width', () => {
    const { terminal } = terminalWith({ tty: true, columns: 20, options: { color: false } });
    const table = renderTable(terminal, columns, [[1, 'x'.repeat(100)]]);
    expect(table.split('\n')[1]).toBe(`  1  ${'x'.repeat(14)}…`);
  });

  test('colour does not count as width', async () => {
    const { terminal, written } = terminalWith({ options: { color: true } });
    const styled = [{ ...columns[0]!, style: () => 'red' as const }, columns[1]!];
    await terminal.write(renderTable(terminal, styled, [[1, 'a']]));
    expect(written.out).toContain('  \x1b[31m1\x1b[39m  a');
  });

  test('fields without a value are left out', () => {
    const { terminal } = terminalWith();
    const fields = [
      ['a', 1],
      ['b', undefined],
      ['long', 'x'],
    ] as const;
    expect(renderFields(terminal, fields)).toBe('a     1\nlong  x\n');
  });
});

describe('progress', () => {
  test('is drawn over itself on a terminal, not more often than it can be read', () => {
    const { terminal, written } = terminalWith({ tty: true });
    let now = 0;
    const line = new ProgressLine(terminal, () => now);
    line.update({ done: 1, total: 2, text: 'half' });
    line.update({ done: 2, total: 2, text: 'too soon' });
    now = 100;
    line.update({ done: 2, total: 2, text: 'whole' });
    line.clear();
    line.clear();
    const bar = (filled: number) => '█'.repeat(filled) + '░'.repeat(24 - filled);
    expect(written.err).toBe(`\r\x1b[2K${bar(12)}  50%  half\r\x1b[2K${bar(24)} 100%  whole\r\x1b[2K`);
  });

  test.each<[string, Given]>([
    ['a pipe', {}],
    ['--quiet', { tty: true, options: { quiet: true } }],
    ['CI', { tty: true, env: { CI: 'true' } }],
    ['a dumb terminal', { tty: true, env: { TERM: 'dumb' } }],
  ])('is not there with %s', (_, given) => {
    const { terminal, written } = terminalWith(given);
    const line = new ProgressLine(terminal, () => 0);
    line.update({ done: 1, text: 'x' });
    line.clear();
    expect(written.err).toBe('');
  });

  test('without a total there is no bar', () => {
    expect(formatProgress({ done: 5, text: '5 imported' })).toBe('5 imported');
  });
});

// A value with a line break added a line "✔ verified" of its own; one with a style hid what followed.
test.each([true, false])('a line keeps its own styles only, colour %s', async (color) => {
  const { terminal, written } = terminalWith({ options: { color } });
  const attack = '\x1b[8m\x1b[2J\u009b2J\u202e\n✔';
  await terminal.line(`${terminal.style(['red', 'bold'], `x${attack}`)}${attack}`);
  const shown = '\\u{1b}[8m\\u{1b}[2J\\u{9b}2J\\u{202e}\\u{a}✔';
  const styled = color ? `\x1b[31m\x1b[1mx${shown}\x1b[22m\x1b[39m` : `x${shown}`;
  expect(written.out).toBe(`${styled}${shown}\n`);
});

test('several lines keep their breaks and styles only', async () => {
  const { terminal, written } = terminalWith({ options: { color: true } });
  await terminal.write(`${terminal.style('red', 'a')}\n\x1b[8mb\n`);
  terminal.writeNotes('c\n\x1b[8md\n');
  expect(written.out).toBe('\x1b[31ma\x1b[39m\n\\u{1b}[8mb\n');
  expect(written.err).toBe('c\n\\u{1b}[8md\n');
});

test('what a style returned in one terminal is not a style in another one', async () => {
  const { terminal, written } = terminalWith({ options: { color: true } });
  await terminal.line(terminalWith({ options: { color: true } }).terminal.style('hidden', 'x'));
  expect(written.out).not.toContain('\x1b');
});

test.each([true, false])('bytes are exact, except on a screen: %s', async (tty) => {
  const { terminal, written } = terminalWith({ tty });
  const bytes = Buffer.from('é\x1b[2J\n');
  await terminal.bytes(bytes.subarray(0, 1));
  await terminal.bytes(bytes.subarray(1));
  if (tty) expect(written.out).toBe('é\\u{1b}[2J\n');
  else expect(written.out).toContain('\x1b[2J\n');
});

test('a name in the progress display can not draw', () => {
  const { terminal, written } = terminalWith({ tty: true });
  new ProgressLine(terminal, () => 0).update({ done: 1, text: 'a\x1b]0;title\x07\n' });
  expect(written.err).toBe('\r\x1b[2Ka\\u{1b}]0;title\\u{7}\\u{a}');
});

test('notes, warnings, errors, hints and JSON have nothing that a terminal obeys', async () => {
  const { terminal, written } = terminalWith();
  const attack = 'a\x1b[2J\u009b2J\u202e\u2028\n\u{e0061}';
  terminal.note(attack);
  terminal.warn(attack);
  terminal.fail({ message: attack, code: attack, hint: attack, exitCode: 1 });
  await terminal.jsonLine({ attack });
  const lines = `${written.err}${written.out}`.split('\n').slice(0, -1);
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

describe('a list of many pages', () => {
  const columns = [{ title: 'N', value: (row: number) => row }];

  /** Rows that count how many of them were read. */
  function numbers(count: number) {
    const read = { count: 0 };
    async function* rows() {
      for (let at = 1; at <= count; at++) {
        read.count = at;
        yield at;
      }
    }
    return { rows: rows(), read };
  }

  async function print(count: number, given: Given & { readonly limit?: number } = {}) {
    const { terminal, written } = terminalWith(given);
    const { rows, read } = numbers(count);
    await printRows(terminal, rows, { columns, limit: given.limit, none: 'no numbers' });
    return { ...written, read: read.count };
  }

  test('has all rows, in tables of 500 at most', async () => {
    const { out, err } = await print(1_001);
    const lines = out.trimEnd().split('\n');
    expect(lines.filter((line) => line.trim() === 'N')).toHaveLength(3);
    expect(lines.filter((line) => line.trim() !== 'N').map(Number)).toEqual(
      Array.from({ length: 1_001 }, (_, at) => at + 1),
    );
    expect(err).toBe('');
  });

  test('ends at the limit, says that there are more, and reads no further than one row behind it', async () => {
    expect(await print(10, { limit: 2 })).toEqual({
      out: 'N\n1\n2\n',
      err: 'there are more: a higher --limit lists them\n',
      read: 3,
    });
    expect(await print(2, { limit: 2 })).toEqual({ out: 'N\n1\n2\n', err: '', read: 2 });
  });

  test('as JSON has one row in each line', async () => {
    const json = { options: { json: true } };
    expect(await print(3, { ...json, limit: 2 })).toMatchObject({ out: '1\n2\n', err: '' });
    expect(await print(0, json)).toMatchObject({ out: '', err: '' });
  });

  test('without rows says so', async () => {
    expect(await print(0, { limit: 5 })).toMatchObject({ out: '', err: 'no numbers\n' });
  });

  test('is not read on when the output has ended', async () => {
    const { terminal } = terminalWith({ options: { json: true } });
    const { rows, read } = numbers(1_000_000);
    Object.defineProperty(terminal, 'outputEnded', { get: () => read.count > 5 });
    await printRows(terminal, rows, { columns, none: '' });
    expect(read.count).toBe(6);
  });
});
