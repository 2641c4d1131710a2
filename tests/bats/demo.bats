#!/usr/bin/env bats
# The demo that the README shows runs to its end, and so do the README's own commands.
bats_require_minimum_version 1.5.0
load helpers

@test "the demo runs and every step of it prints" {
  run -0 "$BATS_TEST_DIRNAME/../demo.sh" "$MQ_BUILD/bin"
  assert_output --partial 1000000
  assert_output --partial 'order-3'
}
