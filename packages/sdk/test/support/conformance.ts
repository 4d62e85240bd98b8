/**
 * The source of a module that compiles only if the service accepts what the HTTP transport sends, and the transport can read what
 * the service returns. `service.ts` contains the types that are generated from the service's OpenAPI document.
 */
export const conformance = `
import type { AuditEvent } from '@tallystick/event';
import type { Batch, DeclaredGap, DeliveryMetadata, FinalSequence, ItemResult, Receipt } from '@tallystick/sdk';
import type { Operations } from './service.ts';

type Submit = Operations['submitEvents'];

// The path and method of the transport's request.
export const path: Submit['path'] = '/v1/audit/events/batch';
export const method: Submit['method'] = 'POST';

// The body of the request: delivery metadata and events in their wire form.
type Taken = Submit['request']['application/json'];
declare const sent: { delivery: DeliveryMetadata; events: readonly AuditEvent[] };
export const request: Taken = sent;

// The service refuses unknown members, which an assignment would not show.
type Unknown<S, T> = Exclude<keyof S, keyof T>;
type Delivery = NonNullable<Taken['delivery']>;
export const members: [
  Unknown<typeof sent, Taken>,
  Unknown<DeliveryMetadata, Delivery>,
  Unknown<DeclaredGap, NonNullable<Delivery['gaps']>[number]>,
  Unknown<FinalSequence, NonNullable<Delivery['final']>[number]>,
] extends never[] ? true : false = true;

// The body of every response that is not a problem: results of the transport's own type.
type Answer<K extends keyof Submit['responses']> =
  Submit['responses'][K] extends { 'application/json': infer A } ? A : never;
declare const answers: Answer<201> | Answer<207>;
export const results: readonly ItemResult[] = answers.results;
export const indexes: readonly number[] = answers.results.map(({ index }) => index);
export const receipt: Receipt = {} as Extract<(typeof answers)['results'][number], { receipt: unknown }>['receipt'];

// The transport would take an unknown success status as a failure. It knows 202, for services behind a queue.
type Successes = Extract<keyof Submit['responses'], 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208>;
export const known: Exclude<Successes, 201 | 202 | 207> extends never ? true : false = true;

// The code of a problem, which error messages contain.
type Problem = Submit['responses'][400]['application/problem+json'];
export const code: string = ({} as Problem).code;

export type { Batch };
`;
