// Who is let in to a broker with authentication and authorisation on, and what is said to others.
#include <gtest/gtest.h>

#include "server/access_rules.h"
#include "unit/server/served_broker.h"
#include "wire/access.h"
#include "wire/group_body.h"
#include "wire/heartbeat.h"
#include "wire/signature.h"

namespace mq::server::test {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

class Admission : public testing::Test {
 protected:
  Admission() {
    EXPECT_TRUE(broker_.access->create_user({.name = "root", .password = "r", .type = "Super"}));
    EXPECT_TRUE(broker_.access->create_user({.name = "bob", .password = "b"}));
  }
  void allow(const std::string& resource, const std::string& action,
             const std::string& decision = "Allow") {
    EXPECT_TRUE(
        broker_.access->update_acl("bob", {.subject = {},
                                           .policies = {{.entries = {{.resource = resource,
                                                                      .actions = {action},
                                                                      .source_ips = {},
                                                                      .decision = decision}}}}}));
  }
  Answer ask(std::int32_t code, const Fields& fields, std::string_view body,
             const wire::Credentials& who) {
    return broker_.ask([&](std::string& out) { append(out, code, fields, body, who, 0); });
  }
  static void append(std::string& out, std::int32_t code, const Fields& fields,
                     std::string_view body, const wire::Credentials& who, std::int32_t flag) {
    std::vector<wire::Field> ext;
    for (const auto& [name, value] : fields) ext.emplace_back(name, value);
    std::string plain;
    wire::append_frame(plain, {.serialize = wire::Serialize::kBinary, .code = code, .flag = flag},
                       ext, as_bytes(body));
    if (who.access_key.empty())
      out += plain;
    else
      EXPECT_TRUE(wire::append_signed_frame(out, as_bytes(plain), who));
  }
  Answer send_to(const std::string& topic, const wire::Credentials& who,
                 const std::string& group = "p") {
    return ask(wire::kSendMessageV2,
               {{"a", group},
                {"b", topic},
                {"c", "TBW102"},
                {"d", "4"},
                {"e", "0"},
                {"f", "0"},
                {"g", "1"},
                {"h", "0"},
                {"i", ""},
                {"j", "0"}},
               "body", who);
  }

  const wire::Credentials root_{"root", "r"}, bob_{"bob", "b"};
  ServedBroker broker_{[](broker::BrokerConfig& config) {
    config.access.authentication = true;
    config.access.authorization = true;
    config.access.free_codes = {wire::kGetMinOffset};
    config.access.unsigned_codes = {wire::kGetMaxOffset};
  }};
};

TEST_F(Admission, WhoIsNotKnownIsRefusedInTheReferencesWords) {
  EXPECT_EQ(send_to("t", {}).remark, "username cannot be null.");
  EXPECT_EQ(send_to("t", {"nobody", "x"}).remark, "User:nobody is not found.");
  EXPECT_EQ(send_to("t", {"root", "wrong"}).remark, "check signature failed.");
  EXPECT_EQ(send_to("t", {"root", "wrong"}).code, wire::kNoPermission);
  EXPECT_EQ(send_to("t", root_).code, wire::kSuccess);
  ASSERT_TRUE(broker_.access->update_user({.name = "root", .status = "disable"}));
  EXPECT_EQ(send_to("t", root_).remark, "User:root is disabled.");
}

TEST_F(Admission, AnEmptyAccessKeyIsNone) {
  EXPECT_EQ(ask(wire::kGetBrokerRuntimeInfo, {{"AccessKey", ""}, {"Signature", ""}}, "", {}).remark,
            "username cannot be null.");
}

TEST_F(Admission, AOnewayRequestThatIsRefusedIsDropped) {
  std::string frame;
  append(frame, wire::kUpdateConsumerOffset,
         {{"consumerGroup", "g"}, {"topic", "t"}, {"queueId", "0"}, {"commitOffset", "5"}}, "", {},
         wire::kFlagOneway);
  broker_.connection.out().clear();
  broker_.server->on_frame(broker_.connection, as_bytes(frame));
  EXPECT_EQ(broker_.connection.out(), "");
  EXPECT_EQ(broker_.offsets->find("g", "t", 0), std::nullopt);
}

TEST_F(Admission, TheOwnerOnAUnixSocketNeedsNoSignature) {
  broker_.connection.trusted = true;
  EXPECT_EQ(send_to("t", {}).code, wire::kSuccess);
  EXPECT_EQ(
      ask(wire::kAuthCreateUser, {{"username", "r2"}}, R"({"password":"x","userType":"Super"})", {})
          .code,
      wire::kSuccess);
}

TEST_F(Admission, PoliciesSayWhoMaySendWhere) {
  EXPECT_EQ(
      send_to("orders", bob_).remark,
      "User:bob has no permission to access Topic:orders from 127.0.0.1, no matched policies.");
  allow("Topic:ord*", "Pub");
  EXPECT_EQ(send_to("orders", bob_).code, wire::kSuccess);
  allow("Topic:orders", "Pub", "Deny");
  EXPECT_EQ(
      send_to("orders", bob_).remark,
      "User:bob has no permission to access Topic:orders from 127.0.0.1, the decision is deny.");
  EXPECT_EQ(send_to("%RETRY%g", bob_, "g").remark,
            "User:bob has no permission to access Group:g from 127.0.0.1, no matched policies.");
}

TEST_F(Admission, WhiteListsOpenSingleRequests) {
  const Fields queue{{"topic", "t"}, {"queueId", "0"}};
  ASSERT_EQ(send_to("t", root_).code, wire::kSuccess);
  EXPECT_EQ(ask(wire::kGetMinOffset, queue, "", bob_).code, wire::kSuccess);
  EXPECT_EQ(ask(wire::kGetMinOffset, queue, "", {}).code, wire::kNoPermission);
  // Unsigned, but still without a user who might.
  EXPECT_EQ(ask(wire::kGetMaxOffset, queue, "", {}).remark,
            "Authorization failed. Please verify your access rights and try again.");
}

TEST_F(Admission, OnlyASuperUserMakesAndChangesSuperUsers) {
  allow("Cluster:*", "All");
  const std::string super = R"({"password":"x","userType":"Super"})";
  EXPECT_EQ(ask(wire::kAuthCreateUser, {{"username", "eve"}}, super, bob_).remark,
            "The super user can only be create by super user");
  EXPECT_EQ(ask(wire::kAuthUpdateUser, {{"username", "bob"}}, super, bob_).code,
            wire::kSystemError);
  EXPECT_EQ(ask(wire::kAuthUpdateUser, {{"username", "root"}}, R"({"password":"x"})", bob_).code,
            wire::kNoPermission);
  EXPECT_EQ(ask(wire::kAuthDeleteUser, {{"username", "root"}}, "", bob_).code, wire::kNoPermission);
  EXPECT_EQ(ask(wire::kAuthCreateUser, {{"username", "al"}}, R"({"password":"x"})", bob_).code,
            wire::kSuccess);
  EXPECT_EQ(ask(wire::kAuthCreateUser, {{"username", "eve"}}, super, root_).code, wire::kSuccess);
}

TEST_F(Admission, NameServersAnswerEverybody) {
  EXPECT_EQ(ask(wire::kGetBrokerClusterInfo, {}, "", {}).code, wire::kSuccess);
}

// What a request asks for, as text.
std::vector<std::string> needs(std::int32_t code, const Fields& fields,
                               std::string_view body = {}) {
  wire::Command request;
  request.code = code;
  for (const auto& [name, value] : fields) request.ext.add(name, value);
  request.body = as_bytes(body);
  std::vector<std::string> out;
  const auto done = for_each_need(request, "C", [&](const broker::Need& need) {
    out.push_back(broker::to_string(need) + "/" + std::to_string(need.any_of));
    return true;
  });
  if (!done) out.emplace_back("unreadable");
  return out;
}
std::string need(const char* resource, broker::Actions actions) {
  return std::string(resource) + "/" + std::to_string(actions);
}
using List = std::vector<std::string>;
using broker::Action;
using broker::bit;

TEST(AccessRules, OfRequestsWithRulesOfTheirOwn) {
  const auto sub = bit(Action::kSub);
  EXPECT_EQ(needs(wire::kSendMessage, {{"topic", "%RETRY%g"}}), List{need("Group:g", sub)});
  EXPECT_EQ(needs(wire::kPullMessage, {{"topic", "%RETRY%g"}, {"consumerGroup", "g"}}),
            List{need("Group:g", sub)});
  EXPECT_EQ(needs(wire::kLitePullMessage, {{"topic", "t"}, {"consumerGroup", "g"}}),
            (List{need("Topic:t", sub), need("Group:g", sub)}));
  EXPECT_EQ(needs(wire::kEndTransaction, {}), List{});
  EXPECT_EQ(needs(wire::kQueryConsumerOffset, {{"topic", "t"}}),
            (List{need("Topic:t", Action::kSub | Action::kGet),
                  need("Group:", Action::kSub | Action::kGet)}));
  EXPECT_EQ(needs(wire::kViewMessageById, {{"offset", "0"}}),
            List{need("Cluster:C", bit(Action::kGet))});
  wire::Heartbeat heartbeat{.client_id = "c", .producer_groups = {"p"}, .consumers = {}};
  heartbeat.consumers.push_back(
      {.group = "g", .subscriptions = {{.topic = "%RETRY%g"}, {.topic = "t"}}});
  EXPECT_EQ(needs(wire::kHeartBeat, {}, wire::encode_heartbeat(heartbeat)),
            (List{need("Group:g", sub), need("Topic:t", sub)}));
  EXPECT_EQ(needs(wire::kHeartBeat, {}, "{"), List{"unreadable"});
  EXPECT_EQ(
      needs(wire::kUpdateAndCreateSubscriptionGroup, {}, wire::encode_group_config({.name = "g"})),
      List{need("Group:g", bit(Action::kCreate))});
}

TEST(AccessRules, OfRequestsWhoseFieldsNameIt) {
  const auto get = bit(Action::kGet);
  EXPECT_EQ(needs(wire::kGetConsumeStats,
                  {{"consumerGroup", "g"}, {"topic", ""}, {"topicList", "a;b;;%RETRY%x"}}),
            (List{need("Group:g", get), need("Topic:", get), need("Topic:a", get),
                  need("Topic:b", get), need("Group:x", get)}));
  EXPECT_EQ(needs(wire::kDeleteTopicInBroker, {{"topic", "t"}}),
            List{need("Topic:t", bit(Action::kDelete))});
  EXPECT_EQ(needs(wire::kAuthListAcl, {}), List{need("Cluster:C", get)});
  EXPECT_EQ(needs(wire::kUpdateBrokerConfig, {}), List{need("Cluster:C", bit(Action::kUpdate))});
  EXPECT_EQ(needs(wire::kGetBrokerRuntimeInfo, {{"a", "b"}}), List{});
}

}  // namespace
}  // namespace mq::server::test
