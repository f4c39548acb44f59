# adapeft-rank: influence added up over steps.
. "$TESTS/tools/lib.sh"
cp "$FIX/small.ppi" small.ppi
cp "$FIX/small.ppi" damaged.ppi

# rows FILE: the data rows without lineage
rows() { grep -v '^#' "$1"; }
# column N [FILE]: a column of the data rows
column() { rows "${2:-out}" | cut -f"$1"; }
# stream NAME: ppi rows on stdin (blanks part the cells) become a whole stream NAME
stream() {
    {
        printf '##adapeft 1 ppi\n'
        printf '#step\tgroup\ttype\tlayer\tparams\tgain\tppi\tstatus\n'
        tr ' ' '\t'
        printf '##end rows=0 crc32=00000000\n'
    } >"$1.edited"
    adapeft-view --seal -o "$1" "$1.edited"
}
same_rows() { rows out >a && rows "$1" >b && cmp a b; }

t 'ranks a probing run' code 0 adapeft-rank small.ppi
t 'as it always did' golden rank_small.appi
t 'tells rows that count as 0 by reason' grep -qx \
    'adapeft-rank: 14 of 148 rows count as 0: 4 lowfit, 2 noise, 8 zero' err
cp out whole.appi
t 'with -q says nothing' code 0 adapeft-rank -q small.ppi
t 'indeed nothing' test ! -s err
t 'reads stdin' sh -c 'adapeft-rank -q <small.ppi >out'
t 'and ranks alike' same_rows whole.appi
t 'the committed appi fixture is this output' same_rows "$FIX/small.appi"

# ---- many files ----
grep -v '^#' small.ppi | cut -f1 | sort -un >steps
for part in a b; do
    awk -v part=$part 'BEGIN { FS = "\t" } /^#/ || ($1 < 20) == (part == "a")' \
        small.ppi >$part.cut
    adapeft-view --seal -o $part.ppi $part.cut
done
t 'a run in two files' code 0 adapeft-rank -q a.ppi b.ppi
t 'gives the same ranks' same_rows whole.appi
t 'lineage of both is kept, each line once' test "$(grep -c "^##pg" out)" -eq 4
t 'in the other order' code 0 adapeft-rank -q b.ppi a.ppi
t 'gives the same ranks again' same_rows whole.appi
t 'binary input and output' sh -c \
    'adapeft-view --format binary small.ppi | adapeft-rank -q --format binary | adapeft-view >out'
t 'hold the same ranks' same_rows whole.appi
t 'the same file twice counts once' code 0 adapeft-rank small.ppi small.ppi
t 'and ranks alike, too' same_rows whole.appi
t 'with a note' grep -q '148 of 296 rows came more than once and count once' err

printf '0 w attn 0 4 2 1 ok\n3 w attn 0 4 2 1 ok\n' | stream one.ppi
printf '0 v attn 0 4 2 1 ok\n3 w attn 0 4 3 1.5 ok\n' | stream two.ppi
t 'two accounts of a step are refused' code 65 adapeft-rank one.ppi two.ppi
t 'naming both places' says \
    'two.ppi: row 2: step 3 of group w has other numbers in one.ppi: row 2'
printf '4 w attn 0 8 2 1 ok\n' | stream other.ppi
t 'a group of another size is refused' code 65 adapeft-rank one.ppi other.ppi
t 'naming both sizes' says '8 params here, but type attn, layer 0, 4 params in one.ppi: row 1'
printf '5 x attn 0 8 2 1 ok\n' | stream third.ppi
t 'groups may differ between files' code 0 adapeft-rank one.ppi third.ppi
t 'and are all ranked' test "$(rows out | wc -l)" -eq 2
sed 's/sha256=5d1c0a7e/sha256=00000000/' a.ppi >model.cut
adapeft-view --seal -o model.ppi model.cut
t 'two models are not mixed' code 65 adapeft-rank model.ppi b.ppi
t 'and the file is named' says 'b.ppi: probed on another model'

# ---- choices ----
# choices NAME [HEADER]: like stream, with a column of choices, and a header line
choices() {
    {
        printf '##adapeft 1 ppi\n'
        [ -z "$2" ] || printf '%s\n' "$2"
        printf '#step\tgroup\ttype\tlayer\tparams\tgain\tppi\tstatus\tchoice\n'
        tr ' ' '\t'
        printf '##end rows=0 crc32=00000000\n'
    } >"$1.edited"
    adapeft-view --seal -o "$1" "$1.edited"
}
t 'without choices the last column is a dash' code 0 adapeft-rank one.ppi
t 'under its name' test "$(grep '^#rank' out | tr '\t' '\n' | tail -n 1) $(column 14)" = 'choice -'
printf '0 w.r2 lora 0 4 2 1 ok w\n0 w.r4 lora 0 8 3 0.75 ok w\n0 b bias 0 4 2 1 ok -\n' |
    choices lora.ppi '##lora	alpha=16'
t 'choices' code 0 adapeft-rank lora.ppi
t 'pass through' test "$(column 2,14 | tr '\t\n' '= ')" = 'b=- w.r2=w w.r4=w '
t 'so does what LoRA was' grep -qx '##lora	alpha=16' out
printf '1 w.r2 lora 0 4 2 1 ok w\n' | choices more.ppi '##lora	alpha=16'
t 'in two files' code 0 adapeft-rank lora.ppi more.ppi
t 'it is said once' test "$(grep -c '^##lora' out)" -eq 1
printf '1 w.r2 lora 0 4 2 1 ok v\n' | choices more.ppi '##lora	alpha=16'
t 'another choice of a group is refused' code 65 adapeft-rank lora.ppi more.ppi
t 'naming both' says \
    'more.ppi:5: group w.r2 is of choice v here, but of choice w in lora.ppi: row 1'
printf '1 w.r2 lora 0 4 2 1 ok\n' | stream more.ppi
t 'so is a file that knows of no LoRA' code 65 adapeft-rank lora.ppi more.ppi
t 'in any order' code 65 adapeft-rank more.ppi lora.ppi
printf '1 w.r2 lora 0 4 2 1 ok w\n' | choices more.ppi '##lora	alpha=8'
t 'or of another' code 65 adapeft-rank lora.ppi more.ppi
t 'by name' says 'more.ppi: divides the model into other groups'

# ---- order ----
printf '0 big attn 0 100 100 2 ok\n0 b mlp 0 1 1 2 ok\n0 a mlp 0 1 1 2 ok\n' | stream ties.ppi
t 'by APPI, ties by fewer params, then name' code 0 adapeft-rank ties.ppi
t 'are in that order' test "$(column 2 | tr '\n' ' ')" = 'a b big '
t 'by value' code 0 adapeft-rank --by value ties.ppi
t 'the whole group counts' test "$(column 2 | tr '\n' ' ')" = 'big a b '

# ---- statuses ----
printf '%s\n' '0 w a 0 1 5 10 negcurv' '1 w a 0 1 -5 -10 negcurv' '2 w a 0 1 7 14 lowfit' \
    '3 w a 0 1 1 2 bounded' | stream status.ppi
t 'rejected rows count 0 but for a bounded gain' code 0 adapeft-rank status.ppi
t 'value appi mean' test "$(column 6,7,8)" = "$(printf '6\t12\t3')"
t 'a note tells those that count as 0' grep -qx \
    'adapeft-rank: 2 of 4 rows count as 0: 1 negcurv, 1 lowfit' err
t 'from those of negative curvature that count' grep -qx \
    'adapeft-rank: 1 of 4 rows have negative curvature (negcurv) and count as bounded steps' err
t 'steps rejected bounded' test "$(column 10,11,13)" = "$(printf '4\t3\t1')"
printf '0 w a 0 1 5 10 fine\n' | stream fine.ppi
t 'an unknown status is refused' code 65 adapeft-rank fine.ppi
t 'with the ones there are' says "status 'fine' is none of ok, bounded"

# ---- stability ----
for s in 0 1 2 3; do
    if [ $s -lt 2 ]; then x=9 y=1; else x=1 y=9; fi
    printf "$s a m 0 1 $x $x ok\n$s b m 0 1 $y $y ok\n$s c m 0 1 5 5 ok\n"
done | stream turn.ppi
t 'halves that disagree' code 0 adapeft-rank turn.ppi
t 'are PPI instability' says 'PPI instability'
t 'with the number in the stream' grep -q '^##stability.kendall=-1.*steps=4' out
t 'one step is stable' code 0 adapeft-rank ties.ppi
t 'in every group' test "$(column 12 | sort -u)" = 1
t 'and says nothing' test ! -s err

# ---- hostile input ----
for bad in nan inf -inf 1e999 x ''; do
    printf '0 w attn 0 4 %s 1 ok\n' "$bad" | stream bad.ppi
    t "a gain of '$bad' is refused" code 65 adapeft-rank bad.ppi
    t "at its line ('$bad')" says 'bad.ppi:'
    printf '0 w attn 0 4 1 %s ok\n' "$bad" | stream bad.ppi
    t "a ppi of '$bad' is refused" code 65 adapeft-rank bad.ppi
done
printf '0 w attn 0 -4 1 1 ok\n' | stream bad.ppi
t 'negative params are refused' code 65 adapeft-rank bad.ppi
printf '0 w attn 0 4 8e307 1 ok\n1 w attn 0 4 8e307 1 ok\n2 w attn 0 4 8e307 1 ok\n' |
    stream bad.ppi
t 'sums that overflow are refused' code 65 adapeft-rank bad.ppi
stream none.ppi </dev/null
t 'no rows are refused' code 65 adapeft-rank none.ppi
head -n 20 small.ppi >short.ppi
t 'a stream that was cut short is refused' code 65 adapeft-rank short.ppi
t 'and nothing is written' test ! -s out
grep -v '	ok$' small.ppi >filtered.ppi
t 'a filtered stream gives a note' code 0 adapeft-rank filtered.ppi
t 'or with --strict an error' code 65 adapeft-rank --strict filtered.ppi
cut -f1-9,11- small.ppi >nogain.cut
adapeft-view -q --seal -o nogain.ppi nogain.cut
t 'a missing column is named' code 65 adapeft-rank nogain.ppi
t 'gain' says 'gain'
t 'appi rows are no ppi rows' code 65 adapeft-rank "$FIX/small.appi"
t 'a missing file' code 66 adapeft-rank nowhere.ppi
t 'a wrong order' code 64 adapeft-rank --by size small.ppi

# ---- output ----
t '-o writes a file' code 0 adapeft-rank -q -o made.appi small.ppi
t 'and nothing else' test ! -s out
t 'with the same ranks' sh -c 'grep -v "^#" made.appi >b; grep -v "^#" whole.appi | cmp - b'
printf old >kept.appi
t 'an error leaves the old file' code 65 adapeft-rank -o kept.appi short.ppi
t 'as it was' test "$(cat kept.appi)" = old
t 'a full device' sh -c 'adapeft-rank -q small.ppi >/dev/full 2>err; [ $? -eq 74 ]'
t 'the same command gives the same bytes' sh -c \
    'adapeft-rank -q small.ppi >a; adapeft-rank -q small.ppi | cmp - a'
finish
