# spread.awk - distributions over powers of ten by type, as numbers for spread.gp.
# Reads type, status and curv (-v kind=curvature), or r2 (-v kind=fit), of which 1 - R^2 is
# shown; tab-separated. A type is a row of bars, as high as the share of its estimates that
# is in a bin; rows are scaled to their own highest bar.

BEGIN {
	FS = "\t"
	fine = 8     # bins that are counted in a power of ten
	reach = 16   # powers of ten that are shown at most
	types = split("attn mlp lora_A lora_B norm bias embed head mixed", order, " ")
}

$2 == "zero" || !is_number($3) { next }

kind == "fit" {
	# The gate is R^2 itself, whatever 1 - R^2 is rounded to.
	rest = 1 - $3
	cut = cut || rest < 1e-10
	place = log10(rest > 1e-10 ? rest : 1e-10)
	if ($3 >= 0.99 && place >= -2)
		place = -2 - 0.5 / fine
	if ($3 < 0.99)
		marked[$1]++
	count($1, 1, place < 0.999 ? place : 0.999)
	next
}

$3 != 0 {
	if ($3 < 0)
		marked[$1]++
	count($1, $3 < 0 ? -1 : 1, log10($3 < 0 ? -$3 : $3))
}

END {
	for (i = 1; i <= types; i++)
		if (order[i] in all)
			row[rows++] = order[i]
	print "kind = '" kind "'\nestimates = " n + 0 "\nrows = " rows + 0
	if (n == 0)
		exit
	set_range()
	print_tics()
	print_bars()
	print_rows()
}

function log10(v)
{
	return log(v) / log(10)
}

function count(type, sign, place,    bin)
{
	bin = floor(place * fine)
	bins[type, sign, bin]++
	all[type]++
	if (!n++)
		low = place
	low = place < low ? place : low
	if (!signs[sign]++ || place > high[sign])
		high[sign] = place
}

function floor(v)
{
	return int(v) > v ? int(v) - 1 : int(v)
}

# Both sides begin with the same power of ten, and each ends with its own.
function set_range(    sign, last)
{
	low = floor(low)
	for (sign = -1; sign <= 1; sign += 2) {
		high[sign] = signs[sign] ? floor(high[sign]) + 1 : low
		last = sign < 0 || high[sign] > last ? high[sign] : last
	}
	if (kind == "fit") {
		low = low > -3 ? -3 : low
		last = high[1] = high[1] < 0 ? 0 : high[1]
	}
	if (last - low > reach) {
		low = last - reach
		cut = 1
	}
	decades = last - low
	merged = decades > 10 ? 4 : (decades > 5 ? 2 : 1)
	print "low = " low "\nleft = " (signs[-1] ? at(-1, high[-1]) : 0)
	print "right = " (signs[1] ? at(1, high[1]) : 0)
}

# Where 10^place is, on the side of its sign; the two sides are half a power apart from 0.
function at(sign, place)
{
	return sign * (place - low + 0.5)
}

# Those next to 0 would stand in each other's way.
function print_tics(    step, p, sign, label, both)
{
	both = signs[-1] && signs[1]
	step = decades > 12 ? 4 : (decades > 6 ? 2 : 1)
	step = !both && step > 2 ? 2 : step
	print "set xtics ()"
	for (sign = -1; sign <= 1; sign += 2)
		for (p = low; signs[sign] && p <= high[sign]; p++) {
			if ((p - low) % step || (both && p - low < 0.75 * step))
				continue
			label = (sign < 0 ? "-" : "") "10^{" p "}"
			if (p == low && cut)
				label = "≤" label
			print "set xtics add ('" label "' " at(sign, p) ")"
		}
}

# Bars: from, to, the row's line, the height above it, and whether it is marked.
function print_bars(    i, k, sign, bin, first, whole, sums, most, where)
{
	first = low * fine / merged
	print "$bars << END"
	for (k in bins) {
		split(k, where, SUBSEP)
		bin = floor(where[3] / merged)
		bin = bin < first ? first : bin
		whole = where[1] SUBSEP where[2] SUBSEP bin
		sums[whole] += bins[k]
		if (sums[whole] > most[where[1]])
			most[where[1]] = sums[whole]
	}
	for (i = 0; i < rows; i++)
		for (sign = -1; sign <= 1; sign += 2)
			for (bin = first; bin < high[sign] * fine / merged; bin++) {
				whole = row[i] SUBSEP sign SUBSEP bin
				if (sums[whole])
					print_bar(i, sign, bin, sums[whole] / most[row[i]])
			}
	print "END"
}

function print_bar(i, sign, bin, share,    from, to)
{
	from = bin * merged / fine
	to = from + merged / fine
	printf "%g %g %g %.4f %d\n", at(sign, from), at(sign, to), i, 0.84 * share, \
	    (kind == "fit" ? from >= -2 : sign < 0)
}

function print_rows(    i)
{
	print "array said[" rows "]"
	for (i = 0; i < rows; i++) {
		print "set ytics " (i ? "add " : "") "('" row[i] "' " i ")"
		print "said[" i + 1 "] = '" said(all[row[i]], marked[row[i]] + 0) "'"
	}
}

function said(of, some,    percent)
{
	percent = 100 * some / of
	percent = sprintf(some && percent < 10 ? "%.1f" : "%.0f", percent)
	return of " rows, " percent " %"
}
