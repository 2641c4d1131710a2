// What a name server keeps on disk: its key/value table and what it was told while running.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route/kv_configs.h"
#include "route/name_settings.h"
#include "support/fault_fs.h"

namespace mq::route {
namespace {

using testing::HasSubstr;

class NameFilesTest : public testing::Test {
 protected:
  NameFilesTest() { EXPECT_TRUE(fs_.make_directories("/n")); }
  test::FaultFs fs_{1};
};

TEST_F(NameFilesTest, PairsComeBackAfterARestartInTheReferencesForm) {
  {
    KvConfigs kv(fs_, "/n/kvConfig.json");
    ASSERT_TRUE(kv.load());
    ASSERT_TRUE(kv.put(kOrderTopics, "T", "broker-a:4;broker-b:4"));
    ASSERT_TRUE(kv.put(kOrderTopics, "gone", "x"));
    ASSERT_TRUE(kv.remove(kOrderTopics, "gone"));
    ASSERT_TRUE(kv.remove("never", "there"));
  }
  EXPECT_EQ(*fs::read_file(fs_, "/n/kvConfig.json"),
            "{\n\t\"configTable\":{\n\t\t\"ORDER_TOPIC_CONFIG\":{\n\t\t\t\"T\":\"broker-a:4;broker-"
            "b:4\"\n\t\t}\n\t}\n}");
  KvConfigs again(fs_, "/n/kvConfig.json");
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.get(kOrderTopics, "T"), "broker-a:4;broker-b:4");
  EXPECT_FALSE(again.get(kOrderTopics, "gone"));
  EXPECT_FALSE(again.all("never"));
  EXPECT_EQ(again.all(kOrderTopics)->size(), 1U);
}

TEST_F(NameFilesTest, APairThatCannotBeKeptIsNotTaken) {
  KvConfigs kv(fs_, "/nowhere/kvConfig.json");
  EXPECT_FALSE(kv.put("N", "k", "v"));
  EXPECT_FALSE(kv.get("N", "k"));
}

TEST_F(NameFilesTest, ADamagedTableIsAnErrorThatNamesTheFile) {
  ASSERT_TRUE(fs::write_file_atomically(fs_, "/n/kvConfig.json", "{\"configTable\":", false));
  KvConfigs kv(fs_, "/n/kvConfig.json");
  auto loaded = kv.load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().text(), HasSubstr("/n/kvConfig.json"));
}

TEST_F(NameFilesTest, SettingsAreCheckedAndKeptWhenChangedWhileRunning) {
  {
    NameSettings settings;
    ASSERT_TRUE(settings.parse(
        "# a comment\nlistenPort = 9999\norderMessageEnable=true\nclusterTest=true\n", "f"));
    ASSERT_TRUE(settings.keep_in(fs_, "/n/namesrv.properties"));
    ASSERT_TRUE(settings.update("supportActingMaster=true\norderMessageEnable=false\n"));
  }
  NameSettings again;
  ASSERT_TRUE(again.parse("orderMessageEnable=true", "f"));
  ASSERT_TRUE(again.keep_in(fs_, "/n/namesrv.properties"));
  EXPECT_TRUE(again.get().support_acting_master);
  EXPECT_FALSE(again.get().order_messages);
  EXPECT_EQ(again.get().listen_port, 9876);
  EXPECT_THAT(again.to_properties(), HasSubstr("supportActingMaster=true\n"));
}

TEST_F(NameFilesTest, AnUpdateIsTakenAsAWholeOrNotAtAll) {
  NameSettings settings;
  auto fixed = settings.update("supportActingMaster=true\nlistenPort=1\n");
  ASSERT_FALSE(fixed);
  EXPECT_EQ(fixed.error().code(), Errc::kDenied);
  for (const char* text : {"orderMessageEnable=maybe", "noSuchKey=1", "no equals sign",
                           "scanNotActiveBrokerInterval=0"}) {
    auto wrong = settings.update(std::string("supportActingMaster=true\n") + text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_EQ(wrong.error().code(), Errc::kInvalid);
  }
  EXPECT_FALSE(settings.get().support_acting_master);
}

TEST_F(NameFilesTest, AMistakeInAFileIsNamedWithItsLine) {
  NameSettings settings;
  auto wrong = settings.parse("\nlistenPort=high\n", "namesrv.conf");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text(), HasSubstr("namesrv.conf:2"));
  EXPECT_THAT(wrong.error().text(), HasSubstr("listenPort"));
}

}  // namespace
}  // namespace mq::route
