/** A checksum on the wire: hex SHA-256, `sha256:` before it allowed, empty or absent allowed. */

/** Lower-case hex; null when none was given; undefined when the text is no SHA-256. */
export function readChecksum(text: string | undefined): string | null | undefined {
  if (text === undefined || text === '') return null
  const hex = text.replace(/^sha256:/i, '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined
}
