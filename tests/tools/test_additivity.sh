# adapeft-rank --additivity: how far gains add up.
. "$TESTS/tools/lib.sh"

rows() { grep -v '^#' out; }
# word NAME: of the ##additivity line
word() { sed -n 's/^##additivity	//p' out | tr '\t' '\n' | sed -n "s/^$1=//p"; }
# stream NAME: pairs on stdin (a b curv slope_a slope_b gain_a gain_b joint steps, parted by
# blanks) become a whole stream with bounds of 100
stream() {
    {
        printf '##adapeft 1 interactions\n##model\tm\tparams=9\tsha256=00\n'
        printf '##groups\ttensor\n##pg\tadapeft-probe --interactions x\n'
        printf '#a\tb\tcurv\tslope_a\tslope_b\ttau_a\ttau_b\tgain_a\tgain_b\tjoint\tsteps\n'
        awk -v OFS='\t' '{ print $1, $2, $3, $4, $5, 100, 100, $6, $7, $8, $9 }'
        printf '##end rows=0 crc32=00000000\n'
    } >"$1.edited"
    adapeft-view --seal -o "$1" "$1.edited"
}

# Slopes and curvatures are 1, gains 0.5: p and q undo each other's harm, r repeats p.
stream one <<'EOF'
p p 1 1 1 0.5 0.5 0.5 2
p q -0.5 1 1 0.5 0.5 2 2
p r 1 1 1 0.5 0.5 0.5 2
p s 0 1 1 0.5 0.5 1 2
q q 1 1 1 0.5 0.5 0.5 2
q r -0.5 1 1 0.5 0.5 2 2
q s 0 1 1 0.5 0.5 1 2
r r 1 1 1 0.5 0.5 0.5 2
r s 0 1 1 0.5 0.5 1 2
s s 1 1 1 0.5 0.5 0.5 2
EOF
t 'reads interactions' code 0 adapeft-rank --additivity one
rows >got
printf '%s\n' '1 p q 2 1 1 2 -0.5 synergy' '2 q r 2 1 1 2 -0.5 synergy' \
    '3 p r 0.5 1 -0.5 0.5 1 redundant' '4 p s 1 1 0 1 0 additive' \
    '5 q s 1 1 0 1 0 additive' '6 r s 1 1 0 1 0 additive' | tr ' ' '\t' >want
t 'one row a pair, the largest excess first' diff -u want got
t 'all groups: those of p, q and 0.5 of s' sh -c '[ "$(printf %.6f "$1")" = 2.500000 ]' - "$(word joint)"
t 'without bounds as much' sh -c '[ "$(printf %.6f "$1")" = 2.500000 ]' - "$(word unbounded)"
t 'in three of four directions' test "$(word rank)" = 3
t 'beside the sum' test "$(word sum)" = 2
t 'and how many there are' test "$(word groups).$(word pairs).$(word synergy).$(word redundant)" = 4.6.2.1
t 'a person reads three lines' test "$(wc -l <err)" -eq 3
t 'of all' grep -qx 'adapeft-rank: all 4 groups together gain 2.5, 1.25 times the 2 that their gains add up to' err
t 'of the strongest synergy' grep -q 'synergy: 2 of 6 pairs; the strongest, p and q, gain 2 together, 1 alone' err
t 'of the most redundant' grep -q 'redundant: 1 of 6 pairs; the strongest, p and r, gain 0.5 together, 1 alone' err
t 'the head tells where it comes from' sh -c 'grep -q "^##model	m" out && [ "$(grep -c "^##pg" out)" -eq 3 ]'
cp out whole
t 'the stream is whole' adapeft-view --strict whole
t 'the first rows only' code 0 adapeft-rank -q --additivity --top 2 one
t 'are these' sh -c 'grep -v "^#" out >top && head -n 2 want | diff - top'
t 'a threshold of its own' code 0 adapeft-rank -q --additivity --threshold 2 one
t 'makes pairs additive' sh -c '! grep -v "^#" out | grep -v additive'
t 'stdin, binary' sh -c 'adapeft-view --format binary one | adapeft-rank -q --additivity >out'
t 'is the same' sh -c 'grep -v "^##pg" out | grep -v "^##end" >a; grep -v "^##pg" whole | grep -v "^##end" >b; cmp a b'

# Of another weight: the curvature of p and q is (2 x -0.5 + 1 x 1) / 3 steps.
grep -v '^#' one | cut -f 1-5,8-11 | tr '\t' ' ' | sed 's/ 2$/ 1/; s/^p q -0.5/p q 1/' >other.rows
stream other <other.rows
t 'several files' code 0 adapeft-rank -q --additivity one other
t 'weigh as much as their steps' sh -c 'grep -v "^#" out | awk "\$2 == \"p\" && \$3 == \"q\" { exit !(\$4 == 1 && \$8 == 0) }"'
t 'and count together' test "$(word steps)" = 3

# The joint gains of the steps by themselves, 9 here, are of other quadratics than that of all.
sed 's/ [0-9.]* 1$/ 9 1/' other.rows | stream single
t 'means over single steps' code 0 adapeft-rank --additivity single
t 'put no pair above all groups' sh -c 'grep -v "^#" out | awk -v all="$1" "\$4 > all { exit 1 }"' - "$(word joint)"

# A group of no gradient, whose curvatures are rounding, is in no pair and moves nowhere.
{ cat other.rows && for g in p q r s; do echo "$g k -1e-8 1 0 0.5 0 9 1"; done &&
    echo 'k k 1e-16 0 0 0 0 0 1'; } | stream still
t 'a group without gradient' code 0 adapeft-rank --additivity --threshold 0 still
t 'is named in no note' sh -c '! grep -q " k[, ]" err'
t 'and is additive, without a cosine' sh -c 'grep -v "^#" out | awk "
    \$3 == \"k\" { n++; bad += \$8 != \"nan\" || \$9 != \"additive\" || \$6 != 0 }
    END { exit !(n == 4 && !bad) }"'
still=$(word joint)
t 'the others by themselves' code 0 adapeft-rank -q --additivity other
t 'gain as much' test "$still" = "$(word joint)"

# ---- what is refused ----
grep -v '^r r' other.rows | stream lacking
t 'a pair that is not there' code 65 adapeft-rank --additivity lacking
t 'is named' says 'there is no row of the groups r and r'
sed 's/^q s 0/q s nan/' other.rows | stream nan
t 'a number that is none' code 65 adapeft-rank --additivity nan
t 'is placed' says 'nan:13: the curv of groups q and s is not finite'
grep -v '^##end' one >cut
t 'a stream that was cut short' code 65 adapeft-rank --additivity cut
t 'ppi rows' code 65 adapeft-rank --additivity "$FIX/small.ppi"
t 'both reports at once' code 64 adapeft-rank --additivity --regroup g one
t '--top alone' code 64 adapeft-rank --top 3 "$FIX/small.ppi"

# ---- a task that two groups solve only together ----
# share/demo/synergy.awk: "more" and "less" tell the label by their difference only, "good"
# and "fine" tell it moderately well and the same. Groups are rows of the embedding table of
# a small random model, whose bias is fitted first so that only words are left to be learnt.
mkdir words
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' more less good fine so >words/vocab.txt
cat >words/config.json <<'EOF'
{ "architectures": ["BertForSequenceClassification"], "model_type": "bert",
  "vocab_size": 10, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
  "intermediate_size": 32, "max_position_embeddings": 64, "type_vocab_size": 2,
  "hidden_act": "gelu", "initializer_range": 0.2, "layer_norm_eps": 1e-12,
  "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "pad_token_id": 0 }
EOF
awk -f "$TESTS/../share/demo/synergy.awk" >synergy.tsv
table=bert.embeddings.word_embeddings.weight
printf '%s\t%s\n' "$table[5:6]" more "$table[6:7]" less "$table[7:8]" good \
    "$table[8:9]" fine '*' rest >words.groups
data='-d synergy.tsv --text text --label label --batch 256'

# loss of the model SEED with the groups A and B trained alone
loss_of() { # SEED A B
    {
        grep '^##' "$1.mask" | grep -vE '^##(end|budget)'
        printf '##budget\t%s\tparams=32\n' "$2-$3"
        printf '#budget\tgroup\tparams\tvalue\n'
        printf '%s\t%s\t16\t1\n' "$2-$3" "$2" "$2-$3" "$3"
        printf '##end rows=2 crc32=00000000\n'
    } >pair.edited
    adapeft-view --seal -o pair.mask pair.edited
    adapeft-finetune -q -j 1 -m "base$1" $data --mask pair.mask --steps 200 --lr 0.02 \
        --schedule constant -o "run$1" | awk -F'\t' '!/^#/ { print $7 }'
    rm -rf "run$1"
}

for seed in 1 2 3; do
    t "seed $seed: a model that knows nothing yet" code 0 adapeft-finetune -q -j 1 -m words \
        --init random -s $seed $data --train classifier.bias --steps 100 --lr 0.05 \
        --schedule constant -o base$seed
    t 'is probed' code 0 sh -c "adapeft-probe -q -j 1 -m base$seed $data --steps 1 --trust inf \
        --method ggn --groups words.groups --interactions pairs >words.ppi"
    awk -F'\t' '/^#/ || ($1 != "rest" && $2 != "rest")' pairs >four
    t 'pairs are compared' code 0 adapeft-rank --additivity four
    t 'more and less help each other the most' test "$(rows | head -n 1 | cut -f 2,3,9)" = \
        "$(printf 'more\tless\tsynergy')"
    t 'many times their sum' test "$(rows | head -n 1 | cut -f 7 | cut -d . -f 1)" -ge 3
    t 'good and fine say the same' sh -c \
        'grep -v "^#" out | grep "^.*good	fine" | grep -q "redundant$"'
    t 'sums choose two' sh -c "adapeft-rank -q --by value words.ppi |
        adapeft-select -q --budget 32 --forbid rest >$seed.mask"
    chosen=$(grep -v '^#' $seed.mask | cut -f 2 | sort | paste -s -d ' ' -)
    t 'but not these' test "$chosen" = 'fine good'
    together=$(loss_of $seed more less)
    sums=$(loss_of $seed good fine)
    t "which lose less when trained alone ($together, $sums)" sh -c \
        'awk "BEGIN { exit !($1 > 0 && $1 < $2 - 0.005) }"' - "$together" "$sums"
done
finish
