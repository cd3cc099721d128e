/** Who speaks on the agent API: a key of a pool, and what it says of itself. */
export interface AgentCaller {
  readonly poolId: string
  readonly keyId: string
  /** `X-Agent-ID` */
  readonly agentId?: string | undefined
  /** `X-Agent-Secret` */
  readonly agentSecret?: string | undefined
  /** `X-Task-Lease` */
  readonly lease?: string | undefined
}
