/** Ends an exhaustive switch: a new member of the union becomes a type error here, an unchecked value a thrown one. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`)
}
