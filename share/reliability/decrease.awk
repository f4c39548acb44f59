# decrease.awk - how much less the loss is when a tensor is trained alone: the mean over the
# seeds, and each seed's.
# usage: awk -f cols.awk -v cols=model,trained,loss INITIAL.point POINT... |
#          awk -v seeds='0 1' -f decrease.awk
#
# The first row is the initial model; the directories of the others are called SEED/TENSOR.

BEGIN {
	FS = OFS = "\t"
	runs = split(seeds, seed, " ")
}

NR == 1 {
	initial = $3
	next
}

{
	parts = split($1, part, "/")
	tensor = part[parts]
	if (!(tensor in params))
		order[++n] = tensor
	params[tensor] = $2
	decrease[tensor, part[parts - 1]] = initial - $3
}

END {
	row = "group" OFS "params" OFS "decrease"
	for (s = 1; s <= runs; s++)
		row = row OFS "seed_" seed[s]
	print row
	for (i = 1; i <= n; i++)
		print_row(order[i])
}

function print_row(tensor,    s, row, sum)
{
	for (s = 1; s <= runs; s++) {
		sum += decrease[tensor, seed[s]]
		row = row OFS sprintf("%.9g", decrease[tensor, seed[s]])
	}
	print tensor, params[tensor], sprintf("%.9g", sum / runs) row
}
