# types.awk - curvatures and fits by type of group, a row for each type: how many estimates,
# the share of fits with R^2 below 0.99 and of negative curvatures, and the least, the 10th
# percentile, the median, the 90th and the largest of g'Hg.
# usage: awk -v task=T -f types.awk CURVATURES FITS
#
# CURVATURES has type and curv, FITS type and r2 (tab-separated); nan is no estimate.
# Between two ranks a quantile lies in proportion.

BEGIN {
	FS = "\t"
	form = "%-8s  %-6s  %9s  %8s  %8s  %8s  %8s  %8s  %8s  %8s\n"
	split("0 0.1 0.5 0.9 1", share, " ")
	if (head)
		printf form, "task", "type", "estimates", "R2<0.99", "negative", "least", \
		    "10%", "median", "90%", "largest"
}

FNR == 1 { file++ }

!($1 in seen) {
	seen[$1] = 1
	type[++types] = $1
}

$2 == "nan" { next }

file == 1 {
	count[$1]++
	negative[$1] += $2 < 0
	curvature[$1, count[$1]] = $2 + 0
}

file == 2 {
	fits[$1]++
	low[$1] += $2 < 0.99
}

END {
	for (t = 1; t <= types; t++)
		print_type(type[t])
}

function print_type(name,    q, at)
{
	sort_curvatures(name)
	for (q = 1; q <= 5; q++)
		at[q] = count[name] ? sprintf("%.1e", quantile(name, share[q])) : "-"
	printf form, task, name, count[name] + 0, percent(low[name], fits[name]), \
	    percent(negative[name], count[name]), at[1], at[2], at[3], at[4], at[5]
}

function percent(some, of)
{
	return of ? sprintf("%.1f %%", 100 * some / of) : "-"
}

function quantile(name, p,    place, i)
{
	place = 1 + p * (count[name] - 1)
	i = int(place)
	if (i == count[name])
		return curvature[name, i]
	return curvature[name, i] + (place - i) * (curvature[name, i + 1] - curvature[name, i])
}

function sort_curvatures(name,    i, j, v)
{
	for (i = 2; i <= count[name]; i++) {
		v = curvature[name, i]
		for (j = i; j > 1 && curvature[name, j - 1] > v; j--)
			curvature[name, j] = curvature[name, j - 1]
		curvature[name, j] = v
	}
}
