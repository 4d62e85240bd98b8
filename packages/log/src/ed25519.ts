import { concatBytes } from './bytes.ts';
import { LogError } from './errors.ts';

/** Ed25519 (RFC 8032) through WebCrypto, which Node and browsers have. */

/** DER of a PKCS #8 private key (RFC 8410 section 7) up to the 32-byte seed. */
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

/** Whether a signature verifies. Malformed keys and signatures do not. */
export async function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message));
  } catch {
    return false;
  }
}

/** A key that signs with Ed25519 (RFC 8032). Its secret cannot be read from it. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/**
 * Makes a signing key from its 32-byte seed.
 *
 * @throws {LogError} `KEY_MALFORMED`
 */
export async function importSigningKey(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== 32) throw new LogError('KEY_MALFORMED', 'an Ed25519 seed has 32 bytes');
  const pkcs8 = new Uint8Array(concatBytes(pkcs8Prefix, seed));
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const jwk = await crypto.subtle.exportKey('jwk', key);
  const publicKey = Uint8Array.from(atob(jwk.x!.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0),
  );
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign('Ed25519', key, new Uint8Array(message))),
  };
}
