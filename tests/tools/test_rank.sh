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

# ---- files of different runs ----
# probed NAME WORDS: a stream of one row that was probed so
probed() {
    printf '##adapeft 1 ppi\n##probe\t%s\n' "$2" >"$1.edited"
    printf '#step\tgroup\ttype\tlayer\tparams\tgain\tppi\tstatus\tshard\n' >>"$1.edited"
    printf '%s\tw\tattn\t0\t4\t2\t1\tok\t%s\n' "${3:-0}" "${4:-1}" >>"$1.edited"
    printf '##end rows=1 crc32=00000000\n' >>"$1.edited"
    adapeft-view -q --seal -o "$1" "$1.edited"
}
probed ggn.ppi 'method=ggn trust=travel lr=1e-4 seed=0'
probed hvp.ppi 'method=hvp trust=travel lr=0.001 seed=0 draws=3' 1
t 'files probed in two ways' code 0 adapeft-rank ggn.ppi hvp.ppi
t 'are told by the words that differ' grep -qx 'adapeft-rank: hvp.ppi: method=hvp lr=0.001 draws=3, but the files before have method=ggn lr=1e-4 no draws=' err
t 'in the other order' code 0 adapeft-rank hvp.ppi ggn.ppi
t 'the other way round' grep -qx 'adapeft-rank: ggn.ppi: method=ggn lr=1e-4 no draws=, but the files before have method=hvp lr=0.001 draws=3' err
probed s1.ppi 'method=ggn shard=1/2 seed=0'
probed s2.ppi 'method=ggn shard=2/2 seed=1' 0 2
t 'shards of different runs' code 65 adapeft-rank s1.ppi s2.ppi
t 'are refused with the word' says 's2.ppi: shards of different runs: seed=1, but the files before have seed=0'
probed s2.ppi 'method=ggn shard=2/2 seed=0' 0 2
t 'shards of one run' code 0 adapeft-rank s1.ppi s2.ppi
t 'are no note' test ! -s err

# ---- options of another job ----
t 'a penalty of nothing' code 64 adapeft-rank --penalty 2 one.ppi
t 'is of --regroup' says '--penalty is of --regroup'
t 'a threshold of nothing' code 64 adapeft-rank --threshold 0.05 one.ppi
t 'is of --additivity' says '--threshold is of --additivity'
t 'an order of pairs' code 64 adapeft-rank --additivity --by value one.ppi
t 'is not to be chosen' says '--by'
t 'a buffer of pairs' code 64 adapeft-rank --additivity -S 1M one.ppi
t 'is not there' says '-S'

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
t 'are PPI instability' grep -q "PPI instability: .*tau-b -1" err
t 'with the groups that they disagree about' grep -qx \
    'adapeft-rank: unstable: group a, number 1 of 3: 1. in the first half of the steps, 3. in the second' err
t 'and no others' test "$(grep -c unstable: err)" -eq 2
t 'with the number in the stream' grep -q '^##stability.kendall=-1.*steps=4' out
t 'with -q says nothing of it' sh -c 'adapeft-rank -q turn.ppi 2>err >out; [ ! -s err ]'
for s in 0 1 2 3; do
    printf "$s a m 0 1 9 9 ok\n$s b m 0 1 8 8 ok\n$s c m 0 1 7 7 ok\n$s d m 0 1 6 6 ok\n"
    printf "$s e m 0 1 $((s / 2 * 10)) $((s / 2 * 10)) ok\n"
done | stream one-group.ppi
t 'one group can carry it' code 0 adapeft-rank one-group.ppi
t 'and is named' grep -qx \
    'adapeft-rank: PPI instability: group e carries it; without it the halves agree (tau-b 1)' err
t 'three groups at most are told' test "$(grep -c unstable: err)" -eq 3
t 'the least stable first' test "$(grep unstable: err | head -n 1 | cut -d ' ' -f 4)" = e,
t 'a stable ranking names none' code 0 adapeft-rank small.ppi
t 'unasked' test "$(grep -c unstable: err)" -eq 0
t 'with -v it does' code 0 adapeft-rank -v small.ppi
t 'three again' test "$(grep -c unstable: err)" -eq 3
t 'one step is stable' code 0 adapeft-rank ties.ppi
t 'in every group' test "$(column 12 | sort -u)" = 1
t 'and says nothing' test ! -s err

# ---- shards ----
# shards NAME FROM TO N: what a probe of these shards would write, -o NAME
shards() {
    range=$2
    [ "$2" = "$3" ] || range=$2-$3
    {
        printf '##adapeft 1 ppi\n##model\tm\tparams=9\tsha256=1\n'
        printf '##probe\tmethod=ggn steps=3 shard=%s/%s seed=0\n' "$range" "$4"
        printf '##pg\tadapeft-probe 0.1.0 -m m --shard %s/%s -d d.tsv -o %s\n' \
            "$range" "$4" "$1"
        printf '#step\tgroup\ttype\tlayer\tparams\tgain\tppi\tstatus\tshard\n'
        awk -v first="$2" -v last="$3" 'BEGIN {
            split("ok bounded noise ok ok negcurv", status)
            for (step = 0; step < 3; step++)
                for (shard = first; shard <= last; shard++)
                    for (g = 1; g <= 4; g++) {
                        x = (step * 37 + shard * 11 + g * g * 5) % 17 / 7
                        i = (step + shard * g) % 6 + 1
                        printf "%d\tg%d\tattn\t0\t%d\t%.17g\t%.17g\t%s\t%d\n",
                            step, g, g, x, 2 * x / g, status[i], shard
                    }
        }'
    } >"$1"
    printf '##end rows=%d crc32=%s\n' "$(grep -vc '^#' "$1")" "$(crc "$1")" >>"$1"
}
# crc FILE: zlib's, which gzip writes as the first four of its last eight bytes
crc() {
    gzip -c "$1" | tail -c 8 | od -An -tu4 -N4 | awk '{ printf "%08x", $1 }'
}
for n in 1 2 5; do
    shards whole.ppi 1 $n $n
    t "a run in $n shards" code 0 adapeft-rank --strict whole.ppi
    cp out whole
    parts=
    for i in $(seq $n); do
        shards $i.ppi $i $i $n
        parts="$parts $i.ppi"
    done
    t "shard by shard ($n)" code 0 adapeft-rank --strict $parts
    t "gives the same bytes ($n)" cmp whole out
    # every rotation, forwards and backwards
    for i in $(seq $n); do
        parts="${parts#* * } ${parts%"${parts#* * }"}"
        parts=" $(echo $parts)"
        back=$(echo $parts | tr ' ' '\n' | tac)
        t "in another order ($parts)" code 0 adapeft-rank $parts
        t "gives them too ($parts)" cmp whole out
        t "backwards and twice ($parts)" code 0 adapeft-rank -S 1k -q $back $parts
        t "does as well ($parts)" cmp whole out
    done
done
for orders in '1 2 3 4 5' '5 3 1 2 4' '2 4 1 5 3' '4 1 3 5 2'; do
    t "five shards as $orders" code 0 adapeft-rank $(for i in $orders; do echo $i.ppi; done)
    t "give the same bytes ($orders)" cmp whole out
done
shards two.ppi 1 2 5
shards three.ppi 3 5 5
t 'ranges of shards' code 0 adapeft-rank three.ppi two.ppi
t 'give the same bytes' cmp whole out
t 'which have one line of the probe' test "$(grep -c '^##p[rg].*shard' out)" -eq 2
t 'with all shards and without -o' grep -qx \
    '##pg	adapeft-probe 0.1.0 -m m --shard 1-5/5 -d d.tsv' out
t 'as ##probe has them' grep -q '^##probe.*shard=1-5/5 seed=0$' out
t 'steps are counted once for all shards' test "$(column 10 | sort -u)" = 3
t 'rejected rows each' test "$(column 11 | awk '{ n += $1 } END { print n }')" = \
    "$(cat [1-5].ppi | grep -Ec '	(noise|negcurv)	')"
# an independent account: the mean over shards, summed over steps
cat [1-5].ppi | awk 'BEGIN { FS = "\t" } !/^#/ && $8 != "noise" { v[$2] += $6 / 5 }
    END { for (g in v) printf "%s %.9g\n", g, v[g] }' | sort >a
rows out | awk '{ printf "%s %.9g\n", $2, $6 }' | sort >b
t 'values are sums of means over shards' cmp a b

t 'shards that are missing' code 0 adapeft-rank 1.ppi 4.ppi 2.ppi
t 'are noted' grep -qx 'adapeft-rank: 12 of 12 estimates lack shards and are means over fewer than 5 (step 0 of group g1: 3)' err
t 'and the lines say which are there' test "$(grep -c '1-2,4/5' out)" -eq 2
t 'the last of them too' code 0 adapeft-rank two.ppi
t 'are noted' grep -q '12 of 12 estimates lack shards .* (step 0 of group g1: 2)$' err
awk '!/^1	g2.*	4$/' 4.ppi >4.cut
adapeft-view -q --seal -o 4.some.ppi 4.cut
t 'a sealed shard' code 0 adapeft-rank --strict 1.ppi 2.ppi 3.ppi 4.some.ppi 5.ppi
t 'is one of the run' grep -qx '##pg	adapeft-probe 0.1.0 -m m --shard 1-5/5 -d d.tsv' out
t 'which tells that it was edited' grep -qx '##pg	adapeft-view .* --seal .*' out
t 'a shard that lacks a row' code 0 adapeft-rank 1.ppi 2.ppi 3.ppi 4.some.ppi 5.ppi
t 'is noted' grep -q ' 1 of 12 estimates lack shards .* (step 1 of group g2: 4)$' err
sed 's/^\(0	g1.*\)	ok	/\1	bounded	/' 4.ppi >4.cut
adapeft-view -q --seal -o 4.other.ppi 4.cut
t 'a shard told twice, differently' code 65 adapeft-rank 4.ppi 4.other.ppi
t 'is refused' says \
    '4.other.ppi: row 1: step 0, shard 4, of group g1 has other numbers in 4.ppi: row 1'
shards six.ppi 6 6 6
t 'shards of runs in other numbers of them' code 65 adapeft-rank 1.ppi six.ppi
t 'are refused' says 'six.ppi: of a run in 6 shards, but the files before it of one in 5'
for bad in 0 -1 4294967296 9223372036854775807 9223372036854775808 nan 1.5 ''; do
    sed "s/	5\$/	$bad/" 5.ppi >bad.cut
    adapeft-view -q --seal -o bad.ppi bad.cut
    t "a shard '$bad' is refused" code 65 adapeft-rank bad.ppi
    t "at its line ('$bad')" says 'bad.ppi:7: shard'
done
for bad in 0/5 6/5 1 1-/5 nan/5 1/9999999999999999999999; do
    sed "s|shard=5/5|shard=$bad|" 5.ppi >bad.cut
    adapeft-view -q --seal -o bad.ppi bad.cut
    t "a ##probe of shard=$bad is refused" code 65 adapeft-rank bad.ppi
    t "as what it is ($bad)" says "bad.ppi: its ##probe line: shards '$bad'"
done

# ---- shards of a real run ----
probe_shard() {
    adapeft-probe -q -j 1 -m "$FIX/tiny-bert" -d "$FIX/sentiment-train.tsv" --text sentence --label label \
        --group-by layer-type --method grad --batch 4 --steps 3 --every 1 --shard $1/3 -o $2.ppi
}
for i in 1 2 3; do
    t "a probe of shard $i" probe_shard $i real$i
done
t 'of all shards' probe_shard 1-3 real
t 'are ranked in one file' code 0 adapeft-rank --strict real.ppi
cp out whole
t 'or shard by shard' code 0 adapeft-rank --strict real3.ppi real1.ppi real2.ppi
t 'to the same bytes' cmp whole out
t 'as a run of all shards' grep -q '^##pg	adapeft-probe .* --shard 1-3/3$' out

# ---- more rows than memory holds ----
# much NAME AWK-ORDER: 30000 rows, by step or by group
much() {
    {
        printf '##adapeft 1 ppi\n'
        printf '#step\tgroup\ttype\tlayer\tparams\tgain\tppi\tstatus\n'
        awk 'BEGIN {
            for (i = 0; i < 30000; i++) {
                step = int(i / 300)
                g = i % 300
                x = (i * 7919 % 10007) / 977
                printf "%d\tg%d\tattn\t0\t%d\t%.17g\t%.17g\tok\n", step, g, 7, x, 2 * x / 7
            }
        }' | sort -t '	' $2
        printf '##end rows=30000 crc32=00000000\n'
    } >"$1"
}
much by-step.ppi -k1,1n
much by-group.ppi -k2,2
much by-gain.ppi -k6,6g
awk '/^#/ || $1 < 40' by-step.ppi >first.ppi
awk '/^#/ || $1 >= 40' by-step.ppi >second.ppi
t '30000 rows in memory' code 0 adapeft-rank -q by-step.ppi
cp out much
for size in 1k 50k 300k 1M; do
    for files in by-step.ppi by-group.ppi by-gain.ppi 'second.ppi first.ppi' \
        'by-gain.ppi by-step.ppi'; do
        t "give the same bytes with $size ($files)" sh -c \
            "adapeft-rank -q -S $size $files | cmp - much"
    done
done
t 'how much went to disk' code 0 adapeft-rank -v -S 500k by-gain.ppi
t 'is told' grep -q 'adapeft-rank: sorted 30000 rows on disk, in 4 runs' err
mkdir tmp
if strace -V >/dev/null 2>&1; then
    ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=open,openat -o opened adapeft-rank -q -S 50k -T tmp by-gain.ppi >out
    t 'files go to -T' grep -q '"tmp/adapeft-' opened
else
    skip 'files go to -T' 'strace is not installed'
fi
t 'and leave nothing there' test -z "$(ls -A tmp)"
t 'a directory that is not there' code 73 adapeft-rank -S 50k -T nowhere by-gain.ppi
t 'is named' says 'nowhere: cannot create a temporary file; -T DIR or TMPDIR names another'
t 'by TMPDIR too' sh -c 'TMPDIR=nowhere adapeft-rank -S 50k by-gain.ppi >out 2>err; [ $? -eq 73 ]'
t 'is named then' says 'nowhere: cannot create'
t 'but not missed when memory suffices' code 0 adapeft-rank -q -T nowhere by-gain.ppi
t 'a disk that is full' sh -c \
    'ulimit -f 100; adapeft-rank -S 50k -T tmp by-gain.ppi >out 2>err; [ $? -eq 74 ]'
t 'is an error in one line' says 'tmp: cannot write temporary rows: '
t 'and nothing is written' test ! -s out
t 'nor left' test -z "$(ls -A tmp)"
(cat by-step.ppi | grep -v '^##end'; printf '7\tg3\tattn\t0\t7\t1\t1\tok\n'
    printf '##end rows=0 crc32=00000000\n') >twice.ppi
t 'a contradiction far apart' code 65 adapeft-rank -q -S 50k twice.ppi
first=$(rows by-step.ppi | grep -n '^7	g3	' | cut -d : -f 1)
t 'is found on disk' says \
    "twice.ppi: row 30001: step 7 of group g3 has other numbers in twice.ppi: row $first"
cp err in-pieces
t 'and told alike in memory' code 65 adapeft-rank -q twice.ppi
t 'word for word' cmp err in-pieces
for bad in 0 999 x -1 1e99; do
    t "a buffer of $bad is refused" code 64 adapeft-rank -S $bad small.ppi
done

# ---- hostile input ----
for bad in -1 9223372036854775808 -9223372036854775808 nan 1.5 ''; do
    printf '%s w attn 0 4 1 1 ok\n' "$bad" | stream bad.ppi
    t "a step of '$bad' is refused" code 65 adapeft-rank bad.ppi
    t "at its line ('$bad')" says 'bad.ppi:'
done
printf '9223372036854775807 w attn 0 4 1 1 ok\n0 w attn 0 4 1 1 ok\n' | stream far.ppi
t 'a step as large as can be is one' code 0 adapeft-rank far.ppi
t 'of two' test "$(column 10)" = 2
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
