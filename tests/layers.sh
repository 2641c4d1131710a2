#!/usr/bin/env bash
# Reads every #include of lib/ and cmd/: a room may name its own files and those of lower layers only, nothing names
# tests/, Asio stays in net/ and CLI11 in cli/. The build refuses upward links; this refuses upward includes. And two
# headers of a room must not define types of one name: no compiler sees it where no file includes both, and the linker
# then takes the code of one of them, of std::vector say, for both.
#   tests/layers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
find lib cmd \( -name '*.h' -o -name '*.cc' \) -print0 | sort -z | xargs -0 awk '
  BEGIN {
    split("base:0 format:1 wire:1 fs:1 store:2 net:2 inspect:2 broker:3 route:3 client:3 replica:4 cli:4 server:5", rooms, " ")
    for (i in rooms) { split(rooms[i], r, ":"); layer[r[1]] = r[2] }
  }
  FILENAME ~ /\.h$/ && /^(struct|class|enum class) .*\{/ {
    split(FILENAME, path, "/")
    type = $0
    sub(/^(struct|class|enum class) (\[\[nodiscard\]\] )?/, "", type)
    sub(/^MQ_[A-Z_]+(\([^)]*\))? /, "", type)
    sub(/[^A-Za-z0-9_:].*/, "", type)
    key = path[1] "/" path[2] " " type
    if (key in defined && defined[key] != FILENAME) { printf "%s:%d: %s: %s has it, too, another one\n", FILENAME, FNR, type, defined[key]; failed = 1 }
    defined[key] = FILENAME
  }
  /^[ \t]*#[ \t]*include/ {
    split(FILENAME, path, "/")
    here = path[1] == "cmd" ? 6 : layer[path[2]]
    if (match($0, /["<][^">]+[">]/) == 0) next
    name = substr($0, RSTART + 1, RLENGTH - 2)
    split(name, part, "/")
    bad = ""
    if (name ~ /^(tests|support)\//) bad = "product code does not include tests"
    else if (name ~ /^boost\/asio/ && !(path[1] == "lib" && path[2] == "net")) bad = "only net/ includes Asio"
    else if (name ~ /^CLI\// && !(path[1] == "lib" && path[2] == "cli")) bad = "only cli/ includes CLI11, which is slow to compile"
    else if (path[1] == "lib" && (part[1] in layer) && part[1] != path[2] && layer[part[1]] >= here)
      bad = "layer " here " (" path[2] ") may not use layer " layer[part[1]] " (" part[1] ")"
    if (bad != "") { printf "%s:%d: %s: %s\n", FILENAME, FNR, name, bad; failed = 1 }
  }
  END { exit failed }
'
