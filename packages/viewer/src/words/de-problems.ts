import type { ClientErrorCode } from '@tallystick/client';
import type { SearchErrorCode } from '@tallystick/event/search';
import type { ProblemCode } from '@tallystick/protocol';

const ask = 'Fragen Sie den Betreiber.';
const later = 'Versuchen Sie es in einer Minute erneut.';
const unknown =
  'Der Dienst kennt diese Anfrage nicht. Vielleicht hat er eine ältere Version als diese Seite.';

/** What is wrong with a search. */
const search: { readonly [code in SearchErrorCode]: string } = {
  SEARCH_EMPTY: 'Die Suche hat kein Wort, keine Adresse und kein Feld, nach dem gesucht wird.',
  SEARCH_TOO_LONG: 'Die Suche, eine Wortfolge oder ein Wert darin ist zu lang.',
  SEARCH_TOO_MANY_PARTS: 'Die Suche hat zu viele Teile.',
  SEARCH_QUOTE_OPEN:
    'Die Anführungszeichen passen nicht: Eine Wortfolge beginnt und endet mit einem, davor und danach steht ein Leerzeichen.',
  SEARCH_FIELD_UNKNOWN:
    'Vor einem Doppelpunkt steht etwas, das kein Feld ist. Setzen Sie den Text in Anführungszeichen, um seine Wörter zu suchen.',
  SEARCH_VALUE_INVALID: 'Ein Feld hat in der Suche einen Wert, den es dort nicht gibt.',
  SEARCH_ADDRESS_INVALID: 'Die Suche nennt einen Bereich von Adressen, den es nicht gibt.',
  SEARCH_STAR_MISPLACED: 'Ein * steht nur am Ende eines Wortes.',
  SEARCH_PREFIX_TOO_SHORT: 'Der Anfang des Wortes vor * ist zu kurz.',
  SEARCH_PARENTHESIS:
    'Die Klammern passen nicht zueinander. Setzen Sie einen Text mit Klammern in Anführungszeichen.',
  SEARCH_TOO_DEEP: 'Die Suche hat zu viele Klammern ineinander.',
  SEARCH_OR_MISPLACED: 'Vor und nach OR muss ein Wort, eine Adresse oder ein Feld stehen.',
  SEARCH_OPERATOR_UNKNOWN:
    'Teile nebeneinander müssen alle zutreffen, OR steht zwischen Alternativen, und - schließt etwas aus. Andere Operatoren gibt es nicht.',
};

/** What the service answers to the requests of the viewer, and what the client says where there is no such answer. */
const requests: { readonly [code in ProblemCode | ClientErrorCode]?: string } = {
  NOT_FOUND: 'Das gibt es nicht, oder Sie dürfen es nicht sehen.',
  FORBIDDEN: 'Dazu sind Sie nicht berechtigt.',
  UNAUTHENTICATED: 'Ihr Zugang ist abgelaufen. Laden Sie die Seite neu.',
  PARAMETER_INVALID: 'Die Anfrage enthält eine Angabe, die nicht gültig ist.',
  REQUEST_MALFORMED: 'Die Anfrage lässt sich nicht lesen.',
  HEADERS_TOO_LARGE: 'Die Anfrage ist zu groß.',
  ROUTE_NOT_FOUND: unknown,
  METHOD_NOT_ALLOWED: unknown,
  CHAIN_STOPPED: `Das Protokoll widerspricht seinem signierten Stand und ist deshalb angehalten. ${ask}`,
  CHECKPOINT_INCONSISTENT: `Ein neuer Stand würde einem früheren widersprechen und wird nicht signiert. ${ask}`,
  CLOCK_BEHIND_CHAIN: `Die Uhr des Dienstes geht nach. ${ask}`,
  INTERNAL_ERROR: `Im Dienst ist ein Fehler aufgetreten. ${ask}`,
  SCHEMA_VERSION: `Die Datenbank passt nicht zur Version des Dienstes. ${ask}`,
  STORE_UNAVAILABLE: `Der Dienst erreicht seinen Speicher gerade nicht. ${later}`,
  STORE_FULL: `Der Speicher des Dienstes ist voll. ${ask}`,
  RATE_LIMITED: `Es waren zu viele Anfragen. ${later}`,
  OVERLOADED: `Der Dienst ist gerade ausgelastet. ${later}`,
  REQUEST_TIMEOUT: `Die Anfrage hat zu lange gedauert. ${later}`,
  CLOSING: `Der Dienst wird gerade neu gestartet. ${later}`,
  UNREACHABLE: 'Der Dienst antwortet nicht. Prüfen Sie Ihre Verbindung.',
  REFUSED: 'Der Dienst hat die Anfrage abgelehnt.',
  SERVICE_FAILED: `Der Dienst ist gerade nicht bereit. ${later}`,
  RESPONSE_INVALID: `Die Antwort kommt nicht vom Dienst. Vielleicht hat ein Proxy geantwortet. ${ask}`,
};

/** What went wrong, in German, by code. */
export const deProblems: { readonly [code: string]: string } = { ...search, ...requests };
