#!/bin/sh
# Runs the client on the emulated board, its UART joined to an OpenSSL server:
#   client.sh RUN PROGRAM CERTIFICATE KEY CODE
# Succeeds if the program ends with this exit code.
set -eu
work=$(mktemp -d)
# -rev answers each line with its letters in the other order.
: >"$work/said"
openssl s_server -accept 127.0.0.1:0 -cert "$3" -key "$4" -rev >"$work/said" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
port=
while [ -z "$port" ]; do
    kill -0 "$server" # gone: nobody would ever say
    port=$(sed -n 's/^ACCEPT 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/said")
    sleep 0.1
done
code=0
BOARD_SERIAL="tcp:127.0.0.1:$port" "$1" "$2" || code=$?
echo "the program ended with $code"
[ "$code" -eq "$5" ]
