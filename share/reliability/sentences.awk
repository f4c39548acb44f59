# sentences.awk - what the numbers of a task say, in three sentences.
# usage: awk -v task=T -f sentences.awk AGREEMENT DECREASE CURVATURES FITS
#
# AGREEMENT and DECREASE begin with a line of names; CURVATURES has type and curv, FITS type
# and r2 (all tab-separated).

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 && FNR > 1 && $1 == task {
	tau[$2] = $3
	top[$2] = $4
	if ($2 == "another-seed")
		next
	if ($3 != "-" && (best == "" || $3 + 0 > tau[best] + 0))
		best = $2
	if ($2 !~ /^(default|paper|ggn|hvp|fit)/ && $3 != "-" &&
	    (plain == "" || $3 + 0 > tau[plain] + 0))
		plain = $2
}

file == 2 && FNR > 1 { tensors++ }

file == 3 && $2 != "nan" {
	curvatures++
	negative += $2 < 0
}

file == 4 && $2 != "nan" {
	fits++
	low += $2 < 0.99
}

END {
	said = "The default orders the " tensors " tensors like training with a tau of " \
	    number("default")
	if ("another-seed" in tau)
		said = said "; one seed's training orders them like another's with " \
		    number("another-seed")
	said = said "."
	if ("paper" in tau)
		said = said " The paper's unbounded fit has " number("paper") ", "
	else
		said = said " "
	if (best != "")
		said = said "the best of all methods is " best " with " number(best)
	if (plain != "")
		said = said ", the best without a curvature " plain " with " number(plain)
	print said "."
	printf "Of %d fits %s have an R^2 below 0.99, and of %d exact curvatures %s are" \
	    " negative.\n", fits, percent(low, fits), curvatures, percent(negative, curvatures)
}

function number(method)
{
	return tau[method] " (" top[method] " of the ten best)"
}

function percent(some, of)
{
	return of ? sprintf("%.1f %%", 100 * some / of) : "0 %"
}
