import { passwordCompounds, passwordPhrases, passwordTranslations } from './translations.ts';

/**
 * Decides from a name whether its value is a secret. Names are compared word by word: `apiKey`, `api_key` and `X-API-Key` are the
 * same name, and `secretary`, `keyboard` and `passenger` are not secret.
 */

const wordsOf = (list: string) => new Set(list.split(/\s+/));

/** A name that contains one of these words is secret. */
const secretWords = new Set([
  ...passwordTranslations,
  ...wordsOf(
    `password passwords passwd pwd pswd passphrase passcode secret secrets token tokens credential credentials creds
  authorization cookie cookies jwt bearer otp totp hotp cvv cvc cvv2 ssn apikey privatekey accesskey secretkey authtoken sessionid
  accesstoken refreshtoken clientsecret connectionstring mnemonic sessid phpsessid jsessionid passout passin psk`,
  ),
]);

/** A name that contains two of these words next to each other is secret. */
const secretPairs = new Set([
  ...passwordPhrases,
  ...`api key,private key,access key,secret key,encryption key,signing key,master key,account key,shared key,auth key,service key,
  session id,session key,connection string,security code,card number,pin code,recovery code,backup code,seed phrase,account number,
  connect sid,verification code,login code,sms code,mfa code,auth code,authorization code,confirmation code,
  pass word,pass phrase,pass code,recovery phrase,storage key,preshared key,host key,deploy key,webhook url,amz signature,goog signature,license key,
  stripe signature,hub signature,slack signature,twilio signature,svix signature,webhook signature,zm signature,
  hubspot signature,intuit signature,signature ed,hmacsha signature,shopify hmac,transmission sig`.split(
    /,\s*/,
  ),
]);

/**
 * `pass` is a secret alone or after one of these words: `smtp_pass`, but not `boarding_pass`.
 */
const beforePass = wordsOf(
  `db database smtp mail email imap pop pop3 ftp sftp ssh redis mysql pg postgres mongo sql ldap proxy http basic auth sudo user admin
  root my login account new old current bind mqtt amqp rabbit rabbitmq wifi wlan key keystore truststore store cert vpn api app
  service client server registry docker git repo jdbc kafka sasl elastic es rdp vnc snmp default temp tmp`,
);

/** A `pin` is a secret if it is a number and stands alone or after one of these words. */
const beforePin = wordsOf(
  'user card atm sim device account bank my new old current login access security sms member customer door',
);

/** A name with this last word describes a secret, but is not one: `token_type`, `password_changed_at`. */
const harmlessEndings = wordsOf(
  `type name id ids arn count counts length size at on age budget used limit limits policy status state version expiry expires expired
  ttl rotated changed required enabled algorithm usage url uri endpoint provider scope scopes rate reset strength hint rule rules field
  fields path file manager rotation ref reference label prefix date time error errors valid invalid present updated created set method color colour chiave`,
);

function isHarmlessEnding(word: string): boolean {
  return harmlessEndings.has(word) || harmlessEndings.has(word.replace(/s$/, ''));
}

/** Before `token`, these words name marks in the texts of language models. */
const marks = wordsOf('stop eos bos pad unk sep cls mask special next');

/** Under these names, numbers are secrets too. A number under `token`, for example, is a count. */
const secretNumbers = new Set([
  ...passwordTranslations,
  ...passwordPhrases,
  ...`password,passwords,passwd,passphrase,passcode,pwd,secret,otp,totp,hotp,cvv,cvc,cvv2,ssn,pin code,security code,card number,account number,recovery code,backup code,
  verification code,login code,sms code,mfa code,auth code,confirmation code`.split(/,\s*/),
]);

/** Secret words that are written together with the word before: `dbpassword`. */
const secretEnding =
  /(?:password|passwd|passphrase|pwd|(?:store|key|user|db|smtp)pass|apikey|privatekey|secretkey|accesskey|token)s?$/;

/**
 * Which values of a member are secrets. `digits`: only texts and numbers that consist of 3 to 12 digits.
 */
export type Secrecy = 'none' | 'text' | 'text and numbers' | 'digits';

/** Longer names are not classified: nobody gives such a name to a secret. */
const maxNameLength = 256;

/** A name's words in lower case: `X-API-Key`, `apiKey` and `API_KEY` all contain `api` and `key`. Full-width letters count too. */
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
  readonly #additional: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;
  /** Results by name, since the same names occur in every event. Bounded in number and bytes, since names may also come from data. */
  readonly #cache = new Map<string, Secrecy>();

  constructor(additional: readonly string[], allowed: readonly string[]) {
    this.#additional = new Set(additional.map((name) => words(name).join(' ')));
    this.#allowed = new Set(allowed.map((name) => words(name).join(' ')));
  }

  of(name: string): Secrecy {
    if (name.length > maxNameLength) return 'none';
    let secrecy = this.#cache.get(name);
    if (secrecy === undefined) {
      secrecy = this.#classify(words(name));
      if (this.#cache.size < 2_000) this.#cache.set(name, secrecy);
    }
    return secrecy;
  }

  #classify(list: readonly string[]): Secrecy {
    const whole = list.join(' ');
    if (this.#allowed.has(whole)) return 'none';
    if (this.#additional.has(whole)) return 'text and numbers';
    // `apiKey2` and `apiKeys` are as secret as `apiKey`.
    const bare = list.map((word) => word.replace(/\d+$/, '') || word);
    const last = bare.at(-1);
    if (last === undefined) return 'none';
    const before = bare.at(-2);
    if (last === 'pass' && (before === undefined || beforePass.has(before))) return 'text and numbers';
    if (last === 'pin' && (before === undefined || beforePin.has(before))) return 'digits';
    if (/^tokens?$/.test(last) && before !== undefined && marks.has(before)) return 'none';
    // `pAsSwOrD` is one word that is written as many.
    const joined = bare.join('');
    if (bare.length > 2 && secretWords.has(joined))
      return secretNumbers.has(joined) ? 'text and numbers' : 'text';
    let secrecy: Secrecy = 'none';
    for (let index = 0; index < bare.length; index++) {
      const word = bare[index]!;
      const pair = `${word} ${bare[index + 1]}`;
      const single = pair.replace(/s$/, '');
      const hit =
        secretWords.has(word) || secretEnding.test(word) || passwordCompounds.test(word)
          ? word
          : secretPairs.has(single)
            ? pair
            : undefined;
      if (hit === undefined) continue;
      // "session id" ends with a harmless word, but is a secret.
      if (isHarmlessEnding(last) && !bare.join(' ').endsWith(hit)) continue;
      if (secretNumbers.has(hit === pair ? single : hit)) return 'text and numbers';
      secrecy = 'text';
    }
    return secrecy;
  }
}
