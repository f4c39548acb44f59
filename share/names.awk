# names.awk - group names as labels of pictures, and how groups are ordered; read before the
# program that uses it.

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

# An array of labels for gnuplot; returns the length of the longest.
function put_names(of, n,    i, label, longest)
{
	print "array name[" n "]"
	for (i = 1; i <= n; i++) {
		label = shown(of[i], 64)
		longest = length(label) > longest ? length(label) : longest
		print "name[" i "] = '" label "'"
	}
	return longest
}

# Kendall's tau-b of a and b at key[1] .. key[n]; nothing when one of them is constant:
# (concordant - discordant) / sqrt(pairs that differ in a x pairs that differ in b)
function kendall(a, b, key, n,    i, j, x, y, sum, differ_a, differ_b)
{
	for (i = 2; i <= n; i++)
		for (j = 1; j < i; j++) {
			x = sign_of(a[key[i]] - a[key[j]])
			y = sign_of(b[key[i]] - b[key[j]])
			sum += x * y
			differ_a += x * x
			differ_b += y * y
		}
	return differ_a * differ_b > 0 ? sum / sqrt(differ_a * differ_b) : ""
}

function sign_of(v)
{
	return v > 0 ? 1 : (v < 0 ? -1 : 0)
}
