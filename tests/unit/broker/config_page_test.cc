// The man page and the table of keys say the same.
#include <algorithm>

#include <gtest/gtest.h>

#include "broker/config.h"
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
