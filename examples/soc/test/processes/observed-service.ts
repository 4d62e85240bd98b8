/** A service whose calls of models and actions are observed: `observed` in the directory of the platform. */
import { join } from 'node:path';
import { offlineCatalog } from '../../src/models/catalogs.ts';
import { runProcess } from '../../src/processes/run-process.ts';
import { observedActuators, observedModel } from '../kills/observed.ts';
import { ObserverLog } from '../kills/observer-log.ts';

await runProcess(process.argv.slice(2), (directory) => {
  const log = new ObserverLog(join(directory, 'observed'));
  return {
    catalog: offlineCatalog((model) => observedModel(model, log)),
    actuators: observedActuators(log),
  };
});
