import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a network that drops packets lets through no more. */
export type CutDirection = 'both' | 'to-target' | 'from-target';

/** One accepted connection and its counterpart at the target, which is dialled once the network lets it. */
interface Link {
  readonly client: Socket;
  target: Socket | undefined;
}

/**
 * A TCP connection that a test can break, for one client and one server. A cut is that of a network which drops packets:
 * nobody is told, what is sent waits in the buffers of the kernel, and all of it arrives once the network is healed, as
 * TCP would send it again. A connection that is opened meanwhile is accepted and stays silent.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  /** Owned by this object; a link leaves once its client is gone and the target may know it. */
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

  /** Connections that a client has open. */
  get connections(): number {
    return [...this.#links].filter(({ client }) => !client.destroyed).length;
  }

  /**
   * Nothing passes any more, in one direction or both, also no end of a connection.
   *
   * @param direction seen from the client. @defaultValue 'both'
   */
  cut(direction: CutDirection = 'both'): void {
    this.#cut = direction;
    for (const link of this.#links) this.#flow(link);
  }

  /** Ends every connection at both its ends with a reset. New ones are taken, unless the network is cut. */
  reset(): void {
    for (const { client, target } of this.#links) {
      client.resetAndDestroy();
      target?.resetAndDestroy();
    }
  }

  /** Everything passes again, first what was held back. */
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

  /** Brings a link into line with the network: what is not read from it is held back by the kernel. */
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
