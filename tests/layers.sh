# Fails when a file of lib/ includes a header of a layer above its own.
layers='base tensor io text data model peft train influence select'
bad=0
rank() {
    i=0
    for l in $layers; do
        i=$((i + 1))
        if [ "$l" = "$1" ]; then echo $i; return; fi
    done
    echo 0
}
for dir in lib/*/; do
    layer=$(basename "$dir")
    own=$(rank "$layer")
    if [ "$own" -eq 0 ]; then
        echo "layers: lib/$layer is not a known layer" >&2
        bad=1
    fi
    for other in $layers; do
        [ "$(rank "$other")" -gt "$own" ] || continue
        if grep -n "#include \"$other/" "$dir"*.[ch] /dev/null; then bad=1; fi
    done
    if grep -n '#include "cli' "$dir"*.[ch] /dev/null; then bad=1; fi
done
if grep -ln 'cblas\.h' lib/*/*.[ch] | grep -v '^lib/tensor/blas\.c$'; then
    echo 'layers: only lib/tensor/blas.c includes cblas.h' >&2
    bad=1
fi
[ $bad -eq 0 ] && echo 'layers: every include looks down'
exit $bad
