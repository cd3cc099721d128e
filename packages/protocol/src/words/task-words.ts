/** The words a task is described with: type, phase, stage, status. */
import { type Static, Type } from 'typebox'

/** `destroy` is plan -destroy then apply; `drift_check` a refresh-only plan. */
export const TaskType = Type.Enum(['plan', 'plan_and_apply', 'destroy', 'drift_check'])
export type TaskType = Static<typeof TaskType>

/** What one attempt does; named `action` on the wire. */
export const Phase = Type.Enum(['plan', 'apply'])
export type Phase = Static<typeof Phase>

/** Where an attempt is; the agent's word. */
export const Stage = Type.Enum([
  'pending',
  'fetching',
  'init',
  'planning',
  'saving_plan',
  'apply_pending',
  'restoring_plan',
  'applying',
  'saving_state',
  'completed',
])
export type Stage = Static<typeof Stage>

export const TaskStatus = Type.Enum([
  'pending',
  'running',
  'apply_pending',
  'success',
  'planned_and_finished',
  'applied',
  'failed',
  'cancelled',
])
export type TaskStatus = Static<typeof TaskStatus>

const final: ReadonlySet<TaskStatus> = new Set<TaskStatus>([
  'success',
  'planned_and_finished',
  'applied',
  'failed',
  'cancelled',
])

/** Final statuses never change. */
export function isFinal(status: TaskStatus): boolean {
  return final.has(status)
}

/** Whether a task of this type may go on to an apply, and so holds its workspace. */
export function mayApply(type: TaskType): boolean {
  return type === 'plan_and_apply' || type === 'destroy'
}

export const Engine = Type.Enum(['terraform', 'tofu'])
export type Engine = Static<typeof Engine>

export const VariableCategory = Type.Enum(['terraform', 'environment'])
export type VariableCategory = Static<typeof VariableCategory>

export const LogState = Type.Enum(['complete', 'uploading', 'gap', 'unsealed'])
/** `complete`: sealed and proven; `gap`: ended with bytes missing; `unsealed`: a seed-only agent's, ended without a seal. */
export type LogState = Static<typeof LogState>
