/**
 * The limits that the SDK and the service both hold. They bound what one event may cost a store, a verifier or
 * a reader; larger evidence belongs in an evidence store, referred to by hash.
 */
export const limits = Object.freeze({
  /** Bytes of the event's JSON text, UTF-8. */
  maxEventBytes: 256 * 1024,
  /** Nesting, the event itself being level 1. */
  maxDepth: 32,
  /** Object members, counted over the whole event. */
  maxKeys: 2_000,
  /** How far an event's `timestamp`, or the time in a UUIDv7 `audit_id`, may lie ahead of the clock, in ms. */
  maxAheadMs: 60 * 60 * 1000,
  /** UTF-16 code units of an identifier. Three times as many UTF-8 bytes still fit a Postgres index row. */
  maxIdentifierLength: 512,
});
