import type { Register } from '../context.ts';

export const registerDemo: Register = (program, run) => {
  const command = program
    .command('demo')
    .description(
      'tell the whole story on real parts: emit, import, query, verify, and five attacks that are caught',
    )
    .option('--keep', 'leave the service up at the end');
  run<{ readonly keep?: boolean }>(command, async (context, options) => {
    // Loaded when needed: it brings the SDK and a database with it, which no other command should wait for.
    const { runDemo } = await import('../demo/demo.ts');
    return await runDemo(context, options);
  });
};
