# Pictures of streams: each kind, what is refused, and the numbers behind them.
. "$TESTS/tools/lib.sh"
SHARE=$(cd "$TESTS/../share" && pwd)

if ! command -v gnuplot >/dev/null; then
    skip 'pictures' 'gnuplot is not installed'
    finish
    exit 0
fi

tabs() {
    tr ' ' '\t'
}
stream() { # KIND COLUMNS ROW...       (columns and cells separated by blanks)
    printf '##adapeft 1 %s\n##pg\ta test\n#' "$1"
    shift
    for row in "$@"; do echo "$row"; done | tabs
    echo "##end rows=$(($# - 1)) crc32=00000000"
}
whole() { # FILE: a stream with an end line that is right
    adapeft-view -q --seal "$1" >sealed && mv sealed "$1"
}

stream ppi 'step group type layer params loss slope curv eta gain ppi r2 status choice' \
    '0 a attn 0 64 0.7 1 2 .5 .25 .0078125 0.99999 ok -' \
    '0 n norm 0 8 0.7 1 -2 .5 .25 .0625 0.98 negcurv -' \
    '0 h head head 4 0.7 1 .002 .5 .2 .1 0.9999999 bounded -' \
    '0 z bias 0 8 0.7 0 0 0 0 0 0 zero -' \
    '2 a attn 0 64 0.6 1 20 .5 .125 .00390625 0.9999 ok -' \
    '2 n norm 0 8 0.6 1 200 .5 .125 .03125 0.5 lowfit -' \
    '2 h head head 4 0.6 1 .003 .5 .1 .05 0.99999 ok -' \
    '2 z bias 0 8 0.6 0 0 0 0 0 0 zero -' >some.ppi
whole some.ppi
adapeft-rank -q some.ppi >some.appi
stream interactions 'a b curv slope_a slope_b tau_a tau_b gain_a gain_b joint steps' \
    'x x 4 1 1 1 1 .3 .3 .3 1' 'x y -3 1 1 1 1 .3 .2 .5 1' 'x z 1 1 1 1 1 .3 0 .3 1' \
    'y y 9 1 1 1 1 .2 .2 .2 1' 'y z 0 1 1 1 1 .2 0 .2 1' \
    'z z 0 1 1 1 1 0 0 0 1' >some.interactions
whole some.interactions
stream point 'run budget trained percent metric score loss on_frontier' \
    '1pct 1% 1000 1 accuracy 0.7 0.6 0' '1pct 1% 1000 1 accuracy 0.8 0.5 1' \
    'bitfit - 900 0.9 accuracy 0.6 0.7 1' 'full - 100000 100 accuracy 0.9 0.4 1' >some.point
whole some.point
printf '%s\n' 'task method tau top10 n' 'sst2 fit 0.7 7 5' 'sst2 fit 0.9 8 5' \
    'sst2 random -0.1 1 5' 'mrpc fit 0.6 nan 5' | tabs >some.table
printf '%s\n' 'group score decrease' 'a 1e-3 0.1' 'b 1e-4 0.01' 'c 0 0.001' 'd 1e-5 -1' |
    tabs >some.scatter

# ---- every kind -------------------------------------------------------------------------

draws() { # KIND FILE
    for form in svg png; do
        code 0 adapeft-plot "$1" "$2" -o first.$form && [ ! -s out ] && [ ! -s err ] &&
            adapeft-plot "$1" "$2" --output=second.$form && [ -s first.$form ] &&
            cmp first.$form second.$form || return 1
    done
    head -c 5 first.svg | grep -q '^<?xml' && head -c 4 first.png | grep -q 'PNG' &&
        code 0 adapeft-plot --dark "$1" "$2" && [ ! -s err ] && ! cmp -s out first.svg &&
        grep -q '<rect .*#16181d' out && grep -q '<rect .*#ffffff' first.svg
}
for of in heatmap:appi heatmap:ppi steps:ppi curvature:ppi fit:ppi \
    interactions:interactions frontier:point agreement:table agreement:scatter; do
    t "${of%:*} is drawn from ${of#*:}, the same each time" draws ${of%:*} some.${of#*:}
done

same_without_kind() { # KIND FILE
    adapeft-plot "$1" "$2" >with && adapeft-plot "$2" | cmp with -
}
for of in heatmap:appi steps:ppi interactions:interactions frontier:point agreement:table \
    agreement:scatter; do
    t "${of#*:} is drawn as ${of%:*} unasked" same_without_kind ${of%:*} some.${of#*:}
done

same_from_anywhere() {
    adapeft-plot some.ppi >want && adapeft-plot <some.ppi | cmp want - &&
        adapeft-plot steps - <some.ppi | cmp want - &&
        cat some.ppi | adapeft-plot steps | cmp want - &&
        adapeft-view --format binary some.ppi >some.ppib &&
        adapeft-plot some.ppib -o - | cmp want - && adapeft plot some.ppi | cmp want -
}
t 'file, pipe and binary form give the same bytes' same_from_anywhere

heatmap_of_both() {
    adapeft-plot heatmap some.ppi >one && adapeft-plot heatmap some.appi | cmp one -
}
t 'a heatmap of probed steps is that of their ranking' heatmap_of_both

nothing_of_this_machine() {
    for kind in steps curvature; do
        adapeft-plot $kind some.ppi >out || return 1
        grep -qiE "patchlevel|$(date +%Y)|$PWD|/tmp/" out && return 1
    done
    return 0
}
t 'no path, date or version is in a picture' nothing_of_this_machine

titled() {
    code 0 adapeft-plot some.appi --title 'Worth < this & that' &&
        grep -q 'Worth &lt; this &amp; that' out
}
t 'a title is text, whatever it says' titled

caption() {
    adapeft-plot some.appi | grep -q 'grey: no group is of that layer and type, or none has influence'
}
t 'a heatmap says what its grey cells are' caption

# What is installed beside the makefile draws from its streams; stand-ins make these.
makefile() {
    mkdir -p stand-ins model && touch train.tsv dev.tsv model/config.json
    for tool in probe select finetune evaluate; do
        printf '#!/bin/sh\ncat %s/some.point\n' "$PWD" >stand-ins/adapeft-$tool
    done
    printf '#!/bin/sh\ncat %s/some.appi\n' "$PWD" >stand-ins/adapeft-rank
    chmod +x stand-ins/*
    printf '%s\n' 'MODEL = model' 'TRAIN = train.tsv' 'DEV = dev.tsv' 'TASK = sst2' \
        "TITLE = Three o'clock" "include $SHARE/adapeft.mk" >Makefile
    code 0 env PATH="$PWD/stand-ins:$PATH" make pictures &&
        adapeft-plot some.appi | cmp - adapeft/pictures/influence.svg &&
        [ -s adapeft/pictures/influence.png ] && [ -s adapeft/pictures/frontier.png ] &&
        grep -q "Three o'clock" adapeft/pictures/frontier.svg
}
t 'the makefile draws its pictures' makefile

# ---- what is refused --------------------------------------------------------------------

cut_short() {
    sed '$d' some.ppi >cut.ppi
    echo before >kept.svg
    code 65 adapeft-plot cut.ppi -o kept.svg && says 'adapeft-plot: cut.ppi:' &&
        [ "$(cat kept.svg)" = before ] && code 65 adapeft-plot steps - <cut.ppi
}
t 'a stream that was cut short is refused, and nothing is written' cut_short

edited() {
    sed '/^2	n/d' some.ppi >edited.ppi
    code 0 adapeft-plot edited.ppi && says 'adapeft-plot: edited.ppi: ' &&
        code 0 adapeft-plot -q edited.ppi && [ ! -s err ] &&
        code 65 adapeft-plot --strict edited.ppi
}
t 'one that was edited is noted, or refused' edited

empty() {
    : >empty
    code 65 adapeft-plot empty && says 'empty: '
}
t 'an empty file is refused' empty
t 'a file that is not there is input not found' code 66 adapeft-plot steps missing.ppi
t 'and named' says 'adapeft-plot: missing.ppi: no such file'
t 'a directory is no input' code 66 adapeft-plot steps .
t 'a kind that there is not is wrong usage' code 64 adapeft-plot heat some.ppi
t 'and those that there are, are listed' says \
    'heat: no such kind: it is one of heatmap steps'
t 'an unknown option is wrong usage' code 64 adapeft-plot --tpo 3 some.ppi
t 'and named' says 'adapeft-plot: --tpo: no such option'
t 'another ending is wrong usage' code 64 adapeft-plot some.ppi -o picture.jpg
t 'a value that is missing is wrong usage' code 64 adapeft-plot some.ppi -o
t 'no groups at all are wrong usage' code 64 adapeft-plot some.ppi --top 0

other_stream() {
    code 65 adapeft-plot heatmap some.point && says 'heatmap is drawn from appi or ppi' &&
        code 65 adapeft-plot steps some.point && grep -q 'steps is drawn from ppi$' err
}
t 'a stream of another kind is refused' other_stream

no_picture() {
    stream mask 'budget group params value' '1% a 3 .5' >some.mask
    whole some.mask
    code 65 adapeft-plot some.mask && says 'some.mask: a stream of kind mask has no picture:' &&
        says 'appi, ppi, interactions and point have one, and tables'
}
t 'a stream that has no picture is refused, and those that have one are listed' no_picture

no_column() {
    printf 'task\ttau\nsst2\t0.5\n' >half.table
    code 65 adapeft-plot half.table && says 'half.table: column method is missing' &&
        printf 'a\tb\n1\t2\n' >other.table && code 65 adapeft-plot agreement other.table &&
        says 'other.table: column task is missing: it has a, b'
}
t 'a column that is missing is named' no_column

no_number() {
    for cell in 1e999 0.5x '0.5 ; print' 0x10; do
        printf 'task\tmethod\ttau\ttop10\na\tb\t.5\t3\na\tc\t%s\t-\n' "$cell" >bad.table
        code 65 adapeft-plot agreement bad.table &&
            says "adapeft-plot: bad.table:3: column tau: $cell is no number" || return 1
    done
    sed 's/	0.01$/	much/' some.scatter >bad.scatter
    code 65 adapeft-plot bad.scatter &&
        says 'bad.scatter:3: column decrease: much is no number' &&
        sed 's/1e999\|0x10/nan/; s/$/\r/' bad.table >crlf.table &&
        code 0 adapeft-plot crlf.table && [ ! -s err ]
}
t 'a cell that is no number is refused, and its line named' no_number

two_files() {
    code 64 adapeft-plot some.ppi some.appi &&
        says 'adapeft-plot: some.appi: one FILE at most, and some.ppi is one' &&
        code 64 adapeft-plot some.ppi steps && says 'steps: KIND comes before FILE'
}
t 'two files are wrong usage' two_files

fifo() {
    mkfifo pipe
    : >pipe &
    code 65 adapeft-plot steps pipe && says 'adapeft-plot: pipe: empty' &&
        code 65 adapeft-plot /dev/null && says 'adapeft-plot: /dev/null: empty'
}
t 'a file that is a pipe or a device is named, not stdin' fifo

no_tmpdir() {
    code 73 env TMPDIR="$PWD/nowhere" adapeft-plot some.ppi &&
        says 'nowhere: no temporary directory can be made there'
}
t 'a temporary directory that is not there is named in one line' no_tmpdir

nothing_to_draw() {
    stream point 'run budget trained percent metric score' '1pct 1% 1000 1 accuracy nan' \
        >none.point
    code 65 adapeft-plot -q none.point -o none.svg &&
        says 'none.point: no run has a score' && [ ! -e none.svg ] &&
        awk 'BEGIN { FS = OFS = "\t" } !/^#/ { $8 = $12 = "nan" } { print }' some.ppi \
            >grad.ppi &&
        code 65 adapeft-plot -q curvature grad.ppi && says 'no row has a curvature' &&
        code 65 adapeft-plot -q fit grad.ppi && says '--method fit'
}
t 'no picture is begun when there is nothing to draw' nothing_to_draw

without_gnuplot() {
    mkdir -p few
    for tool in sh dirname readlink rm tr; do ln -sf "$(command -v $tool)" few/$tool; done
    code 69 env PATH="$PWD/few" "$BIN/adapeft-plot" some.ppi &&
        says 'gnuplot is missing: install the package gnuplot-nox'
}
t 'without gnuplot it says what to install' without_gnuplot

unwritable() {
    code 73 adapeft-plot some.ppi -o nowhere/a.svg &&
        says 'nowhere/a.svg: cannot be created' && code 74 sh -c 'exec adapeft-plot some.ppi >/dev/full' && says 'write error'
}
t 'a place that cannot be written is named' unwritable

t 'a closed pipe ends it quietly' sh -c \
    'adapeft-plot some.ppi 2>err | head -c 1 >/dev/null; [ ! -s err ]'

nothing_stays() {
    mkdir -p scratch
    TMPDIR=$PWD/scratch adapeft-plot some.ppi >out &&
        ! TMPDIR=$PWD/scratch adapeft-plot cut.ppi 2>err && [ -z "$(ls -A scratch)" ] &&
        [ -z "$(find . -name '.adapeft*')" ]
}
t 'no temporary file stays' nothing_stays

# ---- names and sizes --------------------------------------------------------------------

hostile() {
    sed 's/	a	/	`touch hacked`"'"'"'<END$(touch hacked)	/' some.ppi \
        >hostile.ppi
    code 0 adapeft-plot -q hostile.ppi -o hostile.png && adapeft-plot -q hostile.ppi >out &&
        [ ! -e hacked ] && grep -q 'touch?hacked' out
}
t 'a group may have any name' hostile

# The width of a picture, in pixels
width() {
    sed -n 's/^ width="\([0-9]*\)".*/\1/p'
}
long_names() {
    sed 's/	a	/	encoder.layer.11.attention.output.LayerNorm.weight	/' some.ppi \
        >long.ppi
    [ "$(adapeft-plot -q long.ppi | width)" -gt "$(adapeft-plot -q some.ppi | width)" ] &&
        adapeft-plot -q long.ppi | grep -q 'layer.11.attention.output.LayerNorm.weight'
}
t 'a picture is as wide as its names' long_names

many() {
    awk 'BEGIN { OFS = "\t"
        print "##adapeft 1 ppi"
        print "#step", "group", "type", "layer", "params", "curv", "gain", "ppi", "r2", \
            "status"
        for (s = 0; s < 2; s++)
            for (i = 0; i < 100000; i++)
                print s, "w[" i "]", "attn", i % 12, 8, i - 500, i, i / 4, 1 - i / 2e6, "ok"
        print "##end rows=200000 crc32=00000000" }' >many.ppi
    for kind in steps curvature fit heatmap; do
        code 0 adapeft-plot -q $kind many.ppi && [ "$(wc -c <out)" -lt 200000 ] || return 1
    done
}
t 'a hundred thousand groups are drawn' many

# ---- the numbers ------------------------------------------------------------------------

twice() { # KIND TOP FILE
    awk -v top="$2" -f "$SHARE/names.awk" -f "$SHARE/$1.awk" "$3" "$3" >out
}
once() { # KIND FILE
    awk -v kind="$1" -f "$SHARE/names.awk" -f "$SHARE/$3.awk" "$2" >out
}

cosines() {
    awk -f "$SHARE/cols.awk" -v cols=a,b,curv,gain_a,slope_a some.interactions >cells
    twice interactions 40 cells && grep -qx '1 2 -0.5000 -0.50' out &&
        grep -qx '2 1 -0.5000 -0.50' out && grep -qx '2 2 1.0000 1.00' out &&
        ! grep -q '^3 \|^[0-9] 3' out && grep -qx 'groups = 3' out
}
t 'cosines are of both triangles, and of groups that curve' cosines

no_gradient() {
    printf '%s\n' 'x x 4 .3 1' 'x k 1e-8 .3 1' 'x y -1e-3 .3 1' 'k k 1e-16 0 0' \
        'k y 1e-9 0 0' 'y y 9 .2 1' | tabs >few.cells
    twice interactions 40 few.cells && grep -qx '3 1 -0.0002 0.00' out &&
        ! grep -q '^2 [0-9]\|^[0-9] 2' out
}
t 'a group without gradient has no cosine, and nothing has no minus' no_gradient

ones() {
    printf '%s\n' 'attn 0 4 0.98' 'norm mixed 4 0.01' | tabs >heat.cells
    once heatmap heat.cells heatmap && grep -qx '0 0 -0.0088 0.0' out &&
        grep -qx '1 1 -2.0000 -2.0' out
}
t 'mixed layers have a column, and a power of nothing no minus' ones

strongest() {
    twice interactions 1 cells && grep -qx 'chosen = 1' out &&
        grep -qx "name\[1\] = 'x'" out
}
t 'of many groups those that gain most alone are shown' strongest

by_step() {
    printf '%s\n' 'a 0 4 1 ok' 'a 0 2 1 ok' 'b 0 1 1 ok' 'c 0 9 0 lowfit' 'a 10 5 1 ok' \
        'a 10 5 1 bounded' 'b 10 3 1 negcurv' 'c 10 nan 0 noise' 'd 0 .5 1 ok' \
        'd 10 .25 1 ok' | tabs >cells
    twice steps 2 cells && grep -qx '0 3 1 0.25' out && grep -qx '10 5 3 0.125' out &&
        grep -qx 'groups = 4' out && grep -qx 'gaps = 0' out
}
t 'shards are averaged, and what rank counts as 0 counts as 0' by_step

spread() {
    printf '%s\n' 'attn ok 5' 'attn ok 50' 'attn ok 55' 'attn negcurv -5' 'norm ok 0' \
        'norm grad nan' | tabs >cells
    once curvature cells spread && grep -qx 'estimates = 4' out &&
        grep -qx "said\[1\] = '4 rows, 25 %'" out && grep -qx 'rows = 1' out &&
        [ "$(sed -n '/^.bars/,/^END/p' out | grep -c '0.8400 0')" -eq 1 ] &&
        [ "$(sed -n '/^.bars/,/^END/p' out | grep -c '0.4200 1')" -eq 1 ]
}
t 'curvatures are counted by sign and power of ten' spread

gate() {
    printf '%s\n' 'attn ok 0.99' 'attn ok 1' 'attn lowfit 0.9899' 'attn zero 0' |
        tabs >cells
    once fit cells spread && grep -qx "said\[1\] = '3 rows, 33 %'" out &&
        [ "$(sed -n '/^.bars/,/^END/p' out | grep -c ' 1$')" -eq 1 ]
}
t 'an R^2 of 0.99 is not below it' gate

agreeing() {
    printf '%s\n' 'sst2 fit 0.7 7' 'sst2 fit 0.9 8' 'sst2 grad -0.1 nan' 'mrpc fit 0.5 2' |
        tabs >cells
    once agreement cells agreement && grep -qx '0 0.8 0.7 0.9 1' out &&
        grep -qx '0 7.5 7 8 1' out && grep -qx '1 -0.1 -0.1 -0.1 2' out &&
        grep -qx '3 0.5 0.5 0.5 1' out && grep -qx 'top = 10' out
}
t 'rows of one task and method are one bar' agreeing

scattered() {
    printf '%s\n' 'a 1 10' 'b 2 20' 'c 3 5' 'd 0 1' 'e nan 3' | tabs >cells
    once scatter cells scatter && grep -qx 'groups = 4' out &&
        grep -qx 'tau = 0.3333' out && grep -qx 'edged = 1' out
}
t "scores are beside decreases, with Kendall's tau" scattered

finish
