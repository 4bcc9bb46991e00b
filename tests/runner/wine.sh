#!/bin/sh
# wine.sh begin|end EMULATOR [PROGRAM]: makes Wine's Windows by running a program once, or ends what
# Wine has left running there, and nowhere else. EMULATOR is env, variables, and the path of wine64.
set -eu
what=$1
shift
if [ "$what" = begin ]; then
    # Not into ctest's pipe, which Wine's server would hold open.
    "$@" --list >/dev/null 2>&1 </dev/null
    exit
fi
server=
for argument in "$@"; do
    shift
    case $argument in
    */wine64) server=${argument%/*}/wineserver ;;
    *) set -- "$@" "$argument" ;;
    esac
done
"$@" "$server" -k >/dev/null 2>&1 </dev/null || true # it fails when nothing is left
