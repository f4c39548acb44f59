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
printf '*.LayerNorm.*\tnorms\n' >part
t 'a parameter without a group' code 65 probe --steps 1 --groups part
printf '*.LayerNrom.*\tnorms\n*\trest\n' >typo
t 'a pattern that matches nothing' code 64 probe --steps 1 --groups typo
t 'is named' grep -q 'LayerNrom' err
t 'a rule without a group' sh -c 'printf "x\n" >bad; adapeft-probe -m tiny-bert -d train.tsv --task sst2 --groups bad 2>err; [ $? -eq 65 ]'
t 'is named by its line' says 'bad:1:'

# ---- output ----
t 'into a file' code 0 probe --steps 1 -o new.ppi
t 'nothing on stdout' test ! -s out
t 'the rows in the file' sh -c '[ "$(grep -vc "^#" new.ppi)" -eq 41 ]'
t 'as binary' code 0 probe --steps 1 --format binary
t 'the same rows' sh -c 'adapeft-view out | grep -v "^##" >a; grep -v "^##" first >b; cmp a b'
full() { adapeft-probe -m tiny-bert -d train.tsv --task sst2 --steps 1 >/dev/full; }
t 'a full disk is an error' code 74 full
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
t 'an odd trust' code 64 probe --trust wide
t 'two ways to say how long' code 64 probe --steps 1 --fraction 0.5
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
