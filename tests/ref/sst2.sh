#!/bin/sh
# What a budget buys on SST-2: full fine-tuning, the head alone, the mask of 1 % that probe, rank
# and select choose, and a random mask of that size, mean dev accuracy over seeds.
# usage: tests/ref/sst2.sh MODEL GLUE OUT [SEED...]
#   MODEL  a Hugging Face directory    GLUE  a directory that holds sst2/{train,dev}.tsv
# The first 8,000 training rows, 2 epochs, and adapeft-finetune's own settings.
set -eu
model=$1 glue=$2 out=$3
shift 3
seeds=${*:-0 1 2}
mkdir -p "$out"
train=$out/train.tsv
head -n 8001 "$glue/sst2/train.tsv" >"$train"

adapeft-probe -m "$model" -d "$train" --task sst2 --epochs 2 --steps 50 --every 10 >"$out/ppi"
adapeft-rank -q "$out/ppi" >"$out/appi"
adapeft-select --budget 1% --require 'classifier.*' "$out/appi" >"$out/chosen.mask"
for seed in $seeds; do
    # The same groups with values drawn by lot.
    awk -F'\t' -v OFS='\t' -v seed="$seed" 'BEGIN { srand(seed + 1) }
        /^#rank/ { for (i = 1; i <= NF; i++) if ($i == "value") v = i; else if ($i == "params") p = i }
        /^#/ { print; next } { $v = $p * rand(); print }' "$out/appi" |
        adapeft-view -q --seal |
        adapeft-select -q --budget 1% --require 'classifier.*' >"$out/random-$seed.mask"
    adapeft-finetune -q -s "$seed" -d "$train" --epochs 2 --preset head,full \
        -o "$out/$seed" --mask "$out/chosen.mask" >"$out/$seed.run"
    adapeft-finetune -q -s "$seed" -d "$train" --epochs 2 \
        -o "$out/$seed/random" --mask "$out/random-$seed.mask" >"$out/$seed-random.run"
    adapeft-evaluate -q -d "$glue/sst2/dev.tsv" "$out/$seed.run" >"$out/$seed.point"
    adapeft-evaluate -q -d "$glue/sst2/dev.tsv" "$out/$seed-random.run" >"$out/$seed-random.point"
    grep -v '^#' "$out/$seed.point" "$out/$seed-random.point" | cut -f 1,3,6 | sed "s/^[^:]*:/seed $seed: /"
done
for seed in $seeds; do
    awk -F'\t' '!/^#/ { print $1 "\t" $6 }' "$out/$seed.point"
    awk -F'\t' '!/^#/ { print "random\t" $6 }' "$out/$seed-random.point"
done | awk -F'\t' '{ n[$1]++; s[$1] += $2; q[$1] += $2 * $2 }
    END { for (k in n) printf "%s\tmean of %d: %.4f\tsd %.4f\n", k, n[k], s[k] / n[k],
        (n[k] > 1 ? sqrt((q[k] - s[k] * s[k] / n[k]) / (n[k] - 1)) : 0) }' | sort
