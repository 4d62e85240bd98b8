import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { documentPage } from '../openapi/document-page.ts';
import { openApiDocument } from '../openapi/openapi.ts';

const tag = 'Documentation';

interface Parts {
  /** All endpoints, these included; called at the first request. */
  readonly endpoints: () => readonly Endpoint[];
  /** Where `/` leads to. */
  readonly home: string;
}

/** Routes that describe the API. */
export function documentRoutes({ endpoints, home }: Parts): Endpoint[] {
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
      access: 'open',
      responses: { 200: { description: 'An HTML page', type: 'text/html' } },
      async handle() {
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
  ];
}
