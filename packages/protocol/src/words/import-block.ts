/** Terraform's `import` block for an object that exists without being in the state. */

/**
 * Ready to be put into a root module. `address` is one as terraform prints it, keys already quoted; `id` is any text.
 * Terraform 1.5 and OpenTofu 1.5 and newer know the block.
 */
export function importBlock(address: string, id: string): string {
  return `import {\n  to = ${address}\n  id = ${hclString(id)}\n}\n`
}

/** A quoted HCL string in which nothing is a template, and no character is one that an editor or a terminal would change. */
function hclString(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/([$%])(?=\{)/g, '$1$1')
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => escapes[char] ?? codePoint(char))
  return `"${escaped}"`
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function codePoint(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16)
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}
