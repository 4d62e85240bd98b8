import type { Readable } from 'node:stream';
import type { ProblemCode, Scope } from '@tallystick/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Principal } from '../../access/principal.ts';

type Fields = z.ZodObject<Record<string, z.ZodType>>;

/**
 * Who may call a route.
 * - `open`: every client. `key`: every valid API key or login.
 * - `viewer`: a viewer token, and nothing else.
 * - a scope: every API key or login with the scope.
 * - `operator`: an API key or login for every tenant with the scope `admin`.
 */
export type AccessRule = 'open' | 'key' | 'viewer' | Scope | 'operator';

/** A body that is JSON of a schema, or one that the route gets as bytes. */
type BodyRule<B> =
  | { readonly schema: z.ZodType<B>; readonly description?: string }
  | {
      readonly maxBytes: number;
      /** JSON Schema of each media type that the route accepts. */
      readonly content: {
        readonly [type: string]: { readonly schema: unknown; readonly description?: string };
      };
    };

/** An answer, as the OpenAPI document describes it. */
export interface ResponseRule {
  readonly description: string;
  /** Media type, or all that the answer may have. @defaultValue `application/json` if there is a schema */
  readonly type?: string | readonly string[];
  readonly schema?: z.ZodType | { readonly [keyword: string]: unknown };
}

/** A request after all checks: what a handler works with. */
export interface Call<P, Q, B> {
  /** Absent on open routes. */
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborts when the client goes away before it has the whole answer: long work must end then. */
  readonly signal: AbortSignal;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON, unless `type` is given. */
  readonly body?: unknown;
  readonly type?: string;
  readonly stream?: Readable;
  readonly headers?: { readonly [name: string]: string };
}

/** One route: what it accepts, what it answers and who may call it. Validation and the OpenAPI document both derive from it. */
export interface Endpoint<P = unknown, Q = unknown, B = unknown> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** In OpenAPI's notation, with `{name}`. */
  readonly path: string;
  /** The last `{name}` of the path may contain slashes. */
  readonly wildcard?: boolean;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: AccessRule;
  /**
   * Whether a viewer token may call the route. Its handler must then read through `viewOf` of the caller, so that the bounds of the token
   * hold. All other routes refuse such tokens. @defaultValue false
   */
  readonly viewers?: boolean;
  /** Not in the OpenAPI document: the route answers files for a browser. @defaultValue false */
  readonly undocumented?: boolean;
  /** An open route that is not limited by address: a probe, or a sign-in, which has a limit of its own. @defaultValue false */
  readonly unlimited?: boolean;
  readonly params?: Fields;
  readonly query?: Fields;
  /** Headers that the handler reads, with descriptions. They are only documented, not validated. */
  readonly headers?: { readonly [name: string]: string };
  readonly body?: BodyRule<B>;
  readonly responses: { readonly [status: number]: ResponseRule };
  /** Problem codes that the handler may answer with, beyond those that every route may. */
  readonly problems?: readonly ProblemCode[];
  /** Returns `undefined` if the handler has taken over the connection. */
  handle(call: Call<P, Q, B>): Promise<Answer | undefined>;
}

/** The parameters of a route that takes none. */
export const noParameters = z.strictObject({});

/**
 * The parameters that a route knows; `undefined`: it ignores what it gets. Each route of the API refuses other parameters: a client that sends
 * `dry_run=true` to a route that deletes must not believe that the route obeys. Pages, probes and the route for the answer of the provider of
 * logins get parameters that others have added.
 */
export function queryOf({ path, query }: Pick<Endpoint, 'path' | 'query'>): Fields | undefined {
  return query ?? (path.startsWith('/v1/') ? noParameters : undefined);
}

type OutputOf<S> = S extends z.ZodType ? z.output<S> : Record<string, never>;

/** Declares a route. The handler gets typed parameters and a typed body. */
export function endpoint<
  const P extends Fields | undefined = undefined,
  const Q extends Fields | undefined = undefined,
  B = Buffer,
>(
  definition: Omit<Endpoint<OutputOf<P>, OutputOf<Q>, B>, 'params' | 'query'> & {
    readonly params?: P;
    readonly query?: Q;
  },
): Endpoint {
  return definition as unknown as Endpoint;
}
