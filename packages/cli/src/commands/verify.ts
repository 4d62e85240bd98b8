import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { type Report, verifyBundle } from '@tallystick/verify';
import type { Backend } from '../backend/backend.ts';
import { peekBundle } from '../backend/bundle-head.ts';
import type { Context, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { openSource } from '../import/files.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { decide } from './verify-key.ts';
import { checkReceipt, isReceipt } from './verify-receipt.ts';
import { exitCodeOf, tellReport } from './verify-report.ts';

interface VerifyCommandOptions {
  readonly checkpoint?: readonly string[];
}

/** `tally verify`: whether a trail is what was signed. Everything is checked here, nothing is asked of the service. */
export const registerVerify: Register = (program, run) => {
  const command = program
    .command('verify')
    .summary('check a trail, a bundle or a receipt')
    .description(
      "Checks a tenant's whole chain (of a service or a store; every tenant's where none is named), or a bundle or " +
        'receipt offline. The key comes from --key, or was pinned; a live log that is new is trusted at first use.',
    )
    .argument('[file]', 'a bundle or a receipt; - is standard input')
    .option('--checkpoint <file...>', 'checkpoints kept elsewhere, to hold the chain against');
  run<VerifyCommandOptions>(command, async (context, options, [file]) => {
    if (file !== undefined) return await verifyFile(context, file, options);
    const checkpoints = await readCheckpoints(context, options);
    await using backend = await context.openBackend();
    const codes: number[] = [];
    for await (const tenant of tenantsOf(context, backend)) {
      const report = await verifyLive(context, backend, tenant, checkpoints);
      await tellReport(context, report);
      codes.push(exitCodeOf(report));
    }
    if (codes.length === 0) {
      throw new CliError('NOT_VERIFIABLE', `${backend.name} has no tenants: there is nothing to verify`);
    }
    // One broken chain is the news, whatever else could not be verified.
    return codes.includes(exitCodes.broken) ? exitCodes.broken : Math.max(...codes);
  });
};

async function* tenantsOf(context: Context, backend: Backend): AsyncGenerator<string> {
  const { tenant } = context.settings;
  if (tenant !== undefined) yield tenant;
  else for await (const { tenant_id } of backend.listTenants()) yield tenant_id;
}

async function verifyLive(
  context: Context,
  backend: Backend,
  tenant: string,
  checkpoints: readonly string[],
): Promise<Report> {
  const progress = new ProgressLine(context.terminal, context.surroundings.now);
  try {
    return await backend.verify(tenant, {
      decide: (origin, offered) => decide(context, { origin, offered, isLive: true, from: backend.name }),
      checkpoints,
      onProgress: (done, total) => progress.update({ done, total, text: `${tenant}: ${done} records` }),
    });
  } finally {
    progress.clear();
  }
}

async function verifyFile(context: Context, file: string, options: VerifyCommandOptions): Promise<number> {
  if (options.checkpoint !== undefined) {
    throw new CliError('USAGE', '--checkpoint goes with a service or a store, not with a file');
  }
  const path = resolve(context.surroundings.cwd, file);
  const open = () => (file === '-' ? context.surroundings.stdin : createReadStream(path));
  try {
    const { chunks } = openSource({ name: file, size: undefined, open });
    const { origin, offered, bytes } = await peekBundle(chunks);
    if (origin === undefined) return await verifyWithoutHeader(context, bytes);
    const own = offered.find(({ name }) => name === origin);
    const { verifiers, trust } = decide(context, { origin, offered: own, isLive: false, from: file });
    const progress = new ProgressLine(context.terminal, context.surroundings.now);
    const report = await verifyBundle(bytes, {
      keys: verifiers,
      trust,
      onProgress: (done, total) => progress.update({ done, total, text: `${done} records` }),
    });
    progress.clear();
    await tellReport(context, report);
    return exitCodeOf(report);
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
  }
}

/** A receipt, or a bundle that can't even be read as one; neither is long. */
async function verifyWithoutHeader(context: Context, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const whole = await readWhole(bytes);
  if (isReceipt(whole)) return await checkReceipt(context, whole);
  const report = await verifyBundle(Readable.from([whole]), { keys: [] });
  await tellReport(context, report);
  return exitCodeOf(report);
}

async function readWhole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > maxReceiptBytes)
      throw new CliError('INPUT_INVALID', 'this is neither a bundle nor a receipt');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A record and its proof; what is longer is no receipt. */
const maxReceiptBytes = 4 << 20;

async function readCheckpoints(
  { surroundings }: Context,
  { checkpoint = [] }: VerifyCommandOptions,
): Promise<readonly string[]> {
  return await Promise.all(
    checkpoint.map(async (file) => {
      try {
        return await readFile(resolve(surroundings.cwd, file), 'utf8');
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
      }
    }),
  );
}
