/**
 * The one place sensitive values, plans and states pass on their way into and out of the store.
 * Today it passes them on as they are: they lie readable in 0600 files of a 0700 directory.
 */

/** Seals bytes for the store. */
export function sealBytes(plain: Buffer): Buffer {
  return plain
}

/** Opens what sealBytes made. */
export function openBytes(sealed: Buffer): Buffer {
  return sealed
}

/** Seals a text, as UTF-8. */
export function sealText(plain: string): Buffer {
  return sealBytes(Buffer.from(plain, 'utf8'))
}

/** Opens what sealText made. */
export function openText(sealed: Buffer): string {
  return openBytes(sealed).toString('utf8')
}
