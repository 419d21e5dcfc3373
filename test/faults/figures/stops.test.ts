import { testInShort } from './in_short.js';

testInShort('r15', 'r17', 'r18');
