#!/usr/bin/env bash
# The command line of portls: help, version, and every way to get it wrong, with the exact words.
# usage.sh TOOL CERTS
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"

# wrong MESSAGE HELP ARGUMENT...: exit code 1, MESSAGE and where the help is, nothing on stdout.
wrong() {
    local message=$1 help=$2
    shift 2
    run "$tool" "$@" </dev/null
    same "portls $*: exit code" "$code" 1
    same "portls $*: message" "$err" "$message"$'\n'"Try '$help --help'."
    same "portls $*: standard output" "$out" ''
}

# helps ARGUMENT...: a help text that fits a screen of 24 lines with 80 columns.
helps() {
    run "$tool" "$@" </dev/null
    same "portls $*: exit code" "$code" 0
    same "portls $*: standard error" "$err" ''
    matches "portls $*: first words" "$out" '^Usage: portls '
    same "portls $*: lines beyond 24" "$(tail -n +25 "$work/out")" ''
    same "portls $*: lines wider than 80" "$(grep -E '^.{81,}' "$work/out")" ''
}

helps --help
helps -h
helps info --help
helps connect --help
helps connect -h
helps listen --help

run "$tool" --version
same 'portls --version: exit code' "$code" 0
matches 'portls --version' "$out" '^portls [0-9]+\.[0-9]+\.[0-9]+$'

wrong 'portls: a command is missing: info, connect or listen' 'portls'
wrong "portls: 'conect' is no command, which is info, connect or listen" 'portls' conect x:1
wrong "portls: '--verbose' is no command, which is info, connect or listen" 'portls' --verbose

wrong "portls info: unknown option '--all'" 'portls info' info --all
wrong "portls info: 'x' is one argument too many" 'portls info' info x

wrong 'portls connect: HOST:PORT is missing' 'portls connect' connect
wrong "portls connect: 'b:2' is one argument too many" 'portls connect' connect a:1 b:2
wrong "portls connect: unknown option '--no-such'" 'portls connect' connect --no-such a:1
wrong "portls connect: unknown option '-x'" 'portls connect' connect -vx a:1
wrong "portls connect: option '--roots' needs a value" 'portls connect' connect a:1 --roots
wrong "portls connect: 'localhost' is not HOST:PORT, as in example.org:443" 'portls connect' \
    connect localhost
wrong "portls connect: ':443' is not HOST:PORT, as in example.org:443" 'portls connect' \
    connect :443
wrong "portls connect: '65536' is no port number, which is 1 to 65535" 'portls connect' \
    connect localhost:65536
wrong "portls connect: '0' is no port number, which is 1 to 65535" 'portls connect' \
    connect localhost:0
wrong "portls connect: '' is no port number, which is 1 to 65535" 'portls connect' \
    connect localhost:
wrong "portls connect: '44x' is no port number, which is 1 to 65535" 'portls connect' \
    connect localhost:44x
wrong "portls connect: '99999999999999999999' is no port number, which is 1 to 65535" \
    'portls connect' connect localhost:99999999999999999999
wrong "portls connect: '::1:443': an IPv6 address goes into brackets, as in [::1]:443" \
    'portls connect' connect ::1:443
wrong "portls connect: '[::1:443' is not [ADDRESS]:PORT, as in [::1]:443" 'portls connect' \
    connect '[::1:443'
wrong "portls connect: '[]:443' is not [ADDRESS]:PORT, as in [::1]:443" 'portls connect' \
    connect '[]:443'
wrong 'portls connect: the host name is longer than 255 characters' 'portls connect' \
    connect "$(printf 'a%.0s' {1..256}):443"
wrong "portls connect: 'ssl3' is no protocol, which is auto, tls, tls12, tls13 or secure" \
    'portls connect' connect --protocol ssl3 a:1
wrong 'portls connect: --no-verify and --roots exclude each other' 'portls connect' \
    connect --no-verify --roots "$certs/root.pem" a:1
wrong "portls connect: --protocol secure means the system's roots; leave it out to use --roots or \
--no-verify" 'portls connect' connect --protocol secure --no-verify a:1
wrong 'portls connect: --key without --cert' 'portls connect' connect --key k.pem a:1
many=()
for i in {1..33}; do
    many+=(--roots "$certs/root.pem")
done
wrong 'portls connect: more than 32 files for one option' 'portls connect' \
    connect "${many[@]}" a:1

wrong 'portls listen: PORT is missing' 'portls listen' listen --cert x
wrong "portls listen: '65536' is no port number, which is 0 to 65535" 'portls listen' \
    listen 65536 --cert x
wrong "portls listen: '-' is no port number, which is 0 to 65535" 'portls listen' \
    listen - --cert x
wrong 'portls listen: --cert FILE is missing' 'portls listen' listen 0
wrong 'portls listen: --protocol secure is for clients; a server verifies with --verify-client' \
    'portls listen' listen 0 --cert x --protocol secure
wrong 'portls listen: --echo and --keep-open exclude each other' 'portls listen' \
    listen 0 --cert x --echo --keep-open

finish
