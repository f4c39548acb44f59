# The dispatcher: finds the programs beside itself or in PATH, and their manual pages.
. "$TESTS/tools/lib.sh"

t 'without a verb it is wrong usage' code 64 adapeft
t 'and help is pointed at' says 'adapeft: which verb? (see adapeft help)'
t 'help lists the verbs' code 0 adapeft help
for verb in probe rank select finetune evaluate plot view help; do
    t "help has a line for $verb" grep -q "^  $verb  *[a-z]" out
done
t '--help is the same' sh -c 'adapeft --help | cmp - out'
t '--version names program and version' sh -c '[ "$(adapeft --version)" = "adapeft 0.1.0" ]'
t 'a full stdout is a write error' code 74 sh -c 'exec adapeft help >/dev/full'
t 'an unknown verb is wrong usage' code 64 adapeft prob
t 'and near misses are named' says 'adapeft: prob: no such verb; did you mean probe, plot?'
t 'help on an unknown verb is wrong usage' code 64 adapeft help veiw
t 'and near misses are named there too' says 'veiw: no such verb; did you mean view?'
t 'an option before the verb is wrong usage' code 64 adapeft -q view
t 'and where options go is told' says 'adapeft: -q: options follow the verb'

t 'a verb is run with its arguments' sh -c \
    '[ "$(adapeft view --version)" = "adapeft-view 0.1.0" ]'
t 'its exit status is handed on' code 66 adapeft view missing

# A directory of its own, with stand-ins for what the dispatcher runs.
mkdir -p here/bin here/man path tools
cp "$BIN/adapeft" here/bin/
stand_in() { # FILE WORD
    printf '#!/bin/sh\necho %s "$@"\n' "$2" >"$1"
    chmod +x "$1"
}
stand_in path/adapeft-rank from-path
stand_in path/adapeft-probe from-path
stand_in here/bin/adapeft-probe beside

t 'a program beside it comes before PATH' sh -c \
    '[ "$(PATH=path:$PATH here/bin/adapeft probe -m "a b")" = "beside -m a b" ]'
t 'else PATH is searched' sh -c '[ "$(PATH=$PWD/path here/bin/adapeft rank x)" = "from-path x" ]'
t 'a program that is nowhere is missing' code 69 env PATH="$PWD/path" here/bin/adapeft select
t 'and is named' says 'adapeft-select: found neither beside adapeft nor in PATH'
t 'a link to it finds what is beside the program' sh -c \
    'ln -s ../here/bin/adapeft path/adapeft && [ "$(path/adapeft probe x)" = "beside x" ]'

# Manual pages: man, else mandoc, else --help.
echo '.TH adapeft-probe 1' >here/man/adapeft-probe.1
page="here/bin/../man/adapeft-probe.1"
shows() { # WANT
    PATH=$PWD/tools here/bin/adapeft help probe >out 2>err
    case $(cat out) in "$1"*"$2") ;; *) return 1 ;; esac
}
t 'without man and mandoc --help is shown' shows 'beside --help' ''
stand_in tools/mandoc with-mandoc
t 'without man mandoc shows the page' shows 'with-mandoc' "$page"
stand_in tools/man with-man
t 'man shows the page beside the program' shows 'with-man' "$page"

echo '.TH adapeft-stream 5' >here/man/adapeft-stream.5
topic() {
    PATH=$PWD/tools here/bin/adapeft help stream >out && grep -q 'with-man.*adapeft-stream\.5$' out
}
t 'help on a topic shows its page' topic
t 'a topic without its page is missing' code 69 here/bin/adapeft help tutorial
finish
