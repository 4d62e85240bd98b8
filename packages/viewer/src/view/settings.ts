import { type Client, ClientError } from '@tallystick/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ViewerWords } from '../words/viewer-words.ts';
import { filled } from '../words/words.ts';

/** What every part of the viewer needs. */
export interface Settings {
  readonly client: Client;
  readonly words: ViewerWords;
  readonly language: string;
}

const Context = createContext<Settings | undefined>(undefined);

/** Gives the parts below it their settings. */
export const SettingsProvider = Context.Provider;

/** The settings of the viewer around this part. */
export function useSettings(): Settings {
  return useContext(Context)!;
}

/** A time in the reader's zone and language. A text that is not a time is shown unchanged. */
export function timeText(value: unknown, language: string, isWithoutYear = false): string {
  const time = Date.parse(String(value));
  if (Number.isNaN(time)) return String(value ?? '');
  return new Intl.DateTimeFormat(language, isWithoutYear ? withoutYear : whole).format(time);
}

const whole: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'medium' };
const withoutYear: Intl.DateTimeFormatOptions = {
  ...{ month: 'short', day: 'numeric' },
  ...{ hour: 'numeric', minute: '2-digit', second: '2-digit' },
};

/** Saves a text on the reader's machine, as a download. */
export function saveText(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** What the viewer says of a failed request: a reader of a customer's page knows nothing of the service. */
export function failureText(error: unknown, words: ViewerWords): string {
  if (error instanceof ClientError) {
    if (error.code === 'UNREACHABLE') return words.unreachable;
    if (error.code === 'SERVICE_FAILED' || error.status === 429) return words.busy;
  }
  return filled(words.failed, { reason: reasonOf(error, words) });
}

/** What went wrong, in the reader's language if it has a text for the code; otherwise in the words of the service. */
export function reasonOf(error: unknown, words: ViewerWords): string {
  if (!(error instanceof ClientError)) return error instanceof Error ? error.message : String(error);
  const known = codesOf(error).find((code) => Object.hasOwn(words.problems, code));
  return known === undefined ? (error.problem?.detail ?? error.message) : words.problems[known]!;
}

/** The codes of an error, the most exact first. Of a problem document only the code is sure to be a text: a proxy may have written it. */
function codesOf({ code, problem }: ClientError): string[] {
  if (problem === undefined) return [code];
  const errors: unknown = problem.errors;
  const exact: unknown = Array.isArray(errors) ? errors[0]?.code : undefined;
  return [...(typeof exact === 'string' ? [exact] : []), problem.code];
}
