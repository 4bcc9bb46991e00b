#!/bin/sh
# Runs a program on QEMU's MPS2 board: run.sh PROGRAM ARGUMENT…. The exit code is the program's.
# BOARD_SERIAL joins the UART to something, as QEMU's -serial spells it.
set -eu
program=$1
arguments=arg=$(basename "$program")
shift
for argument; do
    arguments=$arguments,arg=$argument
done
exec qemu-system-arm -M mps2-an385 -display none -monitor none -serial "${BOARD_SERIAL:-null}" \
    -semihosting-config "enable=on,target=native,$arguments" -kernel "$program"
