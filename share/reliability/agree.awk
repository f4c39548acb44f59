# agree.awk - how a method's order of groups agrees with the decreases that training
# measured, a row: task, method, Kendall's tau-b and how many of the ten best are the same;
# both again per parameter; and tau-b beside another method's order.
# usage: awk -v task=T -v method=M -f names.awk -f agree.awk DECREASE SCORES [OTHERS]
#
# DECREASE has a line of names, and then group, params, decrease; SCORES and OTHERS have
# group, value, value per parameter (all tab-separated). Groups count that all have. Of
# equals the best is the first by name, and what is not above 0 is not among the best.

BEGIN { FS = OFS = "\t" }

FNR == 1 { file++ }

file == 1 && FNR > 1 {
	params[$1] = $2
	decrease[$1] = $3
}

file == 2 && $1 in params {
	group[++n] = $1
	value[$1] = $2 + 0
	each[$1] = $3 + 0
}

file == 3 { other[$1] = $2 + 0 }

END {
	for (i = 1; i <= n; i++) {
		k = group[i]
		truth[k] = decrease[k] + 0
		truth_each[k] = decrease[k] / params[k]
	}
	print task, method, tau(value, truth), shared(value, truth), \
	    tau(each, truth_each), shared(each, truth_each), \
	    file == 3 ? tau(value, other) : "-"
}

function tau(a, b,    t)
{
	t = kendall(a, b, group, n)
	return t == "" ? "-" : sprintf("%.3f", t)
}

function shared(a, b,    best_a, best_b, of_a, of_b, i, j, same)
{
	of_a = choose(a, 10, best_a)
	of_b = choose(b, 10, best_b)
	for (i = 1; i <= of_a; i++)
		for (j = 1; j <= of_b; j++)
			same += best_a[i] == best_b[j]
	return same + 0
}
