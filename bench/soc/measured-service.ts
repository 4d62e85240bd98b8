/** A service of `over-kafka.ts`. It prints its figures as a line after SIGUSR2. */
import { performance } from 'node:perf_hooks';
import { EventJournal } from '../../examples/soc/src/platform/durable/event-journal.ts';
import { runProcess } from '../../examples/soc/src/processes/run-process.ts';
import { type Figures, figuresMark } from './figures.ts';
import { memoryAfterCollection } from './measure.ts';
import { type Spent, timed } from './platform.ts';

const spent: Spent = { emitMs: 0, events: 0 };

// The services call the journal. It stores the event with the change that it is about, and a relay sends it later.
const { get } = Object.getOwnPropertyDescriptor(EventJournal.prototype, 'emitter')!;
Object.defineProperty(EventJournal.prototype, 'emitter', {
  get() {
    return timed(get!.call(this), spent);
  },
});

process.on('SIGUSR2', () => {
  const { active: activeMs } = performance.eventLoopUtilization();
  const { user, system } = process.cpuUsage();
  const figures: Figures = {
    ...{ ...spent, activeMs, processorMs: (user + system) / 1_000 },
    ...memoryAfterCollection(),
  };
  console.log(figuresMark + JSON.stringify(figures));
});

await runProcess(process.argv.slice(2));
