import { decodeUtf8 } from '@tallystick/event';
import { parseVerifierKey, type Verifier } from '@tallystick/log';

/** What a bundle claims before its first record. None of it can be trusted. */
export interface BundleHead {
  readonly origin: string | undefined;
  readonly tenantId: string | undefined;
  /** Whether it claims to hold the whole chain. */
  readonly complete: boolean;
  /** The verifier keys that it names. */
  readonly offered: readonly Verifier[];
  /** The whole bundle, from its first byte. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Longest head: a header, a few checkpoints and keys. The verifier refuses a longer one. */
const maxHeadBytes = 1 << 20;

/**
 * Reads a bundle up to its first record, so that the trusted keys can be chosen before the check begins. `bytes` are the
 * whole bundle again. Malformed lines are skipped: the verifier reads them next and reports them.
 */
export async function peekBundle(source: AsyncIterable<Uint8Array>): Promise<BundleHead> {
  const iterator = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();
  for (;;) {
    const recordAt = Buffer.from(held.buffer, held.byteOffset, held.byteLength).indexOf('{"record":');
    if (recordAt >= 0 || held.length > maxHeadBytes) break;
    const next = await iterator.next();
    if (next.done === true) break;
    held = Buffer.concat([held, next.value]);
  }
  const lines = readableLines(held);
  const header = lines.find((line) => typeof line.origin === 'string');
  return {
    origin: header?.origin as string | undefined,
    tenantId: typeof header?.tenant_id === 'string' ? header.tenant_id : undefined,
    complete: header?.complete === true,
    offered: lines.map(({ key }) => readKey(key)).filter((key) => key !== undefined),
    bytes: rejoin(held, iterator),
  };
}

function readableLines(bytes: Uint8Array): { readonly [name: string]: unknown }[] {
  const found: { readonly [name: string]: unknown }[] = [];
  let text: string;
  try {
    text = decodeUtf8(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1));
  } catch {
    return found;
  }
  for (const line of text.split('\n')) {
    if (line.startsWith('{"record":')) break;
    try {
      const value = JSON.parse(line) as unknown;
      if (typeof value === 'object' && value !== null)
        found.push(value as { readonly [name: string]: unknown });
    } catch {
      // The verifier reports it.
    }
  }
  return found;
}

function readKey(text: unknown): Verifier | undefined {
  try {
    return typeof text === 'string' ? parseVerifierKey(text) : undefined;
  } catch {
    return undefined;
  }
}

async function* rejoin(held: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (held.length > 0) yield held;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
