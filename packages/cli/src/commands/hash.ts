import { decodeUtf8, isCanonical } from '@tallystick/event';
import { leafHash, sha256, toHex } from '@tallystick/log';
import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../terminal/input.ts';

/** `tally hash`: what another implementation's record hash and leaf hash must be. */
export const registerHash: Register = (program, run) => {
  const command = program
    .command('hash')
    .summary("write a record's hash")
    .description(
      "Writes SHA-256 of a record's bytes, in hexadecimal. The bytes must be canonical JSON; one newline at their end, " +
        'which no canonical JSON has, is left out.',
    )
    .argument('[file]', 'file to read; standard input by default')
    .option('--tree', 'the leaf hash in the Merkle tree instead: SHA-256(0x00 || record hash)')
    .option('--raw', 'whatever the bytes are, each of them');
  run<{ readonly tree?: boolean; readonly raw?: boolean }>(command, async (context, options, [file]) => {
    const { terminal, surroundings } = context;
    const bytes = await readInput(file, surroundings);
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
  const hint = 'tally canonical writes them so; --raw hashes what is there';
  throw new CliError('RECORD_NOT_CANONICAL', 'these are not the bytes of canonical JSON', { hint });
}
