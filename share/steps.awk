# steps.awk - influence of the strongest groups over the probed steps, as numbers for
# steps.gp. Reads group, step, ppi, gain and status (tab-separated) twice: first to choose
# the groups, then to keep only theirs. Of several shards the mean counts.

BEGIN {
	FS = "\t"
	top = top ? top : 8
}

# As adapeft-rank counts it.
{
	counts = $5 == "ok" || $5 == "bounded" || ($5 == "negcurv" && $4 > 0)
	ppi = counts && is_number($3) ? $3 : 0
}

NR == FNR {
	sum[$1] += ppi
	next
}

FNR == 1 {
	for (k in sum)
		groups++
	chosen = choose(sum, top, best)
	for (i = 1; i <= chosen; i++)
		of[best[i]] = i
}

!($2 in seen) {
	seen[$2] = 1
	step[steps++] = $2 + 0
}

{
	k = $1 in of ? of[$1] : 0
	total[$2 + 0, k] += ppi
	rows[$2 + 0, k]++
}

END {
	sort_steps()
	print "chosen = " chosen + 0 "\ngroups = " groups + 0 "\nsteps = " steps + 0
	if (!chosen)
		exit
	print_lines()
	print "longest = " put_names(best, chosen) "\nlow = " low "\nhigh = " high
	print "gaps = " gaps + 0
	print "first_step = " step[0] "\nlast_step = " step[steps - 1]
}

function sort_steps(    i, j, hold)
{
	for (i = 1; i < steps; i++) {
		hold = step[i]
		for (j = i; j > 0 && step[j - 1] > hold; j--)
			step[j] = step[j - 1]
		step[j] = hold
	}
}

# A line a step: the step, each chosen group, the mean of the others.
function print_lines(    s, k)
{
	print "$lines << END"
	for (s = 0; s < steps; s++) {
		printf "%d", step[s]
		for (k = 1; k <= chosen; k++)
			printf " %s", mean(step[s], k)
		printf " %s\n", mean(step[s], 0)
	}
	print "END"
}

# A rejected estimate has no place on a scale of powers of ten: gnuplot leaves NaN out.
function mean(s, k,    v)
{
	if (!rows[s, k] || !(total[s, k] > 0)) {
		gaps += k > 0
		return "NaN"
	}
	v = total[s, k] / rows[s, k]
	low = !low || v < low ? v : low
	high = v > high ? v : high
	return sprintf("%.6g", v)
}
