/**
 * The source of a module that compiles as long as what the HTTP transport sends is what the service takes, and what
 * the service answers is what the transport reads. `service` holds the types that are made of the service's document.
 */
export const conformance = `
import type { AuditEvent } from '@tallystick/event';
import type { Batch, DeclaredGap, DeliveryMetadata, FinalSequence, ItemResult, Receipt } from '@tallystick/sdk';
import type { Operations } from './service.ts';

type Submit = Operations['submitEvents'];

// Where the transport posts to.
export const path: Submit['path'] = '/v1/audit/events/batch';
export const method: Submit['method'] = 'POST';

// What it sends: the delivery as it stands, and the texts of events in their wire form.
type Taken = Submit['request']['application/json'];
declare const sent: { delivery: DeliveryMetadata; events: readonly AuditEvent[] };
export const request: Taken = sent;

// The service refuses members that it does not know, which assigning alone would not show.
type Unknown<S, T> = Exclude<keyof S, keyof T>;
type Delivery = NonNullable<Taken['delivery']>;
export const members: [
  Unknown<typeof sent, Taken>,
  Unknown<DeliveryMetadata, Delivery>,
  Unknown<DeclaredGap, NonNullable<Delivery['gaps']>[number]>,
  Unknown<FinalSequence, NonNullable<Delivery['final']>[number]>,
] extends never[] ? true : false = true;

// What it reads: of every answer that is not a problem, results that are the transport's own.
type Answer<K extends keyof Submit['responses']> =
  Submit['responses'][K] extends { 'application/json': infer A } ? A : never;
declare const answers: Answer<201> | Answer<207>;
export const results: readonly ItemResult[] = answers.results;
export const indexes: readonly number[] = answers.results.map(({ index }) => index);
export const receipt: Receipt = {} as Extract<(typeof answers)['results'][number], { receipt: unknown }>['receipt'];

// A success that the transport has not heard of would be read as a fault; 202 it knows, for services behind a queue.
type Successes = Extract<keyof Submit['responses'], 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208>;
export const known: Exclude<Successes, 201 | 202 | 207> extends never ? true : false = true;

// The code of a problem, which goes into error messages.
type Problem = Submit['responses'][400]['application/problem+json'];
export const code: string = ({} as Problem).code;

export type { Batch };
`;
