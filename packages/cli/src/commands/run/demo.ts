import type { Register } from '../../context.ts';
import { addExamples } from '../options/examples.ts';

/** `tally demo`: the whole story in a temporary directory. */
export const registerDemo: Register = (program, run) => {
  const command = program
    .command('demo')
    .summary('show everything in one go, with nothing to set up')
    .description(
      'Starts a service in a temporary directory, emits and imports events, queries and verifies them, and then attacks the ' +
        'database in five ways, each of which verification finds. It needs nothing and leaves nothing behind.',
    )
    .option('--keep', 'keep the service running at the end, so that you can try other commands on it');
  addExamples(command, 'tally demo', 'tally demo --keep');
  run<{ readonly keep?: boolean }>(command, async (context, options) => {
    // Imported on demand: it loads the SDK and a database, which no other command should wait for.
    const { runDemo } = await import('../../demo/demo.ts');
    return await runDemo(context, options);
  });
};
