import type { LogState, RecordCheckCode, RecordStep } from '@tallystick/verify';

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
  readonly log: { readonly [state in LogState | 'new_epoch' | 'missing']: string };
  readonly checks: { readonly [code in RecordCheckCode]: string };
}
