# The five programs together, as a user strings them.
. "$TESTS/tools/lib.sh"
cp -R "$FIX/tiny-bert" "$FIX/tiny-bert-bare" .
cp "$FIX/sentiment-train.tsv" train.tsv
cp "$FIX/sentiment-dev.tsv" dev.tsv

# pipeline OUT [WRAPPER...]: all of it through pipes, streams kept beside
pipeline() {
    to=$1
    shift
    "$@" adapeft-probe -q -j 1 -m tiny-bert-bare -d train.tsv --task sst2 --steps 2 | tee $to.ppi |
        "$@" adapeft-rank -q | tee $to.appi |
        "$@" adapeft-select --budget 1%,10% --require 'classifier.*' | tee $to.mask |
        "$@" adapeft-finetune -q -j 1 -d train.tsv --epochs 2 --preset head -o $to | tee $to.run |
        "$@" adapeft-evaluate -q -j 1 -d dev.tsv >$to.point
}

t 'the whole pipeline' pipeline a
t 'judges three runs' sh -c '[ "$(grep -vc "^#" a.point)" -eq 3 ]'
t 'and tells how they came about' sh -c '[ "$(grep -c "^##pg" a.point)" -eq 5 ]'
for s in ppi appi mask run point; do
    t "the $s stream is whole" adapeft-view --strict a.$s
done
cp -R a b.kept
cp a.point point.kept
cp a.run run.kept
rm -rf a
t 'once more' pipeline a
t 'gives the same models' diff -r a b.kept
t 'and the same scores' cmp a.point point.kept
t 'and the same runs' cmp a.run run.kept

for s in appi mask run; do
    grep -v '^##end' a.$s >cut.$s
done
t 'a ranking that was cut short selects nothing' code 65 adapeft-select --budget 1% cut.appi
t 'and says nothing on stdout that looks whole' sh -c '! grep -q "^##end" out'
t 'a mask that was cut short trains nothing' code 65 adapeft-finetune -d train.tsv --mask cut.mask -o none
t 'and leaves no directory' test ! -e none
awk -F'\t' '/^#/ || $5 > 100' a.ppi >filtered.ppi
t 'a stream filtered by awk is taken' code 0 adapeft-rank filtered.ppi
t 'with a note' grep -q 'filtered.ppi' err
t 'or refused when strict' code 65 adapeft-rank --strict filtered.ppi
t 'groups by layer and type train too' sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 --steps 1 --group-by layer-type |
    adapeft-rank -q | adapeft-select --budget 10% | adapeft-finetune -q -j 1 -d train.tsv --steps 2 -o lt >lt.run &&
    [ "$(grep -vc "^#" lt.run)" -eq 1 ]'
printf '*.bias\tbiases\n*\trest\n' >mine
t 'and groups of a file' sh -c 'adapeft-probe -q -j 1 -m tiny-bert -d train.tsv --task sst2 --steps 1 --groups mine |
    adapeft-rank -q | adapeft-select --budget 50% | adapeft-finetune -q -j 1 -d train.tsv --steps 2 -o gf >gf.run &&
    [ "$(grep -vc "^#" gf.run)" -eq 1 ]'

if ! command -v valgrind >/dev/null 2>&1; then
    skip 'valgrind finds nothing' 'valgrind is not installed'
elif nm -D "$BIN/adapeft-probe" 2>/dev/null | grep -q __asan_init; then
    skip 'valgrind finds nothing' 'the programs are built with sanitizers'
else
    t 'under valgrind' pipeline v valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --log-file=valgrind.%p
    t 'nothing is found' sh -c '! cat valgrind.* | grep .'
    t 'all streams are whole' adapeft-view --strict v.point
fi
finish
