/** The way of one call to the server and back to the client. */
export interface CallPort {
  /** Where several clients share the proxy: the session of the call. */
  readonly session?: string | undefined;
  /** What records say about the session, if there is one. */
  readonly sessionDigest?: string | undefined;
  /** Aborted when the client of this call has gone. */
  readonly clientGone?: AbortSignal | undefined;
  /** Called when the call begins to wait for an approval. */
  readonly onPending?: (() => void) | undefined;
  /** Sends the request to the server. Rejects if the server can't be reached; the call may have arrived all the same. */
  forward(request: string): Promise<void>;
  /** Sends a message of the proxy itself to the client. */
  send(message: object): void;
}
