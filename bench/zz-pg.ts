import { startPostgres } from '@tallystick/testing';
const p = await startPostgres({ durable: false, dataDir: '/tmp/query12-data', settings: { shared_buffers: '256MB' } });
console.log(p.adminUrl);
process.on('SIGTERM', async () => { await p.stop(); process.exit(0); });
setInterval(() => {}, 1e6);
