# cols.awk - columns of text streams by their names, tab-separated, without the header.
#
#     awk -f cols.awk -v cols=group,appi FILE...      (-v head=1: a first line of names)
#
# -v named=NAME: what messages call standard input.
# Exit status 65: no stream, a column that is missing, or a stream that was cut short.

BEGIN {
	FS = OFS = "\t"
	wanted = split(cols, want, ",")
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

function fail(text)
{
	failed = 1
	print "cols.awk: " file ": " text | "cat >&2"
	close("cat >&2")
	exit 65
}
