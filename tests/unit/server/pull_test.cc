// Pulls that take a store with a past, asked of a whole broker (the other cases of 25.2 are asked
// over the wire by tests/bats/conformance_pulls.bats).
#include "wire/pull.h"

#include <gtest/gtest.h>

#include "unit/server/served_broker.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;

Answer pull(ServedBroker& broker, std::int64_t offset) {
  return broker.ask([&](std::string& out) {
    wire::append_pull_request(out, ServedBroker::header(wire::kPullMessage),
                              {.group = "G",
                               .topic = "T",
                               .queue_id = 0,
                               .queue_offset = offset,
                               .count_max = 1,
                               .sys_flag = wire::kPullSubscription,
                               .subscription = "*"});
  });
}

TEST(Pull, Case17WhatHasBeenDeletedIsMovedUpToTheFirstThatIsThere) {
  ServedBroker broker([](broker::BrokerConfig& config) {
    config.store.commit_log_file_bytes = 64 << 10;
    config.store.file_reserved_hours = 1;
  });
  for (int i = 0; i < 40; ++i)
    ASSERT_EQ(broker.send("T", std::string(10'000, 'x'), {}).code, wire::kSuccess);
  ASSERT_TRUE(broker.store->wait_dispatched(60'000));
  ASSERT_TRUE(broker.store->sync());
  broker.clock.advance_ms(2 * 3'600'000);
  const auto deleted = broker.store->expire_now();
  ASSERT_TRUE(deleted) << deleted.error();
  ASSERT_GT(*deleted, 0);
  const std::int64_t min = broker.store->min_offset("T", 0).value();
  ASSERT_GT(min, 2);
  const Answer answer = pull(broker, 2);
  EXPECT_EQ(answer.code, wire::kPullOffsetMoved);
  EXPECT_EQ(answer.ext.at("nextBeginOffset"), std::to_string(min));
  EXPECT_EQ(answer.ext.at("minOffset"), std::to_string(min));
  EXPECT_EQ(answer.ext.at("maxOffset"), "40");
  EXPECT_EQ(pull(broker, min).code, wire::kSuccess);
}

}  // namespace
}  // namespace mq::server
