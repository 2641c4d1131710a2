// A broker without sockets and threads of its own: requests go in as frames, answers come out as
// values, and the clock stands still until a test moves it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "broker/access.h"
#include "broker/delayed_delivery.h"
#include "broker/live_config.h"
#include "broker/pop_service.h"
#include "broker/transaction_service.h"
#include "format/properties.h"
#include "format/record.h"
#include "fs/fs.h"
#include "route/kv_configs.h"
#include "route/name_settings.h"
#include "route/registry.h"
#include "server/broker_server.h"
#include "server/client_channel.h"
#include "server/name_server.h"
#include "server/transaction_check.h"
#include "support/fake_connection.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"
#include "unit/store/store_fixture.h"
#include "wire/codes.h"
#include "wire/recall.h"
#include "wire/send.h"
#include "wire/send_back.h"

namespace mq::server::test {

using Properties = std::vector<std::pair<std::string_view, std::string>>;

inline std::string encoded(const Properties& properties) {
  std::string out;
  for (const auto& [name, value] : properties) format::append_property(out, name, value);
  return out;
}

struct Answer {
  std::int32_t code = -1;
  std::string remark;
  std::map<std::string, std::string> ext;
};

// A stored message, copied out.
struct Stored {
  std::string topic, body, properties;
  std::int64_t physical_offset = 0, store_ms = 0, born_ms = 0;
  std::int32_t reconsume_times = 0, sys_flag = 0, flag = 0;
  [[nodiscard]] std::string property(std::string_view name) const {
    return std::string(format::find_property(properties, name).value_or(""));
  }
};

class ServedBroker {
 public:
  explicit ServedBroker(const std::function<void(broker::BrokerConfig&)>& configure = {})
      : fs({.seed = 1, .clock = &clock}) {
    log::set_level(log::Level::kOff);
    config.store = store::test::small_options(fs, clock, store::FlushMode::kAsync);
    config.store.commit_log_file_bytes = 16 << 20;
    config.store.page_cache_busy_ms = 1'000'000'000;
    config.name = "broker-a";
    if (configure) configure(config);
    start();
  }
  ~ServedBroker() {
    stop();
    log::set_level(log::Level::kInfo);
  }

  void start() {
    auto opened = store::MessageStore::open(config.store);
    ASSERT_TRUE(opened) << opened.error();
    store = std::move(*opened);
    ASSERT_TRUE(fs.make_directories("store/config"));
    topics.emplace(fs, clock, config, "store/config/topics.json");
    ASSERT_TRUE(topics->load());
    topics->on_batch_topic([this](std::string_view name) { return store->mark_batch_topic(name); });
    groups.emplace(fs, clock, config, "store/config/subscriptionGroup.json");
    ASSERT_TRUE(groups->load());
    offsets.emplace(fs, clock, "store/config/consumerOffset.json");
    ASSERT_TRUE(offsets->load());
    filters.emplace(fs, clock, sql, "store/config/consumerFilter.json",
                    broker::ConsumerFilters::Options{});
    kv.emplace(fs, "store/config/kvConfig.json");
    live.emplace(fs, clock, config, "store/config/broker.properties");
    names.emplace(registry, *kv, name_settings, clock, [](auto) {});
    auto levels = format::DelayLevels::parse(config.store.message_delay_level);
    ASSERT_TRUE(levels);
    rules.levels = levels->count();
    delayed.emplace(broker::DelayedDelivery::Options{.store = *store,
                                                     .fs = fs,
                                                     .stats = &stats,
                                                     .path = "store/config/delayOffset.json",
                                                     .levels = *levels});
    ASSERT_TRUE(delayed->load(clock.now_ms()));
    timer.emplace(broker::Timer::Options{.store = *store,
                                         .fs = fs,
                                         .stats = &stats,
                                         .root = "store",
                                         .log_file_bytes = 52 * 1000 + 16});
    ASSERT_TRUE(timer->open(clock.now_ms()));
    rules.timers = config.timer_wheel_enable;
    rules.congested_at = config.timer_congested_at;
    rules.timers_at = [this](std::int64_t out_ms) { return timer->count_at(out_ms); };
    transactions.emplace(broker::TransactionService::Options{
        .store = *store,
        .fs = fs,
        .topics = *topics,
        .offsets = *offsets,
        .stats = &stats,
        .config = config,
        .postpone = rules,
        .host = *format::parse_host("127.0.0.1:10911"),
        .counts_path = "store/config/transactionMetrics",
        .ask = [this](const broker::TransactionChecks::Question& question) {
          (void)ask_producer(producers, clients, config.name, question);
        }});
    transactions->load(clock.now_ms());
    pop.emplace(broker::PopService::Parts{
        .store = *store,
        .fs = fs,
        .topics = *topics,
        .groups = *groups,
        .offsets = *offsets,
        .config = config,
        .postpone = rules,
        .stats = &stats,
        .store_host = *format::parse_host("127.0.0.1:10911"),
        .timer = [this]() -> broker::PopRevive::Options::TimerState {
          const auto state = timer->state();
          return {.read_ms = state.read_ms, .queue_behind = state.queue_behind};
        },
        .random = [this] { return static_cast<std::uint32_t>(random()); }});
    ASSERT_TRUE(pop->load(clock.now_ms()));
    access.emplace(fs, config.access, "store/config");
    ASSERT_TRUE(access->load());
    server.emplace(Parts{.store = *store,
                         .topics = *topics,
                         .groups = *groups,
                         .consumers = consumers,
                         .producers = producers,
                         .offsets = *offsets,
                         .sql = sql,
                         .filters = *filters,
                         .locks = locks,
                         .clients = clients,
                         .polls = polls,
                         .transactions = transactions->transactions(),
                         .stats = stats,
                         .names = *names,
                         .config = config,
                         .live = *live,
                         .clock = clock,
                         .postpone = rules,
                         .timer = *timer,
                         .pop = *pop,
                         .access = *access,
                         .self = {config.cluster, config.name, config.id, "127.0.0.1:10911"},
                         .store_host = *format::parse_host("127.0.0.1:10911"),
                         .boot_ms = clock.now_ms(),
                         .net_stats = {}});
  }
  void stop() {
    if (store == nullptr) return;
    transactions->flush(clock.now_ms());
    EXPECT_TRUE(store->sync());
    EXPECT_TRUE(transactions->save());
    EXPECT_TRUE(offsets->flush());
    EXPECT_TRUE(delayed->save(clock.now_ms()));
    EXPECT_TRUE(timer->save(clock.now_ms()));
    EXPECT_TRUE(pop->orders.flush());
    EXPECT_TRUE(groups->flush());
    EXPECT_TRUE(store->close());
    store.reset();
  }

  // As SIGKILL would: nobody says goodbye; what was written stays.
  void kill() { store.reset(); }

  // Sends one frame and takes its answer.
  Answer ask(const std::function<void(std::string&)>& append) {
    std::string frame;
    append(frame);
    connection.out().clear();
    server->on_input(connection, as_bytes(frame));
    server->on_frame(connection, as_bytes(frame));
    connection.run_posted();
    wire::Command command;
    Answer out;
    const auto decoded = wire::decode_command(as_bytes(connection.out()), command);
    EXPECT_TRUE(decoded) << decoded.error();
    if (!decoded) return out;
    out.code = command.code;
    out.remark = command.remark;
    for (const auto& [name, value] : command.ext) out.ext[std::string(name)] = value;
    return out;
  }
  Answer send(std::string_view topic, const std::string& body, const Properties& properties,
              wire::SendRequest request = {}) {
    const std::string text = encoded(properties);
    request.topic = topic;
    request.group = "p";
    if (request.queue_id < 0) request.queue_id = 0;
    request.born_timestamp_ms = clock.now_ms();
    request.properties = text;
    return ask([&](std::string& out) {
      wire::append_send_request(out, header(wire::kSendMessageV2), request, body.size());
      out += body;
    });
  }
  Answer recall(std::string_view topic, std::string_view handle) {
    return ask([&](std::string& out) {
      wire::append_recall_request(out, header(wire::kRecallMessage),
                                  {.group = "p", .topic = topic, .handle = handle});
    });
  }
  Answer send_back(const wire::SendBackRequest& request) {
    return ask([&](std::string& out) {
      wire::append_send_back_request(out, header(wire::kConsumerSendMsgBack), request);
    });
  }
  [[nodiscard]] static wire::Header header(std::int32_t code) {
    return {.serialize = wire::Serialize::kBinary, .code = code, .opaque = 7};
  }

  // What is due by now is delivered, and who is to be asked by now is asked.
  void step() {
    ASSERT_TRUE(store->wait_dispatched(60'000));
    (void)delayed->step(clock.now_ms(), 100'000);
    (void)timer->step(clock.now_ms(), 100'000);
    for (int i = 0; i < 5000; ++i) {
      const std::int64_t next_ms = transactions->step(clock.now_ms(), 100'000);
      if (next_ms != clock.now_ms() && next_ms != clock.now_ms() + 100) break;
      ASSERT_TRUE(store->sync());  // what it waits for
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(store->wait_dispatched(60'000));
    // What is revived takes some turns of the thread, in all of which the clock stands still.
    for (int turn = 0; turn < 8; ++turn) {
      (void)timer->step(clock.now_ms(), 100'000);
      (void)pop->step(clock.now_ms());
      ASSERT_TRUE(store->wait_dispatched(60'000));
    }
  }
  void advance_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    step();
  }

  // Everything in a queue.
  [[nodiscard]] std::vector<Stored> stored(std::string_view topic, QueueId queue = 0) const {
    EXPECT_TRUE(store->wait_dispatched(60'000));
    std::vector<Stored> out;
    for (QueueOffset at = store->min_offset(topic, queue); at < store->max_offset(topic, queue);
         at += 1) {
      const auto got =
          store->get({.topic = topic, .queue_id = queue, .offset = at, .count_max = 1});
      if (got.spans.empty()) continue;
      const auto r = format::decode_record(got.spans.front().bytes, format::CheckBody::kCrc);
      EXPECT_TRUE(r) << r.error();
      if (!r) continue;
      out.push_back({std::string(r->topic), std::string(as_text(r->body)),
                     std::string(r->properties), r->physical_offset.value(), r->store_timestamp_ms,
                     r->born_timestamp_ms, r->reconsume_times, r->sys_flag, r->flag});
    }
    return out;
  }

  mq::test::ManualClock clock;
  mq::test::FaultFs fs;
  broker::BrokerConfig config;
  std::unique_ptr<store::MessageStore> store;
  std::optional<broker::Topics> topics;
  std::optional<broker::GroupConfigs> groups;
  std::optional<broker::ConsumerOffsets> offsets;
  broker::ConsumerGroups consumers;
  broker::ProducerGroups producers;
  broker::SqlCache sql;
  std::optional<broker::ConsumerFilters> filters;
  broker::QueueLocks locks;
  ClientChannel clients{clock};
  std::optional<broker::LiveConfig> live;
  std::optional<broker::DelayedDelivery> delayed;
  std::optional<broker::TransactionService> transactions;
  std::optional<broker::Timer> timer;
  std::minstd_rand random{1};
  std::optional<broker::PopService> pop;
  std::optional<broker::Access> access;
  route::Registry registry;
  std::optional<route::KvConfigs> kv;
  route::NameSettings name_settings;
  std::optional<NameServer> names;
  broker::PostponeRules rules;
  broker::LongPolls polls;
  broker::Stats stats{0};
  std::optional<BrokerServer> server;
  mq::test::FakeConnection connection;
};

}  // namespace mq::server::test
