import { sha256 as digest } from '@noble/hashes/sha2.js';

const encoder = new TextEncoder();

/** SHA-256 (FIPS 180-4) of bytes, or of a text's UTF-8 bytes: 32 bytes. WebCrypto has an asynchronous function only. */
export function sha256(data: Uint8Array | string): Uint8Array {
  return digest(typeof data === 'string' ? encoder.encode(data) : data);
}

/** SHA-256 of bytes that arrive in parts. */
export function sha256Stream(): { update(bytes: Uint8Array): void; digest(): Uint8Array } {
  const running = digest.create();
  return { update: (bytes) => void running.update(bytes), digest: () => running.digest() };
}
