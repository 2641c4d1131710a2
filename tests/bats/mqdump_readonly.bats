#!/usr/bin/env bats
# Goal: no command of mqdump that only reads changes a byte or a time stamp of a store, the times of access included, or
# needs to write to it; rebuild and repair neither without --write.
# Method: every command on a sound, a crashed and a damaged store; contents and stat before and after; then the same on a
# read-only mount.
bats_require_minimum_version 1.5.0
load helpers

# What there is, by names from a list: to look for them would itself be a reading of the directories.
list() { find "$1" -print0 >"$work/names"; }
contents() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
stamps() { xargs -0 stat --format '%n %s %b %f %X %.9Y %.9Z' <"$work/names"; }
# A time of access before that of the last change is one that the next reader would set, also under relatime.
age() { xargs -0 touch -a -d '2001-01-01' <"$work/names"; }

# Each command once; what it says and how it ends is other tests' matter, but nothing may fail for want of a right to write.
read_all() {
  local at topic status
  at=$(mqdump log -F '%P\n' -c 1 "$1" 2>/dev/null)
  topic=$(mqdump log -F '%t\n' -c 1 "$1" 2>/dev/null)
  while read -r line; do
    status=0
    eval "mqdump $line" >/dev/null 2>>"$work/said" || status=$?
    case $status in 0 | 1 | 65) ;; *)
      echo "mqdump $line: $status" && tail -3 "$work/said"
      return 1
      ;;
    esac
  done <<EOF
info $1
info --quick $1
info --map $1
log $1
log -J $1
get $1 @$at
get --hex $1 @$at
get $1 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF
grep $1 'body ~ zzz'
grep -j 2 $1 'topic = $topic'
top -j 2 $1
export --all $1
diff $1 $1
cq $1 $topic
index $1
index -k '$topic#none' $1
timer $1
timer --wheel $1
timer --checkpoint $1
checkpoint $1
config $1
verify $1
verify --deep -j 2 $1
rebuild all $1
rebuild cq --topic '$topic' $1
repair $1
EOF
}

leaves_as_it_was() {
  before=$(contents "$store")
  list "$store"
  age
  stamps_before=$(stamps)
  read_all "$store"
  diff <(echo "$stamps_before") <(stamps)
  [ "$(contents "$store")" = "$before" ]
}

@test "a sound store is left as it was" { unpack features && leaves_as_it_was; }
@test "a crashed store is left as it was" { unpack crash && leaves_as_it_was; }
@test "a damaged store is left as it was" {
  python3 "$golden/make_torn.py" "$golden/crash.tar.zst" "$work/torn" mid-body >/dev/null
  store=$(dirname "$(find "$work/torn" -type d -name commitlog)")
  leaves_as_it_was
}

@test "copy and rebuild --out write elsewhere alone" {
  unpack rolled
  list "$store"
  age
  stamps_before=$(stamps)
  mqdump copy -q "$store" "$work/copy"
  mqdump rebuild all -q --out "$work/built" "$store"
  diff <(echo "$stamps_before") <(stamps)
}

@test "a read-only mount is enough" {
  unshare -rm true 2>/dev/null || skip "no mount namespace here"
  unpack features
  export -f read_all
  export store work
  unshare -rm bash -c 'mount --bind "$store" "$store" && mount -o remount,ro,bind "$store" &&
    ! touch "$store/x" 2>/dev/null && read_all "$store" && mqdump copy -q "$store" "$work/copy"'
  mqdump diff --strict "$store" "$work/copy"
}
