/** For tests and benches only: launchers of the built bins, whole fake peers, a test provider. */
export * from './eventually.js'
export * from './repository-root.js'
export * from './temporary-directory.js'
export * from './test-provider.js'
