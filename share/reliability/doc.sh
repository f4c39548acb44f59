# The page on reliability, from what `make reliability` left.
# usage: sh doc.sh DIR TASK...
set -u
dir=$1
shift
here=$(dirname "$0")

table() { # FILE
    echo '```text'
    sed 's/ *$//' "$1"
    echo '```'
    echo
}
picture() { # NAME TEXT
    printf '![%s](reliability-%s.svg)\n\n' "$2" "$1"
}

cat <<'END'
# How far can influence be trusted?

This page is written by `make reliability && make reliability-doc`, which measure all of it.

Training is the judge. Every tensor is trained alone, from one initial model with one new
head, once for each seed; how much less the loss then is on rows that were held out, with
the labels in the same proportions, is the tensor's decrease. Before any of that each method
has scored the tensors in a few steps of probing on the same data;
`share/reliability/recipe.mk` says the rest.

END
table "$dir/tasks.txt"
cat <<'END'
Methods are called by their bound on the step (`rms` is `rms:0.1`) or their direction. They
take slopes from halves of the batch, but for `paper`, which is the paper's estimate, and
those called `batch`. `default` is what `adapeft-probe` does unasked, in

END
sed -n 's/^##probe[[:blank:]]*//p' "$dir/$1/streams/default.appi" | fold -s -w 92 \
    >"$dir/default.txt"
table "$dir/default.txt"
cat <<'END'
`tau` is Kendall's tau-b between a method's scores (column `value` of `adapeft-rank`) and
the decreases: 1 is the same order, 0 none. `top10` is how many of the ten best are the
same. `tau_param` and `top10_param` are both again per parameter, as `appi` has it, with
which a budget is spent. `tau_hvp` is beside the exact curvature within the same bound.
With several `SEEDS` there is `another-seed`, which is no method: it is what one seed's
training says of another's, and what a method cannot be expected to exceed by much.

END
picture agreement 'tau and the ten best of every method and task'
table "$dir/agreement.txt"
cat <<'END'
By type of tensor: the share of fits whose R^2 is below 0.99, the share of exact curvatures
g'Hg that are negative, and how these are spread (along AdamW's direction, for a step of 1).

END
table "$dir/types.txt"

for task; do
    printf '## %s\n\n' "$task"
    awk -v task="$task" -f "$here/sentences.awk" "$dir/agreement.tsv" \
        "$dir/$task/decrease.tsv" "$dir/$task/curvatures.tsv" "$dir/$task/fits.tsv" |
        fold -s -w 92 | sed 's/ *$//'
    echo
    picture "scatter-$task" 'the default score of each tensor beside its decrease'
    picture "curvature-$task" 'exact curvatures by type'
    picture "fit-$task" 'what the fits leave over, by type'
done

printf '## Where influence is in %s\n\n' "$1"
picture heatmap 'influence per parameter by layer and type'
picture steps 'influence of the strongest tensors over the probed steps'
picture interactions 'cosines between the strongest tensors'
