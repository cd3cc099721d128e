/** The program's own log: lines on stderr, pretty for people, JSON for machines. */
import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export const logFormats = ['pretty', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

const options = (level: LogLevel) => ({
  level,
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (label: string) => ({ level: label }) },
})

/** Writes synchronously, so that the last words of a dying process are not lost. */
export async function createLogger(settings: { level: LogLevel; format: LogFormat }): Promise<Logger> {
  const stderr = pino.destination({ fd: 2, sync: true })
  // A full disk or a closed pipe loses lines of the log; it must not end the program, which has more to save than its log.
  stderr.on('error', () => undefined)
  if (settings.format === 'json') return pino(options(settings.level), stderr)
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({
    destination: stderr,
    sync: true,
    colorize: process.stderr.isTTY === true,
    ignore: 'pid,hostname',
  })
  return pino(options(settings.level), stream)
}

/** For tests and for commands that only answer on stdout. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}
