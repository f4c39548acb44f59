# adapeft-evaluate: scores, predictions, the frontier.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" "$FIX/tiny-bert-bare" .
cp "$FIX/sentiment-train.tsv" train.tsv
cp "$FIX/sentiment-dev.tsv" dev.tsv

# column NAME: the cells of a column of `out`
column() {
    awk -F'\t' -v name="$1" '/^#[^#]/ { sub(/^#/, ""); for (i = 1; i <= NF; i++)
        if ($i == name) at = i; next } !/^#/ { print $at }' out | tr '\n' ' '
}
# runs: lines "run budget trained percent model" on stdin become a run stream
runs() {
    {
        printf '##adapeft 1 run\n##task\tsst2\n#run\tbudget\ttrained\tpercent\tmodel\n'
        tr ' ' '\t'
        printf '##end rows=0 crc32=00000000\n'
    } >runs.edited
    adapeft-view -q --seal runs.edited
}
# between A X B: A <= X <= B
between() { awk -v a="$1" -v x="$2" -v b="$3" 'BEGIN { exit !(a <= x && x <= b) }'; }

adapeft-finetune -q -m tiny-bert -d train.tsv --task sst2 -j 1 -o runs --preset full,head \
    --steps 120 --batch 60 --lr 0.01 --dropout no >trained.run </dev/null
adapeft-finetune -q -m tiny-bert -d train.tsv --task sst2 -j 1 -o untrained --preset norm \
    --steps 1 --lr 0 >untrained.run </dev/null

# ---- scores ----
t 'judges the runs of a stream' sh -c 'adapeft-evaluate -d dev.tsv -j 1 <trained.run >out 2>err'
t 'says nothing' test ! -s err
t 'a point a run' test "$(column run)" = 'full head '
t 'by the metric of the task' test "$(column metric)" = 'accuracy accuracy '
t 'over all the data' test "$(column n)" = '24 24 '
t 'what was learned shows' between 0.8 "$(column score | cut -d' ' -f1)" 1
t 'with its lineage' test "$(grep '^##pg' out | cut -f2 | cut -d' ' -f1 | tr '\n' ' ')" = \
    'adapeft-finetune adapeft-evaluate '
cp out stream.point
t 'judges directories' code 0 adapeft-evaluate -d dev.tsv -j 1 runs/full runs/head
grep -v '^#' out >a
grep -v '^#' stream.point >b
t 'alike' cmp a b
t 'and streams by name' code 0 adapeft-evaluate -d dev.tsv -j 1 trained.run untrained
t 'in their order' test "$(column run)" = 'full head norm '
t 'tells where each is' test "$(column model)" = 'runs/full runs/head untrained '
t 'another metric' code 0 adapeft-evaluate -d dev.tsv -j 1 --metric matthews runs/full
t 'is named' test "$(column metric)" = 'matthews '
t 'a metric that does not fit' code 64 adapeft-evaluate -d dev.tsv --metric pearson runs/full
t 'is told' says "no metric 'pearson' for classes"
t 'one batch or many' code 0 adapeft-evaluate -d dev.tsv -j 1 --batch 3 runs/full
t 'score alike' test "$(column score)" = "$(cut -f6 b | head -n 1) "
t 'twice' code 0 adapeft-evaluate -d dev.tsv -j 1 --batch 3 runs/full
mv out first.point
t 'judged' code 0 adapeft-evaluate -d dev.tsv -j 1 --batch 3 runs/full
t 'gives the same bytes' cmp first.point out
t 'binary' code 0 adapeft-evaluate -d dev.tsv -j 1 --batch 3 --format binary runs/full
adapeft-view out >text.point
t 'holds the same rows' sh -c 'grep -v "^#" text.point >c; grep -v "^#" first.point | cmp - c'
t 'a model of elsewhere' code 0 adapeft-evaluate -d dev.tsv -j 1 --task sst2 tiny-bert
t 'has no budget and no trained parameters' test "$(column run)$(column budget)$(column trained)" \
    = 'tiny-bert - 0 '

t 'data on stdin' sh -c 'adapeft-evaluate -d - -j 1 runs/full <dev.tsv >out'
t 'are data too' test "$(column score)" = "$(cut -f6 b | head -n 1) "

# ---- predictions ----
t 'writes predictions' code 0 adapeft-evaluate -d dev.tsv -j 1 --predictions p.tsv runs/full
t 'a row each' test "$(wc -l <p.tsv)" -eq 25
t 'with labels and logits' test "$(head -n 1 p.tsv)" = "$(printf 'row\tlabel\tguess\tlogit_0\tlogit_1')"
tail -n +2 dev.tsv | cut -f2 >labels
t 'in the order of the data' sh -c 'tail -n +2 p.tsv | cut -f2 | cmp - labels'
t 'that agree with the score' test "$(column score)" = \
    "$(awk -F'\t' 'NR > 1 { n++; hit += $2 == $3 } END { printf "%.16g", hit / n }' p.tsv) "
t 'the guess has the larger logit' awk -F'\t' 'NR > 1 && $3 != ($5 > $4) { bad = 1 }
    END { exit bad }' p.tsv
t 'of several runs' code 0 adapeft-evaluate -d dev.tsv -j 1 --predictions p.tsv trained.run
t 'named' test "$(cut -f1 p.tsv | uniq | tr '\n' ' ')" = 'run full head '

runs >odd.run <<'END'
a\tb - 3 1 runs/full
c - 3 1 runs/head
END
t 'of a run with a tab in its name' code 0 adapeft-evaluate -d dev.tsv -j 1 --predictions p.tsv odd.run
t 'keep their columns' awk -F'\t' 'NF != 6 { bad = 1 } END { exit bad }' p.tsv

# ---- the frontier ----
runs >shape.run <<'END'
worse 5% 40 4 untrained
bad 4% 30 3 untrained
best 2% 20 2 runs/full
small 1% 10 1 untrained
END
t 'the whole table' code 0 adapeft-evaluate -d dev.tsv -j 1 shape.run
t 'keeps its order' test "$(column run)" = 'worse bad best small '
t 'and marks the frontier' test "$(column on_frontier)" = '0 0 1 1 '
t 'and who dominates' test "$(column dominated_by)" = 'best best - - '
t 'a frontier that goes down has a note' grep -q \
    'non-monotonic frontier: worse (accuracy .*) does worse than the smaller best' err
t 'for each mask' test "$(grep -c non-monotonic err)" -eq 2
t 'of losses the lower is better' code 0 adapeft-evaluate -d dev.tsv -j 1 --metric loss shape.run
t 'likewise' test "$(column dominated_by)" = 'best best - - '
t 'the frontier' code 0 adapeft-evaluate -d dev.tsv -j 1 --frontier shape.run
t 'by increasing parameters' test "$(column run)" = 'small best '
runs >alike.run <<'END'
0.1pct 0.1% 6 0.1 untrained
1pct 1% 63 1 tiny-bert
full - 6322 100 untrained
END
t 'models that are alike' code 0 adapeft-evaluate -d dev.tsv -j 1 alike.run
# The last digits of a loss depend on the processor.
awk -F'\t' -v OFS='\t' '/^##end/ { next } !/^#/ { $6 = sprintf("%.4f", $6)
    $7 = sprintf("%.3f", $7) } 1' out >rounded
t 'are judged as they always were' golden evaluate_alike.point rounded
runs >presets.run <<'END'
full - 6322 100 untrained
best 2% 20 2 runs/full
END
t 'a preset that does worse' code 0 adapeft-evaluate -d dev.tsv -j 1 presets.run
t 'has no note' test ! -s err
runs </dev/null >no.run
t 'no runs' code 0 adapeft-evaluate -d dev.tsv no.run
t 'are no points' test -z "$(column run)"
t 'of a whole stream' grep -q '^##end rows=0' out

# ---- what is wrong ----
t 'no data' code 64 adapeft-evaluate runs/full
t 'is told' says '-d FILE'
t 'a model that is not there' code 66 adapeft-evaluate -d dev.tsv runs/none
t 'a model without a classifier' code 65 adapeft-evaluate -d dev.tsv --task sst2 tiny-bert-bare
t 'is named' says 'run tiny-bert-bare: '
t 'no task' code 64 adapeft-evaluate -d dev.tsv tiny-bert
t 'no stream' code 65 adapeft-evaluate -d dev.tsv
grep -v '^##end' trained.run >short.run
t 'a stream that was cut short' code 65 adapeft-evaluate -d dev.tsv short.run
t 'gives no points' test ! -s out
t 'masks are no runs' code 65 adapeft-evaluate -d dev.tsv "$FIX/small.appi"
sed '/^#run/s/model/modell/' trained.run >column.run
t 'a stream without models' code 65 adapeft-evaluate -d dev.tsv column.run
t 'is told' grep -q 'model' err
echo 'a 1% -3 1 runs/full' | runs >negative.run
t 'negative parameters' code 65 adapeft-evaluate -d dev.tsv negative.run
t 'are told' says 'trained is negative'
echo 'a 1% 3 1 runs/none' | runs >gone.run
t 'a run whose model is gone' code 66 adapeft-evaluate -d dev.tsv gone.run
t 'is named' says 'run a: '
cp -R runs/full noted
echo '{"format": 1, "task": 3}' >noted/adapeft.json
t 'a damaged note' code 65 adapeft-evaluate -d dev.tsv noted
t 'is told' says 'noted/adapeft.json'
printf 'sentence\tlabel\na film\t7\n' >seven.tsv
t 'a label that is no class' code 65 adapeft-evaluate -d seven.tsv runs/full
t 'runs and data on stdin' code 64 adapeft-evaluate -d -
t 'are told' says 'cannot both come from stdin'
t 'data on stdin for two' code 64 adapeft-evaluate -d - runs/full runs/head
t 'is told' says 'for one model only'
t 'predictions on stdout' code 64 adapeft-evaluate -d dev.tsv --predictions - runs/full
t 'points nowhere' code 73 adapeft-evaluate -d dev.tsv -o no/where.point gone.run
t 'are told before anything is judged' says 'no/where.point'
t 'predictions nowhere' code 73 adapeft-evaluate -d dev.tsv --predictions no/where.tsv runs/full
t 'a full device' sh -c 'adapeft-evaluate -d dev.tsv -j 1 runs/full >/dev/full 2>err; [ $? -eq 74 ]'
t 'a model that was never trained here' code 64 adapeft-evaluate -d dev.tsv "$FIX/tiny-bert-bare"
t 'is told what it lacks' says 'holds no adapeft.json'
finish
