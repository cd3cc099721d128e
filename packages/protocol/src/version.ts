/** The protocol's version: server N serves agents N and N-1. */
export const protocolVersion = 1

/** Whether a server of `server` serves an agent of `agent`. */
export function isServed(server: number, agent: number): boolean {
  return agent === server || agent === server - 1
}
