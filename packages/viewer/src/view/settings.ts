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
  return filled(words.failed, { reason: reasonOf(error) });
}

/** What went wrong, for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof ClientError) return error.problem?.detail ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
