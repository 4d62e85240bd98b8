import type { Client } from '@tallystick/client';
import type { AuditRecord, KeyRotation, Verifier } from '@tallystick/log';
import type { ItemResult } from '@tallystick/protocol';
import type { Report } from '@tallystick/verify';
import type { Place } from '../trust/place.ts';
import type { TrustContext } from '../trust/trust-context.ts';

/**
 * The audit trail that a command works on: a service that it reaches over HTTP, or an embedded store that this process
 * opens itself.
 */
export interface Backend extends AsyncDisposable {
  /** For people: the address or the directory. */
  readonly name: string;

  /** Where the logs are, for what is remembered about them. */
  readonly place: Place;

  /** The HTTP API. An embedded store answers it inside this process, so that results and `--json` are the same for both. */
  readonly client: Client;

  /**
   * Submits events, each as the JSON text of one, and returns one result per event, in their order. MUST NOT report
   * `chained`, `duplicate` or `accepted` before the event is durable; MUST throw if the outcome is unknown.
   *
   * @param source becomes `ingest.source` of the records where this process opens the store: `import:cloudtrail`, …
   */
  submit(events: readonly string[], source: string): Promise<readonly ItemResult[]>;

  /**
   * Checks a whole chain in this process, without trusting the service or the store: the records, and whether lists and filters
   * show them as they are.
   */
  verify(tenantId: string, options: VerifyOptions): Promise<Report>;

  /** The verifier key that the service or the store shows as its log's own. Nothing proves that it is the right one. */
  offeredKey(tenantId: string): Promise<Verifier | undefined>;
}

export interface VerifyOptions {
  /**
   * Decides which keys and checkpoints the log is checked with. Called once, before anything is checked.
   *
   * @param offered the key that the service or the store shows for this log, if any
   * @param rotations rotations of the key that it shows; none of them is checked
   */
  readonly trustFor: (
    origin: string,
    offered: Verifier | undefined,
    rotations: readonly KeyRotation[],
  ) => Promise<TrustContext>;
  /** Receives the signed note of the checkpoint that the check relied on. Not called for a bad verdict. */
  readonly onTrustedCheckpoint: (note: string) => void;
  /** Receives the notes of two signed checkpoints that contradict each other. */
  readonly onEquivocation: (first: string, second: string) => void;
  /** Receives each record that can be read. */
  readonly onRecord: (record: AuditRecord) => void;
  /** Receives what the user must know about the extent of the check. */
  readonly onNotice: (notice: string) => void;
  readonly onProgress: (records: number, expected: number) => void;
}
