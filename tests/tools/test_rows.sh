# Groups of rows, from the probe to a judged model.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" .
cp "$FIX/sentiment-train.tsv" train.tsv

t 'a probe by row' sh -c 'adapeft-probe -m tiny-bert -d train.tsv --task sst2 -j 1 --steps 2 \
    --method grad --group-by row >rows.ppi 2>err'
t 'names rows' grep -q '	bert.embeddings.word_embeddings.weight\[5\]	' rows.ppi
t 'and whole vectors' grep -q '	classifier.bias	' rows.ppi
t 'gauss-newton curvatures of rows' sh -c 'adapeft-probe -q -m tiny-bert -d train.tsv \
    --task sst2 -j 1 --steps 1 --method ggn --group-by row >ggn.ppi'
t 'are none where the gradient is zero' awk -F'\t' '!/^#/ && $13 == "zero" {
    n++; bad += $8 != "nan" } END { exit n == 0 || bad }' ggn.ppi
t 'ranks' code 0 adapeft-rank -o rows.appi rows.ppi
t 'selects' code 0 adapeft-select --budget 1% -o rows.mask rows.appi
trained=$(grep -v '^#' rows.mask | awk -F'\t' '{ n += $3 } END { print n }')
t 'trains' sh -c 'adapeft-finetune -d train.tsv -j 1 --steps 3 --mask rows.mask -o some \
    >rows.run 2>err'
t 'exactly these elements' test "$(grep -v '^#' rows.run | cut -f3)" = "$trained"
t 'evaluates' code 0 adapeft-evaluate -j 1 -d train.tsv rows.run
t 'a delta of it' sh -c 'adapeft-finetune -d train.tsv -j 1 --steps 3 --mask rows.mask -o delta \
    --save delta >delta.run 2>err'
t 'scores the same' sh -c 'adapeft-evaluate -q -j 1 -d train.tsv some >a && adapeft-evaluate -q \
    -j 1 -d train.tsv delta >b && [ "$(grep -v "^#" a | cut -f6-8)" = "$(grep -v "^#" b | cut -f6-8)" ]'

# ---- pairs ----
t 'rows of pairs' sh -c 'adapeft-probe -m tiny-bert -d train.tsv --task sst2 -j 1 --steps 2 \
    --lora-rank 2 --method grad --group-by row 2>err | adapeft-rank 2>>err |
    adapeft-select --budget 100% --forbid "*[!AB].weight,*.bias" -o pairs.mask 2>>err'
t 'are chosen' grep -q 'query.lora_B.weight\[15\]	2	' pairs.mask
trained=$(grep -v '^#' pairs.mask | awk -F'\t' '{ n += $3 } END { print n }')
t 'train' sh -c 'adapeft-finetune -d train.tsv -j 1 -q --steps 2 --mask pairs.mask -o pairs \
    --save peft >out 2>err'
t 'alone' test "$(grep -v '^#' out | cut -f3)" = "$trained"

# ---- patterns of rows ----
chosen() { grep -v '^#' out | cut -f2 | sort | tr '\n' ' '; }
t 'a row by its name' code 0 adapeft-select --budget 100% --require 'classifier.weight[1]' \
    --forbid 'bert.*' --forbid 'classifier.bias' --forbid 'classifier.weight[0]' rows.appi
t 'is that row' test "$(chosen)" = 'classifier.weight[1] '
t 'a tensor' code 0 adapeft-select --budget 100% --require classifier.weight --forbid 'bert.*' \
    --forbid classifier.bias rows.appi
t 'is all of its rows' test "$(chosen)" = 'classifier.weight[0] classifier.weight[1] '

# ---- groups files ----
printf 'classifier.weight[0:1]\tfirst\n*\trest\n' >groups
t 'a groups file with rows' sh -c 'adapeft-probe -m tiny-bert -d train.tsv --task sst2 -j 1 \
    --steps 1 --method grad --groups groups >out 2>err'
t 'divides a tensor' test "$(grep -v '^#' out | cut -f2,5 | tr '\t\n' '= ')" = 'rest=6306 first=16 '
printf 'classifier.weight\tfirst\nclassifier.weight[0:1]\tnone\n*.bias\tbiases\n*\trest\n*\tmore\n' >groups
t 'a rule that others go before' code 0 adapeft-probe -m tiny-bert -d train.tsv --task sst2 -j 1 \
    --steps 1 --method grad --groups groups
t 'is noted where it stands' says "groups:2: 'classifier.weight[0:1]': rules before it take all that it matches"
printf '*\trest\nclassifier.weight[1:1]\tnone\n' >groups
t 'an empty range' code 65 adapeft-probe -m tiny-bert -d train.tsv --task sst2 --groups groups
t 'has its line' says 'groups:2: '
printf 'classifier.weight[0:9]\tmany\n*\trest\n' >groups
t 'rows that are not there' code 65 adapeft-probe -m tiny-bert -d train.tsv --task sst2 --groups groups
t 'are told' says "groups:1: 'classifier.weight[0:9]': classifier.weight has 2 rows"
finish
