import type { Register } from '../context.ts';
import { runDemo } from '../demo/demo.ts';

export const registerDemo: Register = (program, run) => {
  const command = program
    .command('demo')
    .description(
      'tell the whole story on real parts: emit, import, query, verify, and five attacks that are caught',
    )
    .option('--keep', 'leave the service up at the end');
  run<{ readonly keep?: boolean }>(command, (context, options) => runDemo(context, options));
};
