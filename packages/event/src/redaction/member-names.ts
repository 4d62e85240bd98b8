import type { Secrecy, SecretNames } from './secret-names.ts';

/** What a member's name says about its value. */
export interface MemberName {
  readonly secrecy: Secrecy;
  /** Whether the value may be the name of a secret: `{ name: 'DB_PASSWORD', value: '…' }`. */
  readonly isLabel: boolean;
  /** Whether the value is secret if the member beside it names a secret. */
  readonly isValue: boolean;
  /** Whether the name itself contains no secret. */
  readonly isClean: boolean;
}

/** Names and lengths are bounded, since names may also come from data. */
const maxNames = 2_000;
const maxLength = 64;

const labels = new Set(
  'name key field header attribute property variable parameter parametername parameterkey param setting'.split(
    ' ',
  ),
);
const values = new Set(
  'value val parametervalue old new from to before after oldvalue newvalue previous current previousvalue currentvalue values'.split(
    ' ',
  ),
);

/** Decides what members' names mean, and remembers it, since the same names occur in every event. */
export class MemberNames {
  readonly #names: SecretNames;
  readonly #isClean: (name: string) => boolean;
  readonly #known = new Map<string, MemberName>();

  constructor(names: SecretNames, isClean: (name: string) => boolean) {
    this.#names = names;
    this.#isClean = isClean;
  }

  of(name: string): MemberName {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const spelling = name.length <= 20 ? name.replace(/[-_ ]/g, '').toLowerCase() : '';
    const member: MemberName = {
      secrecy: this.#names.of(name),
      isLabel: labels.has(spelling),
      isValue: values.has(spelling),
      isClean: this.#isClean(name),
    };
    if (name.length <= maxLength && this.#known.size < maxNames) this.#known.set(name, member);
    return member;
  }

  /**
   * Whether the values of `{ name: 'DB_PASSWORD', value: '…' }`, `{ Key: …, Value: … }` or `{ field: …, old: …, new: … }` are
   * secret, as container settings, tags, forms, HTTP archives and change sets write members.
   */
  secrecyOfLabel(object: { readonly [name: string]: unknown }): Secrecy {
    for (const name of Object.keys(object)) {
      const label = object[name];
      if (typeof label !== 'string' || !this.of(name).isLabel) continue;
      const secrecy = this.#names.of(label);
      if (secrecy !== 'none') return secrecy;
    }
    return 'none';
  }
}
