import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { verifyBundle } from '@tallystick/verify';
import type { Backend } from '../backend/backend.ts';
import { peekBundle } from '../backend/bundle-head.ts';
import type { Context, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { openSource } from '../import/files.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { type GivenCheckpoint, readGiven, VerifyGrounds } from './verify-grounds.ts';
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
    const given = await readGiven(context, options.checkpoint);
    if (file !== undefined) return await verifyFile(context, file, given);
    await using backend = await context.openBackend();
    const codes: number[] = [];
    const origins = new Set<string>();
    for await (const tenant of tenantsOf(context, backend)) {
      codes.push(await verifyLive(context, backend, tenant, given, origins));
    }
    if (codes.length === 0) {
      throw new CliError('NOT_VERIFIABLE', `${backend.name} has no tenants: there is nothing to verify`);
    }
    const unused = given.find(({ origin }) => !origins.has(origin));
    // Nothing given may be silently left out.
    if (unused !== undefined && !codes.includes(exitCodes.broken)) throw notHeldAgainst(unused);
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
  given: readonly GivenCheckpoint[],
  origins: Set<string>,
): Promise<number> {
  const grounds = new VerifyGrounds(context, given);
  const progress = new ProgressLine(context.terminal, context.surroundings.now);
  try {
    const report = await backend.verify(tenant, {
      judge: (origin, offered) => {
        origins.add(origin);
        return grounds.judge({ origin, offered, isLive: true, from: backend.name });
      },
      onTrusted: grounds.remember,
      onProgress: (done, total) => progress.update({ done, total, text: `${tenant}: ${done} records` }),
    });
    progress.clear();
    await tellReport(context, report, grounds.heldAgainst);
    return exitCodeOf(report);
  } finally {
    progress.clear();
  }
}

async function verifyFile(
  context: Context,
  file: string,
  given: readonly GivenCheckpoint[],
): Promise<number> {
  const path = resolve(context.surroundings.cwd, file);
  const open = () => (file === '-' ? context.surroundings.stdin : createReadStream(path));
  try {
    const { chunks } = openSource({ name: file, size: undefined, open });
    const { origin, offered, bytes, size, complete } = await peekBundle(chunks);
    const other = given.find((checkpoint) => checkpoint.origin !== origin);
    if (other !== undefined) throw notHeldAgainst(other);
    if (origin === undefined) return await verifyWithoutHeader(context, bytes);
    const own = offered.find(({ name }) => name === origin);
    const grounds = new VerifyGrounds(context, given);
    const place = { origin, offered: own, isLive: false, from: file };
    const { verifiers, trust, checkpoints } = await grounds.judge(place, { size, complete });
    const progress = new ProgressLine(context.terminal, context.surroundings.now);
    const report = await verifyBundle(bytes, {
      keys: verifiers,
      trust,
      checkpoints,
      onTrusted: grounds.remember,
      onProgress: (done, total) => progress.update({ done, total, text: `${done} records` }),
    });
    progress.clear();
    await tellReport(context, report, grounds.heldAgainst);
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

function notHeldAgainst({ file, origin }: GivenCheckpoint): CliError {
  return new CliError('USAGE', `${file} is a checkpoint of ${origin}, which was not verified`);
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
