import type { CopyResult, Session, Statement } from '../../src/store/database.ts';

/** Runs a COPY, and throws on a duplicate as a statement would. @returns how many chunks were handed over */
export async function copyRows(
  session: Session,
  copy: string,
  chunks: Iterable<string>,
  { before, after }: { readonly before?: readonly Statement[]; readonly after?: readonly Statement[] } = {},
): Promise<number> {
  const copying = session.beginCopy(copy, before);
  let handed = 0;
  for (const rows of chunks) {
    handed++;
    if (!(await copying.write(rows))) break;
  }
  const result: CopyResult = await copying.finish(after);
  if (result.status === 'duplicate') throw result.error;
  return handed;
}
