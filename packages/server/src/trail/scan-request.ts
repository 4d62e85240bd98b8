import type { EventFilters } from '@tallystick/event';
import type { SearchQuery } from '@tallystick/event/search';
import type { ChainMonths } from './chain-months.ts';
import type { Order } from './list-rows.ts';
import type { ViewOptions } from './view.ts';

/** Records of a chain that are not looked at yet: sequence numbers, both ends included. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What one page of a list has to find in one epoch. */
export interface ScanRequest {
  readonly filters: EventFilters;
  readonly search?: SearchQuery | undefined;
  readonly view: ViewOptions;
  readonly order: Order;
  readonly epoch: number;
  readonly months: ChainMonths;
  /** Sequence numbers of the chain, both ends included. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly leaveOutReads: boolean;
}
