/** JSON whose numbers survive: JavaScript's own parse changes those beyond 15 digits, and terraform writes them. */

/** Stands for a number that JavaScript cannot hold; the private-use character keeps it apart from real strings. */
const mark = '\ue0f1'
/** A string (skipped as a whole), or a number with more digits than are safe. */
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]{15,}/g
const marked = new RegExp(`"${mark}([^"]*)"`, 'g')

/** As JSON.parse; a long number becomes a marked string that `stringifyExact` writes as the number it was. */
export function parseExact(text: string): unknown {
  return JSON.parse(text.replace(token, (found) => (found.startsWith('"') ? found : `"${mark}${found}"`)))
}

/** The digits of a number that JavaScript cannot hold; undefined for every other string. */
export function exactNumber(value: string): string | undefined {
  return value.startsWith(mark) ? value.slice(mark.length) : undefined
}

/** As JSON.stringify. */
export function stringifyExact(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(marked, '$1')
}
