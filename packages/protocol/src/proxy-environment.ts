type Environment = { readonly [name: string]: string | undefined };

const loopback = 'localhost,127.0.0.1,[::1],::1';

/**
 * The variables that name HTTP proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in upper or lower case; lower case first), in the
 * form of the option `proxyEnv` of Node's agents. A loopback address is never reached through a proxy.
 *
 * @returns undefined if no proxy is named
 */
export function proxyEnvironment(
  env: Environment,
): { readonly HTTP_PROXY?: string; readonly HTTPS_PROXY?: string; readonly NO_PROXY: string } | undefined {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const [http, https, none] = [read('HTTP_PROXY'), read('HTTPS_PROXY'), read('NO_PROXY')];
  if (http === undefined && https === undefined) return undefined;
  return {
    ...(http !== undefined && { HTTP_PROXY: http }),
    ...(https !== undefined && { HTTPS_PROXY: https }),
    NO_PROXY: none === undefined ? loopback : `${none},${loopback}`,
  };
}
