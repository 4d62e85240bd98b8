import { expectTypeOf, test } from 'vitest';
import type {
  BatchResult,
  ChainedResult,
  DeadLetter,
  DeadLetterInfo,
  DeliveryMetadata,
  GapReason,
  ItemResult,
  Receipt,
  ReceivedDelivery,
  RetryResult,
} from '../src/index.ts';

/** These hold at compile time: `npm run check` fails where one does not. */

test('the service accepts what a producer of this project sends', () => {
  expectTypeOf<DeliveryMetadata>().toExtend<ReceivedDelivery>();
});

test('a producer in another language may leave out all but its id, and give reasons of its own', () => {
  expectTypeOf<{ producer_id: string }>().toExtend<ReceivedDelivery>();
  expectTypeOf<{ producer_id: string }>().not.toExtend<DeliveryMetadata>();
  type Gap = NonNullable<ReceivedDelivery['gaps']>[number];
  expectTypeOf<{ tenant_id: string; from: number; to: number; reason: 'out of paper' }>().toExtend<Gap>();
  expectTypeOf<'out of paper'>().not.toExtend<GapReason>();
});

test('only a chained event has a receipt', () => {
  expectTypeOf<Extract<ItemResult, { receipt: Receipt }>>().toEqualTypeOf<ChainedResult>();
});

test('every result of a batch says which event it is for', () => {
  expectTypeOf<BatchResult['results'][number]>().toExtend<ItemResult & { readonly index: number }>();
});

test('a retry is never merely accepted into a queue', () => {
  expectTypeOf<Extract<RetryResult, { status: 'accepted' }>>().toBeNever();
});

test('lists of dead letters never carry the bytes', () => {
  expectTypeOf<DeadLetter>().toExtend<DeadLetterInfo>();
  expectTypeOf<keyof DeadLetterInfo>().extract<'raw_base64'>().toBeNever();
});
