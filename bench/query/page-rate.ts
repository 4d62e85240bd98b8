import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { tempDir } from '@tallystick/testing';
import { median } from '../result.ts';

const connections = 4;
const roundMs = 4_000;
const rounds = 5;

/** Pages of the 50 newest events per second, with four connections, from a service in a process of its own. */
export async function pageRate(databaseUrl: string): Promise<number> {
  using directory = tempDir();
  const file = new URL('page-server.ts', import.meta.url);
  const server = fork(file, [databaseUrl, directory.path], {
    execArgv: ['--conditions=tallystick-source'],
  });
  const [{ url, key }] = (await once(server, 'message')) as [{ url: string; key: string }];
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const page = async () => {
    const asked = request(`${url}/v1/audit/events?limit=50`, {
      agent,
      headers: { authorization: `Bearer ${key}` },
    });
    asked.end();
    const [response] = await once(asked, 'response');
    const { events } = JSON.parse(await text(response)) as { events: unknown[] };
    if (events.length !== 50) throw new Error(`a page has ${events.length} events`);
  };
  const rates: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const began = performance.now();
    let pages = 0;
    const client = async () => {
      for (; performance.now() - began < roundMs; pages++) await page();
    };
    await Promise.all(Array.from({ length: connections }, client));
    // The first round warms up.
    if (round >= 0) rates.push((pages * 1_000) / (performance.now() - began));
  }
  agent.destroy();
  server.kill('SIGTERM');
  await once(server, 'exit');
  return median(rates);
}
