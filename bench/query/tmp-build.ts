import { startPostgres } from '@tallystick/testing';
import { buildStore } from './build-store.ts';
const rows = Number(process.argv[2]), data = process.argv[3]!;
const postgres = await startPostgres({ durable: false, dataDir: data, settings: { max_wal_size: '4GB', checkpoint_timeout: '30min', maintenance_work_mem: '512MB', shared_buffers: '512MB' } });
try {
  const small = Math.floor(rows / 10);
  await buildStore(postgres, `q${small}x3`, { rows: small, months: 3 });
  await buildStore(postgres, `q${rows}x84`, { rows, months: 84 });
  console.log('MADE', new Date().toISOString());
} finally { await postgres.stop(); }
