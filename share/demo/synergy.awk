# A task that two words solve only together. Each text has 34 words: n + s times "more",
# n - s times "less", n from 1 to 9, and the label is 1 when s is 1, 0 when it is -1. How
# often one of the two occurs says little, as n varies; the difference says all. "good" and
# "fine" are always together, thrice or once, which is the label in 85 of 100 texts: either
# of them alone does moderately well, and the other adds nothing. The rest is "so".
#
#     awk -f synergy.awk -v texts=256 -v seed=1 >synergy.tsv
function below(n) { # 0 <= whole number < n, the same in every awk
    state = (state * 16807) % 2147483647
    return int(state / 2147483647 * n)
}

function put(word, times,    i) {
    for (i = 0; i < times; i++)
        words[++n_words] = word
}

BEGIN {
    state = (seed == "" ? 1 : seed) * 7919 + 12345
    for (i = 0; i < 20; i++)
        below(2)
    print "text\tlabel"
    for (t = 0; t < (texts == "" ? 256 : texts); t++) {
        label = t % 2
        s = label ? 1 : -1
        n = 1 + below(9)
        decoys = (below(100) < 85) == label ? 3 : 1
        n_words = 0
        put("more", n + s)
        put("less", n - s)
        put("good", decoys)
        put("fine", decoys)
        put("so", 34 - n_words)
        line = ""
        for (left = n_words; left > 0; left--) {
            at = 1 + below(left)
            line = line (line == "" ? "" : " ") words[at]
            words[at] = words[left]
        }
        print line "\t" label
    }
}
