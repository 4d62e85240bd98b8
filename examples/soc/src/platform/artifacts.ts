import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A text that is too large or too sensitive for the trail: the record holds its hash, and the text is stored beside it. */
export interface Artifact {
  readonly tenantId: string;
  /** The event whose record holds the hash. */
  readonly auditId: string;
  readonly type: 'system_prompt' | 'user_content' | 'raw_response';
  readonly text: string;
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number;
}

/** Stores artifacts. What is stored is never changed. */
export interface ArtifactStore {
  put(artifact: Artifact): Promise<void>;
}

/** `sha256:` and 64 hexadecimal digits of the text in UTF-8. */
export function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Files in one directory, as `{tenant}/{YYYY}/{MM}/{DD}/{audit_id}/{type}`, so that a day of a tenant can be removed at once. */
export class ArtifactDirectory implements ArtifactStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put({ tenantId, auditId, type, text, at }: Artifact): Promise<void> {
    const day = new Date(at).toISOString().slice(0, 10);
    // Ids of tenants contain no slash and begin with a letter or digit, so they are safe as names of directories.
    const directory = join(this.#directory, tenantId, ...day.split('-'), auditId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(join(directory, type), text, { flag: 'wx', mode: 0o600 });
  }
}

/** Artifacts in memory, for tests and for runs that keep nothing. */
export class MemoryArtifacts implements ArtifactStore {
  readonly artifacts: Artifact[] = [];

  async put(artifact: Artifact): Promise<void> {
    this.artifacts.push(artifact);
  }
}
