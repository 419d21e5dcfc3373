import { testInShort } from './in_short.js';

testInShort('r07', 'r12');
