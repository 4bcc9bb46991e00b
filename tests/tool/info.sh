#!/usr/bin/env bash
# portls info, in a build whose TLS library is there.
# info.sh TOOL CERTS BACKEND
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"
backend=$3

run "$tool" info
same 'portls info: exit code' "$code" 0
same 'portls info: standard error' "$err" ''
matches 'portls info: the version' "$out" $'^portls: +[0-9]+\\.[0-9]+\\.[0-9]+\n'
matches 'portls info: the backend' "$out" $'\nbackend: +'"$backend"$'\n'
matches 'portls info: availability' "$out" $'\navailable: +yes\n'
matches "portls info: the TLS library's own version" "$out" $'\nTLS library: +[^ ].*[0-9]+\\.[0-9]+'

run "$tool" info --capabilities
same 'portls info --capabilities: exit code' "$code" 0
same 'portls info --capabilities: a line that is no row of the table' \
    "$(grep -vE '^[A-Z0-9_]+ +(yes|no ) +[^ ].*$' "$work/out")" ''
for name in TLS12 TLS13 SUGGESTED_AUTHORITIES SUGGESTED_AUTHORITIES_13 VERIFY_REASON ED25519; do
    same "portls info --capabilities: rows for $name" \
        "$(grep -cE "^$name +(yes|no ) " "$work/out")" 1
done
# TLS without either version would be none.
matches 'portls info --capabilities: TLS 1.2' "$out" 'TLS12 +yes  TLS 1\.2'

finish
