import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { verifyBundle } from '@tallystick/verify';
import { type FileHead, peekFile } from '../../backend/file-head.ts';
import type { Context, GlobalOptions, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import { type GivenCheckpoint, readGivenCheckpoints } from '../../trust/given-checkpoints.ts';
import { TrustResolver } from '../../trust/trust-context.ts';
import { addExamples } from '../options/examples.ts';
import { type FileUnderTest, refuseOtherLog } from './file-under-test.ts';
import { serviceToAsk } from './service-to-ask.ts';
import { checkForkReport, compareFiles } from './verify-compare.ts';
import { checkReceipt } from './verify-receipt.ts';
import { exitCodeOf, printReport } from './verify-report.ts';
import { verifyTenants } from './verify-tenants.ts';

interface VerifyCommandOptions {
  readonly checkpoint?: readonly string[];
  readonly compare?: readonly string[];
}

/** `tally verify`: everything is checked in this process; the service is only read, never trusted. */
export const registerVerify: Register = (program, run) => {
  const command = program
    .command('verify')
    .summary('verify a trail, a bundle, a receipt or an export')
    .description(
      "Verifies that a trail was not changed: a tenant's whole chain on a service or store (without --tenant, every tenant's), " +
        'or a bundle, a receipt or an export with evidence in a file, offline. Everything is checked on this machine. The verifier key comes from --key, or ' +
        'from an earlier tally log-keys; the key of a service or store is trusted at first use and pinned. Another log, key or epoch at a place that ' +
        'you know is an alarm, until you accept it with tally log-keys trust.',
    )
    .argument(
      '[file]',
      'a bundle, a receipt or an export with evidence; - for standard input (default: verify the service or store)',
    )
    .option(
      '--checkpoint <file...>',
      'checkpoints that you kept; the chain must still contain what they cover',
    )
    .option(
      '--compare <file...>',
      'whether the checkpoints in two files can belong to one log; a checkpoint, receipt, bundle, report or known-logs.json',
    );
  addExamples(
    command,
    'tally verify --tenant acme',
    'tally verify --tenant acme --checkpoint acme.checkpoint',
    'tally verify --compare mine.checkpoint theirs.checkpoint',
    "tally verify acme.tally.gz --key 'audit.example.com/acme/1+0123abcd+AUF…'",
  );
  run<VerifyCommandOptions>(
    command,
    async (context, options, [file]) => {
      if (options.compare !== undefined) {
        if (file !== undefined) throw new CliError('USAGE', '--compare takes two files, and no other one');
        return await compareFiles(context, options.compare);
      }
      const given = await readGivenCheckpoints(context, options.checkpoint);
      if (file !== undefined) {
        refuseServiceOptions(options, context.logKeys.length);
        return await verifyFile(context, file, given, options.tenant);
      }
      return await verifyTenants(context, given);
    },
    { takesLogKeys: true },
  );
};

async function verifyFile(
  context: Context,
  file: string,
  given: readonly GivenCheckpoint[],
  tenant: string | undefined,
): Promise<number> {
  const path = resolve(context.processContext.cwd, file);
  try {
    if (file !== '-' && (await isArchive(path))) {
      const { verifyArchive } = await import('./verify-archive.ts');
      return await verifyArchive(context, path, { file, given, tenant });
    }
    const head = await peekFile(file === '-' ? context.processContext.stdin : createReadStream(path));
    if (head.isReport) return await checkForkReport(context, head.bytes);
    if (head.isReceipt) return await checkReceipt(context, head.bytes, { file, given, tenant });
    return await checkBundle(context, head, { file, given, tenant });
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
  }
}

/** Whether a file begins as a zip archive does. */
async function isArchive(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path, { end: 3 })) return Buffer.compare(chunk, zipBegin) === 0;
  return false;
}

const zipBegin = Buffer.from('PK\x03\x04');

async function checkBundle(
  context: Context,
  { header, offered, rotations, bytes }: FileHead,
  { file, given, tenant }: FileUnderTest,
): Promise<number> {
  if (header === undefined) {
    // Nothing in it can be compared with anything: the report says what is wrong with the header.
    const trust = context.logKeys.length > 0 ? 'given' : 'none';
    const report = await verifyBundle(bytes, { keys: [], trust });
    await printReport(context, report);
    return exitCodeOf(report);
  }
  const { origin, tenantId, complete } = header;
  refuseOtherLog({ origin, tenantId }, { file, given, tenant });
  const resolver = new TrustResolver(context, given);
  const own = offered.find(({ name }) => name === origin);
  const log = { origin, offered: own, rotations, place: undefined, from: file };
  const { verifiers, ...relied } = await resolver.resolve(log);
  let equivocation: Equivocation | undefined;
  const progress = new ProgressLine(context.terminal, context.processContext.now);
  let signed: string | undefined;
  const checked = await verifyBundle(bytes, {
    keys: verifiers,
    ...relied,
    mustReach: false,
    onTrusted: resolver.keepCheckpoint,
    onSigned: (note) => {
      signed = note;
    },
    onRecord: resolver.noteRecord,
    onEquivocation: (...notes) => {
      equivocation = saveEquivocation(context, notes);
    },
    onProgress: (done, total) => progress.update({ done, total, text: `${done} records` }),
  });
  progress.clear();
  const report = complete
    ? checked
    : await resolver.comparedByService(() => serviceToAsk(context), checked, signed);
  await resolver.confirmEpoch(report);
  const compared = resolver.comparedBy(report, file === '-' ? 'the bundle' : file, !complete);
  await printReport(context, report, { compared, equivocation });
  return exitCodeOf(report);
}

/** Options that mean a service or a store: with a file they would be ignored, and the user would not learn it. */
function refuseServiceOptions({ server, data, key = [] }: GlobalOptions, logKeys: number): void {
  if (server !== undefined || data !== undefined) {
    const option = server === undefined ? '--data' : '--server';
    throw new CliError('USAGE', `${option} and a file are given: verify one of them`);
  }
  if (key.length > logKeys) {
    throw new CliError('KEY_MALFORMED', "a file is verified with a log's verifier key", {
      hint: 'it looks like <origin>+<id>+<base64>; this --key does not',
    });
  }
}
