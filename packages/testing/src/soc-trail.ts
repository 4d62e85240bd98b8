import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './shared-server.ts';

/** Where a copy of the reference platform's trail is. */
export interface SocTrail {
  /** Directory of the embedded store. */
  readonly directory: string;
  /** Directory of the signing key. */
  readonly signerDirectory: string;
}

/**
 * Copies a trail of the reference platform (`examples/soc`): some ten alerts of the tenants `acme` and `globex`, with decisions, calls of
 * models, approvals and quarantines. The first call of a run makes it, in about ten seconds.
 *
 * @param destination a directory that does not exist yet
 */
export async function copySocTrail(destination: string): Promise<SocTrail> {
  const { path } = await ask<{ readonly path: string }>('socTrailSocket');
  await cp(path, destination, { recursive: true });
  return { directory: destination, signerDirectory: join(destination, 'signer') };
}
