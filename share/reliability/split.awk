# split.awk - rows to train with and others to judge by, with the same share of each label
# in both: where the two are balanced otherwise, a bias's measured gain is that of the
# balance.
# usage: LC_ALL=C awk [-v train=FILE] [-v held=FILE] -v rows=N -v others=N
#          [-v label=COLUMN] [-v threshold=X] -f split.awk DATA...
#
# The first line of every file names the columns. Of too few rows a quarter is kept to
# judge by, unless fewer are asked for. The label is a tab-separated column by number, or
# whether it is above X; without it all rows are alike. Which rows go where is a function
# of how many there are of each label; they stay in their order.

BEGIN {
	FS = label ? "\t" : "\n"
	state = 1
}

FNR == 1 {
	if (NR == 1)
		names = $0
	next
}

label && NF < label {
	print "split.awk: " FILENAME ":" FNR ": no column " label | "cat >&2"
	exit failed = 65
}

{
	line[++n] = $0
	class = !label ? "" : threshold == "" ? $label : ($label > threshold + 0)
	if (!count[class]++)
		classes[++kinds] = class
	member[class, count[class]] = n
}

END {
	if (failed)
		exit failed
	least = n - int(3 * n / 4)
	least = others < least ? others : least
	rows = rows < n - least ? rows : n - least
	others = others < n - rows ? others : n - rows
	for (k = 1; k <= kinds; k++)
		take(classes[k], count[classes[k]])
	if (train)
		write(train, "train")
	if (held)
		write(held, "held")
}

# The sums over the classes so far are rounded, so that each part is as large as was said.
function take(class, size,    first, second, i)
{
	shuffle(class, size)
	before += size
	first = int(rows * before / n + 0.5) - trained
	second = int((rows + others) * before / n + 0.5) - trained - judged - first
	for (i = 1; i <= first + second; i++)
		part[member[class, i]] = i <= first ? "train" : "held"
	trained += first
	judged += second
}

function shuffle(class, size,    i, j, kept)
{
	for (i = size; i > 1; i--) {
		j = 1 + int(uniform() * i)
		kept = member[class, i]
		member[class, i] = member[class, j]
		member[class, j] = kept
	}
}

# Lehmer's generator: its products are whole numbers that a double holds.
function uniform()
{
	state = state * 48271 % 2147483647
	return state / 2147483647
}

function write(file, which,    i)
{
	print names >file
	for (i = 1; i <= n; i++)
		if (part[i] == which)
			print line[i] >file
}
