# How the methods agree with what training measured, a table with a row for each.
# usage: sh agree.sh TASK DIR 'METHOD ...'
#
# DIR has decrease.tsv and streams/METHOD.appi. Each method stands also beside hvp with the
# same bound on the step. The last row, of more seeds than one, is not a method: what the
# first seed measured foretells the second.
set -u
task=$1 dir=$2 methods=$3
here=$(dirname "$0")
part=$(mktemp -d) || exit 73
trap 'rm -rf "$part"' EXIT

scores() { # METHOD
    awk -f "$here/../cols.awk" -v cols=group,value,appi "$dir/streams/$1.appi"
}
row() { # NAME DECREASE SCORES [OTHERS]
    name=$1
    shift
    awk -v task="$task" -v method="$name" -f "$here/../names.awk" -f "$here/agree.awk" "$@"
}

printf 'task\tmethod\ttau\ttop10\ttau_param\ttop10_param\ttau_hvp\n'
for method in $methods; do
    trust=$(sed -n 's/^##probe.*trust=\([a-z]*\).*/\1/p' "$dir/streams/$method.appi")
    [ -f "$dir/streams/hvp-$trust.appi" ] || trust=travel
    scores "$method" >"$part/scores" && scores "hvp-$trust" >"$part/hvp" || exit 65
    row "$method" "$dir/decrease.tsv" "$part/scores" "$part/hvp" || exit 65
done

if [ "$(head -n 1 "$dir/decrease.tsv" | tr '\t' '\n' | grep -c '^seed_')" -gt 1 ]; then
    cut -f 1,2,5 "$dir/decrease.tsv" >"$part/second"
    awk -F '\t' -v OFS='\t' 'NR > 1 { print $1, $4, $4 / $2 }' "$dir/decrease.tsv" \
        >"$part/first"
    row another-seed "$part/second" "$part/first"
fi
