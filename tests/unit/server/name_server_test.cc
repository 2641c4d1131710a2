// The name server's requests, as frames. Numbers are those of the conformance cases of
// replication.md 12.1.
#include "server/name_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "support/fake_connection.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"
#include "wire/codes.h"
#include "wire/kv_config.h"
#include "wire/topic.h"

namespace mq::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Encode = std::function<void(std::string& out, const wire::Header& header)>;

class NameServerTest : public testing::Test {
 protected:
  struct Answered {
    std::string frame;
    wire::Command command;
  };
  // Sends one request on `from` and takes the answer; code -1 when there is none.
  Answered ask(wire::RequestCode code, const Encode& encode, std::int32_t flag = 0,
               test::FakeConnection* from = nullptr) {
    test::FakeConnection& connection = from == nullptr ? *connection_ : *from;
    std::string request;
    encode(request, {.code = code, .opaque = 5, .flag = flag});
    wire::Command command;
    EXPECT_TRUE(wire::decode_command(as_bytes(request), command));
    EXPECT_TRUE(server_.handle(connection, command));
    Answered out;
    out.frame = std::exchange(connection.out(), {});
    out.command.code = -1;
    if (!out.frame.empty()) {
      EXPECT_TRUE(wire::decode_command(as_bytes(out.frame), out.command));
      EXPECT_EQ(out.command.opaque, 5);
      EXPECT_TRUE(out.command.is_response());
    }
    return out;
  }
  Answered ask(wire::RequestCode code) {
    return ask(code, [](std::string& out, const wire::Header& header) {
      wire::append_frame_head(out, header, {}, 0);
    });
  }

  static wire::RegisterBrokerBody topics(std::initializer_list<std::string> names,
                                         std::int64_t counter = 1) {
    wire::RegisterBrokerBody out;
    out.topics.version.counter = counter;
    for (const std::string& name : names)
      out.topics.topics[name] = {.name = name, .read_queues = 4, .write_queues = 4};
    return out;
  }
  Answered register_broker(const wire::RegisterBrokerBody& body, std::int64_t id = 0,
                           const std::string& address = "127.0.0.1:10911",
                           std::optional<std::int32_t> crc = std::nullopt,
                           bool compressed = false) {
    const std::string text = wire::encode_register_broker_body(body, compressed);
    return ask(wire::kRegisterBroker, [&](std::string& out, const wire::Header& header) {
      wire::append_register_broker_request(out, header,
                                           {.cluster = "C",
                                            .broker_name = "broker-a",
                                            .broker_addr = address,
                                            .ha_addr = "127.0.0.1:10912",
                                            .broker_id = id,
                                            .enable_acting_master = false,
                                            .compressed = compressed,
                                            .body_crc = crc.value_or(crc32_masked(as_bytes(text)))},
                                           as_bytes(text));
    });
  }
  Answered ask_route(std::string_view topic) {
    return ask(wire::kGetRouteInfoByTopic, [&](std::string& out, const wire::Header& header) {
      wire::append_topic_request(out, header, {.topic = topic});
    });
  }
  Answered kv(wire::RequestCode code, const wire::KvRequest& request) {
    return ask(code, [&](std::string& out, const wire::Header& header) {
      wire::append_kv_request(out, header, request);
    });
  }
  Answered configure(std::string_view text) {
    return ask(wire::kUpdateNamesrvConfig, [&](std::string& out, const wire::Header& header) {
      wire::append_frame(out, header, {}, as_bytes(text));
    });
  }

  test::FaultFs fs_{1};
  test::ManualClock clock_;
  route::Registry registry_;
  route::KvConfigs kv_{fs_, ""};
  route::NameSettings settings_;
  std::vector<route::Registry::MinIdNotice> notices_;
  NameServer server_{registry_, kv_, settings_, clock_,
                     [this](auto notice) { notices_.push_back(std::move(notice)); }};
  std::shared_ptr<test::FakeConnection> connection_ = std::make_shared<test::FakeConnection>();
};

TEST_F(NameServerTest, ABrokerRegistersInBothFormsAndItsRouteIsServed) {
  for (const bool compressed : {false, true}) {
    EXPECT_EQ(
        register_broker(topics({"T", "U"}), 0, "127.0.0.1:10911", {}, compressed).command.code, 0);
    const auto answer = ask_route("U");
    ASSERT_EQ(answer.command.code, 0);
    const auto route = wire::decode_topic_route(as_text(answer.command.body));
    EXPECT_EQ(route->queues.at(0).read_queues, 4);
    EXPECT_EQ(route->brokers.at(0).addrs.at(0), "127.0.0.1:10911");
  }
  const auto none = ask_route("V");
  EXPECT_EQ(none.command.code, wire::kTopicNotExist);
  EXPECT_THAT(std::string(none.command.remark), HasSubstr("for the topic: V"));
}

TEST_F(NameServerTest, Case4AWrongCrcIsRefusedAndChangesNothing) {
  const auto answer = register_broker(topics({"T", "U"}), 0, "127.0.0.1:10911", 12345);
  EXPECT_EQ(answer.command.code, wire::kSystemError);
  EXPECT_EQ(answer.command.remark, "crc32 not match");
  EXPECT_THAT(registry_.topics(), IsEmpty());
  EXPECT_THAT(registry_.cluster_info().clusters, IsEmpty());
  EXPECT_EQ(register_broker(topics({"T", "U"}), 0, "127.0.0.1:10911", 0).command.code, 0);
}

TEST_F(NameServerTest, ABodyThatCannotBeReadAndATopicAloneAreRefused) {
  const auto noise = ask(wire::kRegisterBroker, [](std::string& out, const wire::Header& header) {
    wire::append_register_broker_request(
        out, header, {.cluster = "C", .broker_name = "b", .broker_addr = "a:1", .compressed = true},
        as_bytes(std::string_view("noise")));
  });
  EXPECT_EQ(noise.command.code, wire::kSystemError);
  const auto alone = register_broker(topics({"T"}));
  EXPECT_EQ(alone.command.code, wire::kSystemError);
  EXPECT_EQ(alone.command.remark, "register broker failed");
}

TEST_F(NameServerTest, Case5ASlaveLearnsItsMasterAndTheOrderedTopics) {
  ASSERT_EQ(register_broker(topics({"T", "U"})).command.code, 0);
  ASSERT_EQ(kv(wire::kPutKvConfig, {"ORDER_TOPIC_CONFIG", "T", "broker-a:4"}).command.code, 0);
  const auto answer = register_broker(topics({"T", "U"}), 1, "127.0.0.1:11911");
  const auto told = wire::decode_register_broker_response(answer.command);
  EXPECT_EQ(told->master_addr, "127.0.0.1:10911");
  EXPECT_EQ(told->ha_addr, "127.0.0.1:10912");
  EXPECT_EQ(told->order_conf.at("T"), "broker-a:4");
  configure("returnOrderTopicConfigToBroker=false");
  const auto without = register_broker(topics({"T", "U"}), 1, "127.0.0.1:11911");
  EXPECT_TRUE(without.command.body.empty());
}

TEST_F(NameServerTest, Case10OrderedTopicsShowInRoutesOnceThatIsOn) {
  register_broker(topics({"T", "U"}));
  kv(wire::kPutKvConfig, {"ORDER_TOPIC_CONFIG", "T", "broker-a:4"});
  const auto order_of = [&](std::string_view topic) {
    return wire::decode_topic_route(as_text(ask_route(topic).command.body))->order_topic_conf;
  };
  EXPECT_EQ(order_of("T"), "");
  EXPECT_EQ(configure("orderMessageEnable=true").command.code, 0);
  EXPECT_EQ(order_of("T"), "broker-a:4");
  EXPECT_EQ(order_of("U"), "");
}

TEST_F(NameServerTest, Case2And3TheConnectionsEndAndSilenceTakeABrokerOut) {
  register_broker(topics({"T", "U"}));
  server_.on_close(*connection_);
  EXPECT_EQ(ask_route("T").command.code, wire::kTopicNotExist);

  register_broker(topics({"T", "U"}));
  clock_.advance_ms(119'000);
  server_.tick();
  EXPECT_EQ(ask_route("T").command.code, 0);
  clock_.advance_ms(5'000);
  server_.tick();
  EXPECT_EQ(ask_route("T").command.code, wire::kTopicNotExist);
  connection_->run_posted();
  EXPECT_FALSE(connection_->is_open());
}

TEST_F(NameServerTest, HeartbeatsAndVersionsKeepABrokerAndOnewayIsNotAnswered) {
  register_broker(topics({"T", "U"}, 3));
  const auto identity = [](std::string& out, const wire::Header& header) {
    wire::append_broker_identity(
        out, header, {.cluster = "C", .broker_name = "broker-a", .broker_addr = "127.0.0.1:10911"});
  };
  clock_.advance_ms(100'000);
  EXPECT_EQ(ask(wire::kBrokerHeartbeat, identity, wire::kFlagOneway).command.code, -1);
  clock_.advance_ms(100'000);
  server_.tick();
  EXPECT_EQ(ask_route("T").command.code, 0);
  const auto version = [&](std::int64_t counter) {
    const std::string body = wire::encode_data_version({.counter = counter});
    const auto answer =
        ask(wire::kQueryDataVersion, [&](std::string& out, const wire::Header& header) {
          wire::append_broker_identity(
              out, header,
              {.cluster = "C", .broker_name = "broker-a", .broker_addr = "127.0.0.1:10911"},
              as_bytes(body));
        });
    return *wire::decode_query_data_version_response(answer.command);
  };
  EXPECT_FALSE(version(3).changed);
  EXPECT_TRUE(version(4).changed);
  EXPECT_EQ(version(4).version->counter, 3);
  clock_.advance_ms(100'000);
  server_.tick();
  EXPECT_EQ(ask_route("T").command.code, 0);
  EXPECT_EQ(ask(wire::kUnregisterBroker, identity).command.code, 0);
  EXPECT_EQ(ask_route("T").command.code, wire::kTopicNotExist);
}

TEST_F(NameServerTest, Case7WritePermissionsAreCounted) {
  register_broker(topics({"T", "U"}));
  const auto change = [&](wire::RequestCode code) {
    const auto answer = ask(code, [](std::string& out, const wire::Header& header) {
      wire::append_write_perm_request(out, header, "broker-a");
    });
    return std::string(*answer.command.ext.find(
        code == wire::kWipeWritePermOfBroker ? "wipeTopicCount" : "addTopicCount"));
  };
  EXPECT_EQ(change(wire::kWipeWritePermOfBroker), "2");
  EXPECT_EQ(registry_.route("T")->queues[0].perm, 4);
  EXPECT_EQ(change(wire::kAddWritePermOfBroker), "2");
  EXPECT_EQ(registry_.route("T")->queues[0].perm, 6);
}

TEST_F(NameServerTest, ListsAndGroupsHaveTheirShapes) {
  register_broker(topics({"T", "U"}));
  const auto list = [](const Answered& answer) {
    return wire::decode_topic_list(as_text(answer.command.body))->topics;
  };
  EXPECT_THAT(list(ask(wire::kGetAllTopicListFromNameserver)), ElementsAre("T", "U"));
  EXPECT_THAT(list(ask(wire::kGetUnitTopicList)), IsEmpty());
  EXPECT_THAT(list(ask(wire::kGetSystemTopicListFromNs)), ElementsAre("C", "broker-a"));
  const auto of_cluster =
      ask(wire::kGetTopicsByCluster, [](std::string& out, const wire::Header& header) {
        wire::append_frame_head(out, header, std::array{wire::Field{"cluster", "C"}}, 0);
      });
  EXPECT_THAT(list(of_cluster), ElementsAre("T", "U"));
  const auto group =
      ask(wire::kGetBrokerMemberGroup, [](std::string& out, const wire::Header& header) {
        wire::append_broker_identity(out, header, {.cluster = "C", .broker_name = "broker-a"});
      });
  EXPECT_EQ(wire::decode_member_group(as_text(group.command.body))->addrs.at(0), "127.0.0.1:10911");
  const auto info =
      wire::decode_cluster_info(as_text(ask(wire::kGetBrokerClusterInfo).command.body));
  EXPECT_THAT(info->clusters.at("C"), ElementsAre("broker-a"));
  configure("enableAllTopicList=false\nenableTopicList=false");
  EXPECT_EQ(ask(wire::kGetAllTopicListFromNameserver).command.code, wire::kSystemError);
  EXPECT_EQ(ask(wire::kGetUnitTopicList).command.code, wire::kSystemError);
}

TEST_F(NameServerTest, TopicsAreDeletedAndAddedByHand) {
  register_broker(topics({"T", "U"}));
  const auto named = [&](wire::RequestCode code, std::string_view topic, std::string_view body) {
    return ask(code,
               [&](std::string& out, const wire::Header& header) {
                 wire::append_frame(out, header, std::array{wire::Field{"topic", topic}},
                                    as_bytes(body));
               })
        .command.code;
  };
  EXPECT_EQ(named(wire::kDeleteTopicInNamesrv, "T", ""), 0);
  EXPECT_EQ(ask_route("T").command.code, wire::kTopicNotExist);
  const std::string queues = wire::encode_topic_route(
      {.brokers = {}, .queues = {{.broker_name = "broker-a", .read_queues = 3, .perm = 6}}});
  EXPECT_EQ(named(wire::kRegisterTopicInNamesrv, "V", queues), 0);
  EXPECT_EQ(registry_.route("V")->queues[0].read_queues, 3);
}

TEST_F(NameServerTest, PairsAreKeptFoundAndMissed) {
  EXPECT_EQ(kv(wire::kGetKvConfig, {"N", "k"}).command.code, wire::kQueryNotFound);
  EXPECT_EQ(kv(wire::kGetKvlistByNamespace, {"N"}).command.code, wire::kQueryNotFound);
  EXPECT_EQ(kv(wire::kPutKvConfig, {"N", "k", "v"}).command.code, 0);
  EXPECT_EQ(kv(wire::kGetKvConfig, {"N", "k"}).command.ext.find("value"), "v");
  EXPECT_THAT(std::string(as_text(kv(wire::kGetKvlistByNamespace, {"N"}).command.body)),
              HasSubstr(R"("k":"v")"));
  EXPECT_EQ(kv(wire::kDeleteKvConfig, {"N", "k"}).command.code, 0);
  EXPECT_EQ(kv(wire::kGetKvConfig, {"N", "k"}).command.code, wire::kQueryNotFound);
}

TEST_F(NameServerTest, SettingsAreShownChangedAndProtected) {
  EXPECT_THAT(std::string(as_text(ask(wire::kGetNamesrvConfig).command.body)),
              HasSubstr("supportActingMaster=false\n"));
  EXPECT_EQ(configure("supportActingMaster=true").command.code, 0);
  EXPECT_THAT(std::string(as_text(ask(wire::kGetNamesrvConfig).command.body)),
              HasSubstr("supportActingMaster=true\n"));
  EXPECT_EQ(configure("kvConfigPath=/etc/passwd").command.code, wire::kNoPermission);
  EXPECT_EQ(configure("noSuch=1").command.code, wire::kInvalidParameter);
}

TEST_F(NameServerTest, RoutesWaitForBrokersIfThatIsAskedFor) {
  register_broker(topics({"T", "U"}));
  configure("needWaitForService=true\nwaitSecondsForService=45");
  const auto early = ask_route("T");
  EXPECT_EQ(early.command.code, wire::kSystemError);
  EXPECT_EQ(early.command.remark, "name server not ready");
  clock_.advance_ms(45'000);
  EXPECT_EQ(ask_route("T").command.code, 0);
}

TEST_F(NameServerTest, BrokersAreToldOfANewSmallestIdIfThatIsAskedFor) {
  configure("notifyMinBrokerIdChanged=true");
  register_broker(topics({"T", "U"}), 1, "127.0.0.1:2");
  register_broker(topics({"T", "U"}), 0, "127.0.0.1:1");
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(notices_[0].min_address, "127.0.0.1:1");
  EXPECT_THAT(notices_[0].tell, ElementsAre("127.0.0.1:2"));
}

TEST_F(NameServerTest, WhatIsNoNameServersIsLeftAlone) {
  wire::Command command;
  command.code = wire::kSendMessage;
  EXPECT_FALSE(server_.handle(*connection_, command));
  EXPECT_TRUE(connection_->out().empty());
}

}  // namespace
}  // namespace mq::server
