// Puts the files of the admin page that are not compiled beside those that are: src/page → dist/page.
import { copyFileSync, mkdirSync } from 'node:fs';

mkdirSync('dist/page', { recursive: true });
for (const file of ['index.html', 'page.css', 'icon.svg'])
  copyFileSync(`src/page/${file}`, `dist/page/${file}`);
