import { ask } from './shared-server.ts';

/** A package as it would be published. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the .tgz file. */
  readonly file: string;
  /** The sorted paths inside the package. */
  readonly contents: readonly string[];
}

/** All packages that would be published. The first call of a run builds and packs them. */
export async function sharedTarballs(): Promise<readonly Tarball[]> {
  return (await ask<{ tarballs: readonly Tarball[] }>('tarballsSocket')).tarballs;
}
