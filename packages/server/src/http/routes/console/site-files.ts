import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { ServerError } from '../../../errors.ts';
import type { Answer } from '../../kernel/endpoint.ts';
import { HttpProblem } from '../../kernel/problems.ts';

/** The console that the service serves. */
export interface ConsoleOptions {
  /** The folder with the built files of the console. Called at the first request for one of them. */
  readonly files: () => Promise<string>;
}

interface SiteFile {
  readonly plain: Buffer;
  /** Compressed with Brotli. */
  readonly brotli: Buffer | undefined;
}

const mediaTypes: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

/** No inline script, no other host, no frame around the page, and no text that becomes markup by accident. */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types tallystick',
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  vary: 'accept-encoding',
};

/** How long a browser may use a file without asking again. */
const cacheControls = {
  /** A page: it names the files of its own version. */
  page: 'no-cache',
  /** A file whose name contains the digest of its content. */
  digest: 'public, max-age=31536000, immutable',
};

/**
 * The console's files. All are in memory, by name: a request never becomes a path of the file system, so no static-file plugin with its
 * rules for paths is needed.
 */
export class SiteFiles {
  readonly #options: ConsoleOptions | undefined;
  #loading: Promise<ReadonlyMap<string, SiteFile>> | undefined;

  constructor(options: ConsoleOptions | undefined) {
    this.#options = options;
  }

  /**
   * Whether the service has a file.
   *
   * @throws {ServerError} `CONFIG_INVALID` if the console is installed, but not complete
   */
  async has(name: string): Promise<boolean> {
    return this.#options !== undefined && (await this.#files()).has(name);
  }

  /**
   * The answer with a file.
   *
   * @throws {HttpProblem} `ROUTE_NOT_FOUND` without such a file
   */
  async answer(
    name: string,
    acceptEncoding: string | undefined,
    kind: keyof typeof cacheControls,
  ): Promise<Answer> {
    const file = (await this.#files()).get(name);
    if (file === undefined) throw new HttpProblem('ROUTE_NOT_FOUND', 'the console has no such file');
    return answerOf(name, file, acceptEncoding, cacheControls[kind]);
  }

  async #files(): Promise<ReadonlyMap<string, SiteFile>> {
    if (this.#options === undefined)
      throw new HttpProblem(
        'ROUTE_NOT_FOUND',
        'this service has no console: install the package @tallystick/console beside the package tallystick, and start the service again',
      );
    // A build that failed is tried again at the next request.
    this.#loading ??= this.#options
      .files()
      .then(readSite)
      .catch((error: unknown) => {
        this.#loading = undefined;
        throw error;
      });
    return await this.#loading;
  }
}

function answerOf(
  name: string,
  { plain, brotli }: SiteFile,
  acceptEncoding: string | undefined,
  cacheControl: string,
): Answer {
  const isCompressed =
    brotli !== undefined &&
    /(?:^|[\s,])br(?:\s*;\s*q=(?:1|0\.\d*[1-9]))?\s*(?:,|$)/.test(acceptEncoding ?? '');
  return {
    status: 200,
    type: mediaTypes[extname(name)] ?? 'application/octet-stream',
    body: isCompressed ? brotli : plain,
    headers: {
      ...pageHeaders,
      'cache-control': cacheControl,
      ...(isCompressed && { 'content-encoding': 'br' }),
    },
  };
}

/** @throws {ServerError} `CONFIG_INVALID` */
function readSite(folder: string): ReadonlyMap<string, SiteFile> {
  const contents = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path).split(sep).join('/'), readFileSync(path)]),
  );
  if (!contents.has('index.html'))
    throw new ServerError('CONFIG_INVALID', 'the console has no page index.html: install it again');
  return new Map(
    [...contents]
      .filter(([name]) => !name.endsWith('.br'))
      .map(([name, plain]) => [name, { plain, brotli: contents.get(`${name}.br`) }]),
  );
}
