import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import { type Answer, type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { HttpProblem } from '../kernel/problems.ts';

/** The console that the service serves. */
export interface ConsoleOptions {
  /** The folder with the built files of the console. Called at the first request below `/console`. */
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

/**
 * Routes that serve the console's files. All files are in memory, by name: a request never becomes a path of the file system, so no
 * static-file plugin with its rules for paths is needed.
 */
export function consoleSiteRoutes(options: ConsoleOptions | undefined): Endpoint[] {
  let loading: Promise<ReadonlyMap<string, SiteFile>> | undefined;
  const site = async () => {
    if (options === undefined)
      throw new HttpProblem(
        'ROUTE_NOT_FOUND',
        'this service has no console: install the package @tallystick/console beside the package tallystick, and start the service again',
      );
    // A build that failed is tried again at the next request.
    loading ??= options
      .files()
      .then(readSite)
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
    return await loading;
  };
  const answer = async (name: string, acceptEncoding: string | undefined, cacheControl: string) => {
    const file = (await site()).get(name);
    if (file === undefined) throw new HttpProblem('ROUTE_NOT_FOUND', 'the console has no such file');
    return answerOf(name, file, acceptEncoding, cacheControl);
  };
  const parts = { method: 'GET', tag: 'Console', access: 'open', undocumented: true } as const;
  const page = { 200: { description: 'A page or a file of the console' } };
  return [
    endpoint({
      ...parts,
      path: '/console',
      operationId: 'getConsole',
      summary: 'Find the console',
      responses: { 308: { description: 'To `/console/`' } },
      // Relative, so that it is true behind a proxy that serves the service below a path.
      handle: async () => ({ status: 308, headers: { location: 'console/' } }),
    }),
    endpoint({
      ...parts,
      path: '/console/',
      operationId: 'getConsolePage',
      summary: 'Get the first page of the console',
      responses: page,
      handle: async ({ request }) =>
        await answer('index.html', request.headers['accept-encoding'], 'no-cache'),
    }),
    endpoint({
      ...parts,
      path: '/console/{page}',
      operationId: 'getConsolePageByName',
      summary: 'Get a page of the console',
      params: z.strictObject({ page: z.string() }),
      responses: page,
      handle: async ({ request, params }) => {
        const name = params.page.includes('.') ? params.page : 'index.html';
        return await answer(name, request.headers['accept-encoding'], 'no-cache');
      },
    }),
    endpoint({
      ...parts,
      path: '/console/assets/{file}',
      operationId: 'getConsoleFile',
      summary: 'Get a file of the console',
      params: z.strictObject({ file: z.string() }),
      responses: page,
      // The name contains the digest of the content.
      handle: async ({ request, params }) =>
        await answer(
          `assets/${params.file}`,
          request.headers['accept-encoding'],
          'public, max-age=31536000, immutable',
        ),
    }),
  ];
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
