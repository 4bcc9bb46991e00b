#!/usr/bin/env bash
#
# Writes files as C arrays, to be compiled into a program that has no files:
#     certs/make-arrays.sh OUTPUT.h NAME=FILE…
# X.der stands for X.pem (a certificate), and X.key.der for X.key, in DER. Every array is
# `static const unsigned char NAME[]`.

set -euo pipefail
export LC_ALL=C

[[ $# -ge 2 ]] || { echo 'usage: make-arrays.sh OUTPUT.h NAME=FILE…' >&2; exit 2; }
output=$1
shift

content() {
    if [[ $1 != *.der || -f $1 ]]; then
        cat -- "$1"
    elif [[ -f ${1%.der}.pem ]]; then
        openssl x509 -in "${1%.der}.pem" -outform DER
    else
        openssl pkcs8 -topk8 -nocrypt -in "${1%.der}" -outform DER
    fi
}

work=$(mktemp "$output.XXXXXX")
trap 'rm -f -- "$work"' EXIT
for pair in "$@"; do
    printf 'static const unsigned char %s[] = {\n' "${pair%%=*}"
    content "${pair#*=}" | od -An -v -tx1 | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g'
    printf '};\n'
done >"$work"
mv -f -- "$work" "$output"
