/**
 * The curl command of a request, with the variables that the guides use: the reader can paste it into a shell in which
 * `TALLYSTICK_URL` and `TALLYSTICK_API_KEY` are set, and the page shows no key.
 *
 * @param command as Swagger UI writes it: words in single quotes
 * @param root address of the service, with a slash at its end
 */
export function shellVariables(command: string, root: URL): string {
  const service = root.href.replace(/\/$/, '');
  const address = command.replaceAll(`'${service}/`, `"$TALLYSTICK_URL"'/`);
  return `${address} \\\n  -H "Authorization: Bearer $TALLYSTICK_API_KEY"`;
}
