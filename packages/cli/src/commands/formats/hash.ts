import { decodeUtf8, isCanonical } from '@tallystick/event';
import { leafHash, sha256, toHex } from '@tallystick/log';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { readInput } from '../../terminal/input.ts';
import { addExamples } from '../options/examples.ts';

/** `tally hash`: an implementation in another language compares its record hashes and leaf hashes with these. */
export const registerHash: Register = (program, run) => {
  const command = program
    .command('hash')
    .summary('write the hash of a record')
    .description(
      "Writes the SHA-256 of a record's bytes in hexadecimal. The input must be canonical JSON; one newline at its end is " +
        'ignored, because canonical JSON has none.',
    )
    .argument('[file]', 'file to read (default: standard input)')
    .option('--tree', 'write the leaf hash of the Merkle tree instead: SHA-256(0x00 || record hash)')
    .option('--raw', 'hash the input as it is, whatever it contains');
  addExamples(command, 'tally canonical record.json | tally hash');
  run<{ readonly tree?: boolean; readonly raw?: boolean }>(command, async (context, options, [file]) => {
    const { terminal, processContext } = context;
    const bytes = await readInput(file, processContext);
    const record = options.raw === true ? bytes : canonicalBytes(bytes);
    const recordHash = sha256(record);
    const leaf = options.tree === true ? leafHash(recordHash) : undefined;
    if (terminal.json) {
      await terminal.jsonLine({
        record_hash: toHex(recordHash),
        leaf_hash: toHex(leaf ?? leafHash(recordHash)),
      });
    } else await terminal.line(toHex(leaf ?? recordHash));
    return undefined;
  });
};

function canonicalBytes(bytes: Buffer): Buffer {
  const record = bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
  if (isCanonical(decodeUtf8(record))) return record;
  const hint = 'tally canonical makes it canonical; --raw hashes it as it is';
  throw new CliError('RECORD_NOT_CANONICAL', 'the input is not canonical JSON', { hint });
}
