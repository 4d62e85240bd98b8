/** What a reader can see of bytes that may be anything. */
export type Payload =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly text: string };

/**
 * Bytes as text where they are UTF-8, with JSON in lines, else as hexadecimal digits.
 *
 * @param base64 standard base64, from the service
 */
export function payloadOf(base64: string): Payload {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  try {
    return { kind: 'text', text: inLines(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
    return { kind: 'bytes', text: digits.join(' ') };
  }
}

/** JSON in lines. A number that JavaScript can't hold, or a member that is there twice, would change: such a text stays as it is. */
function inLines(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    return JSON.stringify(parsed) === text ? JSON.stringify(parsed, null, 2) : text;
  } catch {
    return text;
  }
}
