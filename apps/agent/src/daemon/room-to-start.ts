/** A full disk must not keep the agent away: it is needed to bring out what is on that disk. */
import { type Logger, pause } from '@iac-agent/runtime'
import { type Ballast, isDiskFull } from '../journal/ballast.js'

export interface RoomToStartParts {
  ballast: Pick<Ballast, 'giveBack'>
  log: Logger
  /** Between two tries; 1 s unless told. */
  pauseMs?: number
}

/** What `act` answers. While the disk has no room for it, the ballast is given back, and it is tried again for as long as it takes. */
export async function whenThereIsRoom<T>(
  { ballast, log, pauseMs = 1_000 }: RoomToStartParts,
  act: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act()
    } catch (error) {
      if (!isDiskFull(error)) throw error
    }
    if (await ballast.giveBack()) continue
    if (tries === 1) log.error('disk is full, waiting for room to start')
    await pause(pauseMs)
  }
}
