# Learns a byte-level BPE vocabulary from text: OUT/vocab.json and OUT/merges.txt, as GPT-2's
# tokenizer reads them.
# usage: LC_ALL=C awk -v out=DIR [-v size=2048] -f bpe.awk TEXT...
#
# The 256 bytes, then the most frequent pair of neighbours merged again and again, then the
# token that ends a text. Ties go to the pair that sorts first.

BEGIN {
	if (size == 0)
		size = 2048
	spell_bytes()
	letters = "[A-Za-z\200-\377]"
	piece = "^( ?" letters "+| ?[0-9]+| ?[^ A-Za-z0-9\200-\377]+| +)"
}

{
	line = NR > 1 ? "\n" $0 : $0
	while (match(line, piece)) {
		count[substr(line, 1, RLENGTH)]++
		line = substr(line, RLENGTH + 1)
	}
}

END {
	for (word in count)
		if (count[word] > 1)
			split_word(word)
	while (n_tokens + merges < size - 1 && (pair = most_frequent()) != "")
		merge(pair)
	write()
}

# GPT-2 spells a byte that cannot be seen as a character beyond U+00FF.
function spell_bytes(    i, next_spare, code)
{
	next_spare = 256
	for (i = 0; i < 256; i++) {
		code = (i >= 33 && i <= 126) || (i >= 161 && i != 173) ? i : next_spare++
		spelt[sprintf("%c", i)] = utf8(code)
		token[n_tokens++] = utf8(code)
	}
}

function utf8(code)
{
	if (code < 128)
		return sprintf("%c", code)
	return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
}

function split_word(word,    i)
{
	length_of[word] = length(word)
	for (i = 1; i <= length(word); i++)
		part[word, i] = spelt[substr(word, i, 1)]
	count_pairs(word, 1)
}

# Adds (sign 1) or takes away (-1) the pairs of a word.
function count_pairs(word, sign,    i, p)
{
	for (i = 1; i < length_of[word]; i++) {
		p = part[word, i] " " part[word, i + 1]
		frequency[p] += sign * count[word]
		if (sign > 0 && !((p, word) in listed)) {
			listed[p, word] = 1
			words_of[p] = words_of[p] "\001" word
		}
	}
}

function most_frequent(    p, best, most)
{
	for (p in frequency)
		if (frequency[p] > most || (frequency[p] == most && most > 0 && p < best)) {
			best = p
			most = frequency[p]
		}
	return most > 1 ? best : ""
}

function merge(p,    words, n, i)
{
	n = split(substr(words_of[p], 2), words, "\001")
	for (i = 1; i <= n; i++)
		merge_in(words[i], p)
	delete frequency[p]
	delete words_of[p]
	merged[++merges] = p
}

function merge_in(word, p,    i, to)
{
	count_pairs(word, -1)
	for (i = 1; i <= length_of[word]; i++) {
		to++
		part[word, to] = part[word, i]
		if (i < length_of[word] && part[word, i] " " part[word, i + 1] == p) {
			part[word, to] = part[word, i] part[word, i + 1]
			i++
		}
	}
	length_of[word] = to
	count_pairs(word, 1)
}

function write(    i, both, vocab, list)
{
	vocab = out "/vocab.json"
	list = out "/merges.txt"
	printf "{" >vocab
	for (i = 0; i < n_tokens; i++)
		printf "%s: %d, ", quoted(token[i]), i >vocab
	print "#version: 0.2" >list
	for (i = 1; i <= merges; i++) {
		both = merged[i]
		print both >list
		sub(/ /, "", both)
		printf "%s: %d, ", quoted(both), n_tokens + i - 1 >vocab
	}
	printf "\"<|endoftext|>\": %d}\n", n_tokens + merges >vocab
	printf "demo: a vocabulary of %d tokens\n", n_tokens + merges + 1
}

function quoted(s,    i, c, text)
{
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		text = text (c == "\\" || c == "\"" ? "\\" : "") c
	}
	return "\"" text "\""
}
