import * as z from 'zod';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { SiteFiles } from './site-files.ts';

/** Routes that serve the console's files. */
export function consoleSiteRoutes(site: SiteFiles): Endpoint[] {
  const parts = { method: 'GET', tag: 'Console', access: 'open', undocumented: true } as const;
  const page = { 200: { description: 'A page or a file of the console' } };
  return [
    endpoint({
      ...parts,
      path: '/console',
      operationId: 'getConsole',
      summary: 'Find the console',
      responses: { 308: { description: 'To `/console/`' } },
      // Relative, so that it is true behind a proxy that serves the service below a path.
      handle: async () => ({ status: 308, headers: { location: 'console/' } }),
    }),
    endpoint({
      ...parts,
      path: '/console/',
      operationId: 'getConsolePage',
      summary: 'Get the first page of the console',
      responses: page,
      handle: async ({ request }) =>
        await site.answer('index.html', request.headers['accept-encoding'], 'page'),
    }),
    endpoint({
      ...parts,
      path: '/console/{page}',
      operationId: 'getConsolePageByName',
      summary: 'Get a page of the console',
      params: z.strictObject({ page: z.string() }),
      responses: page,
      handle: async ({ request, params }) => {
        const name = params.page.includes('.') ? params.page : 'index.html';
        return await site.answer(name, request.headers['accept-encoding'], 'page');
      },
    }),
    endpoint({
      ...parts,
      path: '/console/assets/{file}',
      operationId: 'getConsoleFile',
      summary: 'Get a file of the console',
      params: z.strictObject({ file: z.string() }),
      responses: page,
      handle: async ({ request, params }) =>
        await site.answer(`assets/${params.file}`, request.headers['accept-encoding'], 'digest'),
    }),
  ];
}
