/** The pages of the console, for the HTTP API. */
export interface Console {
  readonly files: () => Promise<string>;
}

/** The console's pages, if the optional package with them is installed. Import this module on demand: it loads a package. */
export async function installedConsole(): Promise<Console | undefined> {
  try {
    const { consoleFiles } = await import('@tallystick/console');
    return { files: consoleFiles };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The console's address on a server. */
export function consoleAddress(url: string): string {
  return [url, 'console', ''].join('/');
}

/**
 * A link that signs in one time. The secret is behind `#`: a browser sends that part to no server, so it is in no log and in no
 * `Referer`.
 */
export function signInLink(url: string, secret: string): string {
  return `${consoleAddress(url)}#link=${secret}`;
}
