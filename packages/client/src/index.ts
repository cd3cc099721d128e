/** The operator API as typed calls over a given fetch. */
export * from './client.js'
export * from './errors.js'
export * from './log-stream.js'
