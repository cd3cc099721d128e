/** What both sides plan and apply: `count` instances of terraform's own resource, which costs its provider nothing. */
export function configurationOf(resources: number): string {
  return `resource "terraform_data" "x" {\n  count = ${resources}\n  input = "value \${count.index}"\n}\n`
}

/** A state without resources, as a destroy leaves it: with it in place the same resources are created again. */
export function emptiedState(lineage: string, serial: number): string {
  const state = {
    version: 4,
    terraform_version: '1.11.4',
    serial,
    lineage,
    outputs: {},
    resources: [],
    check_results: null,
  }
  return `${JSON.stringify(state)}\n`
}
