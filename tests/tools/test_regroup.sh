# adapeft-rank --regroup: groups as coarse as their influence allows.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" .
cp "$FIX/sentiment-train.tsv" train.tsv

# stream DIVISION NAME: lines `tensor from to level` on stdin become a ppi stream of rows of
# 4 parameters over 10 steps, ppi being level times a squared normal number
stream() {
    awk -v OFS='\t' -v division="$1" '
        function unit() { state = (state * 16807) % 2147483647; return state / 2147483647 }
        function normal() { return sqrt(-2 * log(unit())) * cos(6.283185307 * unit()) }
        function row(name, level,    step, z) {
            for (step = 0; step < 10; step++) {
                z = normal()
                rows[++n] = step "\t" name "\tattn\t0\t4\t" 2 * level * z * z "\t" \
                    level * z * z "\tok"
            }
            params += 4
        }
        BEGIN { state = 4711 }
        { for (i = $2; i < $3; i++) row($1 "[" i "]", $4) }
        END {
            print "##adapeft 1 ppi"
            print "##model", "m", "params=" params
            print "##groups", division
            print "#step", "group", "type", "layer", "params", "gain", "ppi", "status"
            for (i = 1; i <= n; i++) print rows[i]
            print "##end rows=0 crc32=00000000"
        }' >"$2.edited"
    adapeft-view --seal -o "$2" "$2.edited"
}
rules() { grep -v '^#' "$1"; }
gains() { awk -F'\t' -v c="$2" '!/^#/ { s += $c } END { printf "%.9g\n", s }' "$1"; }

printf '%s\n' 'a.weight 0 60 1' 'b.weight 0 60 1' | stream row noise
t 'noise' code 0 adapeft-rank --regroup g noise
t 'becomes one group' sh -c '[ "$(grep -v "^#" g)" = "*	all" ]'
t 'with a note' grep -q '120 groups become 1, 1 of them whole tensors, modules or more' err
t 'which is ranked' sh -c '[ "$(grep -v "^#" out | cut -f 1,2,5)" = "1	all	480" ]'

printf '%s\n' 'm.0.weight 0 17 1' 'm.0.weight 17 18 200' 'm.0.weight 18 60 1' \
    'm.1.weight 0 60 40' 'm.1.bias 0 40 40' | stream row known
t 'what differs' code 0 adapeft-rank --regroup g known
rules g | sort >got
printf '%s\n' 'm.0.weight	m.0.weight/2' 'm.0.weight[17:18]	m.0.weight/1' 'm.1.*	m.1' >want
t 'is told apart' diff want got
sed -n 's/^##group	//p' out >carried
t 'the stream carries the same rules' sh -c 'grep -v "^#" g | diff - carried'
t 'as those of a file' grep -qx '##groups	file' out
t 'gains are those of the rows' test "$(gains out 6)" = "$(gains known 6)"
t 'parameters too' test "$(gains out 5)" = 640
cp out kept
t 'the stream is whole' adapeft-view --strict kept
t 'select takes it' code 0 adapeft-select --budget 1 kept
t 'and finds the strong row' sh -c 'adapeft-select --budget 4 kept | grep -v "^#" | cut -f 2 | grep -qx m.0.weight/1'
grep -v '^#' known | sort -r >shuffled
{ grep '^#' known | grep -v '^##end'; cat shuffled; grep '^##end' known; } >other.edited
adapeft-view --seal -o other other.edited
t 'rows in another order' code 0 adapeft-rank -q --regroup g2 other
t 'give the same groups' cmp g g2
t 'and the same numbers' sh -c 'grep -v "^##" out >a; grep -v "^##" kept >b; cmp a b'
t 'a large penalty' code 0 adapeft-rank -q --regroup g3 --penalty 1000 known
t 'leaves one group' test "$(rules g3)" = "m.*	m"
awk '/^#/ || $2 != "m.1.bias[39]"' known >part
t 'what was not probed' code 0 adapeft-rank -q --regroup g4 part
t 'has a rule of its own' sh -c 'tail -n 1 g4 | grep -qx "\*	rest"'
t 'and others are not taken for it' sh -c 'grep -qx "m.1.bias\[0:39\]	m.1" g4'

# ---- gains beside the loss ----
# Eight rows that gain 0.3 each of a loss of 0.5, in two steps.
losses() { # METHOD LOSS
    awk -v OFS='\t' -v method="$1" -v loss="$2" 'BEGIN {
        print "##adapeft 1 ppi"
        print "##model", "m", "params=32"
        print "##groups", "row"
        print "##probe", "method=" method " steps=2"
        print "#step", "group", "type", "layer", "params", "loss", "gain", "ppi", "status"
        for (step = 0; step < 2; step++)
            for (i = 0; i < 8; i++)
                print step, "w[" i "]", "attn", 0, 4, loss, 0.3, 0.15, "ok"
        print "##end rows=0 crc32=00000000" }' >sums.edited
    adapeft-view --seal -o sums sums.edited
}
losses ggn 0.5
t 'rows that do the same work' code 0 adapeft-rank --regroup g5 sums
t 'gain no more than the loss of their steps' test "$(gains out 6)" = 1
t 'ppi with it: 2 x 0.5 / 32 in each' test "$(gains out 7)" = 0.0625
t 'with what to do about it' grep -qx "adapeft-rank: values are sums of the members' gains, 2 of them cut to the loss of their step; adapeft probe --groups FILE gives those of the new groups themselves" err
losses ggn 100
t 'a larger loss' code 0 adapeft-rank -q --regroup g5 sums
t 'cuts nothing' test "$(gains out 6)" = 4.8
losses ggn nan
t 'one that is not known' code 0 adapeft-rank -q --regroup g5 sums
t 'cuts nothing either' test "$(gains out 6)" = 4.8
losses fisher 0.5
t 'scores' code 0 adapeft-rank --regroup g5 sums
t 'are no decreases' test "$(gains out 6).$(grep -c 'of the loss\|members' err)" = 4.8.0

# ---- a model ----
t 'tensors of a model' sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 3 | adapeft-rank -q --regroup m.tsv >m.appi'
t 'are fewer then' test "$(grep -vc '^#' m.appi)" -lt 41
t 'probe takes the file' code 0 adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 1 --method grad --groups m.tsv
t 'and finds the same groups' sh -c 'grep -v "^#" out | cut -f 2,5 | sort >a
    grep -v "^#" m.appi | cut -f 2,5 | sort | diff a -'
t 'finetune trains them' sh -c 'adapeft-select --budget 10% m.appi |
    adapeft-finetune -q -j 1 -d train.tsv --steps 1 -o tuned >out'
t 'rows of a model' sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 3 --group-by row >r.ppi && adapeft-rank -q --regroup r.tsv r.ppi >r.appi'
t 'are many' test "$(grep -vc '^#' r.ppi)" -gt 1000
t 'and fewer then' test "$(grep -vc '^#' r.appi)" -lt 200
t 'probe takes their file' code 0 adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 1 --method grad --groups r.tsv
t 'and finds the same groups' sh -c 'grep -v "^#" out | cut -f 2,5 | sort >a
    grep -v "^#" r.appi | cut -f 2,5 | sort | diff a -'
t 'finetune trains them' sh -c 'adapeft-select --budget 10% r.appi |
    adapeft-finetune -q -j 1 -d train.tsv --steps 1 -o rows >out'
t 'alternative pairs' sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 2 --group-by module --lora-rank 2,4 | adapeft-rank -q --regroup l.tsv >l.appi'
t 'stay alternatives' sh -c 'awk -F"\t" "!/^#/ && \$14 != \"-\"" l.appi | grep -q "\.lora\.r4"'
t 'and probe takes their file' code 0 adapeft-probe -q -j 1 -m tiny-bert -d train.tsv \
    --task sst2 --steps 1 --method grad --groups l.tsv --lora-rank 2,4
t 'and finds the same groups' sh -c 'grep -v "^#" out | cut -f 2,5 | sort >a
    grep -v "^#" l.appi | cut -f 2,5 | sort | diff a -'

# ---- what is refused ----
t 'groups by type' code 64 sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 \
    --steps 1 --method grad --group-by type | adapeft-rank --regroup t.tsv'
t 'have no patterns' grep -q 'groups by type cannot be regrouped, since no pattern names them' err
t 'and no file is written' test ! -e t.tsv
t 'a file for stdout' code 64 adapeft-rank --regroup - known
t 'two outputs to one file' code 64 adapeft-rank --regroup g -o g known
finish
