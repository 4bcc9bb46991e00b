#!/usr/bin/env bash
# What portls says when the network or the peer is not as it should be.
# network.sh TOOL CERTS TCP_PEER
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"
tcp_peer=$3
server=(--cert "$certs/server-rsa2048.chain.pem" --key "$certs/server-rsa2048.key")

# fails CODE MESSAGE ARGUMENT...
fails() {
    local wanted=$1 message=$2
    shift 2
    run "$tool" "$@" </dev/null
    same "portls $*: exit code" "$code" "$wanted"
    same "portls $*: message" "$err" "$message"
    same "portls $*: standard output" "$out" ''
}

# refuses WHAT REASON ARGUMENT...: the server's certificate is refused for a reason. Which
# certificate it was is told in the TLS library's words.
refuses() {
    local what=$1 reason=$2
    shift 2
    run "$tool" "$@" </dev/null
    same "$what: exit code" "$code" 3
    matches "$what: message" "$err" "^portls connect: the (server's )?certificate [^:]*$reason"
    same "$what: standard output" "$out" ''
}

# peer WHAT [TEXT]: starts a server that does not speak TLS. Sets $pid and $port.
peer() {
    start peer "$tcp_peer" "$@"
    if ! port=$(appears "$work/peer.out" '^([0-9]+)$'); then
        fail 'tcp-peer does not listen'
        finish
    fi
}

# A port on which nothing listens, and which no test beside this one gets.
peer refuse
fails 2 "portls connect: cannot connect to 127.0.0.1 port $port: the connection was \
refused: nothing listens on that address" connect --roots "$certs/root.pem" "127.0.0.1:$port"
kill "$pid"
ended "$pid"
fails 2 'portls connect: cannot resolve "no-such-host.invalid": there is no host of that name' \
    connect --roots "$certs/root.pem" no-such-host.invalid:443
fails 1 "portls connect: the host name has a ' ', which stands in no host name" \
    connect --roots "$certs/root.pem" 'bad name:443'

peer say $'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'
fails 4 'portls connect: the peer does not speak TLS: it began with "HTTP/1.1 400 Bad"' \
    connect --roots "$certs/root.pem" "127.0.0.1:$port"
ended "$pid"
peer hang-up
fails 4 'portls connect: the peer closed the connection in the middle of the handshake' \
    connect --roots "$certs/root.pem" "127.0.0.1:$port"
ended "$pid"
peer reset
fails 4 'portls connect: reading from the descriptor failed: the peer has reset the connection' \
    connect --roots "$certs/root.pem" "127.0.0.1:$port"
ended "$pid"

# The same to a server; it goes on, and says so unless it is told to be quiet.
listen echo "${server[@]}" --echo
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET / HTTP/1.0\r\n\r\n' >&3
cat <&3 >/dev/null
exec 3>&-
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf '\26\3\1\2\0\1' >&3
exec 3>&-
exec 3<>"/dev/tcp/127.0.0.1/$port"
exec 3>&-
run "$tool" connect --roots "$certs/root.pem" "localhost:$port" <<<'still there'
same 'after bad clients: exit code' "$code" 0
same 'after bad clients: the echo' "$out" 'still there'
failed='portls listen: a connection failed: the peer'
same 'after bad clients: what was said' "$(tail -n +2 "$work/echo.err" | sort)" \
    "$failed closed the connection in the middle of the handshake
$failed closed the connection in the middle of the handshake
$failed does not speak TLS: it began with \"GET / HTTP/1.0\""
# Its port is in use.
fails 2 "portls listen: cannot listen on 127.0.0.1 port $port: the address is in use already" \
    listen "$port" "${server[@]}"
kill "$pid"
ended "$pid"
fails 2 'portls listen: cannot listen on 192.0.2.1 port 0: the address does not belong to this '\
'machine' listen 0 --host 192.0.2.1 "${server[@]}"
fails 2 'portls listen: cannot resolve "no-such-host.invalid": there is no host of that name' \
    listen 0 --host no-such-host.invalid "${server[@]}"

# --once: the first connection decides.
listen once "${server[@]}" --once
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET / HTTP/1.0\r\n\r\n' >&3
ended "$pid"
exec 3>&-
same '--once and a client that does not speak TLS: exit code' "$code" 4

# Verification, on by default.
listen echo2 "${server[@]}" --echo --quiet
refuses 'another root' 'was refused: the chain does not lead to a trusted root' \
    connect --roots "$certs/second-root.pem" "localhost:$port"
SSL_CERT_FILE=$certs/second-root.pem refuses "another system's roots" \
    'was refused: the chain does not lead to a trusted root' connect "localhost:$port"
kill "$pid"
ended "$pid"
same 'stopped by SIGTERM: exit code' "$code" 0
same '--quiet: nothing but where it listens' "$(tail -n +2 "$work/echo2.err")" ''

while IFS='|' read -r leaf reason; do
    listen "$leaf" --cert "$certs/$leaf.chain.pem" --key "$certs/$leaf.key" --echo --quiet
    refuses "$leaf" "$reason" connect --roots "$certs/root.pem" "localhost:$port"
    run "$tool" connect --no-verify --quiet "localhost:$port" <<<'whoever you are'
    same "$leaf, --no-verify: exit code" "$code" 0
    same "$leaf, --no-verify: the warning" "$err" \
        'portls connect: warning: --no-verify: anybody may be the server'
    same "$leaf, --no-verify: the echo" "$out" 'whoever you are'
    kill "$pid"
done <<'END'
expired|was refused: a certificate of the chain has expired
not-yet-valid|was refused: a certificate of the chain is not valid yet
wrong-purpose|was refused: the certificate is for another purpose
other-name|is not for the host localhost that was asked for
ip-only|is not for the host localhost that was asked for
END

# An address is verified as an address.
listen address --cert "$certs/ip-only.chain.pem" --key "$certs/ip-only.key" --echo --quiet
run "$tool" connect --roots "$certs/root.pem" "127.0.0.1:$port" <<<'by address'
same 'by address: exit code' "$code" 0
same 'by address: the echo' "$out" 'by address'
kill "$pid"

finish
