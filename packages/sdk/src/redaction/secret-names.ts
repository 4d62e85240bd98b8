/**
 * Which member names say that their value is a secret. Names are compared as words, so that `apiKey`, `api_key` and
 * `X-API-Key` are one and `secretary`, `keyboard` and `passenger` are none.
 */

/** One word is enough. */
const secretWords = new Set([
  ...[
    'password',
    'passwords',
    'passwd',
    'pwd',
    'passphrase',
    'passcode',
    'secret',
    'secrets',
    'token',
    'tokens',
  ],
  ...[
    'credential',
    'credentials',
    'creds',
    'authorization',
    'cookie',
    'cookies',
    'jwt',
    'bearer',
    'otp',
    'totp',
  ],
  ...[
    'cvv',
    'cvc',
    'cvv2',
    'ssn',
    'apikey',
    'privatekey',
    'accesskey',
    'secretkey',
    'authtoken',
    'sessionid',
  ],
  ...['accesstoken', 'refreshtoken', 'clientsecret', 'connectionstring', 'mnemonic'],
]);

/** It takes both, next to each other. */
const secretPairs = new Set([
  ...['api key', 'private key', 'access key', 'secret key', 'encryption key', 'signing key', 'master key'],
  ...[
    'account key',
    'shared key',
    'auth key',
    'service key',
    'session id',
    'session key',
    'connection string',
  ],
  ...[
    'security code',
    'card number',
    'pin code',
    'recovery code',
    'backup code',
    'seed phrase',
    'account number',
  ],
]);

/** A name that ends so speaks about a secret and does not hold one: `token_type`, `password_changed_at`. */
const harmlessEndings = new Set([
  ...[
    'type',
    'name',
    'id',
    'ids',
    'arn',
    'count',
    'counts',
    'length',
    'size',
    'at',
    'on',
    'age',
    'budget',
    'used',
  ],
  ...[
    'limit',
    'limits',
    'policy',
    'status',
    'state',
    'version',
    'expiry',
    'expires',
    'expired',
    'ttl',
    'rotated',
  ],
  ...[
    'changed',
    'required',
    'enabled',
    'algorithm',
    'usage',
    'url',
    'uri',
    'endpoint',
    'provider',
    'scope',
    'scopes',
  ],
]);

/** Numbers under these names are secrets too; under `token` they count something. */
const secretNumbers = new Set([
  ...['password', 'passcode', 'pwd', 'otp', 'totp', 'cvv', 'cvc', 'cvv2', 'ssn', 'pin code', 'security code'],
  ...['card number', 'account number', 'recovery code', 'backup code'],
]);

export type Secrecy = 'none' | 'text' | 'text and numbers';

/** A name's words: `X-API-Key`, `apiKey` and `API_KEY` all give `api key`. */
function words(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

export class SecretNames {
  readonly #more: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;
  /** Names repeat in every event; those made up from data must not fill the memory. */
  readonly #known = new Map<string, Secrecy>();

  constructor(more: readonly string[], allowed: readonly string[]) {
    this.#more = new Set(more.map((name) => words(name).join(' ')));
    this.#allowed = new Set(allowed.map((name) => words(name).join(' ')));
  }

  of(name: string): Secrecy {
    let secrecy = this.#known.get(name);
    if (secrecy === undefined) {
      secrecy = this.#judge(words(name));
      if (this.#known.size < 2_000) this.#known.set(name, secrecy);
    }
    return secrecy;
  }

  #judge(list: readonly string[]): Secrecy {
    const whole = list.join(' ');
    if (this.#allowed.has(whole)) return 'none';
    if (this.#more.has(whole)) return 'text and numbers';
    const last = list.at(-1);
    let secrecy: Secrecy = 'none';
    for (let index = 0; index < list.length; index++) {
      const pair = `${list[index]} ${list[index + 1]}`;
      const hit = secretWords.has(list[index]!) ? list[index]! : secretPairs.has(pair) ? pair : undefined;
      if (hit === undefined) continue;
      // "session id" ends with a harmless word and is itself the secret.
      if (last !== undefined && harmlessEndings.has(last) && !whole.endsWith(hit)) continue;
      if (secretNumbers.has(hit)) return 'text and numbers';
      secrecy = 'text';
    }
    return secrecy;
  }
}
