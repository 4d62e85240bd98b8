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
  /** Shown where the service gives no answer. */
  readonly unreachable: string;
  /** Shown where the service is overloaded, or failed. */
  readonly busy: string;
  readonly close: string;
  /** Title of the members that a reader rarely needs: ids, hashes, places. */
  readonly technical: string;
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
  /** What the report is for. */
  readonly reportUse: string;
  readonly notRemembered: string;
  /** Names of members of an event. Others are shown by their names in the event. */
  readonly members: { readonly [name: string]: string };
  /** How an event ended. Other words are shown as they are. */
  readonly outcomes: { readonly [status: string]: string };
  /** Values of members that have a closed list of them, by the name of the member. Others are shown as they are. */
  readonly values: { readonly [member: string]: { readonly [value: string]: string } };
  readonly steps: { readonly [step in RecordStep]: string };
  readonly log: { readonly [state in LogState | 'new_epoch' | 'missing']: string };
  /**
   * What went wrong, by the code of the search, of the service's problem or of the client. A code that is not here has the text of the service,
   * which is English.
   */
  readonly problems: { readonly [code: string]: string };
  readonly checks: { readonly [code in RecordCheckCode]: string };
}
