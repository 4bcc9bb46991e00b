#!/bin/sh
# Runs a program on QEMU's RISC-V board virt: run.sh PROGRAM ARGUMENT…. The exit code is the
# program's. BOARD_SERIAL joins the UART to something, as QEMU's -serial spells it.
set -eu
program=$1
shift
arguments=
[ $# -gt 0 ] || arguments=,arg= # else QEMU passes the program's path
for argument; do
    arguments=$arguments,arg=$argument # picolibc adds the program's name
done
exec qemu-system-riscv32 -M virt -m 64M -bios none -display none -monitor none \
    -serial "${BOARD_SERIAL:-null}" -semihosting-config "enable=on,target=native$arguments" \
    -kernel "$program" 2>&1 # where QEMU sends what picolibc prints
