# make reliability: its awk against cases worked out by hand, and a tiny task end to end.
. "$TESTS/tools/lib.sh"
SHARE=$(cd "$TESTS/../share" && pwd)
RELIABILITY=$SHARE/reliability

# Words parted by blanks as tab-separated lines.
tabs() { # LINE...
    printf '%s\n' "$@" | tr ' ' '\t'
}

# ---- agreement ------------------------------------------------------------------------

agree() { # FILE...
    awk -v task=T -v method=M -f "$SHARE/names.awk" -f "$RELIABILITY/agree.awk" "$@" >out
}

tabs 'group params decrease' 'a 4 4' 'b 1 3' 'c 2 2' 'd 1 1' >truth
tabs 'a 3 0.75' 'b 4 4' 'c 1 0.5' 'd 1 1' >scores
tabs 'a 1 1' 'b 2 1' 'c 3 1' 'd 4 1' >others

# Of six pairs ac, ad, bc and bd agree, ab does not, and c and d score alike: 3 / sqrt(5 6).
# Per parameter only b is better than the others: 3 / sqrt(6 3).
taus() {
    agree truth scores others && tabs 'T M 0.548 4 0.707 4 -0.548' | diff - out
}
t "Kendall's tau-b counts ties" taus

not_measured() {
    tabs 'x 9 9' 'b 4 4' 'a 3 0.75' 'd 1 1' 'y 0 0' 'c 1 0.5' >more
    agree truth more && tabs 'T M 0.548 4 0.707 4 -' | diff - out
}
t 'groups that were not trained alone do not count' not_measured

no_order() {
    sed 's/\t.*/\t1\t1/' scores >same
    agree truth same && tabs 'T M - 4 - 4 -' | diff - out
}
t 'scores that are all the same have no tau' no_order

# Twelve groups, the later the better: the ten best are 03 to 12.
twelve() { # EXPRESSION
    seq -w 12 | awk 'BEGIN { print "group\tparams\tdecrease" }
        { print "g" $1 "\t1\t" $1 + 0 }' >truth12
    seq -w 12 | awk -v OFS='\t' "{ v = $1; print \"g\" \$1, v, v }" >scores12
    agree truth12 scores12
}
top() { # EXPRESSION WANTED
    twelve "$1" && [ "$(cut -f 4 out)" -eq "$2" ] && [ "$(cut -f 6 out)" -eq "$2" ]
}
t 'all ten of the same order are the same' top '$1' 10
t 'of the reverse order eight are' top '13 - $1' 8
t 'of equals the first by name are the best' top '1' 8
t 'what is not above 0 is not among the best' top '$1 < 10 ? 0 : 1' 3

# ---- types, decreases -----------------------------------------------------------------

types() {
    { seq -1 9 | sed 's/^/attn\t/' && tabs 'norm 1' 'norm nan' 'norm 2'; } >curvatures
    tabs 'attn 0.99' 'attn 0.98' 'attn 1' 'attn -3' 'norm nan' >fits
    awk -v task=T -f "$RELIABILITY/types.awk" curvatures fits | tr -s ' ' >out
    cat <<'END' | diff - out
T attn 11 50.0 % 9.1 % -1.0e+00 0.0e+00 4.0e+00 8.0e+00 9.0e+00
T norm 2 - 0.0 % 1.0e+00 1.1e+00 1.5e+00 1.9e+00 2.0e+00
END
}
t 'curvatures have quantiles, and bad fits a share, by type' types

decreases() {
    tabs 'x/init 0 0.75' 'x/alone/0/b.w 6 0.5' 'x/alone/0/a 2 1' 'x/alone/7/b.w 6 0.25' \
        'x/alone/7/a 2 0.5' | awk -v seeds='0 7' -f "$RELIABILITY/decrease.awk" >out
    tabs 'group params decrease seed_0 seed_7' 'b.w 6 0.375 0.25 0.5' 'a 2 0 -0.25 0.25' |
        diff - out
}
t 'a decrease is the mean over the seeds' decreases

# ---- rows -----------------------------------------------------------------------------

seq 40 | awk 'BEGIN { print "text\tlabel" } { print "row " $1 "\t" ($1 % 4 ? 1 : 0) }' >rows

split() { # OPTION...
    awk -v train=train -v held=held -v label=2 "$@" -f "$RELIABILITY/split.awk" rows
}
labels() { # FILE LABEL
    grep -c "	$2\$" "$1"
}

stratified() {
    split -v rows=20 -v others=8
    [ "$(labels train 1) $(labels train 0)" = '15 5' ] &&
        [ "$(labels held 1) $(labels held 0)" = '6 2' ] &&
        [ "$(sed -s 1d train held | sort -u | wc -l)" -eq 28 ] &&
        [ "$(head -qn 1 train held rows | sort -u | wc -l)" -eq 1 ]
}
t 'both parts have the same share of each label, and no row is in both' stratified

quarter() {
    split -v rows=1000 -v others=1000
    [ "$(labels train 1) $(labels train 0)" = '23 7' ] &&
        [ "$(sed 1d held | wc -l)" -eq 10 ]
}
t 'of too few rows a quarter is held out' quarter

whole() {
    rm -f held
    awk -v train=train -v rows=1000 -v others=0 -f "$RELIABILITY/split.awk" rows &&
        diff rows train && [ ! -e held ]
}
t 'unless nothing is to be held out' whole

above() {
    sed 's/0$/-0.5/;s/1$/0.1/;1s/.*/text\tlabel/' rows >numbers
    split -v rows=20 -v others=8 && mv train named
    awk -v train=train -v rows=20 -v others=8 -v label=2 -v threshold=0 \
        -f "$RELIABILITY/split.awk" numbers &&
        cut -f 1 named >a && cut -f 1 train | diff a -
}
t 'a label is also which side of a threshold a number is on' above

no_label() {
    code 65 awk -v train=train -v rows=9 -v others=9 -v label=3 \
        -f "$RELIABILITY/split.awk" rows && says 'rows:2: no column 3'
}
t 'a row without the label is named' no_label

# ---- a tiny task ----------------------------------------------------------------------

mkdir -p glue/sst2
cp "$FIX/sentiment-train.tsv" glue/sst2/train.tsv

# Whatever the make that runs the tests was told is no business of this one.
tiny() { # WORD...
    MAKEFLAGS= make -f "$RELIABILITY/recipe.mk" DIR=tiny GLUE=glue MODEL="$FIX/tiny-bert" \
        E2E= TASKS=sst2 SEEDS='0 1' ROWS=40 OTHERS=20 FINETUNE='--steps 15 --batch 8' \
        PROBE='--steps 2 --batch 8' METHODS='default ggn-inf hvp-travel random' DOC=page \
        TENSORS='classifier.% %.1.output.dense.bias %.LayerNorm.bias' "$@" \
        </dev/null >out 2>err
}
trainings() {
    grep -c '^adapeft-finetune.*--train' out
}

end_to_end() {
    tiny && tail -n +2 tiny/agreement.tsv | cut -f 1,2 >methods &&
        tabs 'sst2 default' 'sst2 ggn-inf' 'sst2 hvp-travel' 'sst2 random' \
            'sst2 another-seed' | diff - methods &&
        [ "$(wc -l <tiny/sst2/decrease.tsv)" -eq 9 ] && [ "$(trainings)" -eq 16 ]
}
t 'every tensor is trained alone, and every method stands beside that' end_to_end

t 'hvp agrees with itself' sh -c 'awk -F "\t" "\$2 == \"hvp-travel\" && \$7 == \"1.000\"" \
    tiny/agreement.tsv | grep -q .'

measured() {
    loss=$(awk -f "$SHARE/cols.awk" -v cols=loss tiny/sst2/init.point)
    trained=$(awk -f "$SHARE/cols.awk" -v cols=loss \
        tiny/sst2/alone/1/bert.encoder.layer.1.output.dense.bias.point)
    awk -v a="$loss" -v b="$trained" '$1 ~ /1.output.dense.bias/ {
        d = $5 - (a - b); ok = d * d < 1e-16 } END { exit !ok }' tiny/sst2/decrease.tsv
}
t 'a decrease is the loss before less the loss after' measured

left_alone() {
    [ ! -e tiny/sst2/alone/0/classifier.bias ] && tiny && [ "$(trainings)" -eq 0 ] &&
        ! grep -q '^adapeft-probe' out
}
t 'what was measured is not measured again' left_alone

resumed() {
    rm tiny/sst2/alone/0/classifier.bias.point
    tiny && [ "$(trainings)" -eq 1 ] && tiny SEEDS='0 1 2' && [ "$(trainings)" -eq 8 ]
}
t 'what is missing is measured alone' resumed

page() {
    tiny doc && [ "$(ls page/reliability-*.svg | wc -l)" -eq 7 ] &&
        grep -q '^The default orders the 8 tensors' page/reliability.md || return 1
    for picture in $(sed -n 's/.*](\(.*svg\)).*/\1/p' page/reliability.md); do
        [ -s "page/$picture" ] || return 1
    done
    ! awk 'length($0) > 100 && !/^!/' page/reliability.md | grep .
}
if command -v gnuplot >/dev/null; then
    t 'a page has the tables and all pictures' page
else
    skip 'a page' 'gnuplot is missing'
fi

finish
