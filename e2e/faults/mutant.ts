import type { AuditService } from '@tallystick/server';
import type { IngestTarget } from '@tallystick/server/kafka';

/**
 * The audit service with a bug, which the campaign must notice: it commits the new position of a range before the range's
 * events, in a separate transaction. A crash between the two loses the events, because the next owner reads on from the
 * new position.
 */
export function offsetsFirst(service: AuditService): IngestTarget {
  return {
    ...service,
    async appendRanges(batches, options) {
      await service.appendRanges(
        batches.map(({ range }) => ({ items: [], ...(range && { range: { ...range, offsets: [] } }) })),
      );
      return await service.appendRanges(
        batches.map(({ items, statements = [] }) => ({ items, statements })),
        options,
      );
    },
  };
}
