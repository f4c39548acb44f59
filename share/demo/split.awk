# Movie review snippets with their mean rating, -4 to 4, as demo/data/train.tsv and dev.tsv.
# usage: awk -v out=DIR -f split.awk SNIPPETS       (number <tab> rating <tab> sentence)
#
# A sentence's part depends on its letters alone, so that no sentence is in both. A rating of
# 0 is neither good nor bad and is left out.

BEGIN {
	FS = OFS = "\t"
	for (i = 0; i < 26; i++)
		code[substr("abcdefghijklmnopqrstuvwxyz", i + 1, 1)] = i + 1
	train = out "/train.tsv"
	dev = out "/dev.tsv"
	print "sentence", "score" >train
	print "sentence", "score" >dev
}

{ sub(/\r$/, "") }

NF != 3 || $2 !~ /^-?[0-9.]+$/ {
	print "split.awk: line " NR ": no number, rating and sentence" | "cat >&2"
	exit failed = 65
}

$2 == 0 { zeros++; next }

{
	letters = tolower($3)
	gsub(/[^a-z]/, "", letters)
	if (letters in seen) {
		again++
		next
	}
	seen[letters] = 1
	if (hash(letters) % 5 == 0) {
		print $3, $2 >dev
		devs++
	} else {
		print $3, $2 >train
		trains++
	}
}

END {
	if (failed)
		exit failed
	printf "demo: %d sentences to train with, %d to judge by; left out: %d rated 0, %d twins\n",
	    trains, devs, zeros, again
}

function hash(text,    h, i)
{
	h = 7
	for (i = 1; i <= length(text); i++)
		h = (h * 31 + code[substr(text, i, 1)]) % 1000003
	return h
}
