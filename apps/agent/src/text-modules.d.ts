/** Files the build and vitest load as text. */
declare module '*.sh' {
  const text: string
  export default text
}
