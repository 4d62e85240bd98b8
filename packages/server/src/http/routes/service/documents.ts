import * as z from 'zod';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { documentPage } from '../../openapi/document-page.ts';
import { openApiDocument } from '../../openapi/openapi.ts';
import type { SiteFiles } from '../console/site-files.ts';

const tag = 'Documentation';

interface Parts {
  /** All endpoints, these included; called at the first request. */
  readonly endpoints: () => readonly Endpoint[];
  /** Where `/` leads to. */
  readonly home: string;
  /** The files of the console, which has the viewer of the document. */
  readonly site: SiteFiles;
}

/** Routes that describe the API. */
export function documentRoutes({ endpoints, home, site }: Parts): Endpoint[] {
  let documents: { readonly openapi: string; readonly page: string } | undefined;
  const render = () => {
    if (documents === undefined) {
      const document = openApiDocument(endpoints());
      documents = { openapi: JSON.stringify(document), page: documentPage(document) };
    }
    return documents;
  };
  return [
    endpoint({
      method: 'GET',
      path: '/',
      operationId: 'getRoot',
      description: 'For a person who types the address of the service into a browser.',
      tag,
      summary: 'Find the console, or the documentation',
      access: 'open',
      responses: { 303: { description: 'To the console where the service has one, otherwise to `/docs`' } },
      async handle() {
        return { status: 303, headers: { location: home } };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      description: 'Generators of clients and API tools read it.',
      tag,
      summary: 'Get the OpenAPI document of this API',
      access: 'open',
      responses: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
      async handle() {
        return { status: 200, type: 'application/json; charset=utf-8', body: render().openapi };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/docs',
      operationId: 'getDocs',
      tag,
      summary: 'Get the documentation of this API as a web page',
      description:
        'With the package `@tallystick/console`, the page searches the operations and sends requests. Without it, the page has the same text.',
      access: 'open',
      responses: { 200: { description: 'An HTML page', type: 'text/html' } },
      async handle({ request }) {
        if (await site.has('docs/index.html'))
          return await site.answer('docs/index.html', request.headers['accept-encoding'], 'page');
        return {
          status: 200,
          type: 'text/html; charset=utf-8',
          headers: {
            'content-security-policy':
              "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            'x-content-type-options': 'nosniff',
          },
          body: render().page,
        };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/docs/assets/{file}',
      operationId: 'getDocsFile',
      tag,
      summary: 'Get a file of the documentation',
      access: 'open',
      undocumented: true,
      params: z.strictObject({ file: z.string() }),
      responses: { 200: { description: 'A file of the documentation' } },
      handle: async ({ request, params }) =>
        await site.answer(`docs/assets/${params.file}`, request.headers['accept-encoding'], 'digest'),
    }),
  ];
}
