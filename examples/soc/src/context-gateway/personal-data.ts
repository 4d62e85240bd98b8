/** What is replaced, in this order. The expressions take linear time. */
const kinds: readonly { readonly label: string; readonly expression: RegExp }[] = [
  {
    label: 'EMAIL',
    expression:
      /(?<![\p{L}\p{N}_.+'-])[\p{L}\p{N}_.+'-]{1,256}(?:@|%40)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  },
  { label: 'IBAN', expression: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g },
  { label: 'CARD', expression: /(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])/g },
  { label: 'PHONE', expression: /(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{2,5}\)?){2,5}(?!\d)/g },
];

/** Replaces personal data in texts by placeholders, the same value by the same placeholder, and puts it back into answers. */
export class PersonalData {
  readonly #placeholders = new Map<string, string>();
  readonly #values = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** How many different values were replaced. */
  get size(): number {
    return this.#values.size;
  }

  hide(text: string): string {
    // A text that looks like a placeholder must not be taken for one when values are put back.
    let hidden = text.replace(/\[\[(?=[A-Z]+_\d+\]\])/g, '[\u2060[');
    for (const { label, expression } of kinds) {
      hidden = hidden.replace(expression, (value) =>
        label === 'CARD' && !passesLuhn(value) ? value : this.#placeholderOf(label, value),
      );
    }
    return hidden;
  }

  restore(text: string): string {
    return text.replace(/\[\[[A-Z]+_\d+\]\]/g, (placeholder) => this.#values.get(placeholder) ?? placeholder);
  }

  #placeholderOf(label: string, value: string): string {
    const known = this.#placeholders.get(value);
    if (known !== undefined) return known;
    const number = (this.#counts.get(label) ?? 0) + 1;
    this.#counts.set(label, number);
    const placeholder = `[[${label}_${number}]]`;
    this.#placeholders.set(value, placeholder);
    this.#values.set(placeholder, value);
    return placeholder;
  }
}

/** The check digit of payment cards (ISO/IEC 7812). Other long numbers are not cards. */
function passesLuhn(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).toReversed();
  const sum = digits.reduce((total, digit, at) => {
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
