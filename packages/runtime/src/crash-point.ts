/** Named places where a test lets the process die as if by `kill -9`. */

/**
 * Declares an app's crash points and answers the function its code calls between two durable steps.
 * With `IAC_CRASH_POINT=<name>` in the environment that call SIGKILLs the process; `<name>#3` at its third passing.
 * Otherwise a call costs one comparison.
 */
export function defineCrashPoints<const Name extends string>(_names: readonly Name[]): (name: Name) => void {
  const [wanted, ordinal = '1'] = (process.env.IAC_CRASH_POINT ?? '').split('#')
  let left = Number(ordinal)
  return (name) => {
    if (name !== wanted) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
