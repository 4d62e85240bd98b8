/** Why a login of the organisation did not open a session. */
const reasons: { readonly [failure: string]: string } = {
  refused: 'The login was not confirmed, or it took longer than ten minutes. Begin again.',
  rights: 'Your login gives you no right to read this trail. Ask the operator of the service for one.',
  away: 'The provider of logins can not be reached at the moment. Try again in a minute, or sign in with an API key.',
};

/** The reason that the service has put into the address of the page. It leaves the address bar and the history at once. */
export function takeLoginFailure(): string | undefined {
  const failure = /^#login=(\w+)$/.exec(location.hash)?.[1];
  if (failure === undefined) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return Object.hasOwn(reasons, failure) ? reasons[failure] : reasons.refused;
}
