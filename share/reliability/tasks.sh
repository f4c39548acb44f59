# What was measured of each task: a table.
# usage: sh tasks.sh DIR TASK...
set -u
dir=$1
shift
here=$(dirname "$0")
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' task tensors trained_on held_out \
    initial_loss largest_decrease of seeds_tau
for task; do
    set -- "$dir/$task"/train.*
    rows=$(($(wc -l <"$1") - 1))
    awk -f "$here/../cols.awk" -v cols=loss,n "$dir/$task/init.point" |
        awk -F '\t' -v OFS='\t' -v task="$task" -v rows="$rows" '
            FILENAME ~ /agreement/ { if ($2 == "another-seed") tau = $3; next }
            FILENAME ~ /decrease/ {
                if (FNR > 1 && (n++ == 0 || $3 > most)) {
                    most = $3 + 0
                    best = $1
                }
                next
            }
            { print task, n, rows, $2, $1, most, best, tau == "" ? "-" : tau }' \
            "$dir/$task/agreement.tsv" "$dir/$task/decrease.tsv" -
done
