# adapeft-select: groups within budgets.
. "$TESTS/tools/lib.sh"
cp "$FIX/small.appi" small.appi

# stream NAME: "group params value" rows on stdin become a whole appi stream NAME
stream() {
    {
        printf '##adapeft 1 appi\n##model\tm  params=1000\n'
        printf '#group\tparams\tvalue\n'
        tr ' ' '\t'
        printf '##end rows=0 crc32=00000000\n'
    } >"$1.edited"
    adapeft-view --seal -o "$1" "$1.edited"
}
chosen() { grep -v '^#' "${1:-out}" | cut -f2 | sort | tr '\n' ' '; }
# word NAME: NAME=WORD of the only ##budget line
word() { sed -n "s/^##budget.*$1=\([^\\\\	]*\).*/\1/p" out; }
rows() { grep -v '^#' "$1"; }

t 'selects within budgets' code 0 adapeft-select --budget 0.1%,1%,5k,50% small.appi
t 'as it always did' golden select_small.mask
t 'says nothing' test ! -s err
t 'labels are as typed' test "$(grep -v '^#' out | cut -f1 | uniq | tr '\n' ' ')" = '0.1% 1% 5k 50% '
rows out >text.rows
t 'reads stdin, binary too' sh -c 'adapeft-view --format binary small.appi |
    adapeft-select --budget 0.1%,1%,5k,50% --format binary | adapeft-view >out'
t 'and chooses alike' sh -c 'grep -v "^#" out | cmp - text.rows'
grep '^#' small.appi | grep -v '^##end' >shuffled.cut
grep -v '^#' small.appi | sort >>shuffled.cut
grep '^##end' small.appi >>shuffled.cut
adapeft-view --seal -o shuffled.appi shuffled.cut
t 'in another order of rows' code 0 adapeft-select --budget 0.1%,1%,5k,50% shuffled.appi
t 'chooses alike' sh -c 'grep -v "^#" out | cmp - text.rows'

# ---- solvers: a ratio 5, b and d 3, c 1 ----
printf 'a 2 10\nb 3 9\nc 1 1\nd 4 12\n' | stream four.appi
t 'exact' code 0 adapeft-select --budget 6 four.appi
t 'is best' test "$(chosen) $(word value) $(word optimal) $(word gap)" = 'a d  22 yes 0'
t 'greedy' code 0 adapeft-select --budget 6 --solver greedy four.appi
t 'passes over what does not fit' test "$(chosen) $(word value) $(word optimal)" = 'a b c  20 no'
t 'and says how far it may be off' test "$(word gap | cut -c1-6)" = 0.0909
t 'greedy-stop' code 0 adapeft-select --budget 6 --solver greedy-stop four.appi
t 'ends there' test "$(chosen) $(word value)" = 'a b  19'
t 'columns add up' code 0 adapeft-select --budget 6 four.appi
t 'cum_params and cum_value' test "$(rows out | tail -n 1 | cut -f5,6)" = "$(printf '6\t22')"

# ---- rules ----
t 'required groups come first' code 0 adapeft-select --budget 6 --require b four.appi
t 'and cost others' test "$(chosen) $(word value)" = 'a b c  20'
t 'forbidden groups stay out' code 0 adapeft-select --budget 6 --forbid d,c four.appi
t 'at a price' test "$(chosen)" = 'a b '
t 'patterns are globs' code 0 adapeft-select --budget 100% --forbid '[ab]' --forbid c four.appi
t 'over names' test "$(chosen)" = 'd '
t 'a pattern for nothing' code 64 adapeft-select --budget 1% --require 'clasifier.bias' small.appi
t 'lists near misses' says 'did you mean classifier.bias'
printf 'bert.layer.x.w 2 1\nc.w 1 1\nd.w 2 9\n' | stream prefix.appi
t 'a name without the prefix' code 0 adapeft-select --budget 2 --require layer.x.w prefix.appi
t 'is that with it' test "$(chosen)" = 'bert.layer.x.w '
t 'a name with one that is not there' code 0 adapeft-select --budget 1 --require 'bert.c*' prefix.appi
t 'counts too' test "$(chosen)" = 'c.w '
t 'a part that is no prefix' code 64 adapeft-select --budget 1 --require 'x.w' prefix.appi
t 'nor is one that stands for all' code 64 adapeft-select --budget 1 --require 'vit.*' prefix.appi
t 'both at once' code 64 adapeft-select --budget 6 --require 'a' --forbid '*' four.appi
t 'is named' says 'group a is both required and forbidden'
t 'required ones that do not fit' code 65 adapeft-select --budget 6 --require 'b,d' four.appi
t 'say by how much' says 'have 7 parameters, 1 more than the budget of 6'
printf 'z 5 0\nn 1 -3\nf 0 2\na 2 1\n' | stream zero.appi
t 'a group without value' code 0 adapeft-select --budget 100 zero.appi
t 'is not chosen' test "$(chosen)" = 'a f '
t 'unless required' code 0 adapeft-select --budget 100 --require z,n zero.appi
t 'like one of negative value' test "$(chosen) $(word value)" = 'a f n z  0'

# ---- choices ----
# w has the ranks 2, 4 and 8, of which w4 lies below the hull
{
    printf '##adapeft 1 appi\n##model\tm  params=1000\n##lora\talpha=16\n'
    printf '#choice\tgroup\tparams\tvalue\n'
    printf '%s\n' 'w w2 2 20' 'w w4 4 24' 'w w8 8 45' '- v 3 18' '- u 1 1' | tr ' ' '\t'
    printf '##end rows=0 crc32=00000000\n'
} >ranks.edited
adapeft-view --seal -o ranks.appi ranks.edited
t 'alternatives' code 0 adapeft-select --budget 1,3,7,8,9,11,100 ranks.appi
t 'exclude each other' test "$(rows out | cut -f1,2 | tr '\t\n' '= ')" = \
    '1=u 3=w2 3=u 7=v 7=w4 8=w8 9=w8 9=u 11=v 11=w8 100=v 100=w8 100=u '
t 'and are optimal' test "$(grep -c '^##budget.*optimal=yes' out)" -eq 7
t 'the mask knows what LoRA was' grep -qx '##lora	alpha=16' out
t 'greedy exchanges one for a larger one' code 0 adapeft-select --budget 12 --solver greedy ranks.appi
t 'when that fits' test "$(chosen) $(word value)" = 'u v w8  64'
t 'greedy-stop ends' code 0 adapeft-select --budget 10 --solver greedy-stop ranks.appi
t 'when it does not' test "$(chosen) $(word value)" = 'v w2  38'
t 'the frontier of alternatives' code 0 adapeft-select --frontier ranks.appi
t 'has one of them a point' test "$(grep '^##budget' out |
    sed 's/.*\tof=\([0-9]*\).*\tvalue=\([0-9]*\).*/\1:\2/' | tr '\n' ' ')" = \
    '1:1 2:20 3:21 4:24 5:38 6:39 7:42 8:45 9:46 11:63 12:64 '
t 'requiring one' code 0 adapeft-select --budget 9 --require w4 ranks.appi
t 'excludes the others' test "$(chosen)" = 'u v w4 '
t 'requiring two' code 64 adapeft-select --budget 9 --require 'w[24]' ranks.appi
t 'is refused' says 'groups w2 and w4 are alternatives (choice w)'
t 'forbidding one' code 0 adapeft-select --budget 7 --forbid w4 ranks.appi
t 'leaves the others' test "$(chosen)" = 'u v w2 '

# ---- budgets ----
t 'a budget too small for anything' code 0 adapeft-select --budget 1,6 --forbid c four.appi
t 'has a note' says 'budget 1: no group of value fits'
t 'and a ##budget line' grep -q '^##budget.1.*groups=0' out
t 'and no rows' test "$(grep -c '^1	' out)" -eq 0
t 'the same budget twice' code 0 adapeft-select --budget 10,1%,10 four.appi
t 'is one' test "$(grep -c '^##budget' out)" -eq 1
grep -v '^##model' small.appi >nomodel.cut
adapeft-view -q --seal -o nomodel.appi nomodel.cut
t 'a percentage of nothing known' code 65 adapeft-select --budget 1% nomodel.appi
t 'says what to do' says 'give budgets in parameters'
t 'a number needs no model' code 0 adapeft-select --budget 500 nomodel.appi
for bad in x -1 1x '' '1%%' 5,,6 nan; do
    t "'$bad' is no budget" code 64 adapeft-select --budget "$bad" four.appi
done
t 'a share of one' code 64 adapeft-select --budget 0.01 four.appi
t 'was meant in percent' says "did you mean 1%?"
t 'no budget' code 64 adapeft-select four.appi
t 'budget and frontier' code 64 adapeft-select --budget 1 --frontier four.appi
t 'two files' code 64 adapeft-select --budget 1 four.appi four.appi

# ---- frontier ----
t 'the whole frontier' code 0 adapeft-select --frontier four.appi
t 'in order' test "$(grep '^##budget' out | sed 's/.*\tof=\([0-9]*\).*value=\([0-9]*\).*/\1:\2/;
    s/.*[\\]tof=\([0-9]*\).*value=\([0-9]*\).*/\1:\2/' | tr '\n' ' ')" = \
    '1:1 2:10 3:11 4:12 5:19 6:22 7:23 9:31 10:32 '
t 'at most so many points' code 0 adapeft-select --frontier --points 5 small.appi
t 'exactly' test "$(grep -c '^##budget' out)" -eq 5
t 'the last has all of value' test "$(rows out | tail -n 1 | cut -f5)" -eq 57474
t 'each is optimal' test "$(grep -c '^##budget.*optimal=yes' out)" -eq 5
t 'too many points to go through' code 0 adapeft-select --frontier --points 5 --max-states 2 small.appi
t 'are solved one by one' grep -q 'solved anew' err
t 'and thinned' test "$(grep -c '^##budget' out)" -le 5
t 'a frontier of nothing' code 65 adapeft-select --frontier --forbid '*' small.appi

# ---- a cap on memory ----
awk 'BEGIN { s = 12345; for (i = 0; i < 60; i++) { s = (s * 16807) % 2147483647
    p = 1000 + s % 100000; print "g" i, p, p + (s % 997) / 10 } }' | stream hard.appi
t 'without a cap' code 0 adapeft-select --budget 1M hard.appi
t 'hard ones are solved' test "$(word optimal)" = yes
best=$(word value)
t 'with a cap' code 0 adapeft-select --budget 1M --max-states 8 hard.appi
t 'the gap is certified' awk -v bound="$(word bound)" -v best="$best" -v value="$(word value)" \
    'BEGIN { exit !(value <= best && best <= bound) }'
t 'and told' says 'budget 1M: not proven optimal'

# ---- hostile input ----
printf 'a 2 10\nb 3 9\na 2 1\n' | stream twice.appi
t 'a group with two rows is refused' code 65 adapeft-select --budget 6 twice.appi
t 'by name' says 'group a has two rows'
for bad in nan inf x; do
    printf 'a 2 %s\n' $bad | stream bad.appi
    t "a value of $bad is refused" code 65 adapeft-select --budget 6 bad.appi
done
printf 'a -2 1\n' | stream bad.appi
t 'negative params are refused' code 65 adapeft-select --budget 6 bad.appi
printf 'a 9223372036854775807 1\nb 9223372036854775807 1\n' | stream bad.appi
t 'so are more parameters than can be' code 65 adapeft-select --budget 6 bad.appi
stream none.appi </dev/null
t 'no groups are refused' code 65 adapeft-select --budget 6 none.appi
head -n 12 small.appi >short.appi
t 'a stream that was cut short is refused' code 65 adapeft-select --budget 6 short.appi
t 'and nothing is written' test ! -s out
t 'ppi rows are no appi rows' code 65 adapeft-select --budget 6 "$FIX/small.ppi"
t 'a missing file' code 66 adapeft-select --budget 6 nowhere.appi
t '-o writes a file' code 0 adapeft-select --budget 6 -o made.mask four.appi
t 'of masks' grep -q '^##adapeft 1 mask' made.mask
t 'a full device' sh -c 'adapeft-select --budget 6 four.appi >/dev/full 2>err; [ $? -eq 74 ]'
finish
