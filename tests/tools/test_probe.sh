# adapeft-probe: ppi rows from the beginning of a training run.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" "$FIX/tiny-bert-bare" .
cp "$FIX/sentiment-train.tsv" train.tsv
TAB=$(printf '\t')

probe() {
    adapeft-probe -m tiny-bert -d train.tsv --task sst2 -j 1 "$@"
}
rows() { grep -v '^#' "${1:-out}"; }
# cell NAME: the cells of a column of `out`
cell() {
    awk -F'\t' -v name="$1" '/^#[^#]/ { sub(/^#/, ""); for (i = 1; i <= NF; i++)
        if ($i == name) at = i; next } !/^#/ { print $at }' out
}
only() { [ "$(sort -u | tr '\n' ' ')" = "$1 " ]; }

# ---- rows ----
t 'a probed step' code 0 probe --steps 1
t 'has a row for every tensor' sh -c '[ "$(grep -vc "^#" out)" -eq 41 ]'
t 'without a word on stderr' test ! -s err
t 'and ends as a whole stream' adapeft-view --strict out
t 'the columns of the contract come first' sh -c "grep -q '^#step${TAB}group${TAB}type${TAB}layer${TAB}params${TAB}loss${TAB}slope${TAB}curv${TAB}eta${TAB}gain${TAB}ppi${TAB}r2${TAB}status' out"
cell params >params
t 'every parameter is in one group' sh -c '[ $(awk "{ n += \$1 } END { print n }" params) -eq $(sed -n "s/^##model.*params=\([0-9]*\).*/\1/p" out) ]'
cp out first
t 'again' code 0 probe --steps 1
t 'gives the same bytes' cmp out first
t 'attention key biases have no gradient' sh -c "grep 'self.key.bias' out | cut -f13 | sort -u | grep -qx zero"
t 'a bound on the step is the default' sh -c 'grep -v "^#" out | cut -f14 | grep -qvx inf'
t 'unbounded, as the paper has it' code 0 probe --steps 1 --trust inf
t 'no row is bounded by a trust region' sh -c '[ "$(grep -v "^#" out | cut -f14 | sort -u)" = inf ]'
t 'the gradient alone' code 0 probe --steps 1 --method grad
t 'has the same slopes' sh -c 'grep -v "^#" out | cut -f2,7 >a; grep -v "^#" first | cut -f2,7 >b; cmp a b'
t 'plain gradient descent' code 0 probe --steps 1 --direction sgd
t 'has other slopes' sh -c '! cmp -s out first'

# ---- steps ----
t 'every second of five steps' code 0 probe --steps 5 --every 2 --method grad
cell step >steps
t 'probes 0, 2 and 4' only '0 2 4' <steps
t 'a fraction of the epochs' code 0 probe --fraction 0.5 --epochs 2 --batch 10 --method grad
cell step >steps
t 'is that share of the steps' only '0 1 2 3 4 5' <steps
t 'training moves the loss' sh -c 'grep -v "^#" out | cut -f6 | sort -u | [ $(wc -l) -eq 6 ]'

# ---- groups ----
for by in type layer-type layer module; do
    t "by $by" code 0 probe --steps 1 --group-by $by --method grad
    cell group >groups.$by
done
t 'types are named' only 'attn bias embed head mlp norm' <groups.type
t 'layers are named' only 'embeddings encoder.layer.0 encoder.layer.1 head' <groups.layer
t 'layer-types are named' grep -qx 'encoder.layer.1/norm' groups.layer-type
t 'modules are named' grep -qx 'bert.encoder.layer.0.attention.self.query' groups.module
printf '*.LayerNorm.*\tnorms\n*\trest\n' >mine
t 'groups of a file' code 0 probe --steps 1 --groups mine --method grad
cell group >groups
t 'are those of the file' only 'norms rest' <groups
t 'and the stream carries its rules' grep -q "^##group${TAB}\*.LayerNorm.\*${TAB}norms" out
t 'by row' code 0 probe --steps 1 --group-by row --method ggn
cell group >groups.row
t 'rows are named' grep -qxF 'bert.encoder.layer.0.output.dense.weight[15]' groups.row
t 'a vector is one row' grep -qxF 'bert.encoder.layer.0.output.dense.bias' groups.row
t 'their slopes add up to those of tensors' sh -c 'awk -F"\t" "/^#/ { next }
    { name = \$2; sub(/\\[[0-9]+\\]\$/, \"\", name); sum[name] += FNR == NR ? \$7 : -\$7; size[name] += \$7 }
    END { for (n in sum) { k++; if (sum[n] * sum[n] > 1e-12 * size[n] * size[n]) exit 1 } if (k != 41) exit 1 }" out first'
t 'a word that no text has is zero' sh -c 'grep -F "word_embeddings.weight[" out | cut -f13 | grep -qx zero'
printf '*word_embeddings.weight[5:7]\tfive\n*\trest\n' >two
t 'rows of a file' code 0 probe --steps 1 --groups two --method hvp
t 'are a group' sh -c '[ "$(grep "^0.five" out | cut -f5)" -eq 32 ]'
printf '*.LayerNorm.*\tnorms\n' >part
t 'a parameter without a group' code 65 probe --steps 1 --groups part
printf '*.LayerNrom.*\tnorms\n*\trest\n' >typo
t 'a pattern that matches nothing' code 64 probe --steps 1 --groups typo
t 'is named' grep -q 'LayerNrom' err
t 'a rule without a group' sh -c 'printf "x\n" >bad; adapeft-probe -m tiny-bert -d train.tsv --task sst2 --groups bad 2>err; [ $? -eq 65 ]'
t 'is named by its line' says 'bad:1:'

# ---- methods ----
probe --steps 2 --every 1 --group-by layer --method grad >grad.ppi
for method in fit hvp ggn fisher magnitude random; do
    t "method $method" code 0 probe --steps 2 --every 1 --group-by layer --method $method
    cp out $method.ppi
    t "$method has the same slopes" sh -c 'cut -f1,2,6,7 "$0" | grep -v "^#" >a; cut -f1,2,6,7 grad.ppi | grep -v "^#" >b; cmp a b' $method.ppi
    t "what $method says can be ranked" code 0 adapeft-rank $method.ppi
done
# curvs METHOD: its column curv
curvs() { grep -v '^#' "$1.ppi" | cut -f8; }
t 'the exact curvature is that of the fit to a tenth' sh -c 'paste fit.c hvp.c | awk "{ d = \$1 / \$2 - 1; if (d * d > 0.01) exit 1 }"' "$(curvs fit >fit.c; curvs hvp >hvp.c)"
t 'that of Gauss and Newton is above zero' sh -c '! grep -v "^[0-9]" ggn.c' "$(curvs ggn >ggn.c)"
t 'baselines have none' sh -c 'sort -u base.c | grep -qx nan && [ $(sort -u base.c | wc -l) -eq 1 ]' \
    "$(for m in grad fisher magnitude random; do curvs $m; done >base.c)"
t 'random influence is the same at every step' sh -c 'grep -v "^#" random.ppi | cut -f2,11 | sort -u | [ $(wc -l) -eq 4 ]'
t 'another seed' code 0 probe --steps 1 --group-by layer --method random -s 1
t 'gives other influence' sh -c '! cut -f11 out | grep -qxF "$(grep -v "^#" random.ppi | head -n 1 | cut -f11)"'
t 'what it cost is told' code 0 probe -v --steps 1 --group-by layer --method fit
t 'in passes' grep -q 'passes from what moves on' err
t 'half batches' code 0 probe -v --steps 1 --group-by layer --method ggn --unbiased
t 'cost no further gradient' grep -q ' 1 gradients' err
t 'not of other methods' code 0 probe -v --steps 1 --group-by layer --method ggn
t 'that make none' sh -c 'grep -q "^adapeft-probe: ggn: 1 probed steps of 4 groups" err && ! grep -q "whole forward" err'
t 'an unknown method' code 64 probe --method ggm

# ---- drawn labels ----
t 'drawn labels' code 0 probe --steps 1 --group-by layer --method ggn --draws 3
t 'are stated' grep -q '^##probe.* draws=3' out
t 'and give another curvature' sh -c '! cut -f8 out | grep -qxF "$(head -n 1 ggn.c)"'
t 'an exact sum draws none' grep -q '^##probe.* draws=0' ggn.ppi
t 'draws of what draws nothing' code 64 probe --method grad --draws 3
t 'no draws' code 64 probe --method ggn --draws 0

# ---- bounds ----
t 'as far as the training goes' code 0 probe --steps 1 --trust travel --method grad --batch 10 --epochs 2
cell tau >tau
cell params >params
# 12 steps, none of warm-up (0.06 of 12): factors 12/12, 11/12, ..., 1/12
t 'is the sum of the learning rates of a group alone' sh -c 'paste tau params | awk "
    { lr = 5e-5 * sqrt(6322 / \$2); if (lr > 2e-3) lr = 2e-3; d = \$1 / (6.5 * lr) - 1; if (d * d > 1e-20) exit 1 }"'
t 'with a rate of its own' code 0 probe --steps 1 --trust travel --method grad --batch 10 --epochs 2 --lr 0.01
cell tau >tau
t 'is that of the rates said' only 0.065 <tau
t 'along plain gradients' code 0 probe --steps 1 --trust travel --method grad --batch 10 --epochs 2 --direction sgd
cell tau >tau
t 'the probed training is meant' sh -c 'awk "{ d = \$1 / 0.000325 - 1; if (d * d > 1e-20) exit 1 }" tau'
t 'a rate of 0' code 0 probe --steps 1 --method grad --group-by layer --trust travel --lr 0
t 'gains nothing, and says so' says 'every gain is 0'
for bad in travel:2 rms rms: rms:0 rms:nan rms:-1 rms:inf '' INF; do
    t "the bound '$bad'" code 64 probe --steps 1 --trust "$bad"
done

# ---- half batches ----
t 'whole batches' code 0 probe --steps 2 --every 1 --method grad --slopes batch --group-by layer
t 'are stated' grep -q '^##probe.* slopes=batch' out
cp out whole.ppi
t 'half batches' code 0 probe --steps 2 --every 1 --method grad --unbiased --group-by layer
t 'are stated' grep -q '^##probe.* slopes=halves' out
cell noise >noise
cell slope >slopes
t 'say how far they disagree' sh -c '! grep -v "^[0-9]" noise'
t 'their slopes are smaller' sh -c 'grep -v "^#" whole.ppi | cut -f7 | paste - slopes | head -n 4 | awk "\$2 >= \$1 { exit 1 }"'
t 'a slope below zero is noise' sh -c 'grep -v "^#" out | awk -F"\t" "(\$7 <= 0) != (\$13 == \"noise\") { exit 1 }"'
t 'whole batches say nothing of noise' sh -c '[ "$(grep -v "^#" whole.ppi | cut -f19 | sort -u)" = nan ]'
t 'with a curvature' code 0 probe --steps 2 --every 1 --method ggn --unbiased --group-by layer
t 'the direction is the whole batchs' sh -c 'grep -v "^#" out | cut -f8 | paste - ggn.c | head -n 4 | awk "{ d = \$1 / \$2 - 1; if (d * d > 1e-8) exit 1 }"'
t 'of one example' code 64 probe --unbiased --batch 1
t 'are refused' says '--batch 2'
t 'unsaid they are not' code 0 probe --batch 1 --steps 1 --method grad --group-by layer
t 'which is said' says '1 probed batches of one example have no halves'
t 'and the batch is taken whole' sh -c '[ "$(grep -v "^#" out | cut -f19 | sort -u)" = nan ]'
t 'whole batches and halves' code 64 probe --unbiased --slopes batch

# ---- shards ----
for method in fit hvp ggn grad; do
    for i in 1 2 3; do
        probe --steps 3 --every 2 --batch 10 --group-by layer --method $method --shard $i/3
    done | grep -v '^#' | sort >apart
    t "shards of $method in one process" code 0 probe --steps 3 --every 2 --batch 10 --group-by layer --method $method --shard 1-3/3
    rows | sort >together
    t "are those of three" cmp apart together
done
t 'there are three at each step' sh -c '[ $(cut -f1,18 together | sort -u | wc -l) -eq 6 ]'
t 'of different batches' sh -c '[ $(cut -f6 together | sort -u | wc -l) -eq 6 ]'
t 'unbiased ones' code 0 probe --steps 3 --every 2 --batch 10 --group-by layer --method grad --unbiased --shard 1-3/3
rows | sort >together
for i in 1 2-3; do
    probe --steps 3 --every 2 --batch 10 --group-by layer --method grad --unbiased --shard $i/3
done | grep -v '^#' | sort >apart
t 'are those of two processes' cmp apart together
t 'part of the shards' code 0 probe --steps 2 --batch 10 --method grad --shard 2-3/4
t 'is stated' grep -q '^##probe.* shard=2-3/4' out
t 'one shard' code 0 probe --steps 2 --batch 10 --method grad --shard 2/4
t 'is stated so' grep -q '^##probe.* shard=2/4' out
t 'a share of the training' code 0 probe --fraction 0.5 --epochs 2 --batch 10 --every 1 --method grad --shard 2/3
cell step >steps
t 'counts the examples of all shards' only '0 1' <steps
t 'the training is as long as without' grep -q '^##probe.* steps=2 every=1 of=12 ' out
for bad in 0/3 4/3 2-1/3 1-4/3 1/0 1/99999999999999999999 99999999999999999999/3 1 1- 1-2 /3 x 1/2/3 1/2x -1/2 '' ' 1/2' 1,3/4 1/4294967296; do
    t "the shard '$bad'" code 64 probe --shard "$bad"
done
t 'is told' says 'I/N'

# ---- until the order is stable ----
t 'an order that settles' code 0 probe --fraction 1 --every 1 --method random --until-stable 1
cell step >steps
t 'ends the probing when it was so twice' only '0 1 2 3 4' <steps
t 'which is said' says 'stable after 5 probed steps: tau-b between their halves is 1'
t 'and stated' grep -q '^##probe.* until-stable=1$' out
t 'not with -q' sh -c 'adapeft-probe -q -m tiny-bert -d train.tsv --task sst2 --fraction 1 --every 1 --method random --until-stable 1 2>&1 >/dev/null | [ $(wc -c) -eq 0 ]'
t 'one that does not' code 0 probe --steps 7 --every 1 --method grad --until-stable 1
t 'goes on to the end' says 'not stable after 7 probed steps'
told=$(sed 's/.*halves is \([^,]*\),.*/\1/' err)
adapeft-rank -q out >ranked 2>err
t 'and the agreement is what a ranking says' sh -c 'grep "^##stability" ranked | sed "s/.*kendall=\([^[:space:]]*\).*/\1/" | awk -v told="$0" "{ d = \$1 - told; exit d * d > 1e-6 }"' "$told"
t 'fewer than five' code 0 probe --steps 4 --every 1 --method grad --until-stable 0.1
t 'tell nothing' says 'too few'
t 'shards in one process' code 0 probe --steps 5 --every 1 --batch 10 --method random --until-stable 0.9 --shard 1-2/2
t 'a part of the shards' code 64 probe --until-stable 0.9 --shard 1/2
t 'cannot tell' says '--shard 1-2/2'
for bad in -1 1.5 nan x; do
    t "an agreement of $bad" code 64 probe --until-stable $bad
done

# ---- interactions ----
t 'interactions' code 0 probe --steps 2 --every 1 --group-by layer --method ggn --interactions pairs
t 'are a whole stream' adapeft-view --strict pairs
grep -v '^#' pairs >pairs.rows
t 'of that kind' grep -qx '##adapeft 1 interactions' pairs
t 'with the columns agreed' grep -qx "#a${TAB}b${TAB}curv${TAB}slope_a${TAB}slope_b${TAB}tau_a${TAB}tau_b${TAB}gain_a${TAB}gain_b${TAB}joint${TAB}steps" pairs
t 'in the head of the rows' sh -c 'grep "^##[mtgp]" out >a; grep "^##[mtgp]" pairs >b; cmp a b'
t 'one for every pair' sh -c '[ $(wc -l <pairs.rows) -eq 10 ]'
t 'of means over the steps' sh -c '[ "$(cut -f11 pairs.rows | sort -u)" = 2 ]'
t 'a group with itself has its own curvature' sh -c 'awk -F"\t" "
    FNR == NR { if (!/^#/) sum[\$2] += \$8; next }
    \$1 == \$2 { d = \$3 / (sum[\$1] / 2) - 1; if (d * d > 1e-8 || \$8 != \$10) exit 1; n++ }
    END { exit n != 4 }" ggn.ppi pairs.rows'
t 'a pair gains no less than one of it' sh -c 'awk -F"\t" "\$10 < \$8 * (1 - 1e-12) || \$10 < \$9 * (1 - 1e-12) { exit 1 }" pairs.rows'
for method in fit hvp grad random; do
    t "with $method" code 0 probe --steps 2 --every 1 --group-by layer --method $method --interactions others
    t "$method has the same rows" sh -c 'grep -v "^#" others | cmp - pairs.rows'
    t "and $method is as without them" sh -c 'grep -v "^##" out >a; grep -v "^##" "$0" | cmp - a' $method.ppi
done
t 'of shards' code 0 probe --steps 2 --every 1 --group-by layer --method ggn --shard 1-3/3 --interactions pairs
t 'are means over them too' sh -c '[ "$(grep -v "^#" pairs | cut -f11 | sort -u)" = 6 ]'
t 'as binary' code 0 probe --steps 1 --group-by type --method ggn --interactions pairs --format binary
t 'are whole' adapeft-view --strict pairs
t 'both on stdout' code 64 probe --interactions -
t 'are told' says 'two outputs'
t 'both in one file' code 64 probe --interactions x -o x
t 'where nothing can be written' code 73 probe --interactions nowhere/pairs
t 'no row is made' test ! -s out
unfinished() { probe --steps 1 --group-by layer --method grad --interactions broken >/dev/full; }
t 'after a failure' code 74 unfinished
t 'there are none' test ! -e broken

# ---- a language model ----
mkdir gpt2
cp "$FIX/tokens-gpt2/vocab.json" "$FIX/tokens-gpt2/merges.txt" gpt2
echo '{"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, "vocab_size": 700, "pad_token_id": 0}' >gpt2/config.json
cut -f 1 train.tsv | sed 1d >lm.txt
adapeft-finetune -q -j 1 --init random -m gpt2 -d lm.txt --task lm --max-len 16 --preset full --steps 2 -o lm >/dev/null
language() {
    adapeft-probe -m lm -d lm.txt --task lm --max-len 16 --batch 4 -j 1 --steps 2 --every 1 --group-by layer "$@"
}
for method in fit hvp ggn fisher; do
    t "its $method" code 0 language --method $method --interactions pairs --unbiased
    t "$method is finite" sh -c '! grep -v "^#" out | cut -f7,10,11,19 | grep -qE "nan|inf"'
    grep -v '^#' pairs >pairs.$method
done
t 'beside all of them its pairs are the same' sh -c 'cmp pairs.fit pairs.ggn && cmp pairs.hvp pairs.ggn && cmp pairs.fisher pairs.ggn'
t 'labels are drawn' grep -q '^##probe.* draws=16' out
for i in 1 2; do language --method ggn --shard $i/2; done | grep -v '^#' | sort >apart
t 'its shards' code 0 language --method ggn --shard 1-2/2
rows | sort >together
t 'draw what they draw apart' cmp apart together
t 'all in one batch' code 0 language --method ggn --batch 1000 --steps 1
rows | cut -f2,7 >slopes
rows | cut -f2,8 >drawn
t 'another seed' code 0 language --method ggn --batch 1000 --steps 1 -s 1
t 'has the same slopes' sh -c 'grep -v "^#" out | cut -f2,7 | cmp - slopes'
t 'and draws other labels' sh -c '! grep -v "^#" out | cut -f2,8 | cmp -s - drawn'

# ---- output ----
t 'into a file' code 0 probe --steps 1 -o new.ppi
t 'nothing on stdout' test ! -s out
t 'the rows in the file' sh -c '[ "$(grep -vc "^#" new.ppi)" -eq 41 ]'
t 'as binary' code 0 probe --steps 1 --format binary
t 'the same rows' sh -c 'adapeft-view out | grep -v "^##" >a; grep -v "^##" first >b; cmp a b'
full() { adapeft-probe -m tiny-bert -d train.tsv --task sst2 --steps 1 >/dev/full; }
t 'a full disk is an error' code 74 full
t 'rows on a full device' code 74 probe --steps 1 --method grad -o /dev/full
t 'are told by its name' says '/dev/full: '
t 'so are interactions' code 74 probe --steps 1 --group-by layer --method grad --interactions /dev/full -o rows
t 'by theirs' says '/dev/full: '
t 'help' code 0 adapeft-probe --help
for values in 'tensor|module|layer|type|layer-type|row' 'fit|hvp|ggn|grad|fisher|magnitude|random' \
    'inf|travel|rms:X' 'halves|batch'; do
    t "shows $values" grep -qF "$values" out
done
closed() {
    { probe --steps 500 --method grad 2>err.closed; echo $? >status; } | head -n 1 >/dev/null
    [ ! -s err.closed ] && [ "$(cat status)" -eq 141 ]
}
t 'a closed pipe ends it quietly' closed

# ---- a new head ----
t 'a checkpoint without a head' code 0 adapeft-probe -m tiny-bert-bare -d train.tsv --task sst2 --steps 1
t 'gets one, which is said' grep -q 'initialised from seed 0' err
t 'not with -q' sh -c 'adapeft-probe -q -m tiny-bert-bare -d train.tsv --task sst2 --steps 1 2>&1 >/dev/null | [ $(wc -c) -eq 0 ]'

# ---- bad input ----
t 'no model' code 64 adapeft-probe -d train.tsv --task sst2
t 'says what to do' says '-m DIR'
t 'no data' code 64 adapeft-probe -m tiny-bert --task sst2
t 'no task' code 64 adapeft-probe -m tiny-bert -d train.tsv
t 'an unknown task' code 64 adapeft-probe -m tiny-bert -d train.tsv --task sst3
t 'suggests the known one' says 'sst2'
t 'a task of another family' code 64 adapeft-probe -m tiny-bert -d train.tsv --task lm
t 'a model that is not there' code 66 adapeft-probe -m nowhere -d train.tsv --task sst2
t 'data that are not there' code 66 adapeft-probe -m tiny-bert -d nowhere.tsv --task sst2
t 'a fraction of steps' code 0 probe --steps 40 --fraction 0.1 --every 1 --method grad
cell step >steps
t 'is so many of them' only '0 1 2 3' <steps
t 'of a training so long' grep -q '^##probe.* steps=4 every=1 of=40 ' out
: >empty.tsv
t 'an empty file' code 65 adapeft-probe -m tiny-bert -d empty.tsv --task sst2
t 'is named' says 'empty.tsv'
printf 'sentence\tlabel\na\t0\nb\t1\nc\n' >ragged.tsv
t 'a row with too few fields' code 65 adapeft-probe -m tiny-bert -d ragged.tsv --task sst2
t 'is named by its line' says 'ragged.tsv:4:'
printf 'sentence\tlabel\na\t0\nb\t1\nc\tgood\n' >label.tsv
t 'an unknown label' code 65 adapeft-probe -m tiny-bert -d label.tsv --task sst2
t 'is named by its line' says 'label.tsv:4:'
cp -R tiny-bert cut
head -c 5000 tiny-bert/model.safetensors >cut/model.safetensors
t 'truncated weights' code 65 adapeft-probe -m cut -d train.tsv --task sst2
t 'are named' says 'cut/model.safetensors'
cp -R tiny-bert wide
sed 's/"intermediate_size": *[0-9]*/"intermediate_size": 48/' tiny-bert/config.json >wide/config.json
t 'a config that contradicts its tensors' code 65 adapeft-probe -m wide -d train.tsv --task sst2
t 'names the tensor and both shapes' says 'intermediate.dense.weight'
cp -R tiny-bert odd
sed 's/"num_attention_heads": *[0-9]*/"num_attention_heads": 5/' tiny-bert/config.json >odd/config.json
t 'heads that do not divide the width' code 65 adapeft-probe -m odd -d train.tsv --task sst2
t 'more threads than sense' code 64 probe -j 0

# ---- LoRA pairs ----
t 'pairs' code 0 probe --steps 1 --group-by module --lora-rank 2,4 --lora-alpha 8
t 'stand in the head' grep -qx "##lora${TAB}rank=2,4 alpha=8" out
t 'are groups of their own' sh -c '[ "$(grep -c "\.lora\.r[24]${0}" out)" -eq 8 ]' "$TAB"
cell choice >choice
t 'of which one is chosen a module' sh -c '[ "$(grep "\.lora$" choice | sort | uniq -c | grep -c " 2 ")" -eq 4 ]'
t 'others exclude nothing' grep -qx -e - choice
t 'new pairs do not change the loss' sh -c 'grep -v "^#" out | cut -f6 | sort -u | grep -qxF "$(grep -v "^#" first | head -n 1 | cut -f6)"'
t 'one rank' code 0 probe --steps 1 --group-by module --lora-rank 2 --lora-targets all-linear
t 'has no choice' sh -c '! grep -q "lora${0}*$" out' "$TAB"
t 'tensors of pairs' code 0 probe --steps 1 --lora-rank 2
t 'A of a new pair has no gradient' sh -c 'grep lora_A out | cut -f13 | sort -u | grep -qx zero'
t 'too many ranks' code 64 probe --lora-rank 1,2,3,4,5
t 'are told' says 'at most 4 ranks'
t 'targets without pairs' code 64 probe --lora-targets query
t 'are told' says '--lora-rank N'
t 'an adapter' code 0 adapeft-probe -m "$FIX/tiny-bert-peft" -d train.tsv --task sst2 -j 1 --steps 1 --group-by module
t 'is probed with its pairs' grep -q 'query.lora' out
finish
