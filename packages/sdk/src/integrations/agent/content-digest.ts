import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';

/** Longer contents have no digest: canonical JSON needs all of a content in memory several times. */
const maxCharacters = 16 * 1024 * 1024;

/**
 * `sha256:` and the SHA-256 of the canonical JSON (RFC 8785) of a prompt or an answer. Bytes, such as images, count as their Base64
 * text. `undefined` for what is not JSON and for very long contents.
 */
export function contentDigest(content: unknown): string | undefined {
  try {
    const text = JSON.stringify(content, function (this: Record<string, unknown>, name, value: unknown) {
      // Buffers have a toJSON(), which has run before this function is called.
      const bytes = this[name];
      return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : value;
    });
    if (text === undefined || text.length > maxCharacters) return undefined;
    return `sha256:${createHash('sha256')
      .update(canonicalize(JSON.parse(text)))
      .digest('hex')}`;
  } catch {
    return undefined;
  }
}
