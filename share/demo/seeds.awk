# Runs that differ in their seed as one line of a table.
# Reads run, trained, percent and score (tab-separated, without a header).

BEGIN { FS = OFS = "\t" }

{
	if (!($1 in runs)) {
		name[++names] = $1
		size[$1] = $2 OFS $3
		least[$1] = most[$1] = $4
	}
	runs[$1]++
	sum[$1] += $4
	least[$1] = $4 < least[$1] ? $4 : least[$1]
	most[$1] = $4 > most[$1] ? $4 : most[$1]
}

END {
	print "run", "trained", "percent", "score", "worst", "best", "runs"
	for (i = 1; i <= names; i++) {
		run = name[i]
		print run, size[run], sum[run] / runs[run], least[run], most[run], runs[run]
	}
}
