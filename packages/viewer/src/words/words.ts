import type { LogState, RecordCheckCode, RecordStep } from '@tallystick/verify';
import { de } from './de.ts';
import { en } from './en.ts';

/** Every text of the viewer. `{name}` stands for a value. */
export interface ViewerWords {
  readonly title: string;
  readonly search: string;
  readonly searchHint: string;
  readonly time: string;
  readonly event: string;
  readonly actor: string;
  readonly target: string;
  readonly outcome: string;
  readonly loading: string;
  readonly none: string;
  readonly noneFound: string;
  readonly older: string;
  readonly refresh: string;
  readonly cut: string;
  readonly close: string;
  readonly details: string;
  readonly place: string;
  readonly receipt: string;
  readonly expired: string;
  readonly failed: string;
  readonly retry: string;
  readonly checking: string;
  readonly intact: string;
  readonly broken: string;
  readonly unproven: string;
  readonly contentNotChecked: string;
  readonly contentNotCheckedWhy: string;
  readonly whatWasChecked: string;
  readonly expected: string;
  readonly found: string;
  readonly alarm: string;
  readonly report: string;
  readonly notRemembered: string;
  readonly steps: { readonly [step in RecordStep]: string };
  readonly log: { readonly [state in LogState | 'new_epoch']: string };
  readonly checks: { readonly [code in RecordCheckCode]: string };
}

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
