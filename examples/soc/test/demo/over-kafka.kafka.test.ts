import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { sharedKafka, tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

const main = resolve(import.meta.dirname, '../../src/demo/main.ts');
const run = promisify(execFile);

interface Step {
  readonly step: string;
  readonly [member: string]: unknown;
}

test('the demo tells the same story over separate processes, and leaves nothing at a broker that it was given', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const { bootstrap } = await sharedKafka();
  const options = ['--json', '--data', join(directory.path, 'trail'), '--brokers', bootstrap.join(',')];
  const { stdout, stderr } = await run(process.execPath, [
    '--conditions=tallystick-source',
    main,
    ...options,
    ...['--alerts', '6', '--tenants', '3'],
  ]);
  const steps = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Step);
  const stepOf = (name: string) => steps.find(({ step }) => step === name);
  expect(Object.keys(stepOf('processes')!.pids as object)).toHaveLength(9);
  const what = new Set(steps.flatMap(({ step, what }) => (step === 'record' ? [what] : [])));
  for (const word of ['alert', 'model', 'quarantined', 'asked', 'granted', 'done', 'closed', 'refused'])
    expect(what).toContain(word);
  expect(stepOf('alerts'), stderr).toMatchObject({ ok: true, alerts: 6 });
  expect(stepOf('chained')).toMatchObject({ ok: true, lost: 0 });
  expect(steps.filter(({ step }) => step === 'timeline')).toHaveLength(2);
  expect(stepOf('end')).toMatchObject({ ok: true, attacks_caught: 5 });

  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...bootstrap] });
  const left = [...(await admin.listTopics()), ...(await admin.listGroups()).keys()];
  await admin.close();
  expect(left.filter((name) => name.startsWith('tallystick-demo-'))).toEqual([]);
});
