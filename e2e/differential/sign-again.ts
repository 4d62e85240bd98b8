import { createHash } from 'node:crypto';
import { formatTlogProof, parseTlogProof } from '@tallystick/log';
import { checkpoint } from '../../spec/vectors/generator/fixture.ts';
import { inclusion, leaf, root } from '../../spec/vectors/generator/naive-tree.ts';

/**
 * What an operator with the signing key can do: the checkpoint is signed again for what the file contains, so that only the
 * rules for records can find what was changed.
 */

const prefix = '{"record":';
const hashOf = (bytes: Uint8Array | string) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** Signs the first checkpoint of a whole chain again. A text without one stays as it is. */
export async function signBundle(text: string): Promise<string> {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('{"checkpoint":'));
  const records = lines.filter((line) => line.startsWith(prefix) && line.endsWith('}'));
  const origin = /"origin":"([^"\\]*)"/.exec(lines[0]!)?.[1];
  if (at < 0 || records.length === 0 || origin === undefined || !/^[\x21-\x2a\x2c-\x7e]+$/.test(origin))
    return text;
  const leaves = records.map((line) => leaf(hashOf(line.slice(prefix.length, -1))));
  const note = await checkpoint(leaves.length, root(leaves), { origin });
  return lines.with(at, JSON.stringify({ checkpoint: note })).join('\n');
}

/** Makes a receipt for the record in it, in a tree whose other leaves are invented. */
export async function signReceipt(text: string): Promise<string> {
  let proof: ReturnType<typeof parseTlogProof>;
  try {
    proof = parseTlogProof(text);
  } catch {
    return text;
  }
  const origin = proof.checkpoint.split('\n')[0]!;
  if (proof.extra === undefined || proof.index > 20 || !/^[\x21-\x2a\x2c-\x7e]+$/.test(origin)) return text;
  const leaves = Array.from({ length: proof.index + 2 }, (_, at) => leaf(hashOf(`other ${at}`)));
  leaves[proof.index] = leaf(hashOf(proof.extra));
  const note = await checkpoint(leaves.length, root(leaves), { origin });
  return formatTlogProof({ ...proof, inclusion: inclusion(proof.index, leaves), checkpoint: note });
}
