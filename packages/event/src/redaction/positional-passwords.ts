import { endBefore, type Span, space, type Text, valueEnd } from './characters.ts';
import { programIn } from './command-lines.ts';
import { quotedAt } from './values.ts';

/** A subcommand that takes a password by its place: `net user NAME X`, `rabbitmqctl add_user NAME X`. */
interface PositionalPassword {
  readonly program: string;
  readonly subcommand: string;
  /** How many arguments come between the subcommand and the password. */
  readonly skipped: number;
  /** The words occur in sentences too, so without an option after it the password must look like one. */
  readonly occursInSentences?: boolean;
}

const known: readonly PositionalPassword[] = [
  { program: 'net', subcommand: 'user', skipped: 1, occursInSentences: true },
  { program: 'rabbitmqctl', subcommand: 'add_user', skipped: 1 },
  { program: 'rabbitmqctl', subcommand: 'change_password', skipped: 1 },
  { program: 'rabbitmqctl', subcommand: 'authenticate_user', skipped: 1 },
];

/** With what comes between the name of the program and the password in a text. */
const commands = known.map((command) => ({
  ...command,
  before: new RegExp(
    `^(?:\\.exe)?(?: {1,3}-[^\\s"']{1,64}(?: {1,3}[^\\s"'-][^\\s"']{0,63})??){0,4} {1,3}${command.subcommand} {1,3}(?:(?:"[^"]{1,64}"|[^\\s"'/*-][^\\s"']{0,63}) {1,3}){${command.skipped}}`,
  ),
}));

/** Options of the program and their values, before its subcommand. */
const maxOptions = 8;

/** No more of a text is read after the name of a program. */
const maxCommand = 300;

/** The index of the password in a list of arguments; `undefined` if the command takes none by its place. */
export function positionalArgument(list: readonly string[]): number | undefined {
  for (const { program, subcommand, skipped } of commands) {
    for (let at = list.indexOf(subcommand); at >= 0; at = list.indexOf(subcommand, at + 1)) {
      const password = list[at + 1 + skipped];
      if (password !== undefined && isPassword(password) && isCalled(list, at, program))
        return at + 1 + skipped;
    }
  }
  return undefined;
}

/** Whether the program comes before the subcommand at the index, with nothing but options between. */
function isCalled(list: readonly string[], at: number, program: string): boolean {
  for (let index = at - 1; index >= Math.max(0, at - maxOptions); index--) {
    const name = list[index]!;
    if (name.length > maxCommand || programIn(name) !== program) continue;
    return index === at - 1 || list[index + 1]!.startsWith('-');
  }
  return false;
}

/** The password after the name of a program in a text. @param end the index after the name */
export function positionalPasswordAt(text: Text, program: string, end: number): Span | undefined {
  for (const command of commands) {
    if (command.program !== program) continue;
    const limit = end + maxCommand;
    const before = command.before.exec(text.slice(end, limit));
    if (before === null) continue;
    const start = end + before[0].length;
    const quoted = quotedAt(text, start, limit)?.span;
    const span = quoted ?? ([start, endBefore(text, start, space | valueEnd)] as const);
    const password = text.slice(span[0], Math.min(span[1], span[0] + maxCommand));
    if (!isPassword(password)) continue;
    const looksLikeOne = quoted !== undefined || (/\p{L}/u.test(password) && /[\d!@#$%^&*]/.test(password));
    const hasOption = / {1,3}\//.test(text.slice(span[1], span[1] + 2));
    if (command.occursInSentences === true && !looksLikeOne && !hasOption) continue;
    return span;
  }
  return undefined;
}

/** With `*` the program asks for the password; `/active:no` is an option. */
function isPassword(argument: string): boolean {
  return argument !== '' && !/^(?:[/*-]|\[REDACTED|hmac:|\$[A-Z_({])/.test(argument);
}
