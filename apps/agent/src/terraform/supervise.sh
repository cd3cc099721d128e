#!/bin/sh
# supervise.sh CGROUP <ORDER: runs one terraform command and outlives the agent that started it. It joins the cgroup CGROUP, unless empty,
# and stands by for ORDER, a line that sets d and o and defines the function `become`, which turns into the command (order.ts); without a
# whole one it ends with 125, and nothing was started. Start it detached (leader of its own group) with stdout and stderr ignored.
# Facts are names in d, a directory that is absolute and exists: made in one step, with no bytes that a full disk could refuse. The
# command appends to the file o, which is made when absent, for this user alone.
#   claim -> pid:start:boot of this supervisor: a link, since only of a link the second is refused
#   pid=pid:start:boot of COMMAND, made before it runs: an empty file, as the next, which the shell makes by itself (a link: 0.9 ms)
#   exit=its exit code:user:system clock ticks of COMMAND and all it waited for
#   cgroup -> CGROUP, by the agent
# Ends, with 0, when nobody is left in its group. 125 without a claim of ours: nothing was started. The command's code is in exit.
umask 077 # the order sets the command's own
newline='
'
whoami='read -r pid x x x group x x x x x x x x x x x x x x x x start x </proc/self/stat &&
  read -r boot </proc/sys/kernel/random/boot_id || exit 125'

fact() { true >"$d/$1=$2"; } 2>/dev/null
at() { [ "$IAC_CRASH_POINT" != "$1" ] || kill -KILL $$; } # tests let us die here, as by kill -9

eval "$whoami"
[ "$group" = "$$" ] || exit 125 # not a leader: the sweep below would hit whoever started us
[ -z "$1" ] || { echo $$ >"$1/cgroup.procs"; } 2>/dev/null # holds what leaves the group, too
IFS= read -r order || exit 125 # its environment may be secret: it is on no command line, and on no disk
eval "$order"
cd "$d" || exit 125
at supervisor.begun
command -p ln -s "$pid:$start:$boot" "$d/claim" || exit 125
trap : HUP INT TERM # a handler is reset in children; trap '' would be inherited
at supervisor.claimed

( # a shell of its own, which becomes the command
  eval "$whoami"
  [ "$IAC_CRASH_POINT" != supervisor.starting ] || kill -KILL "$pid"
  fact pid "$pid:$start:$boot" || exit 125
  [ "$IAC_CRASH_POINT" != supervisor.named ] || kill -KILL "$pid"
  [ "$IAC_CRASH_POINT" != supervisor.orphaned ] || kill -KILL $$
  become "$newline"
) </dev/null >>"$o" 2>&1
code=$?
at supervisor.ended
set -- "$d"/pid=*
[ -e "$1" ] || code=125 # not started, whatever the shell made of it (a failed >> is 1 or 2)
read -r x x x x x x x x x x x x x x x user system x </proc/self/stat
until fact exit "$code:$user:$system" || [ ! -d "$d" ]; do command -p sleep 1; done
at supervisor.exited

others() { # pids of whoever else is in our group, zombies aside; fails when there is nobody
  pids=
  found=$(LC_ALL=C command -p grep -lsE "[)] [^Z] [0-9]+ $$ " /proc/[0-9]*/stat) # the shell reads byte by byte: 0.2 ms a process
  case $found in */proc/$$/stat*) ;; *) found=$(echo /proc/[0-9]*/stat) ;; esac # we are in it, or it is no answer
  for f in $found; do
    read -r line <"$f" || continue
    [ "${line%% *}" = "$$" ] && continue
    set -- ${line##*) } # state ppid group
    [ "$3" = "$$" ] && [ "$1" != Z ] && pids="$pids ${line%% *}"
  done 2>/dev/null
  [ "$pids" ]
}
alone() { # nobody but us is in the cgroup, nor in one made in it; or there is none
  set -- "$d"/cgroup/*/
  [ ! -d "$1" ] || return 1
  while read -r pid; do [ "$pid" = "$$" ] || return 1; done <"$d/cgroup/cgroup.procs"
} 2>/dev/null
end() { # whoever left the group is still in the cgroup, and so are we: killing it is the last word
  [ ! -d "$d/cgroup" ] || alone || { echo 1 >"$d/cgroup/cgroup.kill"; } 2>/dev/null
  exit 0
}
others || end
kill -TERM 0
at supervisor.sweeping
for i in 1 2 3 4 5 6 7 8 9 10; do
  command -p sleep 0.2
  others || end
done
while others; do # one by one: a KILL of the group would end us before we have seen it empty
  kill -KILL $pids
  command -p sleep 0.1
done 2>/dev/null
end
