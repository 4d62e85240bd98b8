import { realpathSync } from 'node:fs';

/** Where a live log is: a service, or the directory of an embedded store. */
export interface Place {
  /** The address without a slash at its end, or the real path of the directory. */
  readonly id: string;
  /** Whether another program may answer at this address tomorrow. Its logs are known by their names alone. */
  readonly isLoopback: boolean;
}

export function servicePlace(url: URL): Place {
  const id = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return { id, isLoopback: isLoopback(url.hostname) };
}

/** @param directory an absolute path */
export function directoryPlace(directory: string): Place {
  return { id: realpathOf(directory), isLoopback: false };
}

function realpathOf(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    // It does not exist yet.
    return directory;
  }
}

/** 127.0.0.0/8, ::1, and the names that RFC 6761 reserves for them. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname) || /(^|\.)localhost\.?$/.test(hostname)
  );
}
