import { testInShort } from './in_short.js';

testInShort('r08', 'r14', 'r16');
