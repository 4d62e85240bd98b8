import type { Fault } from './inject/fault.ts';
import { cutNetwork, resetNetwork } from './inject/network.ts';
import { diskFull, killBroker, killPostgres } from './inject/servers.ts';
import { clockJump, monthChange } from './inject/time.ts';
import {
  addPartitions,
  freezeWriter,
  freezeWriterAt,
  killWriter,
  killWriterAt,
  rebalance,
} from './inject/writers.ts';

/** All faults, by the name that the output and `--only` use. */
export const faults: { readonly [name: string]: Fault } = {
  'kill-writer': killWriter,
  'kill-writer-in-copy': killWriterAt('kill-in-copy'),
  'kill-writer-before-commit': killWriterAt('kill-before-commit'),
  'kill-writer-before-offset-commit': killWriterAt('kill-before-offset-commit'),
  'freeze-writer-in-copy': freezeWriterAt('freeze-in-copy'),
  'freeze-writer-before-commit': freezeWriterAt('freeze-before-commit'),
  'freeze-writer-before-offset-commit': freezeWriterAt('freeze-before-offset-commit'),
  'freeze-writer': freezeWriter,
  'kill-postgres': killPostgres,
  'kill-broker': killBroker,
  'cut-network': cutNetwork,
  'reset-network': resetNetwork,
  rebalance,
  'add-partitions': addPartitions,
  'month-change': monthChange,
  'clock-jump': clockJump,
  'disk-full': diskFull,
};
