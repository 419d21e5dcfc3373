import { testInShort } from './in_short.js';

testInShort('r07', 'r09', 'r12', 'r13');
