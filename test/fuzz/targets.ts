import { audit } from './audit.js';
import { body } from './body.js';
import { destination } from './destination.js';
import { frames } from './frames.js';
import { journal } from './journal.js';
import { response } from './response.js';
import type { Target } from './target.js';
import { token } from './token.js';

/** Everything that reads what strangers write. */
export const targets: readonly Target[] = [token, body, destination, response, frames, journal, audit];
