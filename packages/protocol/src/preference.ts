/**
 * The request header with which a client asks a service that has a queue in front of the chain to chain the events before it answers
 * (RFC 7240; spec/delivery.md).
 */
export const preferChained = Object.freeze({ prefer: 'chained' });

/** The header of the answer to such a request: the events are chained, or refused. */
export const chainedApplied = Object.freeze({ 'preference-applied': 'chained' });
