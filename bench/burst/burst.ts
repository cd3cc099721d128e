import type { Bench } from '../bench.js'
export const burst: Bench = { name: 'burst', what: '', limit: '', run: async () => [] }
