import type { Session, Statement } from '../store/database.ts';

/** Statements, and what their rows say together. */
export interface Question<T> {
  readonly statements: readonly Statement<object>[];
  /** @param answers the rows of each statement */
  readonly read: (answers: readonly (readonly object[])[]) => T;
}

/** Asks the database in one round trip. */
export async function ask<T>(session: Session, { statements, read }: Question<T>): Promise<T> {
  return read(await session.pipeline(...statements));
}

/** Two questions as one. */
export function both<A, B>(one: Question<A>, other: Question<B>): Question<readonly [A, B]> {
  return {
    statements: [...one.statements, ...other.statements],
    read: (answers) => [
      one.read(answers.slice(0, one.statements.length)),
      other.read(answers.slice(one.statements.length)),
    ],
  };
}
