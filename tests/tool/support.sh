# Sourced by the shell tests of the portls command and of interop. The first two arguments of each
# script are the command and the directory of the test certificates.
#
# A check that fails is printed with what was found instead; the script goes on, so that one run
# shows all of them, and its last line, `finish`, gives the exit code.

set -u
export LC_ALL=C
unset SSL_CERT_FILE SSL_CERT_DIR

tool=$1
certs=$2
checks=0
problems=0
pids=()
work=$(mktemp -d)

# Seconds after which anything that a test starts is ended; far more than any of it needs. A script
# may have set it.
readonly LIMIT=${LIMIT:-30}

end_all() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf -- "$work"
}
trap end_all EXIT

fail() {
    problems=$((problems + 1))
    printf 'FAILED: %s\n' "$1"
}

# same WHAT FOUND WANTED
same() {
    checks=$((checks + 1))
    if [[ $2 != "$3" ]]; then
        fail "$1"
        printf '    found:  %s\n    wanted: %s\n' "$2" "$3"
    fi
}

# matches WHAT FOUND PATTERN: PATTERN is an extended regular expression.
matches() {
    checks=$((checks + 1))
    if [[ ! $2 =~ $3 ]]; then
        fail "$1"
        printf '    found:  %s\n    wanted: %s\n' "$2" "$3"
    fi
}

# same_file WHAT FILE FILE
same_file() {
    checks=$((checks + 1))
    if ! cmp -- "$2" "$3" >"$work/cmp" 2>&1; then
        fail "$1"
        printf '    %s\n' "$(<"$work/cmp")"
    fi
}

finish() {
    if ((checks == 0)); then
        printf 'FAILED: nothing was checked\n'
        exit 1
    fi
    if ((problems > 0)); then
        printf '%d of %d checks failed\n' "$problems" "$checks"
        exit 1
    fi
    printf '%d checks\n' "$checks"
    exit 0
}

# run COMMAND...: runs it to its end, without standard input unless it was redirected. Sets $code,
# $out and $err; the bytes are in $work/out and $work/err.
run() {
    timeout "$LIMIT" "$@" >"$work/out" 2>"$work/err"
    code=$?
    out=$(tr -d '\0' <"$work/out")
    err=$(tr -d '\0' <"$work/err")
}

# start NAME COMMAND...: runs it in the background with $work/NAME.in, if there is one, as standard
# input. Sets $pid; what it writes is in $work/NAME.out and $work/NAME.err.
start() {
    local name=$1
    shift
    [[ -e $work/$name.in ]] || : >"$work/$name.in"
    : >"$work/$name.out" # there before anybody looks into it
    : >"$work/$name.err"
    timeout "$LIMIT" "$@" <"$work/$name.in" >>"$work/$name.out" 2>>"$work/$name.err" &
    pid=$!
    pids+=("$pid")
}

# ended PID: waits for what was started. Sets $code.
ended() {
    wait "$1"
    code=$?
}

# appears FILE PATTERN: waits for a line of a file; prints what the pattern's first group matched.
appears() {
    local i line
    for ((i = 0; i < LIMIT * 20; i++)); do
        while IFS= read -r line; do
            if [[ $line =~ $2 ]]; then
                printf '%s\n' "${BASH_REMATCH[1]}"
                return 0
            fi
        done <"$1"
        sleep 0.05
    done
    return 1
}

# listen NAME OPTION...: starts `portls listen 0 OPTION...`. Sets $pid and $port.
listen() {
    local name=$1
    shift
    start "$name" "$tool" listen 0 "$@"
    if ! port=$(appears "$work/$name.err" '^listening on 127\.0\.0\.1:([0-9]+)$'); then
        fail "portls listen 0 $*: did not say where it listens"
        cat -- "$work/$name.err"
        finish
    fi
}

# The port on which the program behind a `timeout` process listens, if it does not tell itself.
listening_port() {
    local i child found
    for ((i = 0; i < LIMIT * 20; i++)); do
        child=$(<"/proc/$1/task/$1/children")
        found=$(ports_of "${child%% *}")
        if [[ -n $found ]]; then
            printf '%s\n' "$found"
            return 0
        fi
        sleep 0.05
    done
    return 1
}

# The first TCP port on which a process listens, from the kernel's tables.
ports_of() {
    local inodes link local_address state inode rest
    inodes=$(for link in "/proc/$1/fd/"*; do readlink -- "$link"; done 2>/dev/null)
    while read -r _ local_address _ state _ _ _ _ _ inode rest; do
        if [[ $state == 0A && $inodes == *"socket:[$inode]"* ]]; then
            printf '%d\n' "0x${local_address##*:}"
            return
        fi
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
}
