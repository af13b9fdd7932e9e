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

call() {
    printf '$ %s %s\n' "$1" "$2"
    wasmtime run --dir "$folder::/store" --invoke "$2" "$folder/$1.wasm"
}

for store in json-store xml-store yaml-store; do
    ../target/debug/autotel extract "$store" "$folder/$store.wasm"
done
for file in order.json twice.json; do call json-store "load(\"/store/$file\", [])"; done
for file in broken.xml note.xml order.bpmn; do call xml-store "load(\"/store/$file\", [])"; done
for file in broken.yaml tagged.yaml; do call yaml-store "load(\"/store/$file\", [])"; done
for store in json-store xml-store yaml-store; do call "$store" 'describe()'; done
call json-store 'validate("/store/twice.json", [])'
call json-store 'load("/store/twice.json", [{name: "duplicate-keys", value: choice("last")}])'
call json-store 'save("/store/new.json", [131, 1, 2, 3], [{name: "indent", value: count(0)}])'
printf '%s holds %s\n' new.json "$(cat "$folder/new.json")"
