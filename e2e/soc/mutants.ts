/**
 * Takes each call that records an event out of the services, one at a time, and runs the tests of the platform. A mutant that no test
 * notices survives: an event could be lost from the code without anybody noticing.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type EmitCall, emitCalls } from './emit-calls.ts';

const root = resolve(import.meta.dirname, '../..');
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** @param tests the folder of tests that run */
function isNoticedBy(tests: string, call: EmitCall | undefined): boolean {
  const { status } = spawnSync(
    process.execPath,
    // The tests over Kafka and those of questions see no record that the others do not see, and they take long.
    [
      vitest,
      ...[
        'run',
        '--config=e2e/soc/mutant.config.ts',
        '--bail=1',
        '--exclude=**/*.kafka.test.ts',
        '--exclude=**/questions/**',
        '--passWithNoTests',
        tests,
      ],
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        MUTANT_FILE: call?.file ?? '',
        MUTANT_START: String(call?.start ?? 0),
        MUTANT_RECORDER: call?.recorder ?? '',
      },
    },
  );
  return status !== 0;
}

/** The service's own tests run first: they take seconds, and notice nearly every mutant. */
function isNoticed(call: EmitCall): boolean {
  const own = `${dirname(call.file).replace('/src', '/test')}/`;
  return isNoticedBy(own, call) || isNoticedBy('examples/soc', call);
}

if (isNoticedBy('examples/soc', undefined)) {
  console.error('the tests of examples/soc fail without a mutant: nothing can be said about mutants');
  process.exit(1);
}
const survivors: EmitCall[] = [];
const calls = emitCalls(root);
for (const call of calls) {
  const noticed = isNoticed(call);
  console.log(`${noticed ? 'noticed ' : 'SURVIVES'} ${call.file}:${call.line} ${call.type}`);
  if (!noticed) survivors.push(call);
}
console.log(`${calls.length} mutants, ${survivors.length} survivors`);
process.exitCode = survivors.length > 0 ? 1 : 0;
