import { destination } from './destination.js';
import { response } from './response.js';
import type { Target } from './target.js';
import { token } from './token.js';

/** Everything that reads what strangers write, in the order of the command's help. */
export const targets: readonly Target[] = [token, destination, response];
