import type { Readable } from 'node:stream';
import type { ProblemCode, Scope } from '@tallystick/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { Principal } from '../../access/principal.ts';
import type { Services } from './services.ts';

type Fields = z.ZodObject<Record<string, z.ZodType>>;

/** Who may call: anybody; whoever has a key; a key with a scope; a key with `admin` and every tenant. */
export type AccessRule = 'open' | 'key' | Scope | 'operator';

/** A body that is JSON of a schema, or one that the route reads itself, byte by byte. */
type BodyRule<B> =
  | { readonly schema: z.ZodType<B>; readonly description?: string }
  | {
      readonly maxBytes: number;
      /** JSON Schema of each media type that is taken. */
      readonly content: {
        readonly [type: string]: { readonly schema: unknown; readonly description?: string };
      };
    };

export interface ResponseRule {
  readonly description: string;
  /** Media type; `application/json` where a schema stands alone. */
  readonly type?: string;
  readonly schema?: z.ZodType | { readonly [keyword: string]: unknown };
}

export interface Call<P, Q, B> {
  readonly services: Services;
  /** Absent on open routes. */
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON unless `type` says otherwise. */
  readonly body?: unknown;
  readonly type?: string;
  readonly stream?: Readable;
  readonly headers?: { readonly [name: string]: string };
}

/** One route: what it takes, what it answers, who may call. Validation and document are both made from it. */
export interface Endpoint<P = unknown, Q = unknown, B = unknown> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As OpenAPI writes it, with `{name}`; a last `{name}` marked in `wildcard` takes slashes too. */
  readonly path: string;
  readonly wildcard?: boolean;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: AccessRule;
  readonly params?: Fields;
  readonly query?: Fields;
  /** Headers that it reads, for the document alone. */
  readonly headers?: { readonly [name: string]: string };
  readonly body?: BodyRule<B>;
  readonly responses: { readonly [status: number]: ResponseRule };
  /** Codes it answers beyond those that any route can. */
  readonly problems?: readonly ProblemCode[];
  /** `undefined` where the handler has taken the connection over. */
  handle(call: Call<P, Q, B>): Promise<Answer | undefined>;
}

type OutputOf<S> = S extends z.ZodType ? z.output<S> : Record<string, never>;

/** Declares a route; parameters and body arrive typed. */
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
