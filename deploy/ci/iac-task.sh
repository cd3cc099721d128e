#!/bin/sh
# Uploads a configuration, queues a task, shows its plan as it comes and answers by exit code. Needs curl 7.82 or newer and jq.
#   IAC_URL=https://iac.example.com IAC_TOKEN=… iac-task.sh WORKSPACE DIRECTORY [plan|plan_and_apply|destroy|drift_check]
# A plan that waits for its confirmation is a success: a person confirms it.
set -eu
workspace=name:$1 directory=$2 type=${3:-plan}
: "${IAC_URL:?the server, https://host[/prefix]}" "${IAC_TOKEN:?an operator token}"
api=$IAC_URL/api/v1

# The token goes in by a file that only we can read: everybody on the machine can read arguments.
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
printf 'header = "Authorization: Bearer %s"\n' "$IAC_TOKEN" >"$private/auth"

# Asks the server; its answer is then in $private/answer. A refusal ends us with the server's sentence.
ask() {
  curl --config "$private/auth" --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --output "$private/answer" "$@" && return
  jq -r '.error.message // empty' "$private/answer" >&2
  exit 1
}
answer() { jq -r "$1" "$private/answer"; }

tar -C "$directory" --exclude=.git --exclude=.terraform -czf "$private/tree.tar.gz" .
ask --request PUT --header 'Content-Type: application/gzip' --data-binary "@$private/tree.tar.gz" \
  "$api/workspaces/$workspace/configuration"
answer '"configuration \(.id)"'

# The same key again answers the same task, so a repeated job does not queue a second one.
jq -n --arg type "$type" --arg text "${IAC_DESCRIPTION:-}" '{task_type: $type, description: $text}' >"$private/order"
ask --header "Idempotency-Key: ${IAC_KEY:-$(date +%s)-$$}" --json "@$private/order" "$api/workspaces/$workspace/tasks"
task=$(answer .id)
echo "task $task queued"

# Server-sent events; the stream ends when the plan's log has ended.
curl --config "$private/auth" --silent --no-buffer "$api/tasks/$task/logs/stream?phase=plan" |
  sed -un 's/^data: //p' | jq --unbuffered -j '.text // empty'

# A workspace with auto_apply has confirmed the plan itself.
while ask "$api/tasks/$task" && [ "$(answer '.status as $s |
  $s == "pending" or $s == "running" or ($s == "apply_pending" and .confirmed_at != null)')" = true ]; do
  sleep 2
done
answer '"task \(.id): \(.status)" + if .error_message then ", " + .error_message else "" end'
case $(answer .status) in failed | cancelled) exit 1 ;; esac
