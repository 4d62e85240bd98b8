/** A value in an object: the names of the members that lead to it, with dots between them, and its text. */
export type MemberValue = readonly [path: string, text: string];

/**
 * The texts, numbers, booleans and nulls below an object, as filters compare them. A number is its canonical JSON. The elements of a list
 * have the path of the list. A name that contains a dot reads like two names, so both ways to write a path are found.
 *
 * @param most the reading ends after so many values
 */
export function memberValues(value: unknown, most = Number.POSITIVE_INFINITY): MemberValue[] {
  const found: MemberValue[] = [];
  collect(value, '', found, most);
  return found;
}

function collect(value: unknown, path: string, found: MemberValue[], most: number): void {
  if (found.length >= most) return;
  if (Array.isArray(value)) {
    for (const element of value) collect(element, path, found, most);
  } else if (typeof value === 'object' && value !== null) {
    for (const name in value) {
      const member = (value as { readonly [name: string]: unknown })[name];
      collect(member, path === '' ? name : `${path}.${name}`, found, most);
    }
  } else if (path !== '') {
    found.push([path, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
}
