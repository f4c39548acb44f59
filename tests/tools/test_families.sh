# Every family of models and every form of data goes through all five programs, with no more
# said than the model, the data and the task.
. "$TESTS/tools/lib.sh"

# config DIR JSON: a model's configuration, which adds to what is small in all of them
config() {
    mkdir -p $1
    echo "{$2}" >$1/config.json
}

bert='"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32'
words=$(wc -l <"$FIX/tiny-bert/vocab.txt")
config bert "\"model_type\": \"bert\", $bert, \"vocab_size\": $words, \"max_position_embeddings\": 40"
config distilbert "\"model_type\": \"distilbert\", \"dim\": 16, \"n_layers\": 2, \"n_heads\": 2, \"hidden_dim\": 32, \"vocab_size\": $words, \"max_position_embeddings\": 40"
config roberta "\"model_type\": \"roberta\", $bert, \"vocab_size\": 700, \"type_vocab_size\": 1, \"max_position_embeddings\": 42"
config gpt2 '"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, "vocab_size": 700, "pad_token_id": 0'
config vit "\"model_type\": \"vit\", $bert, \"image_size\": 8, \"patch_size\": 4"
cp "$FIX/tiny-bert/vocab.txt" bert
cp "$FIX/tiny-bert/vocab.txt" distilbert
cp "$FIX"/tokens-roberta/tokenizer*.json roberta
cp "$FIX/tokens-gpt2/vocab.json" "$FIX/tokens-gpt2/merges.txt" gpt2

sst2="$FIX/sentiment-train.tsv"
awk -F'\t' -v OFS='\t' 'NR == 1 { print "sentence1", "sentence2", "score"; next }
    { print $1, before, NR % 6; before = $1 }' "$sst2" | sed 2d >stsb.tsv
awk 'BEGIN { print "mr,ref"
    split("pub,coffee shop,restaurant", kind, ","); split("cheap,fair,dear", price, ",")
    for (i = 0; i < 9; i++)
        for (j = 1; j <= 2; j++)
            printf "\"name[The %c], eatType[%s]\",\"%sThe %c is a %s %s.\"\n", 65 + i,
                kind[i % 3 + 1], j == 1 ? "" : "Go: ", 65 + i, price[int(i / 3) + 1],
                kind[i % 3 + 1] }' >e2e.csv
cut -f 1 "$sst2" | sed 1d >lm.txt
{
    printf 'image\tlabel\n'
    for i in rgb-8 rgb-tall rgb-wide; do
        printf '%s\tcolour\n' "$FIX/images/$i.png"
    done
    for i in grey-8 grey-4 grey-16; do
        printf '%s\tgrey\n' "$FIX/images/$i.png"
    done
} >images.tsv

# whole FAMILY TASK DATA [SELECT OPTION...]
whole() {
    family=$1 task=$2 data=$3 to=$1-$2
    shift 3
    adapeft-finetune -q -j 1 --init random -m $family -d $data --task $task --preset full \
        --steps 2 -o $to.model >$to.first &&
        adapeft-probe -q -j 1 -m $to.model -d $data --task $task --batch 4 --steps 1 |
        adapeft-rank -q | adapeft-select --budget 20% "$@" |
            adapeft-finetune -q -j 1 -d $data --steps 2 --preset bitfit -o $to.out |
            adapeft-evaluate -q -j 1 -d $data >$to.point &&
        [ "$(grep -vc '^#' $to.point)" -eq 2 ] && adapeft-view --strict -o /dev/null $to.point
}

for family in bert distilbert roberta gpt2; do
    t "$family learns classes" whole $family sst2 "$sst2"
    t "$family learns a number of two texts" whole $family stsb stsb.tsv
done
t 'gpt2 learns to continue prompts' whole gpt2 e2e e2e.csv
t 'its completions are scored' grep -q '	bleu	' gpt2-e2e.point
t 'and kept beside those that people wrote' code 0 adapeft-evaluate -q -d e2e.csv --max-new 4 \
    --generate written --references given gpt2-e2e.model
t 'a line for each prompt' sh -c '[ "$(wc -l <written)" -eq 9 ]'
t 'and an empty line between references of two' sh -c '[ "$(grep -c "^$" given)" -eq 8 ]'
t 'each of several runs' code 0 adapeft-evaluate -q -d e2e.csv --max-new 4 --generate each \
    gpt2-e2e.model gpt2-e2e.out/* gpt2-e2e.model
t 'has a file of its own, runs of one name too' test "$(echo each.*)" = \
    "$(echo each.20pct each.bitfit each.full each.full.2)"
t 'which hold what each wrote' cmp each.full.2 each.full
t 'a slash in the name of a run' sh -c "sed 's/^full\t/..\/full\t/' gpt2-e2e.first >a &&
    adapeft-view --seal a >slash && adapeft-evaluate -q -d e2e.csv --max-new 4 \
    --generate each slash gpt2-e2e.model >out"
t 'leads nowhere else' test -s each...-full
printf 'mr,ref\nname[A],a pub\nname[B],\n' >blank.csv
t 'a prompt without a reference' code 65 adapeft-evaluate -q -d blank.csv --generate unwritten \
    --references blank gpt2-e2e.model
t 'is told' says 'has no reference'
t 'before anything is written' test ! -e unwritten -a ! -e blank
t 'prompts on stdin are refused' code 64 adapeft-evaluate -d - --generate written gpt2-e2e.model
t 'gpt2 learns a text' whole gpt2 lm lm.txt
t 'whose perplexity is told' grep -q '	perplexity	' gpt2-lm.point
t 'vit learns images' whole vit image images.tsv

t 'a language model reads no images' code 64 adapeft-finetune -m gpt2-lm.model -d images.tsv \
    --task image --preset full -o none
t 'and says what does' says 'needs a model of images (vit)'
t 'a model of images reads no text' code 64 adapeft-finetune -m vit-image.model -d "$sst2" \
    --task sst2 --preset full -o none
t 'and says so' says 'a model of images (vit)'
t 'an encoder predicts no next token' code 64 adapeft-finetune -m bert-sst2.model -d lm.txt \
    --task lm --preset full -o none
t 'and says what does' says 'needs a language model (gpt2)'
t 'a language model can become a classifier' code 0 adapeft-finetune -q -m gpt2-lm.model \
    -d "$sst2" --task sst2 --preset head --steps 1 -o classifier
t 'a configuration without weights is no model' code 66 adapeft-finetune -m gpt2 -d lm.txt \
    --task lm --preset full -o none
t 'only some classes' code 0 adapeft-finetune -q --init random -m bert -d "$sst2" --task sst2 \
    --classes 1,0 --preset head --steps 1 --limit 8 -o some

# score MODEL [OPTION...]
score() {
    model=$1
    shift
    adapeft-evaluate -q -j 1 -d "$sst2" "$@" $model | grep -v '^#' | cut -f 6,7
}
t 'a head keeps its classes in whatever order they are asked for' sh -c "
    adapeft-finetune -q -j 1 -m bert-sst2.model -d '$sst2' --task sst2 --classes 1,0 --preset head \\
        --lr 0 --steps 1 -o asked >asked.run </dev/null"
score bert-sst2.model >scores
score asked >scores.asked
score bert-sst2.model --classes 1,0 >scores.judged
t 'in training' cmp scores scores.asked
t 'and in judging' cmp scores scores.judged
sed 's/\t0$/\tugly/' "$sst2" >ugly.tsv
t 'a class that the model does not know is not judged' code 65 adapeft-evaluate -d ugly.tsv \
    --classes ugly,1 bert-sst2.model
t 'but said' says 'the model knows other classes'
t 'and gets a new head in training' code 0 adapeft-finetune -m bert-sst2.model -d ugly.tsv \
    --task sst2 --classes ugly,1 --preset head --steps 1 -o ugly
t 'with a note' grep -q 'its head is new' err
t 'an empty label is none' sh -c "printf 'text,label\na,1\nb,\n' >empty.csv"
t 'and refused' code 65 adapeft-finetune -m bert-sst2.model -d empty.csv --task custom --text text \
    --label label --preset head -o none
t 'two outputs to one file are refused' code 64 adapeft-evaluate -d "$sst2" --predictions p -o p ugly
t 'a file that may grow no more is an error' sh -c "
    (ulimit -f 8; adapeft-finetune -q -m bert-sst2.model -d '$sst2' --task sst2 --preset head \\
        --steps 1 -o grown </dev/null >/dev/null 2>err); [ \$? -eq 74 ]"
t 'and nothing is left of it' sh -c '! ls -a | grep -q grown'
finish
