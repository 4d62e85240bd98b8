import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Scope } from '@tallystick/protocol';

/** Who signs in with a key. */
export interface Reader {
  readonly name: string;
  readonly subject?: string | undefined;
  readonly key: string;
  readonly scopes: readonly Scope[];
  readonly tenants?: readonly string[] | undefined;
}

const types: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The policy under which the console must work. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
  "worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
  'trusted-types tallystick';

/**
 * Serves the console's files below a path, keeps sessions, and passes requests on to the API with the key of the session. It holds the
 * pages to what they may rely on, and nothing more.
 */
export class ConsoleServer implements AsyncDisposable {
  readonly #files: string;
  readonly #api: string;
  readonly #readers: readonly Reader[];
  readonly #sessions = new Map<string, { readonly reader: Reader; readonly csrf: string }>();
  readonly #links = new Map<string, Reader>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.destroy(error));
  });
  /** While true, the API answers nothing. */
  isDown = false;

  private constructor(files: string, api: string, readers: readonly Reader[]) {
    this.#files = files;
    this.#api = api;
    this.#readers = readers;
  }

  static async start(files: string, api: string, readers: readonly Reader[]): Promise<ConsoleServer> {
    const server = new ConsoleServer(files, api, readers);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** Address of the console. The path before it stands for a proxy's. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/audit/console/`;
  }

  /** A link that signs a reader in once, and opens a page. */
  linkFor(reader: Reader, path = ''): string {
    const secret = randomUUID();
    this.#links.set(secret, reader);
    return `${this.url}${path}#link=${secret}`;
  }

  /** Ends every session, as a revoked key does. */
  endSessions(): void {
    this.#sessions.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url!, 'http://localhost');
    if (pathname === '/audit/console/session') return await this.#session(request, response);
    if (pathname.startsWith('/audit/console/')) return this.#file(pathname.slice(15), response);
    if (pathname.startsWith('/audit/')) return this.#pass(pathname.slice(6) + search, request, response);
    response.writeHead(404).end();
  }

  #file(path: string, response: ServerResponse): void {
    const isPage = !path.includes('/') && extname(path) === '';
    const file = join(this.#files, isPage ? 'index.html' : normalize(`/${path}`));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
    });
    response.end(readFileSync(file));
  }

  async #session(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, body: unknown, headers = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    const token = tokenOf(request);
    if (request.method === 'DELETE') {
      this.#sessions.delete(token);
      response.writeHead(204).end();
    } else if (request.method === 'POST') {
      const proof = JSON.parse((await buffer(request)).toString()) as { key?: string; link?: string };
      const reader = this.#readers.find(({ key }) => key === proof.key) ?? this.#links.get(proof.link ?? '');
      this.#links.delete(proof.link ?? '');
      if (reader === undefined) {
        const detail =
          proof.link === undefined ? 'the service knows no such key' : 'this link was used before';
        json(401, { type: 'urn:x', title: 'Unauthenticated', status: 401, code: 'UNAUTHENTICATED', detail });
        return;
      }
      const fresh = randomUUID();
      this.#sessions.set(fresh, { reader, csrf: randomUUID() });
      json(200, this.#entrance(fresh), {
        'set-cookie': `session=${fresh}; HttpOnly; SameSite=Strict; Path=/`,
      });
    } else json(200, this.#entrance(token));
  }

  #entrance(token: string): unknown {
    const session = this.#sessions.get(token);
    const { key: _, ...reader } = session?.reader ?? { key: '' };
    return {
      session: session === undefined ? null : { ...reader, csrf: session.csrf },
      log: 'audit.example.com',
      version: '0.1.0',
      sign_in: { key: true },
    };
  }

  #pass(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    const session = this.#sessions.get(tokenOf(request));
    const { method = 'GET', headers } = request;
    const mayWrite = method === 'GET' || headers['x-tallystick-csrf'] === session?.csrf;
    if (session === undefined || !mayWrite) {
      const [status, code] = session === undefined ? [401, 'UNAUTHENTICATED'] : [403, 'FORBIDDEN'];
      const problem = { type: 'urn:x', title: 'Refused', status, code, detail: 'there is no such session' };
      response
        .writeHead(status as number, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify(problem));
      return;
    }
    const upstream = httpRequest(this.#api + path, {
      method,
      agent: false,
      headers: { authorization: `Bearer ${session.reader.key}`, 'content-type': 'application/json' },
    });
    response.once('close', () => upstream.destroy());
    upstream.once('error', () => response.destroy());
    upstream.once('response', (answer) => {
      response.writeHead(answer.statusCode!, {
        'content-type': answer.headers['content-type'] ?? 'text/plain',
      });
      answer.pipe(response);
    });
    request.pipe(upstream);
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  return /session=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? '';
}
