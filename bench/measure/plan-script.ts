/** A terraform that is a few lines of sh, for benches in which its own cost must not show: what it prints as a plan is the bench's. */

/** `print`: sh that prints the plan; the current directory is the module's. */
export function planScript(print: string): string {
  return `#!/bin/sh
case "$1" in
  version) echo 'Terraform v1.11.4' ;;
  show) echo '{"format_version":"1.2","applyable":false,"resource_changes":[]}' ;;
  plan)
    for argument; do
      case "$argument" in -out=*) echo plan >"\${argument#-out=}" ;; esac
    done
    ${print} ;;
esac
`
}
