/** Characters without a shape of their own, such as a zero-width space, a variation selector or a soft hyphen. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{C}]/u;
const invisibleOrSpace = /[\p{Default_Ignorable_Code_Point}\p{C}\p{Z}]/gu;

/**
 * Whether a name has no part that a reader can't see: no invisible character, no white space at its ends, and only composed
 * characters (NFC).
 */
export function isPlainName(text: string): boolean {
  return text !== '' && text === text.trim() && text === text.normalize('NFC') && !invisible.test(text);
}

/**
 * Whether two subjects may be one person: they differ at most in case, white space, invisible characters or in how Unicode
 * writes the same letters. Only the separation of duties compares like this, where a wrong match refuses. Who is an approver is
 * compared exactly.
 */
export function mayBeOnePerson(one: string, other: string): boolean {
  return one === other || folded(one) === folded(other);
}

function folded(subject: string): string {
  const letters = subject.normalize('NFKC').toLowerCase().replace(invisibleOrSpace, '').normalize('NFKC');
  // A name of nothing but such characters is compared as it is.
  return letters === '' ? subject : letters;
}
