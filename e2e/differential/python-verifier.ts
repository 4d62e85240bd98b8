import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a command-line verifier answered. */
export interface Answer {
  /** The exit code; a text where the verifier failed by an exception. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** The verifier in Python, in one process that runs one command after the other. */
export class PythonVerifier {
  readonly #process = spawn(process.env.PYTHON ?? 'python3', ['-B', join(import.meta.dirname, 'server.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  readonly #answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();

  async run(args: readonly string[], stdin: Uint8Array): Promise<Answer> {
    const request = { args, stdin: Buffer.from(stdin).toString('base64') };
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the verifier in Python has ended');
    return JSON.parse(value) as Answer;
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}
