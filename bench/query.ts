import { parseArgs } from 'node:util';
import { startPostgres } from '@tallystick/testing';
import { buildStore } from './query/build-store.ts';
const { values } = parseArgs({ options: { data: { type: 'string' }, rows: { type: 'string', default: '200000' }, partitions: { type: 'string', default: '84' } } });
const postgres = await startPostgres({ durable: false, dataDir: values.data!, settings: { max_wal_size: '4GB', checkpoint_timeout: '30min', maintenance_work_mem: '512MB', wal_level: 'minimal', max_wal_senders: '0', shared_buffers: '512MB' } });
const t = performance.now();
console.log(await buildStore(postgres, `q${values.rows}x${values.partitions}`, { rows: Number(values.rows), months: Number(values.partitions) }));
console.log((performance.now() - t) / 1000);
await postgres.stop();
