# interactions.awk - cosines between groups, as numbers for interactions.gp. Reads a, b,
# curv, gain_a and slope_a (tab-separated) twice: first to choose the groups that gain most alone,
# then for their pairs.
#
#     cosine of a and b = curv_ab / sqrt(curv_aa curv_bb)

BEGIN {
	FS = "\t"
	top = top ? top : 40
}

NR == FNR {
	if ($1 == $2 && !($1 in curv)) {
		place[$1] = ++groups
		# Without a slope there is no gradient, and curvatures are rounding.
		curv[$1] = is_number($3) && $5 != 0 ? $3 : 0
		# A group of no gain comes after the others.
		gain[$1] = is_number($4) && $4 > 0 ? $4 : 1e-300
	}
	next
}

FNR == 1 { choose_groups() }

$1 in of && $2 in of && is_number($3) { pair[of[$1], of[$2]] = $3 }

END {
	print "chosen = " chosen + 0 "\ngroups = " groups + 0
	if (!chosen)
		exit
	print_cells()
	print "longest = " put_names(name, chosen)
}

# They stay in the order of the stream.
function choose_groups(    i, k, n, rank, at)
{
	n = choose(gain, top, best)
	for (i = 1; i <= n; i++)
		rank[place[best[i]]] = best[i]
	for (i = 1; i <= groups; i++)
		if (i in rank) {
			name[++chosen] = rank[i]
			of[rank[i]] = chosen
		}
}

function print_cells(    i, j, v)
{
	print "$cells << END"
	for (i = 1; i <= chosen; i++)
		for (j = 1; j <= chosen; j++) {
			v = cosine(i, j)
			if (v != "")
				print j, i, fixed(v, 4), fixed(v, 2)
		}
	print "END"
}

# Sums of different rounding can put a cosine a little beyond 1.
function cosine(i, j,    m, v)
{
	m = (i, j) in pair ? pair[i, j] : (j, i) in pair ? pair[j, i] : ""
	if (m == "" || !(curv[name[i]] > 0) || !(curv[name[j]] > 0))
		return ""
	v = m / (sqrt(curv[name[i]]) * sqrt(curv[name[j]]))
	return v > 1 ? 1 : (v < -1 ? -1 : v)
}
