import { join } from 'node:path';

/**
 * The folder with the console's files: `index.html`, `assets/`, and for each text file a copy that is compressed with Brotli (`.br`).
 *
 * @returns an absolute path. The files do not change while the process runs.
 */
export async function consoleFiles(): Promise<string> {
  return join(import.meta.dirname, '../site');
}
