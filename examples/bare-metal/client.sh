#!/bin/sh
# Runs the client on QEMU's MPS2 board, its UART joined to an OpenSSL server:
#   client.sh PROGRAM CERTIFICATE KEY CODE
# Succeeds if the program ends with this exit code.
set -eu
program=$1
work=$(mktemp -d)
# -rev answers each line with its letters in the other order.
: >"$work/said"
openssl s_server -accept 127.0.0.1:0 -cert "$2" -key "$3" -rev >"$work/said" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
port=
while [ -z "$port" ]; do
    kill -0 "$server" # gone: nobody would ever say
    port=$(sed -n 's/^ACCEPT 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/said")
    sleep 0.1
done
code=0
qemu-system-arm -M mps2-an385 -display none -monitor none -serial "tcp:127.0.0.1:$port" \
    -semihosting-config enable=on,target=native -kernel "$program" || code=$?
echo "the program ended with $code"
[ "$code" -eq "$4" ]
