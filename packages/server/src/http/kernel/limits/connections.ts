import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the connections over which no API key has been shown yet. One more connection closes the oldest of them, so that a
 * client that opens thousands of connections and sends nothing, or half a request, keeps no other client out: a probe of
 * `/health` gets its connection and needs it only for a moment.
 */
export class UnauthenticatedConnections {
  readonly #max: number;
  /** In the order in which they were opened, or began their last request. Owned by this object. */
  readonly #sockets = new Set<Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Watches the connections of a server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#sockets.size <= this.#max) return;
      const [oldest] = this.#sockets;
      oldest!.destroy();
      this.#sockets.delete(oldest!);
    });
  }

  /** A whole head of a request has arrived: the connection counts as new again. */
  onRequest(socket: Socket): void {
    if (this.#sockets.delete(socket)) this.#sockets.add(socket);
  }

  /** A valid API key has come over the connection. */
  onAuthenticated(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
