/**
 * What became of every event since the emitter was made. Exact:
 * `emitted + inherited = delivered + rejected + dropped + unconfirmed + spooled + pending`.
 */
export interface DeliveryReport {
  /** Calls of `emit()` and `record()` that returned an identity. */
  readonly emitted: number;
  /** Found on disk, left by a process before this one. */
  readonly inherited: number;
  /** The service has them: chained, there already, or accepted by its queue. */
  readonly delivered: number;
  /** Of these, how many were there already. */
  readonly duplicates: number;
  /** Refused for their content, by the SDK or by the service. */
  readonly rejected: number;
  /** Lost for want of room, or at the end of the process. */
  readonly dropped: number;
  /** Sent, but the emitter was closed before an answer came: they may be there. */
  readonly unconfirmed: number;
  /** On disk, to be delivered later, by this process or its successor. */
  readonly spooled: number;
  /** In memory, to be delivered; 0 after `close()`. */
  readonly pending: number;
}
