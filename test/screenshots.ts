// Takes the pictures of the admin page that docs/page.md shows: npm run screenshots
import { mkdir } from 'node:fs/promises';
import { startAdmin } from './helpers/admin.js';
import { startBrowser } from './helpers/browser.js';
import { addOpen, sampleLedger } from './helpers/sample_record.js';

const folder = process.argv[2] ?? 'docs/images';

const pictures = [
  { name: 'page-light', colorScheme: 'light', width: 1280, height: 1560 },
  { name: 'page-dark', colorScheme: 'dark', width: 1280, height: 1560 },
  { name: 'page-phone', colorScheme: 'light', width: 390, height: 1500 },
] as const;

const ledger = sampleLedger({ count: 1400, spanMs: 24 * 3_600_000 });
addOpen(ledger);
const admin = await startAdmin(ledger, {
  auditFile: '/var/lib/export-relay/audit.log',
  stats: { pending: 2, processing: 2, finished: 640, waiters: 3, lanes: 2, running: 1, bytes: 9_412_000 },
});
const browser = await startBrowser();
await mkdir(folder, { recursive: true });
for (const { name, colorScheme, width, height } of pictures) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(admin.url);
  await page.locator('html[data-revision]').waitFor();
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: process.argv.includes('--full') });
  await page.close();
}
await browser.close();
await admin.close();
