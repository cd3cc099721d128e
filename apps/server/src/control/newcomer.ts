/** A second socket under one agent id: which of the two stays. Pure. */
import type { Hello } from '@iac-agent/protocol'

export type NewcomerVerdict = 'replace' | 'refuse'

export interface PresentSession {
  readonly hello: Pick<Hello, 'instance_id' | 'boot_epoch'> | undefined
  /** heard of lately; a dead one gives way to anybody */
  readonly isAlive: boolean
  /** it said its agent's secret */
  readonly isProven: boolean
}

export interface Newcomer {
  /** undefined when its first message was another */
  readonly hello: Pick<Hello, 'instance_id' | 'boot_epoch'> | undefined
  readonly isProven: boolean
}

/**
 * The same process, or a later start of it, replaces its former socket; so does a newcomer without hello one without hello, and one
 * with the agent's secret one that was let in before the agent had any.
 */
export function judgeNewcomer(present: PresentSession, { hello, isProven }: Newcomer): NewcomerVerdict {
  if (!present.isAlive || (isProven && !present.isProven)) return 'replace'
  if (hello === undefined || present.hello === undefined) {
    return hello === present.hello ? 'replace' : 'refuse'
  }
  const isSameProcess = hello.instance_id === present.hello.instance_id
  return isSameProcess || hello.boot_epoch > present.hello.boot_epoch ? 'replace' : 'refuse'
}
