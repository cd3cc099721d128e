/** Named places where a test lets the process die as if by `kill -9`. */
import { writeSync } from 'node:fs'

/**
 * Declares an app's crash points and answers the function its code calls between two durable steps.
 * With `IAC_CRASH_POINT=<name>[,<name>…]` in the environment such a call says on stderr which it is and SIGKILLs the process; `<name>#3`
 * at its third passing. Otherwise a call costs one comparison.
 */
export function defineCrashPoints<const Name extends string>(_names: readonly Name[]): (name: Name) => void {
  const passesLeft = new Map((process.env.IAC_CRASH_POINT ?? '').split(',').map(wish))
  passesLeft.delete('')
  return (name) => {
    if (passesLeft.size === 0) return
    const left = (passesLeft.get(name) ?? 0) - 1
    if (left >= 0) passesLeft.set(name, left)
    if (left !== 0) return
    writeSync(2, `${JSON.stringify({ msg: 'crash point', point: name })}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

function wish(text: string): [name: string, passes: number] {
  const [name = '', ordinal = '1'] = text.split('#')
  return [name, Number(ordinal)]
}
