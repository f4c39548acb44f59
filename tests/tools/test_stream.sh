# The stream format as adapeft-view reads it: what is cut, damaged or malformed is refused,
# what was filtered is told, and text -> binary -> text gives the same bytes.
. "$TESTS/tools/lib.sh"

crc_of() { # FILE: zlib's crc32, eight hex digits, from the trailer of gzip
    gzip -c "$1" | tail -c 8 | od -An -tx1 | awk '{ print $4 $3 $2 $1 }'
}

seal() { # FILE: appends a true ##end line
    rows=$(grep -c '^[^#]' "$1")
    echo "##end rows=$rows crc32=$(crc_of "$1")" >>"$1"
}

{
    printf '##adapeft 1 ppi\n##model\tminilm  params=22713986\n##pg\ta test\n'
    printf '#step\tgroup\tgain\n'
    printf '1\tencoder.layer.0\t0.25\n1\thead\t-1e-05\n'
    printf '##budget\t1%%\n2\thead\tnan\n'
} >good.ppi
seal good.ppi
adapeft-view --format binary good.ppi >good.bin

t 'a whole stream passes byte for byte' sh -c 'adapeft-view --strict good.ppi | cmp - good.ppi'
t 'the checksum is that of zlib' code 0 adapeft-view --strict good.ppi
t 'text -> binary -> text gives the same bytes' sh -c \
    'adapeft-view --strict good.bin | cmp - good.ppi'
t 'binary -> binary gives the same bytes' sh -c \
    'adapeft-view --format binary good.bin | cmp - good.bin'
t 'binary is told from text by its first byte' sh -c \
    '[ "$(od -An -tx1 -N1 good.bin)" = " 93" ]'

# ---- cut ------------------------------------------------------------------------------

refused_at_every_cut() { # FILE
    size=$(wc -c <"$1")
    n=0
    while [ $n -lt "$size" ]; do
        head -c $n "$1" >cut
        code 65 adapeft-view -o never cut && [ "$(wc -l <err)" -eq 1 ] && [ ! -e never ] ||
            { echo "cut at byte $n of $size"; return 1; }
        n=$((n + 1))
    done
}
t 'a text stream cut at any byte is refused' refused_at_every_cut good.ppi
t 'a binary stream cut at any byte is refused' refused_at_every_cut good.bin

cut_from_a_pipe() {
    head -c 100 good.ppi | adapeft-view >out 2>err
    [ $? -eq 65 ] && says 'adapeft-view: stdin:6: cut short'
}
t 'a stream cut in a pipe is refused' cut_from_a_pipe

empty_pipe() {
    : | adapeft-view >out 2>err
    [ $? -eq 65 ] && says 'adapeft-view: stdin: empty: no stream'
}
t 'an upstream that wrote nothing is told' empty_pipe

# ---- damaged --------------------------------------------------------------------------

refused_at_every_byte() {
    size=$(wc -c <good.bin)
    n=0
    while [ $n -lt "$size" ]; do
        byte=$(od -An -tu1 -j$n -N1 good.bin)
        { head -c $n good.bin
          printf "\\$(printf %03o $((byte ^ 16)))"
          tail -c +$((n + 2)) good.bin; } >flipped
        code 65 adapeft-view flipped || { echo "byte $n"; return 1; }
        n=$((n + 1))
    done
}
t 'a binary stream with a changed byte anywhere is refused' refused_at_every_byte

damage_names_its_block() {
    { head -c 40 good.bin; printf x; tail -c +42 good.bin; } >damaged
    code 65 adapeft-view damaged && says 'damaged: damaged block at byte 8: its checksum differs'
}
t 'damage is told with the byte of its block' damage_names_its_block

# ---- malformed ------------------------------------------------------------------------

bad() { # DEFECT MESSAGE TEXT
    printf "$3" >bad
    t "$1 is refused" code 65 adapeft-view bad
    t "$1 is told" says "adapeft-view: bad:$2"
}
end='##end rows=0 crc32=00000000\n'
bad 'a file that is no stream' '1: no stream' 'sentence\tlabel\n'
bad 'a later version' '1: version 2 of the stream format' '##adapeft 2 ppi\n#a\n'"$end"
bad 'a stream without a kind' '1: malformed first line' '##adapeft 1\n#a\n'"$end"
bad 'CR LF' '1: lines end in CR LF' '##adapeft 1 ppi\r\n#a\r\n'
bad 'a stream without columns' '2: no line of columns' '##adapeft 1 ppi\n'"$end"
bad 'a row before the columns' '2: a row before' '##adapeft 1 ppi\n1\n#a\n'"$end"
bad 'a column given twice' "2: two columns are called 'a'" '##adapeft 1 ppi\n#a\ta\n'"$end"
bad 'a row with too few cells' '3: 1 cells; there are 2' '##adapeft 1 ppi\n#a\tb\n1\n'"$end"
bad 'a row with too many cells' '3: 2 cells; there are 1' '##adapeft 1 ppi\n#a\n1\t2\n'"$end"
bad 'a NUL byte' '3: a NUL byte' '##adapeft 1 ppi\n#a\n1\0002\n'"$end"
bad 'a malformed end' '3: malformed ##end' '##adapeft 1 ppi\n#a\n##end rows=0\n'
bad 'a row after the end' '4: more after' '##adapeft 1 ppi\n#a\n'"$end"'1\n'
bad 'a second stream behind the first' '4: more after' \
    '##adapeft 1 ppi\n#a\n'"$end"'##adapeft 1 ppi\n#a\n'"$end"
bad 'a second stream inside the first' '3: a second ##adapeft line' \
    '##adapeft 1 ppi\n#a\n##adapeft 1 ppi\n#a\n'"$end"

# ---- filtered and edited --------------------------------------------------------------

filtered() {
    awk '/^#/ || $2 == "head"' good.ppi >head.ppi
    code 0 adapeft-view head.ppi && cmp out head.ppi &&
        says 'head.ppi: 2 rows where its end counts 3: filtered on the way?'
}
t 'rows that awk took out leave a note' filtered
t 'and nothing is said of them with -q' sh -c '[ -z "$(adapeft-view -q head.ppi 2>&1 >/dev/null)" ]'
t 'and --strict refuses them' code 65 adapeft-view --strict head.ppi

filtered_through_binary() {
    adapeft-view -q --format binary head.ppi >head.bin
    code 0 adapeft-view head.bin && cmp out head.ppi && says '2 rows where its end counts 3'
}
t 'the note is the same after binary' filtered_through_binary

edited() {
    sed 's/0\.25/0.5/' good.ppi >edited.ppi
    code 0 adapeft-view edited.ppi && says 'edited.ppi: other bytes than its end tells'
}
t 'an edited cell leaves a note' edited

annotated() {
    awk '{ print } /^#step/ { print "# looked at by hand" }' good.ppi >annotated.ppi
    code 0 adapeft-view annotated.ppi && cmp out annotated.ppi && says 'other bytes'
}
t 'a comment among the rows is passed over and kept' annotated

# ---- round trips ----------------------------------------------------------------------

odd_cells() {
    awk 'BEGIN {
        n = split("|0|-0|007|+1|1.50|1.5|1e5|1e-05|nan|-nan|inf|0x10|.5|5.|" \
            "9223372036854775807|-9223372036854775808|9223372036854775808|" \
            "123456789012345678901234567890|5e-324|1e999|\\t\\n\\\\|\\x23| 1|1 |é€|-", cell, "|")
        print "##adapeft 1 odd"
        print "#a\tb\tc"
        for (i = 1; i <= n; i++)
            for (j = 1; j <= n; j++) print cell[i] "\t" cell[j] "\t" i * j / 7
    }' >odd.txt
    seal odd.txt
    adapeft-view --format binary odd.txt >odd.bin && adapeft-view --strict odd.bin | cmp - odd.txt
}
t 'odd cells come back from binary as they were' odd_cells

many_rows() {
    awk 'BEGIN {
        print "##adapeft 1 ppi"
        print "#step\tgroup\tgain"
        for (i = 0; i < 50000; i++) printf "%d\tlayer.%d\t%.15g\n", i / 40, i % 40, sin(i)
    }' >many.ppi
    seal many.ppi
    adapeft-view --strict --format binary many.ppi >many.bin &&
        [ "$(wc -c <many.bin)" -lt $(($(wc -c <many.ppi) / 2)) ] &&
        adapeft-view --strict many.bin | cmp - many.ppi
}
t 'many rows come back from binary, which is less than half as large' many_rows
finish
