/** The part of Swagger UI that this package calls. The library has no types of its own. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export default function SwaggerUI(options: { readonly [option: string]: unknown }): {
    readonly layoutActions: { parseDeepLinkHash(fragment: string): void };
  };
}
