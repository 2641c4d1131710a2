// Bodies about groups: what Java tools send and read (remoting.md 13.1, 13.3).
#include "wire/group_body.h"

#include <gtest/gtest.h>

namespace mq::wire {
namespace {

constexpr std::string_view kDefaultGroup =
    R"({"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,)"
    R"("consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,)"
    R"("groupName":"CG","groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,)"
    R"("notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,)"
    R"("whichBrokerWhenConsumeSlowly":1})";

TEST(GroupBody, IsWrittenAsTheReferenceWritesIt) {
  GroupConfig config;
  config.name = "CG";
  EXPECT_EQ(encode_group_config(config), kDefaultGroup);
}

TEST(GroupBody, MissingMembersHaveTheirDefaultsAndStrangeOnesAreDropped) {
  const auto config = decode_group_config(R"({"groupName":"CG","later":1,"retryMaxTimes":"3"})");
  ASSERT_TRUE(config) << config.error();
  GroupConfig expected;
  expected.name = "CG";
  expected.retry_max_times = 3;
  EXPECT_EQ(*config, expected);
}

TEST(GroupBody, EveryMemberSurvivesTheWayThereAndBack) {
  GroupConfig config;
  config.name = "CG";
  config.consume_enable = config.consume_from_min_enable = config.consume_broadcast_enable = false;
  config.consume_message_orderly = true;
  config.retry_queues = 0;
  config.retry_max_times = -1;
  config.retry_policy_json =
      R"({"exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2},"type":"EXPONENTIAL"})";
  config.broker_id = 2;
  config.which_broker_when_slow = 3;
  config.notify_consumer_ids_changed = false;
  config.sys_flag = 1;
  config.consume_timeout_minutes = 5;
  config.subscription_data_json =
      R"([{"expression":"*","expressionType":"TAG","topic":"T","version":1}])";
  config.attributes["+a"] = "b";
  const auto again = decode_group_config(encode_group_config(config));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, config);
  const auto list = decode_group_config_list(encode_group_config_list({config, config}));
  ASSERT_TRUE(list) << list.error();
  EXPECT_EQ(*list, (std::vector<GroupConfig>{config, config}));
}

TEST(GroupBody, TheTableCarriesVersionAndWhatIsForbidden) {
  GroupTable table;
  table.version = {.counter = 3, .state_version = 0, .timestamp_ms = 1'700'000'000'000};
  table.groups["CG"].name = "CG";
  table.forbidden["CG"]["T"] = 4;
  const std::string text = encode_group_table(table);
  EXPECT_EQ(text, R"({"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1700000000000},)"
                  R"("forbiddenTable":{"CG":{"T":4}},"subscriptionGroupTable":{"CG":)" +
                      std::string(kDefaultGroup) + "}}");
  const auto again = decode_group_table(text);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, table);
}

TEST(GroupBody, ForbiddenSaysWhetherTheTopicCanBeRead) {
  const GroupForbidden forbidden{.group = "CG", .topic = "T", .readable = false};
  const std::string text = encode_group_forbidden(forbidden);
  EXPECT_EQ(text, R"({"group":"CG","readable":false,"topic":"T"})");
  EXPECT_EQ(*decode_group_forbidden(text), forbidden);
}

TEST(GroupBody, WhatIsNoObjectIsRefused) {
  for (const char* body : {"", "[]", "3", "{"}) {
    EXPECT_FALSE(decode_group_config(body)) << body;
    EXPECT_FALSE(decode_group_config_list(body)) << body;
    EXPECT_FALSE(decode_group_table(body)) << body;
    EXPECT_FALSE(decode_group_forbidden(body)) << body;
  }
}

}  // namespace
}  // namespace mq::wire
