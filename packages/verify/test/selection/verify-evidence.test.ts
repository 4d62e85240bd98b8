import { exportFormat } from '@tallystick/event';
import { parseVerifierKey, type SealedRecord } from '@tallystick/log';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  base64,
  chain,
  checkpoint,
  event,
  logKey,
  origin,
  otherKey,
  trusted,
  verifierKey,
} from '../../../../spec/vectors/generator/fixture.ts';
import { leavesOf, multiproof, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import {
  formatManifest,
  readManifest,
  readRecordLine,
  type SelectionOptions,
  verifyEvidence,
} from '../../src/index.ts';
import { places, stream, utf8 } from '../fixture.ts';

const key = parseVerifierKey(trusted);
const csv = exportFormat('csv');
const records = chain(30, { 5: { event: event(5, { actor_id: '=cmd(), "x"\nü' }) } });
const leaves = leavesOf(records);
const selected = [2, 5, 6, 11, 20];

/** The files of an export with evidence, as texts. */
interface Files {
  readonly manifest: string;
  readonly checkpoint: string;
  readonly 'multiproof.txt': string;
  readonly 'records.jsonl': string;
  readonly 'events.csv': string;
}

const lineOf = (text: string, epoch = 1) => csv.line(readRecordLine(1, text).shown(epoch)!);

async function filesOf(
  texts: readonly string[],
  of: readonly SealedRecord[] = records,
  size = 25,
): Promise<Files> {
  const tree = leavesOf(of).slice(0, size);
  return {
    manifest: formatManifest({ origin, epochs: [[1, texts.length]], rotations: [] }),
    checkpoint: await checkpoint(size, root(tree)),
    'multiproof.txt': multiproof(selected, tree)
      .map((hash) => `${base64(hash)}\n`)
      .join(''),
    'records.jsonl': texts.map((text) => `${text}\n`).join(''),
    'events.csv': csv.header + texts.map((text) => lineOf(text)).join(''),
  };
}

const textsAt = (indexes: readonly number[], of = records) => indexes.map((index) => of[index]!.text);
const plain = await filesOf(textsAt(selected));
const bytesOf = (files: Files) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, utf8(text)])) as {
    [name in keyof Files]: Uint8Array;
  };

const verifyBytes = async (
  files: { [name in keyof Files]: Uint8Array },
  options: Partial<SelectionOptions> = {},
) =>
  await verifyEvidence(
    {
      manifest: readManifest(new TextDecoder().decode(files.manifest)),
      checkpoint: new TextDecoder().decode(files.checkpoint),
      multiproof: stream(files['multiproof.txt'], 50),
      records: stream(files['records.jsonl']),
      csv: stream(files['events.csv'], 100),
    },
    { keys: [key], ...options },
  );
const verify = (files: Files, options: Partial<SelectionOptions> = {}) =>
  verifyBytes(bytesOf(files), options);

test('records, proof and table fit together; omissions are not covered', async () => {
  expect(await verify(plain)).toMatchObject({
    verdict: 'verified_selection',
    tenant_id: 'acme',
    records: 5,
    verified: 5,
    omissions: 'not covered',
    checkpoint_size: 25,
    findings: [],
  });
  const none = await verify(
    await filesOf([], records).then((files) => ({
      ...files,
      manifest: formatManifest({ origin, epochs: [], rotations: [] }),
      'multiproof.txt': '',
    })),
  );
  expect([none.verdict, ...places(none)]).toEqual(['not_verifiable', 'NOTHING_COVERED']);
  const untrusted = await verify(plain, { keys: [parseVerifierKey(verifierKey(origin, otherKey))] });
  expect([untrusted.verdict, ...places(untrusted)]).toEqual(['not_verifiable', 'CHECKPOINT_UNTRUSTED@24']);
});

test('every change of a byte, in any of the files, is noticed', async () => {
  const bytes = bytesOf(plain);
  const names = Object.keys(plain) as (keyof Files)[];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('flip', 'drop', 'insert', 'cut'),
      async (name, seed, bits, how) => {
        const file = bytes[name];
        const at = seed % file.length;
        const changed =
          how === 'flip'
            ? file.map((byte, index) => (index === at ? byte ^ bits : byte))
            : how === 'cut'
              ? file.slice(0, at)
              : new Uint8Array([
                  ...file.slice(0, at),
                  ...(how === 'insert' ? [bits] : []),
                  ...file.slice(at + (how === 'drop' ? 1 : 0)),
                ]);
        const verdict = await verifyBytes({ ...bytes, [name]: changed }).then(
          (report) => report.verdict,
          (error: { code?: string }) => error.code,
        );
        expect(['broken', 'not_verifiable', 'EVIDENCE_MALFORMED']).toContain(verdict);
      },
    ),
    { numRuns: 400 },
  );
});

/** Lines of the table, with their ends. */
const lines = plain['events.csv'].split(/(?<=\r\n)/);
const table = (changed: readonly string[]): Files => ({ ...plain, 'events.csv': changed.join('') });

test.each([
  [
    'a changed line',
    table(lines.with(2, lines[2]!.replace('content.publish', 'content.delete'))),
    ['LINE_CHANGED@5'],
    'line 3 of events.csv: content.delete',
  ],
  [
    'a removed apostrophe',
    table(lines.with(2, lines[2]!.replace("'=cmd", '=cmd'))),
    ['LINE_CHANGED@5'],
    String.raw`line 3 of events.csv: "=cmd(), ""x""\nü"`,
  ],
  ['a line less', table(lines.toSpliced(3, 1)), ['LINE_MISSING@6'], undefined],
  ['the last line less', table(lines.slice(0, -1)), ['LINE_MISSING@20'], undefined],
  [
    'a line more',
    table(lines.toSpliced(4, 0, lineOf(records[9]!.text))),
    ['LINE_ADDED@9'],
    'line 5 of events.csv',
  ],
  ['a line twice', table(lines.toSpliced(3, 0, lines[3]!)), ['LINE_ADDED@6'], 'line 5 of events.csv'],
  [
    'a line of words',
    table(lines.toSpliced(3, 0, 'nothing happened\r\n')),
    ['LINE_ADDED'],
    'line 4 of events.csv',
  ],
  [
    'lines at the end',
    table([...lines, lineOf(records[28]!.text), 'x\n']),
    ['LINE_ADDED@28', 'LINE_ADDED'],
    'line 7 of events.csv',
  ],
  [
    'two lines swapped',
    table(lines.with(2, lines[3]!).with(3, lines[2]!)),
    ['LINE_MISSING@5', 'LINE_ADDED@5'],
    undefined,
  ],
  ['no names of columns', table(lines.slice(1)), ['LINE_MISSING'], undefined],
  [
    'other names of columns',
    table(lines.with(0, lines[0]!.replace('actor_id', 'target_id'))),
    ['LINE_CHANGED'],
    'line 1 of events.csv: target_id',
  ],
  ['an empty table', table([]), ['LINE_MISSING', ...selected.map((at) => `LINE_MISSING@${at}`)], undefined],
])('broken: %s', async (_, files, found, where) => {
  const report = await verify(files);
  expect([report.verdict, ...places(report)]).toEqual(['broken', ...found]);
  if (where !== undefined) expect(report.findings.map((finding) => finding.found)).toContain(where);
});

test('of a changed line, the first cell that differs is named, as the record makes it and as it is', async () => {
  const changes = await Promise.all(
    [
      (line: string) => line.replace('content.publish', '"content,""x""",x'),
      (line: string) => line.replace('content.publish', '"content'),
      (line: string) => line.replace('content.publish', 'x'.repeat(1_000_000)),
      (line: string) => line.replace('content.publish', `"${'""'.repeat(500_000)}`),
      (line: string) => line.replace('\r\n', '\n'),
      (line: string) => line.replace('\r\n', ',more\r\n'),
      () => '0,5,\r\n',
      () => '0,5,',
    ].map(async (change) => {
      const { findings } = await verify(table(lines.with(2, change(lines[2]!))));
      return findings.map(({ expected, found }) => [expected, found]);
    }),
  );
  expect(changes).toMatchInlineSnapshot(`
    [
      [
        [
          "event_type: content.publish",
          "line 3 of events.csv: "content,""x"""",
        ],
      ],
      [
        [
          "event_type: content.publish",
          "line 3 of events.csv: "content,,,,user,"'=cmd()",
        ],
      ],
      [
        [
          "event_type: content.publish",
          "line 3 of events.csv: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
        ],
      ],
      [
        [
          "event_type: content.publish",
          "line 3 of events.csv: """"""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""…",
        ],
      ],
      [
        [
          "note: \\r",
          "line 3 of events.csv: empty",
        ],
      ],
      [
        [
          "note: \\r",
          "line 3 of events.csv: empty",
        ],
      ],
      [
        [
          undefined,
          "line 3 of events.csv",
        ],
        [
          "the line of a record in events.csv",
          undefined,
        ],
      ],
      [
        [
          undefined,
          "line 3 of events.csv",
        ],
        [
          "the line of a record in events.csv",
          undefined,
        ],
        [
          "the line of a record in events.csv",
          undefined,
        ],
      ],
    ]
  `);
});

test('records with a table that a forger wrote for them are not in the signed tree', async () => {
  const rewritten = chain(30, { 6: { event: event(6, { actor_id: 'mallory' }) } });
  const texts = textsAt(selected).with(2, rewritten[6]!.text);
  expect(places(await verify({ ...(await filesOf(texts)), checkpoint: plain.checkpoint }))).toContain(
    'CHECKPOINT_ROOT_MISMATCH@24',
  );
  // A record is taken out of all files: what remains needs another proof, and then it is a smaller selection.
  const less = selected.toSpliced(2, 1);
  expect(places(await verify(await filesOf(textsAt(less))))).toEqual(['CHECKPOINT_ROOT_MISMATCH@24']);
  const more = `${plain['multiproof.txt']}${plain['multiproof.txt'].split('\n')[0]}\n`;
  expect(places(await verify({ ...plain, 'multiproof.txt': more }))).toEqual(['CHECKPOINT_ROOT_MISMATCH@24']);
  const foreign = chain(30, { 6: { tenantId: 'globex', event: event(6, { tenant_id: 'globex' }) } });
  const report = await verify(await filesOf(textsAt(selected, foreign), foreign));
  expect(places(report)).toContain('TENANT_MISMATCH@6');
});

test('a record that was withheld is proven by its hash, and shows nothing else', async () => {
  const { hashHex } = records[6]!;
  const identity = {
    tenant_id: 'acme',
    audit_id: '00000000-0000-4000-8000-000000000006',
    epoch: 1,
    sequence_number: 6,
    previous_hash: records[5]!.hashHex,
    record_hash: hashHex,
    ingested_at: '2026-03-01T12:00:06.000Z',
  };
  const withheld = (fields: object) =>
    textsAt(selected).with(2, JSON.stringify({ withheld: { ...identity, ...fields } }));
  const report = await verify(await filesOf(withheld({ is_sensitive: true, redacted: true })));
  expect(report).toMatchObject({ verdict: 'verified_selection', verified: 4, hash_only: 1 });
  const damaged = await verify(await filesOf(withheld({ damaged: true })));
  expect([damaged.verdict, ...places(damaged)]).toEqual(['broken', 'RECORD_NOT_CANONICAL@6']);
  for (const fields of [
    { redacted: true, actor_id: 'ann' },
    {},
    { redacted: true, record_hash: 'x' },
    { redacted: true, toString: 'a name that every object has' },
    { redacted: true, sequence_number: -1 },
    { redacted: true, epoch: 0 },
    { redacted: 'yes' },
    { redacted: true, tenant_id: 'approved by the board' },
    { redacted: true, audit_id: 'approved by the board' },
    { redacted: true, ingested_at: 'approved by the board' },
  ]) {
    const texts = withheld(fields);
    const found = await verify({ ...plain, 'records.jsonl': texts.map((text) => `${text}\n`).join('') });
    expect(places(found)).toContain('RECORD_NOT_CANONICAL');
  }
  // A record that names another epoch than the manifest has no line in the table, and does not pass without one.
  const elsewhere = await verify({
    ...table(lines.toSpliced(3, 1)),
    'records.jsonl': withheld({ redacted: true, epoch: 2 })
      .map((text) => `${text}\n`)
      .join(''),
  });
  expect([elsewhere.verdict, ...places(elsewhere)]).toEqual(['broken', 'MANIFEST_MISMATCH@6']);
  const foreign = await verify(await filesOf(withheld({ redacted: true, tenant_id: 'globex' })));
  expect([foreign.verdict, ...places(foreign)]).toEqual(['broken', 'TENANT_MISMATCH@6']);
  const unlinked = await verify(await filesOf(withheld({ redacted: true, previous_hash: hashHex })));
  expect([unlinked.verdict, ...places(unlinked)]).toEqual(['broken', 'CHAIN_LINK_BROKEN@6']);
});

test('a forger can append no record to a genuine archive: an export is signed up to its last record', async () => {
  const later = await filesOf(textsAt([...selected, 27]));
  const report = await verify(later);
  expect([report.verdict, ...places(report)]).toEqual(['broken', 'MANIFEST_MISMATCH@27']);
  // The checkpoint is of epoch 1, so there is no epoch 2 yet.
  const texts = textsAt([...selected, 21]);
  const ofNoEpoch = {
    ...(await filesOf(texts)),
    manifest: formatManifest({
      origin,
      epochs: [
        [1, 5],
        [2, 1],
      ],
      rotations: [],
    }),
    'events.csv': csv.header + texts.map((text, at) => lineOf(text, at === 5 ? 2 : 1)).join(''),
  };
  expect(places(await verify(ofNoEpoch))).toEqual(['MANIFEST_MISMATCH@21']);
});

test('records of earlier epochs are listed and not verified', async () => {
  const old = chain(3);
  const texts = [old[1]!.text, ...textsAt(selected)];
  const second = 'audit.example.com/acme/2';
  const tree = leaves.slice(0, 25);
  const recovered = {
    ...plain,
    checkpoint: await checkpoint(25, root(tree), { origin: second }),
    manifest: formatManifest({
      origin: second,
      epochs: [
        [1, 1],
        [2, 5],
      ],
      rotations: [],
    }),
    'records.jsonl': texts
      .slice(0, 6)
      .map((text) => `${text}\n`)
      .join(''),
    'events.csv':
      csv.header +
      texts
        .slice(0, 6)
        .map((text, at) => lineOf(text, at === 0 ? 1 : 2))
        .join(''),
  };
  const keys = [parseVerifierKey(verifierKey(second, logKey))];
  expect(await verify(recovered, { keys })).toMatchObject({
    verdict: 'recovered_selection',
    verified: 5,
    in_other_epochs: 1,
    findings: [],
  });
});

test('files that keep the reader busy are read no further than the last finding that is kept', async () => {
  let read = 0;
  async function* endless(line: string): AsyncGenerator<Uint8Array> {
    for (;;) {
      read++;
      if (read > 100_000) throw new Error('read on');
      yield utf8(line.repeat(50));
    }
  }
  const source = {
    manifest: readManifest(plain.manifest),
    checkpoint: plain.checkpoint,
    multiproof: stream(utf8(plain['multiproof.txt'])),
    records: stream(utf8(plain['records.jsonl'])),
    csv: stream(utf8(plain['events.csv'])),
  };
  const added = await verifyEvidence({ ...source, csv: endless('1,2,x\r\n') }, { keys: [key] });
  expect([added.verdict, added.findings.length]).toEqual(['broken', 1_000]);
  const garbage = await verifyEvidence({ ...source, records: endless('{}\n') }, { keys: [key] });
  expect([garbage.verdict, garbage.findings.length]).toEqual(['broken', 1_000]);
  async function* oneLine(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1 << 20);
  }
  for (const name of ['records', 'csv', 'multiproof'] as const)
    await expect(verifyEvidence({ ...source, [name]: oneLine() }, { keys: [key] })).rejects.toMatchObject({
      code: 'EVIDENCE_MALFORMED',
    });
});

test.each([
  ['no JSON', '{'],
  ['null', 'null\n'],
  ['another version', plain.manifest.replace(':1,', ':2,')],
  ['an unknown member', plain.manifest.replace('{', '{"x":1,')],
  ['a member twice', plain.manifest.replace('{', '{"origin":"a/b/1",')],
  ['an origin that is none', plain.manifest.replace(origin, 'acme')],
  [
    'epochs that descend',
    formatManifest({
      origin,
      epochs: [
        [2, 1],
        [1, 1],
      ],
      rotations: [],
    }),
  ],
  ['an epoch that no store has', formatManifest({ origin, epochs: [[2 ** 40, 1]], rotations: [] })],
  ['an epoch without records', formatManifest({ origin, epochs: [[1, 0]], rotations: [] })],
  ['a rotation that is none', formatManifest({ origin, epochs: [], rotations: [{ statement: 'x' }] })],
])('a manifest with %s is refused', (_, text) => {
  expect(() => readManifest(text)).toThrow(expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }));
});

test('a checkpoint of another log, or that is none, is refused', async () => {
  const other = await checkpoint(25, root(leaves.slice(0, 25)), { origin: 'audit.example.com/globex/1' });
  for (const note of [other, 'x', ''])
    await expect(verify({ ...plain, checkpoint: note })).rejects.toMatchObject({
      code: 'EVIDENCE_MALFORMED',
    });
  const manifest = plain.manifest.replace('[1,5]', '[1,4]');
  expect(places(await verify({ ...plain, manifest: manifest }))).toEqual(['MANIFEST_MISMATCH']);
});
