# scatter.awk - scores of groups beside the decrease of the loss that training each alone
# measured, as numbers for scatter.gp. Reads group, score and decrease (tab-separated).
# What is not above 0 has no place on a scale of powers of ten: it lies on the edge.

BEGIN { FS = "\t" }

is_number($2) && is_number($3) {
	n++
	place[n] = n
	score[n] = $2 + 0
	decrease[n] = $3 + 0
	widen("x", $2 + 0)
	widen("y", $3 + 0)
}

END {
	if (!placed["x"] || !placed["y"])
		n = 0
	print "groups = " n + 0
	if (!n)
		exit
	few = n < 10 ? n : 10
	choose(score, few, best)
	choose(decrease, few, helped)
	for (i = 1; i <= few; i++)
		for (j = 1; j <= few; j++)
			shared += best[i] != "" && best[i] == helped[j]
	for (i = 1; i <= few; i++)
		mark[best[i]] += 1
	for (i = 1; i <= few; i++)
		mark[helped[i]] += 2
	print "few = " few "\nshared = " shared + 0
	tau = n <= 3000 ? kendall(score, decrease, place, n) : ""
	print "tau = " (tau == "" ? "NaN" : sprintf("%.4f", tau))
	set_range("x")
	set_range("y")
	print "$points << END"
	for (i = 1; i <= n; i++)
		printf "%.6g %.6g %d\n", at("x", score[i]), at("y", decrease[i]), mark[i]
	print "END\nedged = " edged + 0
}

function widen(axis, v)
{
	if (!(v > 0))
		return
	if (!placed[axis]++ || v < low[axis])
		low[axis] = v
	high[axis] = v > high[axis] ? v : high[axis]
}

# Half a power of ten of room, and the edge for those without a place.
function set_range(axis)
{
	low[axis] /= 4
	high[axis] *= 2
	printf "%s_low = %.6g\n%s_high = %.6g\n", axis, low[axis], axis, high[axis]
}

function at(axis, v)
{
	edged += !(v > 0)
	return v > 0 ? v : low[axis]
}
