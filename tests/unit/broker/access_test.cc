// Users and policies: which entry decides, what is refused in which words, and that what was done
// is there again after a start.
#include "broker/access.h"

#include <gtest/gtest.h>

#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

using wire::AclInfo;
using wire::PolicyEntryInfo;

PolicyEntryInfo entry(std::string resource, std::string decision = "Allow",
                      std::vector<std::string> ips = {}, std::string action = "Pub") {
  return {.resource = std::move(resource),
          .actions = {std::move(action)},
          .source_ips = std::move(ips),
          .decision = std::move(decision)};
}
AclInfo info(std::vector<PolicyEntryInfo> entries, std::string type = "Custom") {
  return {.subject = {}, .policies = {{.type = std::move(type), .entries = std::move(entries)}}};
}
Acl acl(const std::vector<AclInfo>& infos) {
  Acl out;
  for (const AclInfo& one : infos) EXPECT_TRUE(update_acl(out, one));
  return out;
}
Decision pub(const Acl& of, std::string_view topic, std::string_view ip = "10.1.2.3") {
  return decide(of, {ResourceKind::kTopic, topic, bit(Action::kPub)}, ip);
}

TEST(Acl, TheEntryThatFitsBestDecides) {
  // In both orders: which entry was made first says nothing.
  std::vector<PolicyEntryInfo> entries = {entry("*", "Deny"), entry("Topic:*"),
                                          entry("Topic:or*", "Deny"), entry("Topic:orders*"),
                                          entry("Topic:orders", "Deny")};
  for (int turn = 0; turn < 2; ++turn) {
    const Acl of = acl({info(entries)});
    EXPECT_EQ(pub(of, "orders"), Decision::kDeny);
    EXPECT_EQ(pub(of, "orders2"), Decision::kAllow);
    EXPECT_EQ(pub(of, "order"), Decision::kDeny);
    EXPECT_EQ(pub(of, "other"), Decision::kAllow);
    EXPECT_EQ(decide(of, {ResourceKind::kGroup, "g", bit(Action::kPub)}, ""), Decision::kDeny);
    std::reverse(entries.begin(), entries.end());
  }
}

TEST(Acl, CustomPoliciesComeBeforeDefaultOnes) {
  const Acl of = acl(
      {info({entry("Topic:a", "Deny"), entry("Topic:b")}, "Default"), info({entry("Topic:*")})});
  EXPECT_EQ(pub(of, "a"), Decision::kAllow);
  const Acl only_default = acl({info({entry("Topic:a", "Deny")}, "Default")});
  EXPECT_EQ(pub(only_default, "a"), Decision::kDeny);
  EXPECT_EQ(pub(only_default, "b"), Decision::kNoMatch);
}

TEST(Acl, AnActionOfSeveralIsEnoughAndAllIsEach) {
  const Acl of =
      acl({info({entry("Topic:a", "Allow", {}, "get"), entry("Topic:b", "Allow", {}, "ALL")})});
  const Actions either = Action::kSub | Action::kGet;
  EXPECT_EQ(decide(of, {ResourceKind::kTopic, "a", either}, ""), Decision::kAllow);
  EXPECT_EQ(decide(of, {ResourceKind::kTopic, "a", bit(Action::kSub)}, ""), Decision::kNoMatch);
  EXPECT_EQ(decide(of, {ResourceKind::kTopic, "b", bit(Action::kDelete)}, ""), Decision::kAllow);
}

TEST(Acl, WhereFromIsAnAddressOrANetwork) {
  const Acl of =
      acl({info({entry("Topic:a", "Allow", {"10.1.0.0/20", "192.0.2.7", "2001:db8::/33"})})});
  for (const char* ip : {"10.1.0.0", "10.1.15.255", "192.0.2.7", "2001:db8:7fff::1"})
    EXPECT_EQ(pub(of, "a", ip), Decision::kAllow) << ip;
  for (const char* ip : {"10.1.16.0", "192.0.2.8", "2001:db8:8000::1", "", "rubbish"})
    EXPECT_EQ(pub(of, "a", ip), Decision::kNoMatch) << ip;
}

TEST(Acl, RefusesWhatTheReferenceRefuses) {
  const std::pair<PolicyEntryInfo, const char*> cases[] = {
      {entry("Queue:x"), "The resource is null."},
      {entry(""), "The resource is null."},
      {entry("Topic:x", "Allow", {}, "Fly"), "The actions is empty."},
      {entry("Topic:x", "Allow", {}, "Any"), "The actions can not be Any."},
      {entry("Topic:x", "Allow", {" "}), "The source ip is empty."},
      {entry("Topic:x", "Allow", {"1.2.3"}), "The source ip is invalid."},
      {entry("Topic:x", "Allow", {"1.2.3.4/33"}), "The source ip is invalid."},
      {entry("Topic:x", "Maybe"), "The decision is null or illegal."},
  };
  for (const auto& [wrong, why] : cases) {
    Acl into;
    const auto done = update_acl(into, info({wrong}));
    ASSERT_FALSE(done) << why;
    EXPECT_EQ(done.error().text(), why);
    EXPECT_EQ(done.error().code(), Errc::kDenied);
  }
}

TEST(Acl, AnEntryReplacesThatOfTheSameResource) {
  Acl of = acl({info({entry("Topic:a"), entry("Topic:a*")}), info({entry("Topic:a", "deny")})});
  EXPECT_EQ(pub(of, "a"), Decision::kDeny);
  EXPECT_EQ(to_info(of, "me").policies.at(0).entries.size(), 2U);
  remove_entry(of, false, *parse_resource("Topic:a"));
  EXPECT_EQ(pub(of, "a"), Decision::kAllow);
  remove_entry(of, false, *parse_resource("Topic:a*"));
  EXPECT_TRUE(of.policies.empty());
}

class AccessFiles : public testing::Test {
 protected:
  AccessFiles() { EXPECT_TRUE(fs.make_directories("config")); }
  std::unique_ptr<Access> start() {
    auto out = std::make_unique<Access>(fs, config, "config");
    const auto loaded = out->load();
    EXPECT_TRUE(loaded) << loaded.error();
    return out;
  }
  mq::test::ManualClock clock;
  mq::test::FaultFs fs{{.seed = 1, .clock = &clock}};
  AccessConfig config{.authentication = true};
};

TEST_F(AccessFiles, WhatWasMadeIsThereAfterAStart) {
  {
    const auto access = start();
    ASSERT_TRUE(access->create_user({.name = "bob", .password = "pw"}));
    ASSERT_TRUE(access->create_user({.name = "eve", .password = "x", .type = "super"}));
    ASSERT_TRUE(access->update_user({.name = "eve", .status = "DISABLE"}));
    ASSERT_TRUE(access->update_acl("bob", info({entry("Topic:a", "Allow", {"10.0.0.0/8"})})));
  }
  const auto access = start();
  const auto bob = access->find_user("bob");
  ASSERT_NE(bob, nullptr);
  EXPECT_EQ(bob->password, "pw");
  EXPECT_FALSE(bob->is_super);
  EXPECT_TRUE(bob->is_enabled);
  const auto eve = access->find_user("eve");
  ASSERT_NE(eve, nullptr);
  EXPECT_EQ(eve->password, "x");
  EXPECT_TRUE(eve->is_super);
  EXPECT_FALSE(eve->is_enabled);
  ASSERT_NE(access->find_acl("bob"), nullptr);
  EXPECT_EQ(pub(*access->find_acl("bob"), "a", "10.9.9.9"), Decision::kAllow);
  EXPECT_EQ(pub(*access->find_acl("bob"), "a", "11.9.9.9"), Decision::kNoMatch);
}

TEST_F(AccessFiles, WithAUserGoesWhatItMayDo) {
  const auto access = start();
  ASSERT_TRUE(access->create_user({.name = "bob", .password = "pw"}));
  ASSERT_TRUE(access->update_acl("bob", info({entry("*")})));
  ASSERT_TRUE(access->delete_user("bob"));
  EXPECT_EQ(access->find_user("bob"), nullptr);
  ASSERT_TRUE(access->create_user({.name = "bob", .password = "other"}));
  EXPECT_EQ(access->find_acl("bob"), nullptr);
  EXPECT_TRUE(access->delete_user("nobody"));
}

TEST_F(AccessFiles, RefusesInTheReferencesWords) {
  const auto access = start();
  ASSERT_TRUE(access->create_user({.name = "bob", .password = "pw"}));
  EXPECT_EQ(access->create_user({.name = "bob", .password = "pw"}).error().text(),
            "The user is existed");
  EXPECT_EQ(access->create_user({.name = "al"}).error().text(), "password can not be blank");
  EXPECT_EQ(access->update_user({.name = "al"}).error().text(), "The user is not exist");
  EXPECT_EQ(access->update_acl("al", info({entry("*")})).error().text(),
            "The subject of User:al is not exist.");
  EXPECT_EQ(access->update_acl("bob", info({})).error().text(), "The policies is empty.");
  EXPECT_EQ(access->delete_acl("al", false, nullptr).error().text(), "The subject is not exist.");
  EXPECT_EQ(access->delete_acl("bob", false, nullptr).error().text(), "The acl is not exist.");
}

TEST_F(AccessFiles, ListsBySubjectAndResource) {
  const auto access = start();
  for (const char* name : {"bob", "topic-owner"}) {
    ASSERT_TRUE(access->create_user({.name = name, .password = "pw"}));
    ASSERT_TRUE(access->update_acl(name, info({entry("Topic:a"), entry("Group:g")})));
  }
  EXPECT_EQ(access->users("").size(), 2U);
  EXPECT_EQ(access->users("own").size(), 1U);
  EXPECT_EQ(access->acls("bob", "").size(), 1U);
  const auto by_resource = access->acls("", "Group");
  ASSERT_EQ(by_resource.size(), 2U);
  EXPECT_EQ(by_resource[0].policies.at(0).entries.size(), 1U);
  EXPECT_EQ(access->acls("", "nothing").size(), 0U);
}

TEST_F(AccessFiles, TheUsersOfTheConfigurationAreMadeOnceAndStay) {
  config.init_user = {.name = "root", .password = "first", .type = "Super"};
  config.inner = {.access_key = "inner", .secret = "s"};
  {
    const auto access = start();
    ASSERT_NE(access->find_user("root"), nullptr);
    EXPECT_TRUE(access->find_user("root")->is_super);
    EXPECT_TRUE(access->find_user("inner")->is_super);
    ASSERT_TRUE(access->update_user({.name = "root", .password = "second"}));
  }
  EXPECT_EQ(start()->find_user("root")->password, "second");
}

TEST_F(AccessFiles, FilesThatCannotBeReadKeepTheBrokerFromStarting) {
  { ASSERT_TRUE(start()->create_user({.name = "bob", .password = "pw"})); }
  ASSERT_TRUE(fs::write_file_atomically(fs, "config/users.json", "{{{", false));
  Access access(fs, config, "config");
  EXPECT_FALSE(access.load());
  // Without authentication nobody needs them, and nothing is made.
  const AccessConfig off;
  EXPECT_TRUE(Access(fs, off, "config").load());
}

TEST_F(AccessFiles, WhatCouldNotBeWrittenIsNotDone) {
  const auto access = start();
  ASSERT_TRUE(access->create_user({.name = "bob", .password = "pw"}));
  fs.fail({.path_part = "users.json"});
  EXPECT_FALSE(access->update_user({.name = "bob", .password = "new"}));
  EXPECT_EQ(access->find_user("bob")->password, "pw");
}

}  // namespace
}  // namespace mq::broker
