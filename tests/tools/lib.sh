# Sourced by the command-line tests. Each runs in an empty directory of its own with BIN
# (the programs), TESTS (this tree's tests/) and ACCEPT (set: renew golden files).
#
#   t NAME COMMAND...      a case that passes when COMMAND succeeds
#   code N COMMAND...      succeeds when COMMAND exits with N; its stdout and stderr are
#                          left in the files `out` and `err`
#   golden NAME [FILE]     compares FILE (or `out`) with tests/tools/golden/NAME
#   says TEXT              succeeds when `err` is one line that holds TEXT
#   skip NAME REASON       counts a case that cannot run here, and says why
#   finish                 the last line of every test
PATH=$BIN:$PATH
FIX=$TESTS/fixtures
GOLD=$TESTS/tools/golden
export FIX GOLD
LC_ALL=C
export LC_ALL
_passed=0 _failed=0 _skipped=0

t() {
    _name=$1
    shift
    if "$@"; then
        _passed=$((_passed + 1))
    else
        _failed=$((_failed + 1))
        echo "not ok: $_name ($*)"
        for _f in out err; do
            [ -s $_f ] && { echo "--- $_f"; head -c 2000 $_f; }
        done
    fi
}

code() {
    _want=$1
    shift
    "$@" >out 2>err </dev/null
    _got=$?
    [ $_got -eq "$_want" ] || { echo "exit $_got, expected $_want"; return 1; }
}

golden() {
    if [ -n "$ACCEPT" ]; then
        mkdir -p "$GOLD"
        cp "${2:-out}" "$GOLD/$1"
    else
        diff -u "$GOLD/$1" "${2:-out}"
    fi
}

says() {
    grep -qF -- "$1" err && [ "$(wc -l <err)" -eq 1 ]
}

skip() {
    _skipped=$((_skipped + 1))
    echo "skip  $1: $2"
}

finish() {
    echo "cases $_passed $_failed $_skipped" >&3
    [ $_failed -eq 0 ]
}
