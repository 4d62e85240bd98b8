import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** An HTTP proxy on the loopback address, which notes what it was asked for. */
export interface HttpProxy {
  readonly url: string;
  /** `GET http://host/path` or `CONNECT host:port`, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** @param target host and port to which every request is sent, whatever host it names: tests invent hosts */
export async function httpProxy(target: string): Promise<HttpProxy> {
  const requests: string[] = [];
  const [host, port] = target.split(':') as [string, string];
  const server = createServer((incoming, answer) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const { pathname, search } = new URL(incoming.url!);
    const onward = request(
      { host, port, method: incoming.method, path: pathname + search, headers: incoming.headers },
      (response) => {
        answer.writeHead(response.statusCode!, response.rawHeaders);
        response.pipe(answer);
      },
    );
    onward.once('error', () => answer.writeHead(502).end());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket) => {
    requests.push(`CONNECT ${incoming.url}`);
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
