#!/usr/bin/env bash
# `openssl s_client` against `portls listen`: s_client.sh TOOL CERTS tls12|tls13
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
protocol=$3
case $protocol in
tls12) version=TLSv1.2 flag=-tls1_2 other=-tls1_3 suggestions=SUGGESTED_AUTHORITIES ;;
tls13) version=TLSv1.3 flag=-tls1_3 other=-tls1_2 suggestions=SUGGESTED_AUTHORITIES_13 ;;
esac
server=(--protocol "$protocol" --cert "$certs/server-p256.chain.pem" --key "$certs/server-p256.key")
client_files=(-cert "$certs/client-rsa2048.pem" -key "$certs/client-rsa2048.key"
    -cert_chain "$certs/client-rsa2048.chain.pem")

# s_client ROOT ARGUMENT...
s_client() {
    local root=$1
    shift
    run openssl s_client "$flag" -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$certs/$root.pem" -verify_return_error -verify_hostname localhost "$@"
}

# s_client ends when either side does. So this one says its line to a server that does not end
# first, and waits a little, since a client that leaves unread what has just arrived resets the
# connection.
say_line() {
    s_client "$@" -quiet -no_ign_eof < <(cat -- "$work/client" && sleep 0.5)
}

printf 'from the client\n' >"$work/client"
head -c 300000 /dev/urandom | base64 >"$work/large"

# To the server, which sees the client's end.
listen up "${server[@]}" --keep-open --verbose
say_line root
ended "$pid"
same 'portls listen: exit code' "$code" 0
same_file 'what s_client sent' "$work/up.out" "$work/client"
matches 'the summary' "$(<"$work/up.err")" \
    "portls listen: $version, [A-Z0-9_-]+, peer without a certificate"

# To the client, which sees the server's end.
cp "$work/large" "$work/down.in"
listen down "${server[@]}"
s_client root -quiet </dev/null
same 's_client: exit code' "$code" 0
same_file 'what s_client got' "$work/out" "$work/large"
ended "$pid"
same 'a large answer: exit code' "$code" 0

# The version and the verification as s_client sees them.
listen brief "${server[@]}"
s_client root -brief -ign_eof </dev/null
ended "$pid"
matches 's_client: protocol' "$err" "Protocol version: $version"
matches 's_client: verification' "$err" 'Verification: OK'

# A client certificate, demanded and given.
listen mutual "${server[@]}" --keep-open --verify-client "$certs/root.pem" --verbose
say_line root "${client_files[@]}"
ended "$pid"
same 'with a client certificate: exit code' "$code" 0
same_file 'with a client certificate: what was sent' "$work/mutual.out" "$work/client"
matches 'with a client certificate: the summary' "$(<"$work/mutual.err")" \
    "portls listen: $version, .*, peer .*portls client-rsa2048.*, verified"

# Demanded and not given; given but of another root.
listen nobody "${server[@]}" --verify-client "$certs/root.pem" --once
say_line root
ended "$pid"
same 'without the demanded certificate: exit code' "$code" 3
matches 'without the demanded certificate: message' "$(<"$work/nobody.err")" \
    'portls listen: .*sent no certificate'
same 'without the demanded certificate: nothing came through' "$(<"$work/nobody.out")" ''

listen stranger "${server[@]}" --verify-client "$certs/root.pem" --once
say_line root -cert "$certs/client-second-root.pem" -key "$certs/client-second-root.key"
ended "$pid"
same "with another root's certificate: exit code" "$code" 3
matches "with another root's certificate: message" "$(<"$work/stranger.err")" \
    'portls listen: .*does not lead to a trusted root'
same "with another root's certificate: nothing came through" "$(<"$work/stranger.out")" ''

# The suggested authorities, and no others, are what the client is told; trust is another matter.
# A backend that cannot send them in this version says so when it is asked to.
if "$tool" info --capabilities | grep -q "^$suggestions  *yes"; then
    listen suggest "${server[@]}" --verify-client "$certs/root.pem" \
        --suggest "$certs/second-root.pem" --suggest "$certs/test.pem"
    s_client root -ign_eof "${client_files[@]}" </dev/null
    ended "$pid"
    same 'with suggestions: the trusted client is still accepted' "$code" 0
    same 'the suggested authorities' \
        "$(sed -n '/^Acceptable client certificate CA names/,/^\(Requested\|Client Certificate\)/p' \
            "$work/out" | grep 'CN = ')" \
        $'O = portls test, CN = portls second test root\nO = portls test, CN = test'
else
    run "$tool" listen 0 "${server[@]}" --suggest "$certs/test.pem" </dev/null
    same 'suggestions that cannot be sent: exit code' "$code" 6
    matches 'suggestions that cannot be sent: message' "$(<"$work/err")" \
        'portls listen: the [a-z]* backend .*suggested authorities'
fi

# The wrong root on the client's side.
listen wrong "${server[@]}" --once
say_line second-root
same 's_client with the wrong root: exit code' "$code" 1
ended "$pid"
same 'refused by s_client: exit code' "$code" 4
matches 'refused by s_client: message' "$(<"$work/wrong.err")" 'portls listen: .*unknown.*authority'

# The other version.
listen other "${server[@]}" --once
flag=$other
say_line root
same 's_client with the other version: exit code' "$code" 1
ended "$pid"
same 'the other version: exit code' "$code" 4

finish
