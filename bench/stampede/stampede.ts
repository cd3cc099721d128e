import type { Bench } from '../bench.js'
export const stampede: Bench = { name: 'stampede', what: '', limit: '', run: async () => [] }
