#!/bin/sh
# start_job DIRECTORY COMMAND …: starts a command; DIRECTORY gets its pid, log and exit status.
directory=$1
shift
rm -rf "$directory"
mkdir -p "$directory"
(
  "$@" </dev/null >"$directory/log" 2>&1 &
  echo $! >"$directory/pid"
  wait $!
  echo $? >"$directory/status"
) >/dev/null 2>&1 &
until [ -s "$directory/pid" ]; do sleep 0.01; done
cat "$directory/pid"
