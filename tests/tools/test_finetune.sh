# adapeft-finetune: training what masks, presets and patterns name.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" "$FIX/tiny-bert-bare" .
cp "$FIX/sentiment-train.tsv" train.tsv
rm -f tiny-bert/*.tsv

# tune ARGUMENT...: the command that all cases begin with
tune() {
    adapeft-finetune -m tiny-bert -d train.tsv --task sst2 -j 1 "$@"
}
# Lines "budget group params", or "##budget label", on stdin become a mask stream; lines for
# its head are the argument.
mask() {
    {
        printf '##adapeft 1 mask\n##model\ttiny-bert\tparams=6322\n'
        printf '##task\tsst2\n%s#budget\tgroup\tparams\n' "$1"
        tr ' ' '\t'
        printf '##end rows=0 crc32=00000000\n'
    } >mask.edited
    adapeft-view -q --seal mask.edited
}
# Names of the tensors that differ between two safetensors files of one layout.
changed() {
    _n=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$_n" | tr '}' '\n' |
        sed -n 's/.*"\([^"]*\)":{.*data_offsets":\[\([0-9]*\),\([0-9]*\)].*/\2 \3 \1/p' >layout
    cmp -l "$1" "$2" | awk -v base=$((_n + 8)) '
        NR == FNR { from[FNR] = base + $1; to[FNR] = base + $2; name[FNR] = $3; n = FNR
            next }
        { for (i = 1; i <= n; i++) if ($1 > from[i] && $1 <= to[i]) hit[name[i]] = 1 }
        END { for (i in hit) print i }' layout - | sort | tr '\n' ' '
}
# column NAME: the cells of a column of `out`
column() {
    awk -F'\t' -v name="$1" '/^#[^#]/ { sub(/^#/, ""); for (i = 1; i <= NF; i++)
        if ($i == name) at = i; next } !/^#/ { print $at }' out
}
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }

# ---- training ----
t 'trains' code 0 tune -o start --preset full --steps 1 --batch 60 --lr 0
start=$(column loss)
t 'says nothing' test ! -s err
t 'at rate zero to the same weights' cmp start/model.safetensors tiny-bert/model.safetensors
t 'trains at some rate' code 0 tune -o end --preset full --steps 120 --batch 60 --lr 0.01 \
    --dropout no
t 'to a lower loss' less "$(column loss)" 0.1
t 'than at first' less 0.6 "$start"
t 'what one run trained can train on' code 0 tune -m end -o more --preset head --steps 1 \
    --batch 60 --lr 0 --dropout no
t 'from where it was' less "$(column loss)" 0.1
t 'a whole run' code 0 tune -o run --preset bitfit --epochs 2
# The last digits of a loss depend on the processor.
awk -F'\t' -v OFS='\t' '/^##end/ { next } !/^#/ { $7 = sprintf("%.4f", $7) } 1' out >rounded
t 'is as it always was' golden finetune_bitfit.run rounded
cp out first.run
mv run once
t 'again' code 0 tune -o run --preset bitfit --epochs 2
t 'gives the same rows' cmp first.run out
t 'and the same files' diff -r once run
t 'another seed' code 0 tune -o seed --preset bitfit --epochs 2 -s 7
t 'gives others' sh -c '! cmp -s once/model.safetensors seed/model.safetensors'
t 'a directory has all that transformers reads' test "$(ls once | tr '\n' ' ')" = \
    'adapeft.json config.json model.safetensors tokenizer_config.json vocab.txt '

# ---- masks ----
mask <<'END' >one.mask
1% bert.encoder.layer.1.output.LayerNorm.weight 16
1% classifier.bias 2
END
t 'a mask from stdin' sh -c 'adapeft-finetune -d train.tsv -j 1 -o m1 --steps 2 <one.mask >out 2>err'
t 'needs no model and no task said' test "$(column trained)" = 18
t 'trains exactly its tensors' test "$(changed start/model.safetensors m1/model.safetensors)" = \
    'bert.encoder.layer.1.output.LayerNorm.weight classifier.bias '
t 'has its label' test "$(column budget) $(column run) $(column model)" = '1% 1pct m1'
t 'and its lineage' test "$(grep -c '^##pg' out)" -ge 1
t 'from a file' code 0 tune -o m2 --steps 2 --mask one.mask
t 'as well' diff -r m1/model.safetensors m2/model.safetensors
mask '##groups	layer-type
' <<'END' >many.mask
##budget 3 params=0
##budget 0.1% params=306
0.1% head/head 306
##budget 12k params=1024
12k encoder.layer.0/attn 1024
END
t 'a run a budget' code 0 tune -o several --steps 1 --mask many.mask --preset norm
t 'in a directory each' test "$(column model | tr '\n' ' ')" = \
    'several/0.1pct several/12k several/norm '
t 'as groups divide the model' test "$(column trained | tr '\n' ' ')" = '306 1024 466 '
t 'a mask without groups has a note' grep -q 'run 3: the mask has no groups' err
t 'and no model' test ! -e several/3
t 'runs do not depend on each other' code 0 tune -o alone --steps 1 --preset norm
t 'at all' cmp alone/model.safetensors several/norm/model.safetensors
t 'presets ride along' sh -c 'adapeft-finetune -d train.tsv -j 1 -o along --steps 1 \
    --preset head <one.mask >out 2>err'
t 'beside a mask on stdin' test "$(column run | tr '\n' ' ')" = '1pct head '
t 'through a pipe too' sh -c 'cat one.mask | adapeft-finetune -d train.tsv -j 1 -o along \
    --steps 1 --preset head >out 2>err'
t 'likewise' test "$(column run | tr '\n' ' ')" = '1pct head '
t 'nothing on stdin' sh -c ': | adapeft-finetune -m tiny-bert -d train.tsv --task sst2 -j 1 \
    -o none --steps 1 --preset head >out 2>err'
t 'is no mask' test "$(column run)" = head
t 'nor is an empty file' sh -c ': >empty; adapeft-finetune -m tiny-bert -d train.tsv \
    --task sst2 -j 1 -o none --steps 1 --preset head <empty'
t 'nothing at all to train' code 65 adapeft-finetune -m tiny-bert -d train.tsv --task sst2 -o none
t 'is told with what would say it' says 'a mask stream on stdin, --mask FILE, --preset NAME or --train PATTERN'
t 'so it is of an empty pipe' sh -c ': | adapeft-finetune -m tiny-bert -d train.tsv --task sst2 \
    -o none 2>err; [ $? -eq 65 ] && grep -q "nothing says what to train" err'
t 'data on stdin' sh -c 'adapeft-finetune -m tiny-bert -d - --task sst2 -j 1 -o piped --steps 1 \
    --preset norm <train.tsv >out'
t 'are no masks' cmp piped/model.safetensors alone/model.safetensors
t 'patterns' code 0 tune -o pattern --steps 2 --train '*.layer.0.*query*' --train classifier.bias
t 'train what they match' test "$(changed start/model.safetensors pattern/model.safetensors)" = \
    'bert.encoder.layer.0.attention.self.query.bias bert.encoder.layer.0.attention.self.query.weight classifier.bias '
t 'binary' code 0 tune -o run --preset bitfit --epochs 2 --format binary
adapeft-view out >text.run
t 'holds the same rows' sh -c 'grep -v "^#" text.run >a; grep -v "^#" first.run >b; cmp a b'

# ---- a new head ----
t 'an encoder alone' code 0 adapeft-finetune -m tiny-bert-bare -d train.tsv --task sst2 -j 1 \
    -o bare --steps 1 --train '*.layer.0.*'
t 'gets a new classifier' grep -q 'no head for 2 labels' err
t 'and a note when that is frozen' grep -q 'run train: 4 tensors of the new head' err
t 'with presets it trains' code 0 adapeft-finetune -m tiny-bert-bare -d train.tsv --task sst2 \
    -j 1 -o bare --steps 1 --preset bitfit
t 'and there is no such note' sh -c '! grep -q frozen err && ! grep -q "stay as" err'

# ---- LoRA pairs, and what is saved ----
score() {
    adapeft-evaluate -q -j 1 -d train.tsv --predictions $1.predicted $1 >$1.point
}
# near A B: predictions that differ by rounding at most
near() {
    paste $1.predicted $2.predicted | awk -F'\t' '{ n = NF / 2
        for (i = 4; NR > 1 && i <= n; i++) if (($i - $(i + n)) ^ 2 > 1e-10) exit 1 }'
}
t 'a preset adds pairs' code 0 tune -o pairs.full --preset lora --steps 5 --lr 0.01
t 'of rank 8, with the head' sh -c 'grep -v "^#" out | cut -f3 | grep -qx 1330'
t 'that are merged' sh -c '! grep -q lora_ pairs.full/model.safetensors'
for form in delta peft; do
    t "$form" code 0 tune -o pairs.$form --preset lora --steps 5 --lr 0.01 --save $form
    t "$form holds no base" test ! -e pairs.$form/model.safetensors
    t "$form is a model" score pairs.$form
done
t 'as is the whole' score pairs.full
t 'that predicts the same' near pairs.full pairs.peft
t 'as its tensors do' near pairs.full pairs.delta
t 'an adapter has two files and ours' sh -c \
    '[ "$(ls pairs.peft | tr "\n" " ")" = "adapeft.json adapter_config.json adapter_model.safetensors config.json tokenizer_config.json vocab.txt " ]'
t 'whose configuration is known' golden finetune_adapter_config.json pairs.peft/adapter_config.json
t 'an adapter trains on' code 0 adapeft-finetune -m pairs.peft -d train.tsv -j 1 -o more.peft \
    --preset lora --steps 2 --lr 0.01 --save peft
t 'from the same base' cmp pairs.peft/adapter_config.json more.peft/adapter_config.json
t 'and is another then' sh -c '! cmp -s pairs.peft/adapter_model.safetensors more.peft/adapter_model.safetensors'
t "an adapter's bitfit" code 0 adapeft-finetune -m pairs.peft -d train.tsv -j 1 -o bits.peft \
    --preset bitfit --steps 2 --save peft
t 'keeps the pairs' grep -q lora_A bits.peft/adapter_model.safetensors
t 'with all biases' grep -q '"bias": "all"' bits.peft/adapter_config.json
t 'biases alone' code 0 tune -o bitfit.peft --preset bitfit --steps 2 --save peft
t 'have no pairs' sh -c '! grep -q lora_ bitfit.peft/adapter_model.safetensors'
t 'and no tensors beside' test ! -e bitfit.peft/delta.safetensors
t 'what PEFT has no place for' code 0 tune -o query.peft --lora-rank 2 --steps 2 --save peft \
    --train '*.query.*'
t 'is in a delta beside' grep -q 'self.query.weight' query.peft/delta.safetensors
t 'several ranks' code 0 tune -o ranks --lora-rank 2,4 --steps 2 --save peft \
    --train '*.0.*.lora.r2,*.1.*.lora.r4'
t 'are a pattern' grep -q '"bert.encoder.layer.1.attention.self.query": 4' ranks/adapter_config.json
t 'dropout of pairs' code 0 tune -o dropped --preset lora --lora-dropout 0.5 --steps 5 --lr 0.01
t 'changes the training' sh -c '! cmp -s dropped/model.safetensors pairs.full/model.safetensors'
printf '1%% bert.encoder.layer.0.attention.self.value.lora.r2 64\n' |
    mask '##lora	rank=2,4 alpha=6
##groups	module
' >pair.mask
t 'a mask brings its pairs' code 0 tune -o masked --mask pair.mask --steps 2 --save peft
t 'and no others' sh -c '[ "$(grep -ao "value.lora_A\|query.lora_A" masked/adapter_model.safetensors | wc -l)" -eq 1 ]'
t 'with its alpha' grep -q '"lora_alpha": 6' masked/adapter_config.json
cp -R pairs.full base
t 'an adapter of a saved model' code 0 adapeft-finetune -m base -d train.tsv -j 1 -o upon \
    --preset bitfit --steps 1 --save peft
t 'is not written over its base' code 73 adapeft-finetune -m upon -d train.tsv -j 1 -o ./base \
    --preset bitfit --steps 1
mv tiny-bert elsewhere
t 'without its base' code 66 adapeft-evaluate -q -j 1 -d train.tsv pairs.peft
t 'an adapter says where it looked' says 'its base, the model tiny-bert, is no directory, nor is pairs.peft/tiny-bert'
mv elsewhere pairs.peft/tiny-bert
t 'the base may be beside it' score pairs.peft
mv pairs.peft/tiny-bert tiny-bert
mv tiny-bert elsewhere
cp -R tiny-bert-bare tiny-bert
t 'another base' code 65 adapeft-evaluate -q -j 1 -d train.tsv pairs.peft
t 'is refused' says 'other weights'
rm -r tiny-bert
mv elsewhere tiny-bert
t 'weights from the seed' code 0 tune -o seeded --init random --preset lora --steps 1
t 'are saved whole' test -e seeded/model.safetensors
t 'and only so' code 64 tune -o no --init random --preset lora --save peft
t 'which is told' says '--save full'
mkdir "$(printf 'odd\377')"
cp tiny-bert/* "$(printf 'odd\377')"
t 'a base whose name is no UTF-8' code 65 adapeft-finetune -m "$(printf 'odd\377')" -d train.tsv \
    --task sst2 -j 1 -o no --preset head --steps 1 --save delta
t 'cannot be named' says 'no valid UTF-8'
t 'no rank' code 64 tune -o no --preset head --lora-alpha 3
t 'is told' says '--lora-rank N'
t 'a rank of nothing' code 64 tune -o no --preset lora --lora-rank 0
t 'a rank twice' code 64 tune -o no --preset lora --lora-rank 2,2
t 'a rank too large' code 64 tune -o no --preset lora --lora-rank 17
t 'is told' says 'ranks are 1 to 16'
t 'a target that is not there' code 64 tune -o no --preset lora --lora-targets qeury
t 'has near misses' says 'did you mean query'
t 'pairs on pairs' code 64 adapeft-finetune -m pairs.peft -d train.tsv -j 1 -o no \
    --preset lora --lora-rank 2
t 'are told' says 'adapeft view --apply'

# ---- what is wrong ----
t 'no data' code 64 adapeft-finetune -m tiny-bert -o no --preset head
t 'is told' says '-d FILE'
t 'no directory' code 64 tune --preset head
t 'is told' says '-o DIR'
t 'an operand' code 64 tune -o no --preset head one.mask
t 'is told' says '--mask FILE'
t 'masks and data on stdin' code 64 adapeft-finetune -m tiny-bert -d - -o no
t 'are told' says 'cannot both come from stdin'
t 'epochs and steps' code 64 tune -o no --preset head --epochs 1 --steps 1
t 'are told' says 'contradict'
t 'half a step of warm-up' code 64 tune -o no --preset head --warmup 1.5
t 'is told' says '--warmup'
t 'an unknown preset' code 64 tune -o no --preset lara
t 'is told' says "no preset 'lara'"
t 'a pattern for nothing' code 64 tune -o no --train clasifier.bias
t 'lists near misses' says 'did you mean classifier.bias'
t 'the same run twice' code 65 tune -o no --preset head,head
t 'is told' says 'would be called head'
t 'a model that is not there' code 66 adapeft-finetune -m nowhere -d train.tsv --task sst2 \
    -o no --preset head
t 'no model' code 64 adapeft-finetune -d train.tsv --task sst2 -o no --preset head
t 'is told' says '-m DIR'
echo '1% clasifier.bias 2' | mask >unknown.mask
t 'a group that the model has not' code 65 tune -o no --mask unknown.mask
t 'lists near misses' says "no group 'clasifier.bias' (by tensor); did you mean classifier.bias"
grep -v '^##end' one.mask >short.mask
t 'a mask that was cut short' code 65 tune -o no --mask short.mask
t 'no mask at all' code 65 tune -o no
mask </dev/null >nothing.mask
t 'a mask of no budget' code 65 tune -o no --mask nothing.mask
t 'is told' says 'no budget in this mask stream'
t 'a missing mask' code 66 tune -o no --mask nowhere.mask
grep -v classifier.bias one.mask >filtered.mask
t 'a mask that was filtered' code 0 tune -o filtered --steps 1 --mask filtered.mask
t 'has a note' test -s err
t 'and is refused when strict' code 65 tune -o no --mask filtered.mask --strict
sed 's/params=6322/params=6322	sha256=00/' one.mask | grep -v '^##end' >unlike
printf '##end rows=2 crc32=00000000\n' >>unlike
adapeft-view -q --seal unlike >other.mask
t "another model's mask" code 0 tune -o other --steps 1 --mask other.mask
t 'has a warning' says 'these are not the weights that the masks were made for'
t 'a rate that is too high' code 65 tune -o no --preset full,head --steps 40 --lr 1000 \
    --weight-decay 1000
t 'names run and step' grep -q 'run full: step [0-9]*: the .* is not finite' err
t 'and leaves an unfinished stream' sh -c '! grep -q "^##end" out'
t 'an unfinished model' test ! -e no/full
rmdir no
mkdir precious
echo dear >precious/thesis.tex
t 'a directory of someone else' code 73 tune -o precious --preset head --steps 1
t 'is left as it was' test "$(cat precious/*)" = dear
t 'before anything is trained' test ! -s out
cp -R alone kept
echo note >kept/notes.txt
t 'a run with a file of the user in it' code 73 tune -o kept --preset head --steps 1
t 'which is named' says 'kept: holds notes.txt'
t 'and kept' test -e kept/notes.txt
t 'the model that is read' code 73 adapeft-finetune -m alone -d train.tsv -j 1 -o ./alone --preset head --steps 1
t 'is named' says 'is the model that is trained'
t 'is not written over' cmp alone/model.safetensors several/norm/model.safetensors
grep -v '^[0-9]' many.mask | grep -v '^##budget.*\(0.1%\|12k\)' | adapeft-view -q --seal >none.mask
t 'a saved model knows its task' code 0 adapeft-finetune -m alone -d train.tsv -j 1 -o further --preset head --steps 1
t 'and its head' test ! -s err
{ echo text,y; seq 1 40 | sed 's/.*/good,&.5/'; } >many.csv
t 'a label of many values' code 0 adapeft-finetune -m tiny-bert -d many.csv --text text --label y -j 1 -o many --preset head --steps 1
t 'has a hint' grep -q 'the label has 40 different values' err
t 'masks without any group' code 65 tune -o nothing --steps 1 --mask none.mask
t 'say so' says 'no mask has a group'
t 'and make nothing' test ! -e nothing
t 'a parent that is a file' code 73 tune -o train.tsv/x --preset head --steps 1
t 'a full device' sh -c 'adapeft-finetune -m tiny-bert -d train.tsv --task sst2 -j 1 -o full \
    --preset head --steps 1 >/dev/full 2>err </dev/null; [ $? -eq 74 ]'
t 'none of these left anything' test ! -e no
finish
