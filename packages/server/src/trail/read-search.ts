import { parseSearch, SearchError, type SearchQuery } from '@tallystick/event/search';
import { ServerError } from '../errors.ts';

/**
 * Reads the text of a search.
 *
 * @throws {ServerError} `PARAMETER_INVALID`, with the code and the place of the fault
 */
export function readSearch(text: string): SearchQuery {
  try {
    return parseSearch(text);
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    const { code, position, message } = error;
    throw new ServerError('PARAMETER_INVALID', `q, at character ${position + 1}: ${message}`, {
      cause: error,
      details: { parameter: 'q', reason: code, position },
    });
  }
}
