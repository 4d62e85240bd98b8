import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from '../src/fault-proxy.ts';
import { until } from '../src/until.ts';

let echo: Server;
let target: { readonly host: string; readonly port: number };
let proxy: FaultProxy;
let atServer: Socket[];

beforeEach(async () => {
  atServer = [];
  echo = createServer((socket) => {
    atServer.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  target = { host: '127.0.0.1', port: (echo.address() as AddressInfo).port };
  proxy = await FaultProxy.start({ target });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of atServer) socket.destroy();
  echo.close();
});

/** A client that keeps what it receives. */
async function dial(port = proxy.port) {
  const socket = connect({ port, host: '127.0.0.1' });
  const received = { text: '', error: undefined as NodeJS.ErrnoException | undefined };
  socket.on('data', (chunk) => {
    received.text += chunk;
  });
  socket.on('error', (error) => {
    received.error = error;
  });
  await once(socket, 'connect');
  return { socket, received };
}

test('what is sent during a cut arrives in order after the cut, and then the end of the connection', async () => {
  const { socket, received } = await dial();
  socket.write('one ');
  await until(() => received.text === 'one ');
  expect(proxy.connections).toBe(1);

  proxy.cut();
  socket.write('two ');
  socket.end('three');
  const other = await dial();
  other.socket.write('held');
  // Bytes that are sent later, through a proxy without a cut, have come back. Those that were sent before have not.
  await using intact = await FaultProxy.start({ target });
  const witness = await dial(intact.port);
  witness.socket.write('later');
  await until(() => witness.received.text === 'later');
  witness.socket.destroy();
  expect(received.text + other.received.text).toBe('one ');
  expect(atServer).toHaveLength(2);

  proxy.heal();
  await until(() => socket.closed);
  expect(received.text).toBe('one two three');
  await until(() => other.received.text === 'held');
  expect(proxy.connections).toBe(1);
  other.socket.destroy();
  await until(() => proxy.connections === 0);
});

test('during a cut in one direction, the other direction works', async () => {
  const { socket, received } = await dial();
  socket.write('one ');
  await until(() => received.text === 'one ');
  let arrived = '';
  atServer[0]!.on('data', (chunk) => {
    arrived += chunk;
  });
  proxy.cut('from-target');
  socket.write('two');
  await until(() => arrived === 'two');
  expect(received.text).toBe('one ');
  proxy.heal();
  await until(() => received.text === 'one two');
});

test('a reset is an error on both sides, and the next connection works', async () => {
  const { socket, received } = await dial();
  socket.write('one');
  await until(() => received.text === 'one');
  const serverSide = new Promise((resolve) => atServer[0]!.once('close', resolve));
  proxy.reset();
  await until(() => received.error?.code === 'ECONNRESET');
  await serverSide;
  expect(atServer[0]!.errored).toMatchObject({ code: 'ECONNRESET' });

  const next = await dial();
  next.socket.write('again');
  await until(() => next.received.text === 'again');
});

test('more bytes than the kernel buffers all arrive', async () => {
  const { socket, received } = await dial();
  const text = 'x'.repeat(8 * 1024 * 1024);
  socket.write(text);
  await until(() => received.text.length > 0);
  proxy.cut();
  proxy.heal();
  await until(() => received.text.length === text.length, { timeoutMs: 20_000 });
});

test('without a target, the connection ends', async () => {
  echo.close();
  const { socket } = await dial();
  await until(() => socket.closed);
});
