/**
 * A secret, or a function that returns it. The transport calls the function when it first needs the secret, and again with
 * `refresh: true` after the service or broker refused the last one.
 */
export type Credential = string | ((options: { readonly refresh: boolean }) => string | Promise<string>);
