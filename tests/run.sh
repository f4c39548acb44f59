# Runs the unit tests given as arguments, then tests/tools/*.sh, and sums up.
# usage: BIN=DIR sh tests/run.sh 'WORDS' UNIT...    (WORDS: only tests whose name has one)
words=$1
shift
BIN=$(cd "${BIN:-bin}" && pwd)
TESTS=$(cd "$(dirname "$0")" && pwd)
export BIN TESTS
# Passive waiting: tests share the machine, with each other and with whoever runs them.
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export OMP_WAIT_POLICY OMP_NUM_THREADS ASAN_OPTIONS UBSAN_OPTIONS
# A test's own make is not to take over what this one was called with, OUT=... or -j.
unset MAKEFLAGS MAKEOVERRIDES MAKELEVEL MFLAGS OUT
passed=0 failed=0 skipped=0
log=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$log" "$work"' EXIT

wanted() {
    [ -z "$words" ] && return 0
    for word in $words; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}

for unit in "$@"; do
    wanted "$unit" || continue
    if "$unit" >"$log" 2>&1; then
        # cmocka: "[  PASSED  ] 7 test(s)." and "[  SKIPPED ] 1 test(s)."
        p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | head -n 1)
        s=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$log" | head -n 1)
        passed=$((passed + ${p:-0}))
        skipped=$((skipped + ${s:-0}))
        echo "ok    ${unit#"$PWD"/}: ${p:-0} passed${s:+, $s skipped}"
    else
        failed=$((failed + 1))
        echo "FAIL  $unit"
        cat "$log"
    fi
done

# A command-line test is a shell file that sources tools/lib.sh and calls `t NAME COMMAND`;
# it ends with a line "cases P F S" on descriptor 3.
for script in "$TESTS"/tools/test_*.sh; do
    [ -e "$script" ] || continue
    name=$(basename "$script")
    wanted "$name" || continue
    mkdir -p "$work/$name"
    (cd "$work/$name" && sh "$script" 3>"$log.cases") >"$log" 2>&1
    status=$?
    p=0 f=0 s=0
    read -r _ p f s <"$log.cases" || true
    rm -f "$log.cases"
    if [ $status -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
    if [ "${f:-0}" -gt 0 ]; then
        echo "FAIL  $name: ${p:-0} passed, $f failed"
        cat "$log"
    else
        echo "ok    $name: ${p:-0} passed$([ "${s:-0}" -gt 0 ] && echo ", $s skipped")"
        grep '^skip' "$log"
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
