import { testInShort } from './in_short.js';

testInShort('r03', 'r05', 'r06');
