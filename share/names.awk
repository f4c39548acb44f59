# names.awk - group names as labels of pictures; read before the program that uses them.

# A label of `most` bytes at most: the end of a long name says more than its beginning. What
# gnuplot or a terminal could take for more than text is a question mark.
function shown(name, most,    head, tail)
{
	gsub(/[^][A-Za-z0-9._:+\/%,*=-]/, "?", name)
	if (length(name) <= most)
		return name
	head = int(most / 4)
	tail = most - head - 3
	return substr(name, 1, head) "..." substr(name, length(name) - tail + 1)
}

function is_number(text)
{
	return text ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/
}

# With so many digits after the point, and no minus before nothing.
function fixed(v, digits,    text)
{
	text = sprintf("%." digits "f", v)
	return text ~ /^-[0.]*$/ ? substr(text, 2) : text
}

# The `most` keys of value[] with the largest values, largest first, into best[1..]; equal
# ones by name. Keys of value 0 and less are left out. Returns how many there are.
function choose(value, most, best,    k, n, i)
{
	for (k in value) {
		if (!(value[k] > 0) || (n == most && !precedes(k, best[n], value)))
			continue
		if (n < most)
			n++
		for (i = n; i > 1 && precedes(k, best[i - 1], value); i--)
			best[i] = best[i - 1]
		best[i] = k
	}
	return n + 0
}

function precedes(a, b, value)
{
	return value[a] > value[b] || (value[a] == value[b] && a < b)
}
