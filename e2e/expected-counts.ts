/** What a task costs the agent, and a message the server: to be changed with a reason, and rarely upwards. */

export interface PhaseCosts {
  /** fsync and fdatasync by path: T an attempt, W a workspace, X a name of chance. */
  syncs: Record<string, number>
  /** At most: of the log's text, and of its checkpoint, for each round in which it grows: by time, and when a command has ended. */
  syncsOfTextRound: number
  /** Processes the agent starts itself: for each supervisor (sh) that got a command of terraform the next one. */
  processes: Record<string, number>
  /** How often terraform's output is read from disk, and the text that is made of it. */
  readsOfOutput: number
  readsOfSpool: number
}

/** A plan, then the apply of it, in a work directory that was used before; no log but the one at the end, one resource to create. */
export const agentCosts: Record<'plan' | 'apply', PhaseCosts> = {
  plan: {
    syncs: {
      // the task's data, the base state, the plan's JSON, the plan: each a new file, then its name
      'attempts/T/data.json.X.tmp': 1,
      'attempts/T/base.tfstate.X.tmp': 1,
      'attempts/T/plan.json.X.tmp': 1,
      'attempts/T/plan.tar.gz.draft': 1,
      // names: the journal's own, and one for each of those four
      'attempts/T': 5,
    },
    syncsOfTextRound: 1,
    processes: { sh: 2 }, // plan, show; init is skipped
    readsOfOutput: 1, // to make the text of it
    readsOfSpool: 1, // to send it; it is hashed as it grows
  },
  apply: {
    syncs: {
      'attempts/T/data.json.X.tmp': 1,
      'attempts/T/base.tfstate.X.tmp': 1,
      'attempts/T/plan.tar.gz.X.tmp': 1,
      // names: the journal's own, and one for each of those three
      'attempts/T': 4,
      // the state that terraform posted, then its name; both before it is acknowledged
      'attempts/T/states/.incoming-X': 1,
      'attempts/T/states': 1,
    },
    syncsOfTextRound: 1,
    processes: { sh: 1 },
    readsOfOutput: 2, // to make the text of it, and to look for a state that terraform printed in its distress
    readsOfSpool: 1,
  },
}

/**
 * Facts that something hangs on, each with a sync of its own at most, and one more when the journal is closed; those of what can be done
 * or sent again go with the next of these.
 */
export const syncedFacts: readonly string[] = [
  'offered',
  'startAsked',
  'startAnswered',
  'spawning',
  'stateReceived',
  'exited',
  'released',
  'outcome',
  'logWhole',
]

/** For each of several calls that come at once. */
export const serverCosts = {
  commitsOfChunksAtOnce: 1,
  chunk: {
    'SELECT workspace_tasks': 1, // the fence: with its attempt
    'SELECT task_log_streams': 1,
    'UPDATE task_log_streams': 1,
    'INSERT task_logs': 1,
  },
  heartbeat: {
    'SELECT agents': 1,
    'UPDATE agents': 1,
    'SELECT task_attempts': 1, // what it is to hold
  },
}
