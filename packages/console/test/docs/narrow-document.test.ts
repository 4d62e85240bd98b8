import { expect, it } from 'vitest';
import { narrowDocument } from '../../src/docs/narrow-document.ts';

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const get = {
  parameters: [ref('parameters', 'limit')],
  responses: { 200: { schema: ref('schemas', 'List') } },
};
const document = {
  openapi: '3.1.0',
  security: [{ key: [] }],
  paths: { '/v1/a~b': { get, post: { body: ref('schemas', 'Other') } }, '/v1/c': { get: {} } },
  components: {
    schemas: {
      List: { items: ref('schemas', 'Item') },
      // Items contain items.
      Item: { properties: { children: { items: ref('schemas', 'Item') }, $ref: { type: 'string' } } },
      Other: { type: 'string' },
    },
    parameters: { limit: { schema: { type: 'integer' } }, other: {} },
    securitySchemes: { key: { type: 'http' } },
  },
};

it('keeps the operation, what it refers to, and what that refers to', () => {
  const { schemas, parameters, securitySchemes } = document.components;
  expect(narrowDocument(document, ['paths', '/v1/a~b', 'get'])).toEqual({
    openapi: '3.1.0',
    security: [{ key: [] }],
    paths: { '/v1/a~b': { get } },
    components: {
      schemas: { List: schemas.List, Item: schemas.Item },
      parameters: { limit: parameters.limit },
      securitySchemes,
    },
  });
});

it('leaves a document alone where it does not know what the viewer wants', () => {
  for (const path of [
    ['paths'],
    ['paths', '/v1/a~b'],
    ['paths', '__proto__', 'get'],
    ['paths', '/v1/a~b', 'toString'],
  ])
    expect(narrowDocument(document, path)).toBe(document);
  expect(narrowDocument(document, ['components', 'securitySchemes'])).toEqual({ ...document, paths: {} });
});
