import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ProcessContext } from 'tallystick/demo/story-parts';
import { runCli } from 'tallystick/program';

/**
 * Runs a command of `tally` in this process, against a service. It reads no settings of the user.
 *
 * @returns what it printed if `capture` is set; otherwise it prints to the terminal
 * @throws if it fails
 */
export async function runTally(
  processContext: ProcessContext,
  { url, key }: { readonly url: string; readonly key: string },
  command: readonly string[],
  { capture = false }: { readonly capture?: boolean } = {},
): Promise<string> {
  const output = new PassThrough();
  const printed = text(output);
  const env = Object.entries(processContext.env).filter(([name]) => !name.startsWith('TALLYSTICK_'));
  const context = {
    ...processContext,
    stopped: processContext.stopped,
    env: Object.fromEntries(env),
    ...(capture && { stdout: output }),
  };
  const exitCode = await runCli([...command, '--server', url, '--key', key], context);
  output.end();
  if (exitCode !== 0) throw new Error(`tally ${command.join(' ')} ended with ${exitCode}`);
  return await printed;
}
