# The manual pages: what --help says and no more, and clean for mandoc.
. "$TESTS/tools/lib.sh"
man=$TESTS/../man
programs='probe rank select finetune evaluate plot view'

# The options of a program as its --help lists them: -m, --model
helped() {
    "adapeft-$1" --help | grep -oE '^ +(-[A-Za-z],? ?)?(--[a-z][a-z-]*)?' | tr -s ', ' '\n' |
        grep -- - | sort
}
# The options that its page lists: .It Fl m , Fl -model Ar dir
listed() {
    sed -n 's/^\.It Fl /Fl /p' "$1" | grep -oE 'Fl [A-Za-z-]+' | sed 's/^Fl /-/' | sort
}
# Every option that a page mentions anywhere
mentioned() {
    grep -E '^\.' "$1" | grep -oE '(^\.| )Fl [A-Za-z-]+' | sed 's/.*Fl /-/' | sort -u
}

for p in $programs; do
    helped $p >$p.help
    t "--help of $p lists options" test "$(wc -l <$p.help)" -gt 5
    listed "$man/adapeft-$p.1" >$p.page
    t "adapeft-$p(1) has the options that there are" diff -u $p.help $p.page
    cat $p.help >>any
done
sort -u any >all
for page in "$man"/*; do
    mentioned "$page" >used
    t "$(basename "$page") mentions no other options" test -z "$(comm -23 used all)"
done

adapeft --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | sort >verbs
t 'adapeft has verbs' test "$(wc -l <verbs)" -ge 8
sed -n 's/^\.It Cm //p' "$man/adapeft.1" | sort >verbs.page
t 'adapeft(1) has the verbs that there are' diff -u verbs verbs.page

# The columns of each kind, as adapeft-stream(5) lists them
columns() { # KIND
    sed -n "/^\.Ss Columns of $1\$/,/^\.Ss/p" "$man/adapeft-stream.5" |
        sed -n 's/^\.It Li //p' | tr -s ', ' '\n' | sort
}
{
    printf 'text\tlabel\n'
    for i in 1 2 3 4; do printf 'a great film\t1\na dull plot\t0\n'; done
} >data.tsv
t 'a pipeline' code 0 sh -c 'adapeft-probe -q -m "$FIX/tiny-bert" -d data.tsv --text text \
        --label label --method grad --steps 1 --group-by module --lora-rank 2,4 >a.ppi &&
    adapeft-rank a.ppi >a.appi && adapeft-select --budget 50% a.appi >a.mask &&
    adapeft-finetune -q --mask a.mask -d data.tsv --steps 1 -o model >a.run &&
    adapeft-evaluate -d data.tsv a.run >a.point'
for kind in ppi appi mask run point; do
    grep '^#[^#]' a.$kind | tr -d '#' | tr '\t' '\n' | sort >$kind.columns
    columns $kind >$kind.page
    t "adapeft-stream(5) has the columns of $kind" diff -u $kind.columns $kind.page
done
cat a.* | sed -n 's/^##\([a-z]*\).*/\1/p' | grep -vE '^(adapeft|end)$' | sort -u >keys
sed -n '/^\.Ss Metadata/,/^\.Ss Columns/s/^\.It Li //p' "$man/adapeft-stream.5" | sort >keys.page
t 'there is one of pairs' grep -qx lora keys
t 'and the keys of metadata' test "$(wc -l <keys)" -ge 6 -a -z "$(comm -23 keys keys.page)"

if command -v mandoc >/dev/null; then
    for page in "$man"/*; do
        mandoc -Tlint -W warning "$page" >lint 2>&1
        t "mandoc has no complaint about $(basename "$page")" test ! -s lint
    done
else
    skip 'mandoc has no complaint' 'mandoc is not installed'
fi
finish
