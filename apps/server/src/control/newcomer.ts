/** A second socket under one agent id: which of the two stays. Pure. */
import type { Hello } from '@iac-agent/protocol'

export type NewcomerVerdict = 'replace' | 'refuse'

export interface PresentSession {
  readonly hello: Pick<Hello, 'instance_id' | 'boot_epoch'> | undefined
  /** heard of lately; a dead one gives way to anybody */
  readonly isAlive: boolean
}

/**
 * The same process, or a later start of it, replaces its former socket; so does a newcomer without hello one without hello.
 * @param newcomer its hello, or undefined when its first message was another
 */
export function judgeNewcomer(
  present: PresentSession,
  newcomer: Pick<Hello, 'instance_id' | 'boot_epoch'> | undefined,
): NewcomerVerdict {
  if (!present.isAlive) return 'replace'
  if (newcomer === undefined || present.hello === undefined) {
    return newcomer === present.hello ? 'replace' : 'refuse'
  }
  const isSameProcess = newcomer.instance_id === present.hello.instance_id
  return isSameProcess || newcomer.boot_epoch > present.hello.boot_epoch ? 'replace' : 'refuse'
}
