# table.awk - tab-separated lines as a table whose columns stand under each other; numbers
# to the right, words to the left.
#
#     awk -f cols.awk -v head=1 -v cols=run,score FILE | awk -f table.awk
#
# The first line names the columns. -v digits=N: fractions are shown with N digits (4).

BEGIN {
	FS = "\t"
	if (digits == "")
		digits = 4
}

{
	fields = NF > fields ? NF : fields
	for (i = 1; i <= NF; i++) {
		cell[NR, i] = $i
		if (NR > 1)
			look_at(i, $i)
	}
}

END {
	for (r = 1; r <= NR; r++)
		for (i = 1; i <= fields; i++) {
			if (r > 1)
				cell[r, i] = shown(i, cell[r, i])
			if (length(cell[r, i]) > width[i])
				width[i] = length(cell[r, i])
		}
	for (r = 1; r <= NR; r++)
		print_row(r)
}

function look_at(i, text)
{
	if (text !~ /^[-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?$/ && text !~ /^(nan|-?inf|-?)$/)
		word[i] = 1
	else if (text ~ /[.eE]/)
		fraction[i] = 1
}

function shown(i, text)
{
	if (word[i] || !fraction[i] || text !~ /[0-9]/)
		return text
	return sprintf("%." digits "f", text)
}

function print_row(r,    i, line)
{
	for (i = 1; i <= fields; i++)
		line = line sprintf(word[i] ? "%-" width[i] "s  " : "%" width[i] "s  ", cell[r, i])
	sub(/ +$/, "", line)
	print line
}
