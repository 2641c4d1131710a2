#!/usr/bin/env bats
# The demo that the README shows runs to its end, and so do the README's own commands.
bats_require_minimum_version 1.5.0
load helpers

@test "the demo runs and every step of it prints" {
  run -0 "$BATS_TEST_DIRNAME/../demo.sh" "$MQ_BUILD/bin"
  assert_line 1000000
  assert_line --partial '"keys":["order-3"]'
}

@test "the README leads with make demo and make check" {
  run grep -nE '^make (demo|check)' "$BATS_TEST_DIRNAME/../../README.md"
  assert_line --index 0 --partial 'make demo'
  assert_line --index 1 --partial 'make check'
}
