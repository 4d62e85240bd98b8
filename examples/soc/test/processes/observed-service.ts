/** A service whose calls of models and actions are observed: `observed` in the directory of the platform. Its providers fail now and then. */
import { join } from 'node:path';
import { offlineCatalog } from '../../src/models/catalogs.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { runProcess } from '../../src/processes/run-process.ts';
import { failing, observedActuators, observedModel } from '../kills/observed.ts';
import { ObserverLog } from '../kills/observer-log.ts';

await runProcess(process.argv.slice(2), (directory) => {
  const log = new ObserverLog(join(directory, 'observed'));
  return {
    catalog: offlineCatalog((model) => observedModel(model, log, failing(seededRandom(process.pid)))),
    actuators: observedActuators(log),
  };
});
