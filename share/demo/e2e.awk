# The E2E NLG files as OUT/train.csv, OUT/dev.csv and OUT/test.csv.
# usage: LC_ALL=C awk -v out=DIR [-v every=3] -f e2e.awk devset.csv testset_w_refs.csv
#
# Rows of one meaning representation stay together. An eighth of those in the first file are
# for dev; of the second file's, every third (or as -v every says) goes to the test.

BEGIN {
	if (every == 0)
		every = 3
	for (i = 1; i < 256; i++)
		code[sprintf("%c", i)] = i
	parts = split("train dev test", part, " ")
	for (i = 1; i <= parts; i++) {
		file[part[i]] = out "/" part[i] ".csv"
		print "mr,ref" >file[part[i]]
	}
}

{ sub(/\r$/, "") }

FNR == 1 {
	files++
	last = ""
	next
}

!match($0, /^("[^"]*"|[^",]+),/) {
	print "e2e.awk: " FILENAME ":" FNR ": no meaning representation and reference" \
	    | "cat >&2"
	exit failed = 65
}

{
	mr = substr($0, 1, RLENGTH - 1)
	if (mr != last) {
		last = mr
		to = files > 1 ? "test" : hash(mr) % 8 == 0 ? "dev" : "train"
		if (to == "test" && others++ % every > 0)
			to = ""
		meanings[to]++
	}
	if (to != "") {
		print >file[to]
		rows[to]++
	}
}

END {
	if (failed)
		exit failed
	for (i = 1; i <= parts; i++)
		printf "demo: %d references of %d meaning representations in %s\n", \
		    rows[part[i]], meanings[part[i]], file[part[i]]
}

function hash(text,    h, i)
{
	h = 7
	for (i = 1; i <= length(text); i++)
		h = (h * 31 + code[substr(text, i, 1)]) % 1000003
	return h
}
