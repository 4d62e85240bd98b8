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

function isHarmlessEnding(word: string): boolean {
  return harmlessEndings.has(word) || harmlessEndings.has(word.replace(/s$/, ''));
}

/** Numbers under these names are secrets too; under `token` they count something. */
const secretNumbers = new Set([
  ...['password', 'passcode', 'pwd', 'otp', 'totp', 'cvv', 'cvc', 'cvv2', 'ssn', 'pin code', 'security code'],
  ...['card number', 'account number', 'recovery code', 'backup code'],
]);

/** Written together, with anything before them: `dbpassword`. */
const secretEnding = /(?:password|passwd|passphrase|apikey|privatekey|secretkey|accesskey|token)s?$/;

export type Secrecy = 'none' | 'text' | 'text and numbers';

/** A name's words: `X-API-Key`, `apiKey` and `API_KEY` all give `api key`, whatever kind of letters they are written in. */
function words(name: string): string[] {
  return name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
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
    // `apiKey2` and `apiKeys` are as secret as `apiKey`.
    const bare = list.map((word) => word.replace(/\d+$/, '') || word);
    let secrecy: Secrecy = 'none';
    for (let index = 0; index < bare.length; index++) {
      const word = bare[index]!;
      const pair = `${word} ${bare[index + 1]}`;
      const single = pair.replace(/s$/, '');
      const hit =
        secretWords.has(word) || secretEnding.test(word) ? word : secretPairs.has(single) ? pair : undefined;
      if (hit === undefined) continue;
      // "session id" ends with a harmless word and is itself the secret.
      if (isHarmlessEnding(bare.at(-1)!) && !bare.join(' ').endsWith(hit)) continue;
      if (secretNumbers.has(hit === pair ? single : hit)) return 'text and numbers';
      secrecy = 'text';
    }
    return secrecy;
  }
}
