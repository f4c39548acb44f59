# frontier.awk - scores over trained parameters, as numbers for frontier.gp.
# Reads run, budget, trained, percent, metric and score (tab-separated). Runs of one budget,
# or one preset, that differ in their seed are one point, their mean, with a bar from the
# lowest to the highest.
# Labels are put where they cover neither points nor the frontier nor each other.

BEGIN {
	FS = "\t"
	width = 700  # of the plot, in pixels
	height = 400
}

$6 !~ /^-?[0-9]/ { next }

{
	preset = $2 == "-"
	label = preset ? $1 : $2
	gsub(/[^A-Za-z0-9%._:+-]/, " ", label)
	if (!(label in runs))
		name[n++] = label
	is_preset[label] = preset
	runs[label]++
	trained[label] += $3
	score[label] += $6
	if (runs[label] == 1 || $6 < least[label])
		least[label] = $6
	if (runs[label] == 1 || $6 > most[label])
		most[label] = $6
	if ($4 > 0)
		total = $3 / $4 * 100
	metric = $5
	gsub(/[^A-Za-z0-9_]/, " ", metric)
}

END {
	for (i = 0; i < n; i++) {
		x[i] = trained[name[i]] / runs[name[i]]
		y[i] = score[name[i]] / runs[name[i]]
		x[i] = x[i] < 1 ? 1 : x[i]
		widen(i)
	}
	print "points = " n + 0 "\nmetric = '" metric "'\ntotal = " total + 0
	if (n == 0)
		exit
	set_ranges()
	sort_points()
	print_points()
	print_spread()
	print_frontier()
	print_labels()
}

function widen(i)
{
	if (i == 0) {
		x_low = x_high = x[i]
		y_low = least[name[i]]
		y_high = most[name[i]]
	}
	x_low = x[i] < x_low ? x[i] : x_low
	x_high = x[i] > x_high ? x[i] : x_high
	y_low = least[name[i]] < y_low ? least[name[i]] : y_low
	y_high = most[name[i]] > y_high ? most[name[i]] : y_high
}

function set_ranges(    room)
{
	x_low /= 1.9
	x_high *= 1.9
	room = y_high > y_low ? 0.12 * (y_high - y_low) : 0.05
	y_low -= room
	y_high += room
	printf "x_low = %.10g\nx_high = %.10g\ny_low = %.10g\ny_high = %.10g\n", \
	    x_low, x_high, y_low, y_high
}

function sort_points(    i, j, hold)
{
	for (i = 0; i < n; i++)
		at[i] = i
	for (i = 1; i < n; i++) {
		hold = at[i]
		for (j = i; j > 0 && before(hold, at[j - 1]); j--)
			at[j] = at[j - 1]
		at[j] = hold
	}
}

function before(a, b)
{
	return x[a] < x[b] || (x[a] == x[b] && better(y[a], y[b]))
}

function better(a, b)
{
	return metric ~ /^(loss|perplexity)$/ ? a < b : a > b
}

function print_points(    i, k)
{
	print "$points << END"
	for (k = 0; k < n; k++) {
		i = at[k]
		printf "%.10g %.10g %d\n", x[i], y[i], !is_preset[name[i]]
	}
	print "END"
}

function print_spread(    i)
{
	print "$spread << END"
	for (i = 0; i < n; i++)
		if (runs[name[i]] > 1)
			printf "%.10g %.10g %.10g %d\n", x[i], least[name[i]], \
			    most[name[i]], !is_preset[name[i]]
	print "END"
}

# The line goes on to the right of its last point, as more parameters are never worse, but no
# model has more than all.
function print_frontier(    i, k, best, end)
{
	end = total < x_high ? total : x_high
	end = end > x[at[n - 1]] ? end : x[at[n - 1]]
	print "$frontier << END"
	for (k = 0; k < n; k++) {
		i = at[k]
		if (steps && !better(y[i], best))
			continue
		best = y[i]
		printf "%.10g %.10g\n", x[i], y[i]
		step_x[steps] = px(x[i])
		step_y[steps++] = py(y[i])
	}
	printf "%.10g %.10g\nEND\n", end, best
	step_x[steps] = px(end)
	step_y[steps] = step_y[steps - 1]
}

function px(v)
{
	return width * log(v / x_low) / log(x_high / x_low)
}

function py(v)
{
	return height * (v - y_low) / (y_high - y_low)
}

# Each label takes the cheapest of the places around its point; as one in the way of another
# may have a second choice that is as good, all choose three times.
function print_labels(    k, sweep)
{
	places = split("1,0 -1,0 0,1 0,-1 1,1 -1,1 1,-1 -1,-1 0,2 0,-2 1,2 -1,2 1,-2 -1,-2", \
	    place, " ")
	for (sweep = 0; sweep < 3; sweep++)
		for (k = 0; k < n; k++)
			settle(at[k])
	print "$labels << END"
	for (k = 0; k < n; k++)
		printf "%.6g %.6g \"%s\"\n", label_x[at[k]] / width, label_y[at[k]] / height, \
		    name[at[k]]
	print "END"
}

function settle(i,    c, cost, least_cost, best)
{
	half = half_of(i)
	for (c = 1; c <= places; c++) {
		cost = 0.1 * c + cost_of(i, place[c])
		if (c == 1 || cost < least_cost) {
			least_cost = cost
			best = c
		}
	}
	put(i, place[best])
	label_x[i] = cx
	label_y[i] = cy
	placed[i] = 1
}

# Half of a label's width.
function half_of(i)
{
	return 5 * length(name[i]) + 2
}

# The middle of point i's label at a place, into cx and cy.
function put(i, where,    d)
{
	split(where, d, ",")
	cx = px(x[i]) + d[1] * (d[2] == 0 ? half + 11 : half * 0.6 + 10)
	cy = py(y[i]) + d[2] * (d[2] * d[2] > 1 ? 15 : 17)
}

function cost_of(i, where,    j, cost)
{
	put(i, where)
	if (cx - half < 3 || cx + half > width - 3 || cy < 10 || cy > height - 10)
		cost += 50
	for (j = 0; j < n; j++)
		if (crosses(px(x[j]) - 6, py(least[name[j]]) - 6, px(x[j]) + 6, \
		    py(most[name[j]]) + 6))
			cost += 20
	for (j = 0; j < n; j++)
		if (j != i && placed[j] && crosses(label_x[j] - half_of(j), label_y[j] - 8, \
		    label_x[j] + half_of(j), label_y[j] + 8))
			cost += 20
	if (points_elsewhere(i))
		cost += 8
	for (j = 0; j < steps; j++)
		if (crosses(step_x[j], step_y[j], step_x[j + 1], step_y[j]) ||
		    crosses(step_x[j + 1], step_y[j], step_x[j + 1], step_y[j + 1]))
			cost += 3
	return cost
}

# Is the label at cx, cy nearer to another point than to its own?
function points_elsewhere(i,    j)
{
	for (j = 0; j < n; j++)
		if (j != i && away(j) < away(i))
			return 1
	return 0
}

# Squared distance of point j from the label's nearest edge.
function away(j,    dx, dy)
{
	dx = px(x[j]) - cx
	dy = py(y[j]) - cy
	dx = dx < 0 ? -dx : dx
	dx = dx > half ? dx - half : 0
	return dx * dx + dy * dy
}

# Does the label at cx, cy touch this rectangle?
function crosses(left, low, right, high)
{
	return cx + half > left && cx - half < right && cy + 9 > low && cy - 9 < high
}
