import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A page or script by its path. */
export type Files = { readonly [path: string]: string };

const types: { readonly [ending: string]: string } = { js: 'text/javascript', css: 'text/css' };

/** Serves a customer's pages under a strict policy. */
export async function servePages(files: () => Files): Promise<{ url: string } & AsyncDisposable> {
  return await serve((path) => {
    const content = files()[path];
    const type = types[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/html; charset=utf-8';
    return content === undefined ? undefined : { type, content };
  });
}

/** The policy of a page that trusts no inline script, no inline style and no other host but the service. */
function policyOf(): string {
  return (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src http://127.0.0.1:*; base-uri 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'"
  );
}

async function serve(
  answer: (path: string) => { readonly type: string; readonly content: string } | undefined,
): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((incoming, response) => {
    const found = answer(new URL(incoming.url!, 'http://localhost').pathname);
    if (found === undefined) response.writeHead(404).end();
    else {
      const headers = { 'content-type': found.type, 'content-security-policy': policyOf() };
      response.writeHead(200, headers).end(found.content);
    }
  });
  return await listening(server);
}

/** One address behind which the operator can exchange the service. */
export async function serveFront(target: () => string): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((incoming, response) => {
    const { method, headers, url } = incoming;
    const upstream = request(target() + url, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    upstream.once('error', () => response.destroy());
    incoming.pipe(upstream);
  });
  return await listening(server);
}

async function listening(server: Server): Promise<{ url: string } & AsyncDisposable> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
