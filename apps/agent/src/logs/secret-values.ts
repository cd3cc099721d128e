/** Which texts of an attempt's variables must never be seen: sensitive values, and for HCL each literal inside. */

/** A variable as the data document gives it. */
export interface Variable {
  value: string
  sensitive: boolean
  hcl: boolean
}

/** The values to hide, without doubles; frozen for the attempt by being made once. */
export function secretValues(variables: readonly Variable[]): string[] {
  const values = variables
    .filter((variable) => variable.sensitive)
    .flatMap((variable) => (variable.hcl ? [variable.value, ...literalsOf(variable.value)] : [variable.value]))
  return [...new Set(values)].filter((value) => value !== '')
}

/** Quoted strings that are not map keys, heredoc bodies, and numbers long enough to be secrets. */
function literalsOf(hcl: string): string[] {
  const literals: string[] = []
  for (const [, body = '', key] of hcl.matchAll(/"((?:[^"\\]|\\.)*)"(\s*[=:](?!=))?/gs)) {
    if (key === undefined && body.length >= shortestLiteral) literals.push(unescapeHcl(body))
  }
  for (const [, , body] of hcl.matchAll(/<<-?([\w-]+)\r?\n(.*?)\r?\n\s*\1/gs)) {
    if (body !== undefined) literals.push(body)
  }
  for (const [number] of hcl.matchAll(/\d{6,}/g)) literals.push(number)
  return literals
}

/** Shorter strings inside a list or map are words such as `tcp`, not secrets; hiding them would garble the log. */
const shortestLiteral = 4

function unescapeHcl(body: string): string {
  return body.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(\$\$|%%)(?=\{)/gs,
    (whole, u4, u8, single, doubled) => {
      if (doubled !== undefined) return doubled[0]
      if (u4 !== undefined || u8 !== undefined)
        return String.fromCodePoint(Math.min(Number.parseInt(u4 ?? u8, 16), 0x10ffff))
      return escapes[single] ?? whole.slice(1)
    },
  )
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
