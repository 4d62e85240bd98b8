import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The test files that take longest, as parts of their paths, longest first. */
const LONG = ['e2e/faults/faults.', 'e2e/crash/'];

/**
 * Starts the longest test files first. Otherwise one of them could be the last to start, and all other workers would wait for it.
 * The other files keep vitest's order.
 */
export class LongTestsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((part) => moduleId.includes(part));
  return at < 0 ? LONG.length : at;
}
