import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { parseTimestamp } from '@tallystick/event';
import * as z from 'zod';

/**
 * Where a page of counts begins: after a row of the hourly counts, of which the first page counted the range (`exact`) or its whole hours
 * (`hours`).
 */
export type CountsPlace = readonly [kind: 'exact' | 'hours', hour: string, combination: string];

const placeSchema = z.tuple([
  z.enum(['exact', 'hours']),
  z.string().refine((hour) => /:00:00Z$/.test(hour) && !Number.isNaN(parseTimestamp(hour))),
  z.string().regex(/^[0-9a-f]{32}$/),
]);

const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts places for cursors (AES-256-GCM). The row at which a page ends may be one of sensitive records, and it has a digest of their fields:
 * a reader without the scope could compare it with the digests of fields that it guesses.
 */
export class SealedPlaces {
  readonly #key: Uint8Array;

  /** @param secret of the service; all replicas have the same one */
  constructor(secret: Uint8Array) {
    this.#key = createHash('sha256').update(secret).digest();
  }

  /** @param request of the page: the place can't be opened for another one */
  seal(place: CountsPlace, request: unknown): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(cipherName, this.#key, nonce).setAAD(Buffer.from(JSON.stringify(request)));
    const sealed = [cipher.update(JSON.stringify(place)), cipher.final()];
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString('base64url');
  }

  /** @returns undefined for a text that no service with this secret has sealed for the request */
  open(text: string, request: unknown): CountsPlace | undefined {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) return undefined;
    const [nonce, tag] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes, nonceBytes + tagBytes)];
    const cipher = createDecipheriv(cipherName, this.#key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(JSON.stringify(request)))
      .setAuthTag(tag);
    try {
      const opened = Buffer.concat([cipher.update(bytes.subarray(nonceBytes + tagBytes)), cipher.final()]);
      return placeSchema.safeParse(JSON.parse(opened.toString())).data;
    } catch {
      return undefined;
    }
  }
}
