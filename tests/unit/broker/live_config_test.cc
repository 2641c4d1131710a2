// What can be changed while the broker runs, and what becomes of it.
#include "broker/live_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPath = "/s/config/broker.properties";

class LiveConfigTest : public testing::Test {
 protected:
  LiveConfigTest() {
    EXPECT_TRUE(fs_.make_directories("/s/config"));
    live_.on_change([this](const std::vector<std::string>& keys) { changed_ = keys; });
  }
  test::FaultFs fs_{1};
  test::ManualClock clock_;
  BrokerConfig config_;
  LiveConfig live_{fs_, clock_, config_, kPath};
  std::vector<std::string> changed_;
};

TEST_F(LiveConfigTest, AChangeIsReadByAllShownCountedAndKept) {
  ASSERT_TRUE(live_.update("autoCreateTopicEnable=false\nfileReservedTime = 24\n"));
  EXPECT_FALSE(config_.auto_create_topic);
  EXPECT_EQ(config_.store.file_reserved_hours, 24);
  EXPECT_THAT(changed_, ElementsAre("autoCreateTopicEnable", "fileReservedTime"));
  EXPECT_EQ(live_.version().counter, 1);
  EXPECT_THAT(live_.properties(), HasSubstr("autoCreateTopicEnable=false\n"));
  EXPECT_THAT(*fs::read_file(fs_, kPath), HasSubstr("fileReservedTime=24\n"));
  ASSERT_TRUE(live_.update("fileReservedTime=48"));
  EXPECT_THAT(*fs::read_file(fs_, kPath),
              HasSubstr("autoCreateTopicEnable=false\nfileReservedTime=48\n"));
}

TEST_F(LiveConfigTest, TheSameValueIsNoChange) {
  ASSERT_TRUE(live_.update("autoCreateTopicEnable=true"));
  EXPECT_THAT(changed_, IsEmpty());
  EXPECT_EQ(live_.version().counter, 0);
  EXPECT_FALSE(fs_.exists(kPath));
}

TEST_F(LiveConfigTest, AllIsTakenOrNothing) {
  const struct {
    const char* text;
    Errc code;
    const char* names;
  } cases[] = {
      {"listenPort=1", Errc::kDenied, "listenPort"},
      {"brokerPermission=8", Errc::kInvalid, "brokerPermission"},
      {"noSuchKey=1", Errc::kInvalid, "noSuchKey"},
      {"no equals sign", Errc::kInvalid, "equals"},
      {"diskSpaceCleanForciblyRatio=95", Errc::kInvalid, "diskSpaceWarningLevelRatio"},
  };
  for (const auto& c : cases) {
    auto done = live_.update(std::string("traceOn=false\n") + c.text);
    ASSERT_FALSE(done) << c.text;
    EXPECT_EQ(done.error().code(), c.code) << c.text;
    EXPECT_THAT(done.error().text(), HasSubstr(c.names));
  }
  EXPECT_TRUE(config_.trace_on);
  EXPECT_THAT(changed_, IsEmpty());
  ASSERT_TRUE(live_.update("useEpollNativeSelector=true"));  // without meaning here
  EXPECT_THAT(changed_, IsEmpty());
}

TEST_F(LiveConfigTest, WhatCannotBeKeptIsNotTaken) {
  fs_.fail({.op = test::FsOp::kSync, .forever = true});
  EXPECT_FALSE(live_.update("traceOn=false"));
  EXPECT_TRUE(config_.trace_on);
}

TEST_F(LiveConfigTest, AtTheNextStartItWinsOverTheFileAndLosesToTheCommandLine) {
  ASSERT_TRUE(live_.update("traceOn=false\nfileReservedTime=24\nautoCreateTopicEnable=false"));
  Settings settings;
  ASSERT_TRUE(settings.parse("traceOn=true\nfileReservedTime=72", "broker.conf"));
  ASSERT_TRUE(settings.set("autoCreateTopicEnable", "true", "-o"));
  ASSERT_TRUE(take_kept_settings(fs_, kPath, settings));
  EXPECT_FALSE(settings.config().trace_on);
  EXPECT_EQ(settings.config().store.file_reserved_hours, 24);
  EXPECT_TRUE(settings.config().auto_create_topic);
  EXPECT_THAT(std::string(settings.origin_of("traceOn")), HasSubstr("broker.properties"));
  EXPECT_TRUE(take_kept_settings(fs_, "/s/config/none", settings));
}

}  // namespace
}  // namespace mq::broker
