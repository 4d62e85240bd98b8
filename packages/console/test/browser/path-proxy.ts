import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A reverse proxy, as an organisation has it in front of several services. */
export interface PathProxy extends AsyncDisposable {
  readonly port: number;
  /** Requests outside of the path. */
  readonly strays: readonly string[];
}

/** Serves a service below a path, which the service itself does not know. The header Host is passed on. */
export async function pathProxy(prefix: string, target: () => string): Promise<PathProxy> {
  const strays: string[] = [];
  const server = createServer((incoming, answer) => {
    const path = incoming.url!;
    if (!path.startsWith(`${prefix}/`)) {
      strays.push(path);
      answer.writeHead(404).end();
      return;
    }
    const { hostname, port } = new URL(target());
    const { method, headers } = incoming;
    const onward = request(
      { hostname, port, method, headers, path: path.slice(prefix.length) },
      (response) => {
        answer.writeHead(response.statusCode!, response.rawHeaders);
        response.pipe(answer);
      },
    );
    onward.once('error', () => answer.destroy());
    answer.once('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    strays,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
