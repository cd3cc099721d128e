/** Stop requests from outside: the first and the second one mean different things, so they are counted. */

export type StopSignal = 'SIGTERM' | 'SIGINT'

/** Calls `handler` for each SIGTERM or SIGINT with its ordinal (1, 2, …), until disposed. */
export function onStopSignals(handler: (count: number, name: StopSignal) => void): Disposable {
  let count = 0
  const listener = (name: NodeJS.Signals) => {
    count += 1
    handler(count, name as StopSignal)
  }
  process.on('SIGTERM', listener)
  process.on('SIGINT', listener)
  return {
    [Symbol.dispose]() {
      process.off('SIGTERM', listener)
      process.off('SIGINT', listener)
    },
  }
}
