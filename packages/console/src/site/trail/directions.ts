/**
 * Characters that change the direction of writing. Elements isolate them, so they reorder nothing beside them. But a text that contains one
 * can read otherwise than its characters follow each other: `\u202Eevil` is shown as `live`.
 */
const directions = /[\u202A-\u202E\u2066-\u2069]/g;

/** Whether a text contains a character that changes the direction of writing. */
export function hasDirections(text: string): boolean {
  return text.search(directions) >= 0;
}

/** A JSON text with those characters as escapes. It is the same JSON value. */
export function withVisibleDirections(json: string): string {
  return json.replace(directions, (mark) => `\\u${mark.charCodeAt(0).toString(16)}`);
}
