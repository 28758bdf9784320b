#!/usr/bin/env node
// The one CommonJS file: each running query holds a thread of libuv's pool, whose default of four would let a fifth
// query wait for a first, and the pool's size must be set before anything, even loading an ES module, has used it.
process.env.UV_THREADPOOL_SIZE ??= '96';
import('../src/main.js').then((main) => main.run(process.argv.slice(2), process.env));
