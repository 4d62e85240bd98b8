import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { freePort } from '@tallystick/testing';
import { z } from 'zod';
import { type GatedService, tallyProgram } from './gated-service.ts';

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
}

/** The public server that shows every feature of MCP, in a process of its own, with sessions. */
export async function startEverything(): Promise<RunningServer> {
  const program = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/dist/index.js',
  );
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [program, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface(child.stderr!)) if (line.includes('listening')) break;
  child.stderr!.resume();
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A server of the split SDK, which speaks the revision without sessions. One argument of its tool is repeated in a header. */
export interface PaymentServer extends RunningServer {
  /** Headers of the calls that arrived. */
  readonly calls: readonly IncomingHttpHeaders[];
}

export async function startPayments(): Promise<PaymentServer> {
  const calls: IncomingHttpHeaders[] = [];
  const handle = toNodeHandler(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'payments', version: '1.0.0' });
      const amount = z.int().meta({ 'x-mcp-header': 'Amount' });
      server.registerTool('pay', { inputSchema: z.object({ amount }) }, async (args) => ({
        content: [{ type: 'text', text: `paid ${args.amount}` }],
      }));
      return server;
    }),
  );
  const http = createServer((request, response) => {
    if (request.headers['mcp-method'] === 'tools/call') calls.push(request.headers);
    void handle(request as never, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    calls,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

/** `tally mcp --listen` in front of a server. */
export async function startListener({ cwd, env }: GatedService, url: string): Promise<RunningServer> {
  const words = ['mcp', '--tenant', 'acme', '--policy', 'rules.json', '--url', url, '--listen', '0'];
  const child = spawn(process.execPath, [tallyProgram, ...words], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let address: string | undefined;
  for await (const line of createInterface(child.stderr)) {
    address = /listening on (\S+)/.exec(line)?.[1];
    if (address !== undefined) break;
  }
  child.stderr.resume();
  return {
    url: address!,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
