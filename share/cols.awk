# cols.awk - columns of text streams by their names, tab-separated, without the header.
#
#     awk -f cols.awk -v cols=group,appi FILE...      (-v head=1: a first line of names)
#
# -v named=NAME: what messages call standard input.
# -v numbers=NAME,...: columns of cells that are a number, or nan, inf, - or nothing.
# -v above=N: lines at the top that are not the file's own, for the numbers of lines.
# Exit status 65: no stream, a column that is missing, or a stream that was cut short.

BEGIN {
	FS = OFS = "\t"
	wanted = split(cols, want, ",")
	checked = split(numbers, check, ",")
	if (head)
		print_names()
}

FNR == 1 {
	if (NR > 1)
		whole()
	file = FILENAME !~ /^-?$/ ? FILENAME : named != "" ? named : "stdin"
	ended = found = 0
	if ($0 !~ /^##adapeft /)
		fail("no text stream: convert a binary one with adapeft view")
}

/^##end / { ended = 1 }

/^##/ { next }

/^#/ {
	sub(/^#/, "")
	split("", at)
	for (i = 1; i <= NF; i++)
		at[$i] = i
	for (i = 1; i <= wanted; i++)
		if (!(want[i] in at))
			fail("column " want[i] " is missing: it has " join_fields())
	found = 1
	next
}

{
	if (!found)
		fail("rows come before the columns' names")
	for (i = 1; i <= checked; i++)
		if (!may_be_number($(at[check[i]])))
			fail_here("column " check[i] ": " $(at[check[i]]) " is no number")
	row = $(at[want[1]])
	for (i = 2; i <= wanted; i++)
		row = row OFS $(at[want[i]])
	print row
}

END {
	if (!failed && NR == 0)
		fail("no text stream: it is empty")
	if (!failed)
		whole()
	if (failed)
		exit 65
}

# What overflows is none.
function may_be_number(text)
{
	if (text ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/)
		return text + 0 < 1e308 && text + 0 > -1e308
	return text ~ /^([-+]?([nN][aA][nN]|[iI][nN][fF])|-?)$/
}

function print_names(    i, row)
{
	row = want[1]
	for (i = 2; i <= wanted; i++)
		row = row OFS want[i]
	print row
}

function join_fields(    i, text)
{
	for (i = 1; i <= NF; i++)
		text = text (i > 1 ? ", " : "") $i
	return text
}

function whole()
{
	if (!ended)
		fail("cut short: make it again")
}

function fail_here(text)
{
	file = file ":" FNR - above
	fail(text)
}

function fail(text)
{
	failed = 1
	print "cols.awk: " file ": " text | "cat >&2"
	close("cat >&2")
	exit 65
}
