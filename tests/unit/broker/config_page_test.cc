// The man page and the table of keys say the same.
#include <algorithm>

#include <gtest/gtest.h>

#include "broker/config.h"
#include "broker/live_config.h"
#include "support/golden_store.h"

namespace mq::broker {
namespace {

TEST(ConfigPage, NamesEachKeyThatActsWithItsDefault) {
  const std::string page = mq::test::read_file(MQ_SOURCE_DIR "/man/broker.conf.5");
  const BrokerConfig defaults;
  for (const ConfigKey& key : config_keys()) {
    SCOPED_TRACE(key.name);
    const std::size_t at = page.find(std::string("\n.It Cm ") + key.name + "\n");
    ASSERT_NE(at, std::string::npos);
    const std::string item = page.substr(at, page.find("\n.It ", at + 1) - at);
    const std::string value = key.get(defaults);
    // A path depends on who runs the daemon.
    if (std::string_view(key.name) == "storePathRootDir") continue;
    EXPECT_NE(item.find("\nDefault: " + (value.empty() ? "empty" : value)), std::string::npos)
        << item;
  }
}

TEST(ConfigPage, NamesTheKeysThatCanBeChangedWhileRunning) {
  const std::string page = mq::test::read_file(MQ_SOURCE_DIR "/man/broker.conf.5");
  const std::size_t begin = page.find(".Sh CHANGES WHILE RUNNING");
  ASSERT_NE(begin, std::string::npos);
  const std::string section = page.substr(begin, page.find("\n.Sh ", begin) - begin);
  std::vector<std::string> named;
  for (std::size_t at = section.find("\n.Cm "); at != std::string::npos;
       at = section.find("\n.Cm ", at + 1))
    named.push_back(section.substr(at + 5, section.find(' ', at + 5) - at - 5));
  EXPECT_EQ(named, std::vector<std::string>(live_keys().begin(), live_keys().end()));
  for (const std::string_view key : live_keys())
    EXPECT_TRUE(std::any_of(config_keys().begin(), config_keys().end(),
                            [&](const ConfigKey& known) { return key == known.name; }))
        << key;
}

TEST(ConfigPage, NamesNoKeyThatDoesNotAct) {
  const std::string page = mq::test::read_file(MQ_SOURCE_DIR "/man/broker.conf.5");
  constexpr std::string_view kItem = "\n.It Cm ";
  for (std::size_t at = page.find(kItem); at != std::string::npos; at = page.find(kItem, at + 1)) {
    const std::size_t begin = at + kItem.size();
    const std::string name = page.substr(begin, page.find('\n', begin) - begin);
    EXPECT_TRUE(std::any_of(config_keys().begin(), config_keys().end(), [&](const ConfigKey& key) {
      return name == key.name;
    })) << name;
  }
}

}  // namespace
}  // namespace mq::broker
