import { testInShort } from './in_short.js';

testInShort('r14', 'r15', 'r16', 'r17', 'r18');
