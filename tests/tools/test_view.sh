# adapeft-view and what it shares with every program: options, messages, outputs, signals.
. "$TESTS/tools/lib.sh"

stream() { # ROW...
    printf '##adapeft 1 run\n##pg\ta test\n#run\tloss\n'
    printf '%s\n' "$@" | tr ' ' '\t'
}
stream '1 0.5' '2 0.25' >body
crc=$(gzip -c body | tail -c 8 | od -An -tx1 | awk '{ print $4 $3 $2 $1 }')
{ cat body; echo "##end rows=2 crc32=$crc"; } >good

# ---- options --------------------------------------------------------------------------

t '--version names program and version' sh -c '[ "$(adapeft-view --version)" = "adapeft-view 0.1.0" ]'
t '--help is written to stdout' code 0 adapeft-view --help
t '--help shows the usage' grep -q '^usage: adapeft-view \[OPTION \.\.\.\] \[FILE | DIR\]$' out
t '--help stands in columns' sh -c '[ "$(grep -c "^  .\{26\}[a-z]" out)" -ge 8 ]'
t '-qv bundles' code 0 adapeft-view -qv good
t 'an unknown option is wrong usage' code 64 adapeft-view --formt text good
t 'and near misses are named' says '--formt: no such option; did you mean --format?'
t 'a wrong choice is wrong usage' code 64 adapeft-view --format=xml good
t 'and the choices are named' says "--format: 'xml' is none of text|binary"
t 'a missing value is wrong usage' code 64 adapeft-view good --format
t 'two files are wrong usage' code 64 adapeft-view good good
t '--seal with --header is wrong usage' code 64 adapeft-view --seal --header good
t '--seal with --strict is wrong usage' code 64 adapeft-view --seal --strict good

after_two_dashes() {
    cp good ./-q
    code 0 adapeft-view -- -q && cmp out good
}
t 'after -- a name may begin with a dash' after_two_dashes
t 'options may follow the file' sh -c 'adapeft-view good --format binary | adapeft-view - | cmp - good'

# ---- input ----------------------------------------------------------------------------

t 'a missing file is no input' code 66 adapeft-view missing
t 'and is named' says 'adapeft-view: missing: No such file or directory'
t 'a directory is no input' code 66 adapeft-view .
hostile=$(printf 'no\033[31m\nsuch')
t 'a hostile name is no input' code 66 adapeft-view "$hostile"
t 'and cannot drive the terminal' says 'adapeft-view: no?[31m?such: No such file'
t 'stdin is read without a file' sh -c 'adapeft-view <good | cmp - good'
t 'a closed stdin is a read error' code 74 sh -c 'exec adapeft-view <&-'

# ---- --header and --seal --------------------------------------------------------------

header() {
    grep '^##' good >want
    code 0 adapeft-view --header good && cmp out want
}
t '--header shows the lines that start with ##' header

sealed() {
    grep -v '^1' good >filtered
    code 0 adapeft-view --seal filtered && [ ! -s err ] && mv out sealed &&
        adapeft-view --strict sealed >again && cmp again sealed &&
        [ "$(grep '^##pg' sealed | tail -n 1)" = "$(printf '##pg\tadapeft-view 0.1.0 --seal filtered')" ] &&
        [ "$(grep -v '^##pg.*seal\|^##end' sealed)" = "$(grep -v '^##end' filtered)" ]
}
t '--seal makes a filtered stream whole and says so in its lineage' sealed

sealed_binary() {
    adapeft-view --seal --format binary filtered | adapeft-view --strict >out
    [ "$(tail -n 2 out | head -n 1)" = "$(printf '2\t0.25')" ]
}
t '--seal writes binary too' sealed_binary
t '--seal does not take a stream for whole that lost its end' code 65 adapeft-view --seal body
t 'and says what that means' says 'cut short: the ##end line is missing'

quoted() {
    cp good "it's a file"
    adapeft-view --seal "it's a file" | grep '^##pg' | tail -n 1 >out
    printf '##pg\tadapeft-view 0.1.0 --seal %s\n' "'it'\\\\''s a file'" | cmp - out
}
t 'words of the lineage are quoted where a shell needs it' quoted

# ---- output ---------------------------------------------------------------------------

t 'a full stdout is a write error' code 74 sh -c 'exec adapeft-view good >/dev/full'
t 'and is told' says 'adapeft-view: stdout: No space left on device'
t 'a full stdout is a write error for binary' code 74 sh -c \
    'exec adapeft-view --format binary good >/dev/full'
t 'a full stdout is a write error for --header' code 74 sh -c \
    'exec adapeft-view --header good >/dev/full'
t 'a full stdout is a write error for --help' code 74 sh -c 'exec adapeft-view --help >/dev/full'
t 'a closed stdout is a write error' code 74 sh -c 'exec adapeft-view good >&-'

written() {
    code 0 adapeft-view -o new good && cmp new good && [ ! -s out ] && [ -z "$(ls -A | grep tmp)" ]
}
t '-o writes a file' written

kept() {
    echo old >kept
    code 65 adapeft-view -o kept body && [ "$(cat kept)" = old ] && [ -z "$(ls -A | grep tmp)" ]
}
t 'a failure leaves the old file and nothing else' kept
t 'a missing directory cannot hold an output' code 73 adapeft-view -o no/new good
t 'and is named' says 'adapeft-view: no/new: No such file or directory'
t 'a file can be replaced by its own conversion' sh -c \
    'cp good self && adapeft-view --format binary -o self self && adapeft-view self | cmp - good'

through_fifo() {
    mkfifo fifo
    cat fifo >through &
    reader=$!
    code 0 adapeft-view -o fifo good && wait $reader && cmp through good && [ -p fifo ]
}
t 'a FIFO is written, not replaced' through_fifo

# ---- signals --------------------------------------------------------------------------

{ printf '##adapeft 1 run\n#run\tloss\n'
  awk 'BEGIN { for (i = 0; i < 40000; i++) print i "\t" i / 7 }'
  echo '##end rows=40000 crc32=00000000'; } >large

closed_pipe() {
    { adapeft-view large 2>err; echo $? >status; } | head -n 1 >out
    [ "$(cat status)" -eq 141 ] && [ ! -s err ] && [ "$(cat out)" = '##adapeft 1 run' ]
}
t 'a closed pipe ends it quietly' closed_pipe

terminated() {
    mkfifo slow
    { cat body; exec sleep 20; } >slow &
    writer=$!
    adapeft-view -o never slow 2>err &
    viewer=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ls -A | grep -q '^\.never' && break
        sleep 0.1
    done
    ls -A | grep -q '^\.never' || return 1
    kill -TERM $viewer
    wait $viewer
    status=$?
    kill $writer
    [ $status -eq 143 ] && [ ! -e never ] && [ -z "$(ls -A | grep '^\.never')" ]
}
t 'a signal leaves no half-written file behind' terminated

# ---- adapters ---------------------------------------------------------------------------

t 'an adapter is applied' code 0 adapeft-view --apply "$FIX/tiny-bert" "$FIX/tiny-bert-peft" -o whole
t 'in silence' test ! -s out -a ! -s err
t 'and is a model' sh -c '[ "$(ls whole | tr "\n" " ")" = "adapeft.json config.json model.safetensors tokenizer_config.json vocab.txt " ]'
t 'without pairs' sh -c '! grep -q lora_ whole/model.safetensors'
for model in whole "$FIX/tiny-bert-peft"; do
    code 0 adapeft-evaluate -q -j 1 --task sst2 -d "$FIX/sentiment-dev.tsv" --predictions $(basename $model).tsv $model
done
t 'that predicts what the adapter does' sh -c 'paste whole.tsv tiny-bert-peft.tsv |
    awk "NR > 1 && ((\$4 - \$9) ^ 2 > 1e-10 || \$3 != \$8) { exit 1 }"'
t 'once more' code 0 adapeft-view --apply "$FIX/tiny-bert" "$FIX/tiny-bert-peft" -o whole
t 'what is no adapter' code 64 adapeft-view --apply "$FIX/tiny-bert" "$FIX/tiny-bert" -o no
t 'is told' says 'no adapter'
t 'a base that is not there' code 66 adapeft-view --apply nowhere "$FIX/tiny-bert-peft" -o no
t 'another base' code 65 adapeft-view --apply "$FIX/tiny-distilbert" "$FIX/tiny-bert-peft" -o no
t 'no directory to write' code 64 adapeft-view --apply "$FIX/tiny-bert" "$FIX/tiny-bert-peft"
t 'no adapter' code 64 adapeft-view --apply "$FIX/tiny-bert" -o no
mkdir thesis
echo dear >thesis/thesis.tex
t 'a directory of someone else' code 73 adapeft-view --apply "$FIX/tiny-bert" "$FIX/tiny-bert-peft" -o thesis
cp -R "$FIX/tiny-bert" "$FIX/tiny-bert-peft" .
chmod -R u+w tiny-bert tiny-bert-peft
t 'the base itself' code 73 adapeft-view --apply tiny-bert tiny-bert-peft -o tiny-bert
t 'and the adapter itself' code 73 adapeft-view --apply tiny-bert tiny-bert-peft -o ./tiny-bert-peft
t 'are not written over' says 'is read; name another directory'
t 'nothing was left' test ! -e no
finish
