import { testInShort } from './in_short.js';

testInShort('r09', 'r13');
