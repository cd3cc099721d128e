import type { Bench } from '../bench.js'
export const dispatch: Bench = { name: 'dispatch', what: '', limit: '', run: async () => [] }
