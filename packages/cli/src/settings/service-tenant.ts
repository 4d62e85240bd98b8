/**
 * The tenant of the service's own records that the environment names, for whatever opens a store itself: a purge by
 * `tally dlq --data` is recorded where the service would record it.
 */
export function serviceTenantIn(env: { readonly [name: string]: string | undefined }): string | undefined {
  return env.TALLYSTICK_SERVICE_TENANT || undefined;
}
