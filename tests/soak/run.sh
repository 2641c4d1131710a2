#!/usr/bin/env bash
# make soak: 200 rounds of SIGKILL, a third of them with one with timers, transactions and pops under way behind it, 2,000 seeds
# of power loss, 500 damaged stores repaired, the power going at every step, pops against their model.
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
tests/soak/kill9.py "$build/bin" "${ROUNDS:-200}"
MQ_SEEDS=${SEEDS:-2000} "$build/tests/power_loss_test"
MQ_SEEDS=${DAMAGES:-500} "$build/tests/repair_test" --gtest_filter='*.DamageBySeed:*.Wherever*'
MQ_SEEDS=${POPS:-100} MQ_STEPS=${POP_STEPS:-100000} "$build/tests/pop_model_test"
