# agreement.awk - how methods agree with what training measured, as numbers for
# agreement.gp. Reads task, method, tau and top10 (tab-separated); rows of the same task and
# method are one bar, their mean, with a line from the lowest to the highest.

BEGIN {
	FS = "\t"
	split("tau top10", measure, " ")
}

!is_number($3) && !is_number($4) { next }

{
	if (!(($1, $2) in seen)) {
		if (!($1 in tasks_seen))
			task[++tasks] = $1
		tasks_seen[$1] = seen[$1, $2] = 1
		method[$1, ++methods[$1]] = $2
	}
	add($1, $2, 1, $3)
	add($1, $2, 2, $4)
}

END {
	print "tasks = " tasks + 0
	if (!tasks)
		exit
	lay_out()
	for (m = 1; m <= 2; m++)
		print_bars(m)
	print "lowest = " low[1] + 0 "\ntop = " (high[2] > 1 ? 10 : 1)
}

function add(of, by, m, text,    v)
{
	if (!is_number(text))
		return
	v = text + 0
	if (!n[of, by, m]++)
		least[of, by, m] = most[of, by, m] = v
	sum[of, by, m] += v
	least[of, by, m] = v < least[of, by, m] ? v : least[of, by, m]
	most[of, by, m] = v > most[of, by, m] ? v : most[of, by, m]
	low[m] = v < low[m] ? v : low[m]
	high[m] = v > high[m] ? v : high[m]
}

# Tasks one after the other, with room for a bar between them.
function lay_out(    t, i, longest, label)
{
	print "$methods << END"
	for (t = 1; t <= tasks; t++)
		for (i = 1; i <= methods[task[t]]; i++) {
			label = shown(method[task[t], i], 24)
			longest = length(label) > longest ? length(label) : longest
			place[t, i] = bars++ + t - 1
			print place[t, i], label
		}
	print "END\n$tasks << END"
	for (t = 1; t <= tasks; t++)
		print (place[t, 1] + place[t, methods[task[t]]]) / 2, shown(task[t], 24)
	print "END\nplaces = " bars + tasks - 1 "\nlongest = " longest
}

# Where, mean, lowest, highest, and the method's number.
function print_bars(m,    t, i, of, by)
{
	print "$" measure[m] " << END"
	for (t = 1; t <= tasks; t++)
		for (i = 1; i <= methods[task[t]]; i++) {
			of = task[t]
			by = method[of, i]
			if (!(by in number))
				number[by] = ++numbers
			if (n[of, by, m])
				printf "%d %.4g %.4g %.4g %d\n", place[t, i], \
				    sum[of, by, m] / n[of, by, m], least[of, by, m], \
				    most[of, by, m], number[by]
		}
	print "END"
}
