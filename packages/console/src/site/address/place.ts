/**
 * Where the reader is: a page and its parameters. The address in the browser holds all of it, so that a view can be shared, opened
 * again and left with the Back button.
 */

import { useCallback, useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso';

/** Values by the names of parameters. An empty value removes a parameter; a list is a parameter that is there several times. */
export type Changes = { readonly [name: string]: string | readonly string[] | undefined };

/** The page, its parameters, and how to go to another one. */
export interface Place {
  /** Last part of the path: `events`. */
  readonly page: string;
  readonly parameters: URLSearchParams;
  /** Path of a page, for links. The tenant goes along. */
  href(page: string, parameters?: Changes): string;
  /** Path of this page with changed parameters. */
  hrefWith(changes: Changes): string;
  /** Changes parameters of this page. `replace` leaves no entry in the history. */
  change(changes: Changes, options?: { readonly replace?: boolean }): void;
  go(href: string, options?: { readonly replace?: boolean }): void;
}

/** The place of the component that calls it. */
export function usePlace(): Place {
  const { url, route } = useLocation();
  const { base, page, parameters } = useMemo(() => splitAddress(url), [url]);
  const href = useCallback(
    (to: string, changes: Changes = {}) => {
      const kept = new URLSearchParams();
      const tenant = parameters.get('tenant');
      if (tenant !== null) kept.set('tenant', tenant);
      return addressOf(base + to, withChanges(kept, changes));
    },
    [base, parameters],
  );
  const hrefWith = useCallback(
    (changes: Changes) => addressOf(base + page, withChanges(parameters, changes)),
    [base, page, parameters],
  );
  const change = useCallback(
    (changes: Changes, { replace = false } = {}) => route(hrefWith(changes), replace),
    [route, hrefWith],
  );
  const go = useCallback((to: string, { replace = false } = {}) => route(to, replace), [route]);
  return { page, parameters, href, hrefWith, change, go };
}

/** The parts of an address: `/audit/console/events?tenant=acme`. */
export function splitAddress(url: string): {
  readonly base: string;
  readonly page: string;
  readonly parameters: URLSearchParams;
} {
  const [path = '', query = ''] = url.split('?', 2);
  const slash = path.lastIndexOf('/');
  return {
    base: path.slice(0, slash + 1),
    page: path.slice(slash + 1),
    parameters: new URLSearchParams(query.split('#', 1)[0]),
  };
}

/** Changes that set every parameter of a query. */
export function parametersOf(query: string): Changes {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)]));
}

/** A copy of the parameters with changes. */
export function withChanges(parameters: URLSearchParams, changes: Changes): URLSearchParams {
  const changed = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    for (const each of [value ?? []].flat()) if (each !== '') changed.append(name, each);
  }
  return changed;
}

function addressOf(path: string, parameters: URLSearchParams): string {
  // Addresses are read by people: these characters need no escape in a query.
  const query = parameters.toString().replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%2F', '/');
  return query === '' ? path : `${path}?${query}`;
}
