#!/bin/bash
# Runs a program over a loaded backend with its TLS library hidden, and with it back.
# usage: hidden.sh PROGRAM PORTLS_LIBRARY MODULE
#   PROGRAM         tests/loaded/loaded_test.c, linked to PORTLS_LIBRARY
#   PORTLS_LIBRARY  libportls-<backend>.so.N
#   MODULE          portls-backend-<backend>.so
#
# Hidden means: the module asks for a name that no file has. It is a copy in which the last letter
# of the name is another one, so nothing on the machine is touched.
set -euo pipefail
program=$1 library=$2 module=$3
# The name under which the module asks for its TLS library: libssl.so.3, say.
needed=$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(lib\(ssl\|tls\|wolfssl\)\.so[^]]*\)\]/\1/p' |
    head -n 1)
if [ -z "$needed" ]; then
    echo "$module needs no TLS library"
    exit 1
fi
if readelf -d "$library" | grep -q "$needed"; then
    echo "$library needs $needed itself: a program would not start without it"
    exit 1
fi

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$program" "$place/program"
cp "$library" "$place/"
module_name=$(basename "$module")
hidden=${needed%?}~

run() {
    echo "-- $1"
    shift
    LD_LIBRARY_PATH="$place" "$place/program" "$@"
}

run "the module itself is missing" missing "$module_name"

LC_ALL=C sed "s/${needed//./\\.}/$hidden/g" "$module" >"$place/$module_name"
if cmp -s "$module" "$place/$module_name"; then
    echo "$module does not need $needed: the test hides nothing"
    exit 1
fi
run "$needed is missing" missing "$hidden"

printf 'no shared object' >"$place/$module_name"
run "the module is damaged" missing "$module_name"

cp "$module" "$place/$module_name"
run "everything is back" there
