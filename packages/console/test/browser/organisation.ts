import { type LoginOptions, readLoginOptions } from '@tallystick/server/http';
import { openTestOpenIdProvider, type TestOpenIdProvider } from '@tallystick/testing';

const people = {
  maria: { tenants: ['acme'], groups: ['readers'] },
  guest: { tenants: ['acme'], groups: ['cooks'] },
};

/** An organisation with an OpenID provider, at which Maria may read the trail of `acme`, and a guest nothing. */
export interface Organisation extends AsyncDisposable {
  readonly provider: TestOpenIdProvider;
  /** For the service, which people reach at the redirect address. */
  readonly logins: LoginOptions;
}

/** @param redirectUri address of `login/callback` below the console, as the browser sees it */
export async function openOrganisation(redirectUri: string): Promise<Organisation> {
  const provider = await openTestOpenIdProvider(people);
  await provider.register({ id: 'console', redirectUri });
  const logins = readLoginOptions({
    issuer: provider.issuer,
    audience: provider.audience,
    tenants: { claim: 'tenants' },
    groups: { claim: 'groups' },
    scopes: { claim: 'groups', grant: { readers: ['events:read', 'log:read'] } },
    console: { client_id: 'console', redirect_uri: redirectUri, name: 'Example Ltd' },
  });
  return { provider, logins, [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose]() };
}
