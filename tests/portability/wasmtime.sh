#!/usr/bin/env bash
# Runs the built-in stores under the wasmtime command line, and prints each call with its answer, a WAVE value:
# cargo build && tests/portability/wasmtime.sh > tests/portability/wasmtime.txt
#
# Needs `cargo install wasmtime-cli --version 48.0.8 --locked`. Readers and writers are resources, which have no WAVE.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp data/* "$folder"
printf '<a>\n<b></a>' > "$folder/broken.xml"
printf 'a: 1\nb: c: d\n' > "$folder/broken.yaml"

# Prints `$ store operation file`, and the answer of a call on the next line.
call() {
    printf '$ %s %s %s\n' "$store" "$1" "$2"
    wasmtime run --dir "$folder::/store" --invoke "$1($3)" "$folder/$store.wasm"
}

for files in "json-store order.json twice.json" "pickle-store hostile.pickle order.pickle" "xml-store broken.xml note.xml order.bpmn" \
    "yaml-store broken.yaml tagged.yaml"; do
    read -r store files <<< "$files"
    ../target/debug/autotel extract "$store" "$folder/$store.wasm"
    call describe "" ""
    for file in $files; do
        call validate "$file" "\"/store/$file\", []"
        loaded=$(call load "$file" "\"/store/$file\", []")
        printf '%s\n' "$loaded"
        documents=${loaded##*$'\n'}
        if [[ $documents == ok* ]]; then
            documents=${documents#ok(}
            call save "$file" "\"/store/saved\", ${documents%)}, []"
            od --address-radix=n --format=x1 --output-duplicates "$folder/saved" | tr -d ' \n'
            echo
        fi
    done
done
