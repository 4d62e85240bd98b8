import { de } from './de.ts';
import { en } from './en.ts';
import type { ViewerWords } from './viewer-words.ts';

/** The languages that the viewer has. */
export const languages: { readonly [language: string]: ViewerWords } = { en, de };

/** The texts for a language tag such as `de-AT`; English where the viewer does not have the language. */
export function wordsFor(tag: string, own: Partial<ViewerWords> = {}): ViewerWords {
  const language = tag.toLowerCase().split('-')[0]!;
  const known = Object.hasOwn(languages, language) ? languages[language]! : en;
  return { ...known, ...own };
}

/** A text with its values. */
export function filled(text: string, values: { readonly [name: string]: unknown }): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
