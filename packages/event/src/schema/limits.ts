/**
 * Limits that the SDK and the service enforce. They bound what one event can cost a store, a verifier or a reader. Keep larger
 * evidence in an evidence store, and refer to it by hash.
 */
export const limits = Object.freeze({
  /** Bytes of the event's JSON text, UTF-8. */
  maxEventBytes: 256 * 1024,
  /** Levels of nesting. The event itself is level 1. */
  maxDepth: 32,
  /** Object members, counted over the whole event. */
  maxKeys: 2_000,
  /** How far an event's `timestamp`, or the time in a UUIDv7 `audit_id`, may be ahead of the clock, ms. */
  maxAheadMs: 60 * 60 * 1000,
  /** UTF-16 code units of an identifier. As UTF-8 they are at most three times as many bytes, which fit a Postgres index row. */
  maxIdentifierLength: 512,
  /** UTF-16 code units of `user_agent`. */
  maxUserAgentLength: 1_024,
  /** Members of `on_behalf_of`. */
  maxDelegations: 16,
});
