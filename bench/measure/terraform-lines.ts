/** Text as terraform prints it. */

/** Lines of an apply of as many bytes, no two the same. */
export function terraformLines(sizeBytes: number): Buffer {
  const lines: string[] = []
  for (let index = 0, size = 0; size < sizeBytes; index++) {
    const id = (Math.imul(index + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')
    const line = `aws_instance.worker["${index}"]: Creation complete after ${index % 97}s [id=i-${id}${id.slice(2)}]\n`
    lines.push(line)
    size += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, sizeBytes)
}
