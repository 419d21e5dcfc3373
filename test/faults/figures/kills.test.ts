import { testInShort } from './in_short.js';

testInShort('r01', 'r02');
