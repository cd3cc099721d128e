#!/bin/sh
# Uploads a configuration, queues a task, shows its plan as it comes and answers by exit code. Needs curl 7.82 or newer and jq.
#   IAC_URL=https://iac.example.com IAC_TOKEN=… iac-task.sh WORKSPACE DIRECTORY [plan|plan_and_apply|destroy|drift_check]
# A plan that waits for its confirmation is a success: a person, or `iac-task.sh`'s caller, confirms it.
set -eu
workspace=name:$1 directory=$2 type=${3:-plan}
: "${IAC_URL:?the server, https://host[/prefix]}" "${IAC_TOKEN:?an operator token}"
api=$IAC_URL/api/v1

# The token goes in by a file that only we can read: arguments can be read by everybody on the machine.
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
printf 'header = "Authorization: Bearer %s"\n' "$IAC_TOKEN" >"$private/auth"
call() { curl --config "$private/auth" --silent --show-error --fail-with-body --retry 5 --retry-connrefused "$@"; }

tar -C "$directory" --exclude=.git --exclude=.terraform -czf "$private/tree.tar.gz" .
call --request PUT --header 'Content-Type: application/gzip' --data-binary "@$private/tree.tar.gz" \
  "$api/workspaces/$workspace/configuration" | jq -r '"configuration \(.id)"'

# The same key again answers the same task, so a retried request does not queue a second one.
key=${IAC_KEY:-$(date +%s)-$$}
task=$(jq -n --arg type "$type" --arg text "${IAC_DESCRIPTION:-}" '{task_type: $type, description: $text}' |
  call --header "Idempotency-Key: $key" --json @- "$api/workspaces/$workspace/tasks" | jq -r .id)
echo "task $task queued"

# Server-sent events; the stream ends when the plan's log has ended.
call --no-buffer "$api/tasks/$task/logs/stream?phase=plan" |
  sed -un 's/^data: //p' | jq --unbuffered -j '.text // empty'

while :; do
  call "$api/tasks/$task" >"$private/task"
  case $(jq -r .status "$private/task") in
    pending | running) sleep 2 ;;
    *) break ;;
  esac
done
jq -r '"task \(.id): \(.status)\(if .error_message then ", " + .error_message else "" end)"' "$private/task"
case $(jq -r .status "$private/task") in failed | cancelled) exit 1 ;; esac
