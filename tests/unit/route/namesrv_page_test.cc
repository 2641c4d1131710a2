// The man page and the table of keys say the same.
#include <algorithm>

#include <gtest/gtest.h>

#include "route/name_settings.h"
#include "support/golden_store.h"

namespace mq::route {
namespace {

const std::string& page() {
  static const std::string text = mq::test::read_file(MQ_SOURCE_DIR "/man/mqnamesrv.8");
  return text;
}

TEST(NamesrvPage, NamesEachKeyWithItsDefaultAndWhetherItCanBeChanged) {
  const NameConfig defaults;
  for (const NameKey& key : name_keys()) {
    SCOPED_TRACE(key.name);
    const std::size_t at = page().find(std::string("\n.It Cm ") + key.name + "\n");
    ASSERT_NE(at, std::string::npos);
    const std::string item = page().substr(at, page().find("\n.It ", at + 1) - at);
    const std::string value = key.get(defaults);
    EXPECT_NE(item.find("\nDefault: " + (value.empty() ? "empty" : value)), std::string::npos)
        << item;
    EXPECT_EQ(item.find("\n* ") != std::string::npos, !key.at_start) << item;
  }
}

TEST(NamesrvPage, NamesNoKeyThatDoesNotAct) {
  constexpr std::string_view kItem = "\n.It Cm ";
  int named = 0;
  for (std::size_t at = page().find(kItem); at != std::string::npos;
       at = page().find(kItem, at + 1), ++named) {
    const std::size_t begin = at + kItem.size();
    const std::string name = page().substr(begin, page().find('\n', begin) - begin);
    EXPECT_TRUE(std::any_of(name_keys().begin(), name_keys().end(), [&](const NameKey& key) {
      return name == key.name;
    })) << name;
  }
  EXPECT_EQ(named, static_cast<int>(name_keys().size()));
}

}  // namespace
}  // namespace mq::route
