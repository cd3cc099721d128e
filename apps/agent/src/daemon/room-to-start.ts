/** A full disk must not keep the agent away: it is needed to bring out what is on that disk. */
import { access, rm } from 'node:fs/promises'
import { type Logger, pause } from '@iac-agent/runtime'

export interface RoomToStartParts {
  /** Path of the ballast file. */
  ballast: string
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
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
    if (await exists(ballast)) {
      await rm(ballast, { force: true })
      log.error('disk is full, ballast freed to start')
    } else {
      if (tries === 1) log.error('disk is full, waiting for room to start')
      await pause(pauseMs)
    }
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
