import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The direction in which the network drops packets, as the client sees it. */
export type CutDirection = 'both' | 'to-target' | 'from-target';

/** An accepted connection, and the connection to the target, which is opened as soon as the network is not cut. */
interface Link {
  readonly client: Socket;
  target: Socket | undefined;
}

/**
 * A TCP proxy between one client and one server, with connections that a test can break. A cut acts like a network that drops
 * packets: neither side gets an error, and what is sent waits in the kernel's buffers. After {@link heal} all of it arrives, as if TCP
 * had sent it again. A connection that is opened during a cut is accepted, but carries nothing.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  /** Owned by this object. A link is removed when its client has closed and the network lets the target notice it. */
  readonly #links = new Set<Link>();
  #cut: CutDirection | undefined;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    );
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: {
    readonly target: { readonly host: string; readonly port: number };
  }): Promise<FaultProxy> {
    const proxy = new FaultProxy(options.target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of connections that clients have open. */
  get connections(): number {
    return [...this.#links].filter(({ client }) => !client.destroyed).length;
  }

  /**
   * Stops all traffic in one direction or in both, including the end of a connection.
   *
   * @param direction as the client sees it. @defaultValue 'both'
   */
  cut(direction: CutDirection = 'both'): void {
    this.#cut = direction;
    for (const link of this.#links) this.#flow(link);
  }

  /** Ends every connection on both sides with a TCP reset. New connections are possible, unless the network is cut. */
  reset(): void {
    for (const { client, target } of this.#links) {
      client.resetAndDestroy();
      target?.resetAndDestroy();
    }
  }

  /** Ends a cut. What was held back arrives first. */
  heal(): void {
    this.#cut = undefined;
    for (const link of this.#links) this.#flow(link);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.reset();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    client.setNoDelay(true);
    const link: Link = { client, target: undefined };
    this.#links.add(link);
    client.on('error', () => undefined);
    client.on('close', () => this.#flow(link));
    this.#flow(link);
  }

  #dial(link: Link): Socket {
    const target = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    target.on('error', () => undefined);
    target.on('close', () => this.#flow(link));
    this.#pass(link.client, target, 'to-target');
    this.#pass(target, link.client, 'from-target');
    return target;
  }

  #pass(from: Socket, to: Socket, direction: CutDirection): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => this.#lets(direction) && from.resume());
    });
    from.on('end', () => to.end());
  }

  #lets(direction: CutDirection): boolean {
    return this.#cut !== 'both' && this.#cut !== direction;
  }

  /** Pauses or resumes both sockets of a link, as the network is now. The kernel holds back what is not read. */
  #flow(link: Link): void {
    const { client } = link;
    if (client.destroyed) {
      if (!this.#lets('to-target')) return;
      link.target?.destroy();
      this.#links.delete(link);
      return;
    }
    if (link.target === undefined) {
      // A handshake needs both directions.
      if (this.#cut !== undefined) return;
      link.target = this.#dial(link);
    }
    if (link.target.destroyed && this.#lets('from-target')) {
      if (link.target.errored === null) client.destroySoon();
      else client.resetAndDestroy();
      return;
    }
    for (const [socket, direction] of [
      [client, 'to-target'],
      [link.target, 'from-target'],
    ] as const) {
      if (this.#lets(direction)) socket.resume();
      else socket.pause();
    }
  }
}
