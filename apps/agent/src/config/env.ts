/** The only reader of process.env. */

export type Environment = Readonly<Record<string, string | undefined>>

/** A copy of the environment this process was started with. */
export function readEnvironment(): Environment {
  return { ...process.env }
}

/** What the environment says about proxies; lower-case names win, as curl has it. */
export function proxiesOf(env: Environment): { httpProxy?: string; httpsProxy?: string; noProxy?: string } {
  const http = env.http_proxy || env.HTTP_PROXY
  const https = env.https_proxy || env.HTTPS_PROXY
  const no = env.no_proxy || env.NO_PROXY
  return {
    ...(http ? { httpProxy: http } : {}),
    ...(https ? { httpsProxy: https } : {}),
    ...(no ? { noProxy: no } : {}),
  }
}
