import { testInShort } from './in_short.js';

testInShort('r14', 'r16');
