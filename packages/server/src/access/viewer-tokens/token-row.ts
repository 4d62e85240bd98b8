import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EventFilters } from '@tallystick/event';
import type { Scope, ViewerTokenInfo } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import { timeText } from '../../store/time-text.ts';
import { parseViewerFilters, viewerFiltersToApi } from './viewer-scope.ts';

/** A token as the store has it. */
export interface TokenRow {
  readonly id: string;
  readonly key_id: string;
  readonly tenant_id: string;
  readonly filters: string;
  readonly include_records: boolean;
  readonly include_ingest: boolean;
  readonly expires_at: Date;
}

/** A token that was found by its id, with its API key. */
export interface FoundRow extends TokenRow {
  readonly mac: Uint8Array;
  readonly scopes: Scope[];
  readonly tenants: string[] | null;
  readonly subject: string | null;
  readonly key_expires_at: Date | null;
}

/** A token of a list. */
export type ListedRow = TokenRow & { readonly created_at: Date };

/** Whether this service made the row, for this secret. A login of the database can write any value into it. */
export function isGenuine(row: FoundRow, secret: string, macKey: Uint8Array): boolean {
  if (!(row.expires_at instanceof Date) || Number.isNaN(row.expires_at.getTime())) return false;
  const mac = macOf(row, secret, macKey);
  return row.mac.length === mac.length && timingSafeEqual(row.mac, mac);
}

/** The code of a row: it covers everything that decides what the token shows, and for how long. */
export function macOf(row: TokenRow, secret: string, macKey: Uint8Array): Buffer {
  const { id, key_id, tenant_id, filters, include_records, include_ingest, expires_at } = row;
  const fields = [
    id,
    secret,
    key_id,
    tenant_id,
    filters,
    include_records,
    include_ingest,
    expires_at.toISOString(),
  ];
  return createHmac('sha256', macKey).update(JSON.stringify(fields)).digest();
}

/** Whether the filters and times of a row are such that a token can have. */
export function isReadable({ filters, created_at, expires_at }: ListedRow): boolean {
  try {
    parseViewerFilters(filters);
    return [created_at, expires_at].every((time) => timeText(time) === new Date(time).toISOString());
  } catch {
    return false;
  }
}

/**
 * What a token shows. Filters of another version of the service would show more if they were ignored: such a token is refused.
 *
 * @throws {ServerError} `UNAUTHENTICATED`
 */
export function filtersOf(row: TokenRow): EventFilters {
  try {
    return parseViewerFilters(row.filters);
  } catch {
    throw unauthenticated();
  }
}

/** What the API says of a token. */
export function infoOf(row: ListedRow): ViewerTokenInfo {
  return {
    id: row.id,
    tenant_id: row.tenant_id,
    filters: viewerFiltersToApi(JSON.parse(row.filters) as EventFilters),
    include_records: row.include_records,
    include_ingest: row.include_ingest,
    issued_by: `key:${row.key_id}`,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}

/** The one answer to every token that does not work, so that it says nothing about the tokens that exist. */
export function unauthenticated(): ServerError {
  return new ServerError('UNAUTHENTICATED', 'the viewer token is not valid, or it has ended');
}
