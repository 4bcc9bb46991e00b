#!/bin/sh
# Runs a command with its output in a log file, and prints a line per minute with the last line of it:
#   with-progress.sh NAME LOG COMMAND [ARGUMENT]...
# Exits with the command's exit code.
name=$1
log=$2
shift 2

"$@" >"$log" 2>&1 &
command=$!
trap 'kill "$command" 2>/dev/null' INT TERM

seconds=0
while sleep 1 && kill -0 "$command" 2>/dev/null; do
    seconds=$((seconds + 1))
    if [ $((seconds % 60)) -eq 0 ]; then
        last=$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-90)
        echo "-- $name: $((seconds / 60)) min: $last"
    fi
done
wait "$command"
