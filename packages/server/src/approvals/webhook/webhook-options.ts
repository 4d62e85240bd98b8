import { tenantIdPattern } from '@tallystick/event';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import { parseServiceAddress } from '../../input/service-address.ts';
import { readSecret } from './signature.ts';

/** An endpoint that learns of every change of an approval. */
export interface WebhookOptions {
  /** Names the endpoint in the table of deliveries and in lists. Messages of a name that was removed or renamed are given up after a day. */
  readonly name: string;
  /** `https`, or `http` on this machine. */
  readonly url: string;
  /** One or two secrets, `whsec_` and Base64 of 24 to 64 bytes. With two, a message has a signature of each. */
  readonly secrets: readonly string[];
  /** Whose approvals the endpoint learns of. @defaultValue every tenant's */
  readonly tenants?: readonly string[] | undefined;
}

const schema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, { message: 'must be a-z, 0-9, - and _' }),
      url: z
        .string()
        .max(2_048)
        .refine((url) => parseServiceAddress(url) !== undefined, {
          message: 'must be an https:// address; http:// is possible on this machine only',
        }),
      secrets: z
        .array(
          z.string().refine((secret) => readSecret(secret) !== undefined, {
            message: 'must be whsec_ and the Base64 of 24 to 64 bytes',
          }),
        )
        .min(1)
        .max(2),
      tenants: z.array(z.string().regex(tenantIdPattern)).min(1).optional(),
    }),
  )
  .min(1)
  .max(32)
  .refine((endpoints) => new Set(endpoints.map(({ name }) => name)).size === endpoints.length, {
    message: 'two endpoints have one name',
  });

/**
 * Reads the options from parsed JSON. No error quotes a secret or an address, which may contain one.
 *
 * @throws {ServerError} `CONFIG_INVALID` with the place of the first fault
 */
export function readWebhookOptions(json: unknown): readonly WebhookOptions[] {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new ServerError('CONFIG_INVALID', `the webhooks: ${path.join('.') || 'the value'}: ${message}`);
}
