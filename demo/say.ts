/** What the demo prints, on stdout; colours only on a terminal. */
import colors from 'picocolors'

export const say = {
  step(subject: string, text: string): void {
    console.log(`${colors.cyan('▸')} ${colors.bold(subject.padEnd(10))} ${text}`)
  },
  /** A line of terraform's own. */
  line(phase: string, text: string): void {
    console.log(`  ${colors.dim(phase.padEnd(5))} ${colors.dim('│')} ${text}`)
  },
  fact(name: string, value: string | number): void {
    console.log(`  ${name.padEnd(16)} ${value}`)
  },
  text(text: string): void {
    console.log(text)
  },
  success(text: string): void {
    console.log(`${colors.green('✔')} ${text}`)
  },
  failure(text: string): void {
    console.error(`${colors.red('✘')} ${text}`)
  },
}
