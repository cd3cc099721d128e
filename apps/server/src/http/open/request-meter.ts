/** How long requests take, by contract and status: counted as they end, and written as Prometheus' histogram when somebody asks. */

const name = 'iac_http_request_seconds'
/** seconds */
const bounds = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

interface Series {
  /** requests that took at most this bound and longer than the one before; the last is beyond all */
  readonly counts: number[]
  sum: number
}

export class RequestMeter {
  readonly #endpoints = new Map<string, Map<number, Series>>()

  count(endpoint: string, status: number, seconds: number): void {
    const series = this.#endpoints.get(endpoint)?.get(status) ?? this.#begin(endpoint, status)
    const place = bounds.findIndex((bound) => seconds <= bound)
    const index = place === -1 ? bounds.length : place
    series.counts[index] = (series.counts[index] ?? 0) + 1
    series.sum += seconds
  }

  /** In the text form, with a line break at its end. */
  text(): string {
    const lines = [`# HELP ${name} requests by contract and status`, `# TYPE ${name} histogram`]
    for (const [endpoint, statuses] of this.#endpoints)
      for (const [status, series] of statuses)
        lines.push(...linesOf(`endpoint="${endpoint}",status="${status}"`, series))
    return `${lines.join('\n')}\n`
  }

  #begin(endpoint: string, status: number): Series {
    const series = { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }
    const statuses = this.#endpoints.get(endpoint) ?? new Map<number, Series>()
    this.#endpoints.set(endpoint, statuses.set(status, series))
    return series
  }
}

function linesOf(labels: string, { counts, sum }: Series): string[] {
  let total = 0
  const buckets = counts.map((count, index) => {
    total += count
    return `${name}_bucket{le="${bounds[index] ?? '+Inf'}",${labels}} ${total}`
  })
  return [...buckets, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${total}`]
}
