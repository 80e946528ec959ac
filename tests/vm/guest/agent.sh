#!/bin/sh
# Carries out orders from the second serial line, one after another. An order is a line: a number,
# the most seconds that it may take, and a shell script in base64. So is the answer: the number, the
# exit status, and what was printed and complained, in base64 behind a "=".
line=/dev/ttyS1
stty -F "$line" 115200 raw -echo
exec 3<>"$line"
echo ready >&3
while read -r number limit script <&3; do
  echo "$script" | base64 -d >/run/order
  # By its path: busybox would take its own shell, and that one its own ping.
  timeout -k 1 "$limit" /bin/sh /run/order </dev/null >/run/printed 2>/run/complained 3>&-
  echo "$number $? =$(base64 -w0 /run/printed) =$(base64 -w0 /run/complained)" >&3
done
