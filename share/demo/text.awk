# Sentences to learn a language from, OUT/train.txt, and every fortieth to judge it by,
# OUT/dev.txt.
# usage: awk -v out=DIR -f text.awk SENTENCES       (number <tab> rating <tab> sentence)

BEGIN {
	FS = "\t"
	train = out "/train.txt"
	dev = out "/dev.txt"
}

NF == 3 {
	sub(/\r$/, "", $3)
	gsub(/&(amp;)+/, "\\&", $3)
	gsub(/&lt;/, "<", $3)
	gsub(/&gt;/, ">", $3)
	gsub(/&quot;/, "\"", $3)
	print $3 >(++sentences % 40 == 0 ? dev : train)
}

END {
	if (sentences == 0) {
		print "text.awk: no number, rating and sentence in any line" | "cat >&2"
		exit 65
	}
	printf "demo: %d sentences in %s, %d in %s\n", sentences - int(sentences / 40), train, \
	    int(sentences / 40), dev
}
