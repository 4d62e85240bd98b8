import type { Span, Text } from './characters.ts';
import type { SecretNames } from './secret-names.ts';

/** How a program takes a password in an option with one letter. */
interface ShortOption {
  /** The letter. */
  readonly letter: string;
  /** The value follows the letter: `-pX`. */
  readonly attached: boolean;
  /** The value is the next argument: `-p X`. */
  readonly separate: boolean;
  /** The value is `user:password` or `user%password`; only the password is secret. */
  readonly after?: ':' | '%';
}

const attached = (letter: string): ShortOption => ({ letter, attached: true, separate: false });
const separate = (letter: string): ShortOption => ({ letter, attached: false, separate: true });
const either = (letter: string): ShortOption => ({ letter, attached: true, separate: true });
const pair = (letter: string, after: ':' | '%'): ShortOption => ({ ...either(letter), after });

const programs = new Map<string, readonly ShortOption[]>();
function add(names: string, ...options: ShortOption[]): void {
  for (const name of names.split(' ')) programs.set(name, options);
}
add(
  'mysql mysqldump mysqladmin mysqlimport mysqlpump mysqlshow mysqlcheck mysqlsh mariadb mariadb-dump mycli xtrabackup',
  attached('p'),
);
add('sshpass useradd usermod', either('p'));
add('curl wget http https xh', pair('u', ':'), pair('U', ':'), pair('a', ':'));
// Of these programs, `-p` is a password only after `login`: `docker run -p` names ports.
add('login', either('p'));
add(
  'mongo mongosh mongodump mongorestore mongoexport mongoimport twine rabbitmqadmin evil-winrm htpasswd',
  separate('p'),
);
add('redis-cli', separate('a'));
add('ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd', separate('w'));
add('sqlcmd bcp isql tsql ipmitool', either('P'));
add('smbclient rpcclient smbmap net', pair('U', '%'));
add('zip unzip', either('P'));
add('7z 7za rar unrar', attached('p'));
add('snmpwalk snmpget snmpset snmpbulkwalk', separate('A'), separate('X'));
// The passphrase and the key of `openssl enc`.
add('openssl', separate('k'), separate('K'));
add('rabbitmqctl');
add('sqlplus');
add('oracle');

/** The programs whose options are known here, in lower case. */
export const programNames: readonly string[] = [...programs.keys()];

/** Whether a word is a program whose options are known here. */
export function isProgram(word: string): boolean {
  return programs.has(word);
}

/** The name of a program without its directories and without `.exe`. */
export function programIn(argument: string): string | undefined {
  const name = argument
    .slice(argument.lastIndexOf('/') + 1)
    .slice(-64)
    .replace(/\.exe$/i, '')
    .toLowerCase();
  return programs.has(name) ? name : undefined;
}

/** What an option says about the secret after it. */
export type OptionReading =
  /** The secret begins at this index of the option. */
  | { readonly attachedAt: number; readonly after?: ':' | '%' | undefined }
  /** The next argument is the secret, or contains it. */
  | { readonly next: true; readonly after?: ':' | '%' | undefined };

/** Options of `curl` and others whose value is `user:password`. */
const pairOptions = /^--(?:user|proxy-user|auth|http-user)$/;

/**
 * Reads an option of a command line.
 *
 * @param option such as `--password`, `-pX` or `-u`; an option with `=` is an assignment
 * @param isQuoted whether a quote follows at once, as in `-p'X'`
 */
export function readOption(
  option: string,
  program: string | undefined,
  names: SecretNames,
  isQuoted = false,
): OptionReading | undefined {
  const known = program === undefined ? [] : programs.get(program)!;
  for (const { letter, attached: isAttached, separate: isSeparate, after } of known) {
    if (option.charCodeAt(1) !== letter.charCodeAt(0)) continue;
    if (option.length === 2)
      return isSeparate || (isAttached && isQuoted) ? { next: true, after } : undefined;
    if (isAttached && option.charCodeAt(1) !== 0x2d && !isLongName(option)) return { attachedAt: 2, after };
  }
  if (known.some(({ after }) => after === ':') && pairOptions.test(option)) return { next: true, after: ':' };
  const name = option.replace(/^-+/, '');
  // A single letter is never a name, and `-p8080` is not one either.
  if (name.length < 3 || !/^\p{L}[\p{L}\p{N}_.-]*$/u.test(name)) return undefined;
  return names.of(name) === 'none' ? undefined : { next: true };
}

/** `-password` and `-port` with one hyphen are names of options and not `-p` with a value. */
function isLongName(option: string): boolean {
  return /^-(?:password|pass|passwd|port|path|protocol|print|progress|proxy|user|url|use|update|unix)$/i.test(
    option,
  );
}

/** The secret in the value of an option. @param span the value, without quotes */
export function secretInValue(
  text: Text,
  [start, end]: Span,
  after: ':' | '%' | undefined,
): Span | undefined {
  const value = text.slice(start, Math.min(end, start + 1_000));
  if (value === '' || /^(?:\[REDACTED|hmac:|\$[A-Z_({]|\*{3}|-)/.test(value)) return undefined;
  if (after === undefined) return [start, end];
  const joint = value.indexOf(after);
  if (joint < 1 || joint + 1 === value.length || value.startsWith('//', joint + 1)) return undefined;
  return secretInValue(text, [start + joint + 1, end], undefined);
}

/** The first two characters of the programs' names. Nearly all other words differ in them. */
const firstCharacters = new Set(Array.from(programNames, (name) => pairOf(name, 0)));

function pairOf(text: Text, at: number): number {
  return text.charCodeAt(at) * 0x1_0000 + text.charCodeAt(at + 1);
}

/** Whether the word at this index may be a program whose options are known here. */
export function mayBeProgram(text: Text, at: number): boolean {
  return firstCharacters.has(pairOf(text, at));
}
