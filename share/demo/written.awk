# What models wrote for some of a file's prompts, beside a reference.
# usage: awk -v show='1 20 30' -f written.awk PROMPTS.csv WRITTEN.RUN...
#
# Rows of one prompt follow one another; a written file has a line for each prompt.

BEGIN { wanted = split(show, prompt, " ") }

FNR == 1 { files++ }

files == 1 && FNR > 1 && match($0, /^("[^"]*"|[^",]+),/) {
	mr = substr($0, 1, RLENGTH - 1)
	if (mr != last) {
		last = mr
		asked[++prompts] = bare(mr)
		reference[prompts] = bare(substr($0, RLENGTH + 1))
	}
}

files > 1 {
	if (FNR == 1) {
		name = FILENAME
		sub(/.*\//, "", name)
		sub(/^[^.]*\./, "", name)
		run[++runs] = name
	}
	written[runs, FNR] = $0
}

END {
	for (i = 1; i <= wanted; i++) {
		p = prompt[i]
		if (p > prompts)
			p = (p - 1) % prompts + 1
		print asked[p]
		printf "  %-9s %s\n", "people", reference[p]
		for (r = 1; r <= runs; r++)
			printf "  %-9s %s\n", run[r], begun(written[r, p])
		print ""
	}
}

# The beginning of a long text.
function begun(text)
{
	return length(text) <= 200 ? text : substr(text, 1, 197) "..."
}

function bare(field)
{
	sub(/\r$/, "", field)
	if (field !~ /^"/)
		return field
	gsub(/""/, "\"", field)
	return substr(field, 2, length(field) - 2)
}
