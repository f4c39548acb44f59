#!/bin/sh
# adapeft-plot - draws a stream: numbers by share/KIND.awk, the picture by share/KIND.gp.
version=@VERSION@
LC_ALL=C
export LC_ALL

EX_USAGE=64 EX_DATAERR=65 EX_NOINPUT=66 EX_UNAVAILABLE=69 EX_SOFTWARE=70
EX_CANTCREAT=73 EX_IOERR=74

kinds='heatmap steps curvature fit interactions frontier agreement'
kind= input= output= title= top= theme=light quiet= strict= verbose=
work= part=

clean() {
    [ -z "$part" ] || rm -f -- "$part"
    [ -z "$work" ] || rm -rf -- "$work"
}
trap clean EXIT
for signal in HUP INT PIPE TERM; do
    # Ended by the signal itself, so that whoever started it sees that.
    trap "clean; trap - EXIT $signal; kill -s $signal \$\$" $signal
done

# A name from outside cannot break the line or drive the terminal.
say() {
    printf 'adapeft-plot: %s' "$*" | tr '\000-\037\177' '?' >&2
    echo >&2
}
fail() { # STATUS TEXT
    status=$1
    shift
    say "$@"
    exit "$status"
}
note() {
    [ -n "$quiet" ] || say "$@"
}
detail() {
    [ -z "$verbose" ] || note "$@"
}

help() {
    cat <<'END'
usage: adapeft-plot [OPTION ...] [KIND] [FILE]
Draw a stream as an SVG or PNG picture. KIND is one of
  heatmap        influence per parameter by layer and type (appi, ppi)
  steps          influence of the strongest groups over the probed steps (ppi)
  curvature      distribution of the curvatures by type (ppi)
  fit            distribution of 1 - R^2 by type (ppi of method fit)
  interactions   cosines between the groups (interactions)
  frontier       score over trained parameters (point)
  agreement      methods compared, or scores beside decreases (a table)
and may be left out when the stream has one of its own.

  -o, --output FILE         write there, whole or not at all; FILE ends in .svg or
                            .png (SVG on stdout)
      --title TEXT          the heading
      --top N               groups shown: of steps (8), of interactions (40)
      --dark                light text on a dark ground
      --strict              refuse a stream that was edited or filtered
  -q, --quiet               say nothing but errors
  -v, --verbose             say more
  -h, --help                show this help
      --version             show the version
END
}

# ---- the command -------------------------------------------------------------------

wrong() {
    fail $EX_USAGE "$* (see adapeft-plot --help)"
}

is_kind() {
    case " $kinds " in *" $1 "*) return 0 ;; esac
    return 1
}

operand() {
    [ $operands -lt 2 ] || wrong "$1: one KIND and one FILE at most"
    operands=$((operands + 1))
    if [ $operands -eq 1 ] && is_kind "$1"; then
        kind=$1
    elif [ $operands -eq 2 ] && [ -z "$kind" ]; then
        is_kind "$1" && wrong "$1: KIND comes before FILE"
        [ ! -e "$input" ] || wrong "$1: one FILE at most, and $input is one"
        wrong "$input: no such kind: it is one of $kinds"
    else
        input=$1
    fi
}

# Sets $name from an option that is given with its value, or before it.
take() { # NAME OPTION
    case $2 in
    --*=*) value=${2#*=} ;;
    -[!-]?*) value=${2#-?} ;;
    *)
        [ $# -ge 3 ] || wrong "$2 needs a value"
        value=$3
        taken=2
        ;;
    esac
    eval "$1=\$value"
}

operands=0
while [ $# -gt 0 ]; do
    taken=1
    case $1 in
    -o* | --output | --output=*) take output "$@" ;;
    --title | --title=*) take title "$@" ;;
    --top | --top=*) take top "$@" ;;
    --dark) theme=dark ;;
    --strict) strict=--strict ;;
    -q | --quiet) quiet=-q ;;
    -v | --verbose) verbose=-v ;;
    -h | --help)
        help 2>/dev/null || fail $EX_IOERR 'stdout: write error'
        exit 0
        ;;
    --version)
        echo "adapeft-plot $version" 2>/dev/null || fail $EX_IOERR 'stdout: write error'
        exit 0
        ;;
    --)
        shift
        for word; do operand "$word"; done
        break
        ;;
    -?*) wrong "$1: no such option" ;;
    *) operand "$1" ;;
    esac
    shift $taken
done
case $top in
'') ;;
*[!0-9]* | 0* | ????*) wrong "--top $top: a number from 1 to 999" ;;
esac
case $output in
'' | - | *.svg) form=svg ;;
*.png) form=png ;;
*) wrong "-o $output: a picture's name ends in .svg or .png" ;;
esac

# ---- where things are --------------------------------------------------------------

# Installed, in the tree, or in a build beside the tree's own (build/NAME/bin).
here=$(dirname -- "$(readlink -f -- "$0")")
for share in "$ADAPEFT_SHARE" "$here/../share/adapeft" "$here/../share" \
    "$here/../../../share" '@SHAREDIR@'; do
    [ ! -r "$share/plot.gp" ] || break
done
[ -r "$share/plot.gp" ] ||
    fail $EX_UNAVAILABLE "plot.gp: not found: say in ADAPEFT_SHARE where share/adapeft is"
command -v gnuplot >/dev/null 2>&1 ||
    fail $EX_UNAVAILABLE 'gnuplot is missing: install the package gnuplot-nox, or gnuplot'

program() { # NAME ARGUMENT...
    name=adapeft-$1
    shift
    if [ -x "$here/$name" ]; then "$here/$name" "$@"; else "$name" "$@"; fi
}

work=$(mktemp -d "${TMPDIR:-/tmp}/adapeft-plot.XXXXXX" 2>/dev/null) ||
    fail $EX_CANTCREAT "${TMPDIR:-/tmp}: no temporary directory can be made there"

# Runs a command; what it says on stderr is said in this program's name, and of $about. Its
# stdin is what was read from $named.
about=
run() { # COMMAND...
    "$@" 2>"$work/said"
    status=$?
    sed -e 's/^[a-z.-]*: //' -e '/^ *$/d' "$work/said" | while IFS= read -r line; do
        case $line in stdin:*) line=$named${line#stdin} ;; esac
        say "$about$line"
    done
    return $status
}

# ---- the input ---------------------------------------------------------------------

named=${input:--}
[ "$named" != - ] || named=stdin
if [ "$named" != stdin ]; then
    [ -e "$input" ] || [ -n "$kind" ] ||
        fail $EX_NOINPUT "$input: no such file, and no kind: $kinds"
    [ -e "$input" ] || fail $EX_NOINPUT "$input: no such file"
    [ ! -d "$input" ] || fail $EX_NOINPUT "$input: is a directory"
    [ -r "$input" ] || fail $EX_NOINPUT "$input: permission denied"
    exec <"$input"
fi
cat >"$work/input" || fail $EX_IOERR "$named: cannot be read, or no room in ${TMPDIR:-/tmp}"

above=0 # lines of the stream before the input's own
is_text() {
    ! head -c 4096 "$work/input" | grep -q -e '^##adapeft' &&
        [ "$(head -c 4096 "$work/input" | tr -d '\000-\010\016-\037' | wc -c)" -eq \
            "$(head -c 4096 "$work/input" | wc -c)" ]
}
# A table has a line of names and no head; of streams only the programs know what is right.
is_table() {
    head -n 1 "$work/input" | head -c 4096 | tr '\t\000\r' '\n?\n' | sed '1s/^#//' \
        >"$work/names"
    grep -qx -e tau -e decrease "$work/names" ||
        { [ "$kind" = agreement ] && [ -s "$work/names" ] && is_text; }
}
if is_table; then
    of=table above=1
    {
        echo '##adapeft 1 table' && sed -e 's/\r$//' -e '1s/^#*/#/' "$work/input" &&
            echo '##end rows=-'
    } >"$work/stream"
else
    if [ "$named" = stdin ] || [ ! -f "$input" ]; then
        run program view $quiet $strict -o "$work/stream" <"$work/input" || exit $?
    else
        run program view $quiet $strict -o "$work/stream" -- "$input" || exit $?
    fi
    of=$(sed -n '1{s/^##adapeft 1 //p;q;}' "$work/stream")
fi

if [ -z "$kind" ]; then
    case $of in
    appi) kind=heatmap ;;
    ppi) kind=steps ;;
    interactions) kind=interactions ;;
    point) kind=frontier ;;
    table | reliability) kind=agreement ;;
    *)
        fail $EX_DATAERR "$named: a stream of kind $of has no picture: appi, ppi," \
            "interactions and point have one, and tables" ;;
    esac
fi

# The streams that a picture is made of, and the columns of them.
case $kind in
heatmap) takes='appi ppi' cols=type,layer,params,appi numbers=params,appi ;;
steps) takes=ppi cols=group,step,ppi,gain,status numbers=step,ppi,gain ;;
curvature) takes=ppi cols=type,status,curv numbers=curv ;;
fit) takes=ppi cols=type,status,r2 numbers=r2 ;;
interactions)
    takes=interactions cols=a,b,curv,gain_a,slope_a numbers=curv,gain_a,slope_a ;;
frontier)
    takes=point cols=run,budget,trained,percent,metric,score
    numbers=trained,percent,score ;;
agreement)
    takes='table reliability' cols=task,method,tau,top10 numbers=tau,top10 ;;
esac
case " $takes " in
*" $of "*) ;;
*)
    case $takes in *' '*) takes="${takes% *} or ${takes#* }" ;; esac
    fail $EX_DATAERR "$named: of kind $of: $kind is drawn from $takes" ;;
esac
measures_decrease() {
    sed -n '/^#[^#]/{p;q;}' "$work/stream" | tr -d '#' | tr '\t' '\n' | grep -qx decrease
}
if [ $kind = agreement ] && measures_decrease; then
    kind=scatter cols=group,score,decrease numbers=score,decrease
fi
script=$kind
case $kind in curvature | fit) script=spread ;; esac
detail "$kind from $of, ${form} by $(gnuplot --version)"

# What ##probe says of the method: it decides what the numbers are.
method=$(sed -n '/^##probe/{s/.*method=\([a-z]*\).*/\1/p;q;}' "$work/stream")
if [ "$kind" = heatmap ] && [ "$of" = ppi ]; then
    run program rank -q -o "$work/ranked" <"$work/stream" || exit $?
    mv "$work/ranked" "$work/stream"
fi

# ---- the numbers -------------------------------------------------------------------

numbers() {
    awk -f "$share/cols.awk" -v cols=$cols -v numbers=$numbers -v named="$named" \
        -v above=$above <"$work/stream" >"$work/cells" || return $?
    case $kind in
    # They choose groups first; NR == FNR while they do.
    steps | interactions) set -- "$work/cells" "$work/cells" ;;
    *) set -- "$work/cells" ;;
    esac
    awk -v top="$top" -v kind=$kind -f "$share/names.awk" -f "$share/$script.awk" \
        "$@" >"$work/numbers"
}
run numbers || exit $EX_DATAERR

# ---- the picture -------------------------------------------------------------------

picture=$work/picture.$form
about="$named: "
# A locale of UTF-8 for the text; numbers are the same. What gnuplot warns of concerns none
# but those who draw.
run env LC_ALL=C.UTF-8 gnuplot -d -c "$share/plot.gp" "$share" "$script" "$work/numbers" \
    "$picture" "$theme" "$title" "$method" </dev/null
status=$?
[ $status -ne 65 ] || exit $EX_DATAERR
[ $status -eq 0 ] && [ -s "$picture" ] ||
    fail $EX_SOFTWARE "gnuplot failed: run it with -v for its words"

# The version of gnuplot makes no difference to the bytes.
if [ $form = svg ]; then
    sed -i -e 's/^<title>Gnuplot<\/title>$//' -e '/^<desc>Produced by/d' "$picture"
fi

write() {
    cat "$picture" 2>"$work/said"
    status=$?
    [ $status -ne 141 ] || kill -s PIPE $$
    [ $status -eq 0 ] || fail $EX_IOERR "${output:-stdout}: write error"
}
if [ -z "$output" ] || [ "$output" = - ]; then
    write
elif [ -e "$output" ] && [ ! -f "$output" ]; then
    { write >"$output"; } || exit $EX_IOERR
else
    part=$(mktemp "$(dirname -- "$output")/.adapeft-plot.XXXXXX" 2>/dev/null) ||
        fail $EX_CANTCREAT "$output: cannot be created: is its directory writable?"
    write >"$part"
    chmod =rw "$part" && sync "$part" && mv -f -- "$part" "$output" ||
        fail $EX_IOERR "$output: write error"
    part=
fi
