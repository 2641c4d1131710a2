// The engine through its facade, on the real file system: what goes in comes out, after each kind
// of restart.
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "format/checkpoint.h"
#include "store_fixture.h"

namespace mq::store {
namespace {

using namespace test;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mq-store.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    options_ = small_options(fs::posix(), system_clock(), FlushMode::kAsync, dir_ + "/store");
  }
  void TearDown() override {
    store_.reset();
    ASSERT_TRUE(fs::remove_tree(fs::posix(), dir_));
  }
  void open() {
    auto store = MessageStore::open(options_);
    ASSERT_TRUE(store) << store.error();
    store_ = std::move(*store);
  }
  void reopen() {
    ASSERT_TRUE(store_->close());
    store_.reset();
    open();
  }
  void settle() { ASSERT_TRUE(store_->wait_dispatched(60'000)); }

  std::string dir_;
  StoreOptions options_;
  std::unique_ptr<MessageStore> store_;
};

TEST_F(StoreTest, AMessageComesBackByOffsetPositionAndKey) {
  open();
  const std::string properties = properties_of("ID1", "order-7 order-8", "paid");
  const auto put = store_->put(common_of("orders", 2),
                               {.flag = 5, .body = as_bytes("hello"), .properties = properties});
  ASSERT_EQ(put.status, PutStatus::kOk);
  EXPECT_EQ(put.queue_offset, QueueOffset(0));
  EXPECT_EQ(put.physical_offset, PhysicalOffset(0));
  settle();
  EXPECT_EQ(read_all(*store_, "orders", 2).at(0).body, "hello");
  EXPECT_TRUE(store_->get_record(put.physical_offset));
  EXPECT_EQ(store_->get_record(PhysicalOffset(1)).error().code(), Errc::kNotFound);
  for (const char* key : {"ID1", "order-7", "order-8"}) {
    EXPECT_EQ(store_->query("orders", key, 64, 0, INT64_MAX)->size(), 1U) << key;
  }
  EXPECT_TRUE(store_->query("orders", "order-9", 64, 0, INT64_MAX)->empty());
  EXPECT_TRUE(store_->query("other", "order-7", 64, 0, INT64_MAX)->empty());
}

TEST_F(StoreTest, TheStatusTableOfReadsIsThatOfTheReference) {
  open();
  EXPECT_EQ(store_->get({.topic = "t", .queue_id = 0}).status, GetStatus::kNoMatchedLogicQueue);
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(put(*store_, "t", 0, "b", "i" + std::to_string(i)).status, PutStatus::kOk);
  settle();
  EXPECT_EQ(store_->get({.topic = "t", .queue_id = 0, .offset = QueueOffset(3)}).status,
            GetStatus::kOffsetOverflowOne);
  const auto far = store_->get({.topic = "t", .queue_id = 0, .offset = QueueOffset(9)});
  EXPECT_EQ(far.status, GetStatus::kOffsetOverflowBadly);
  EXPECT_EQ(far.next, QueueOffset(3));
  const std::array<std::int32_t, 1> codes = {1};
  const auto none =
      store_->get({.topic = "t", .queue_id = 0, .filter = {.all = false, .codes = codes}});
  EXPECT_EQ(none.status, GetStatus::kNoMatchedMessage);
  EXPECT_EQ(none.next, QueueOffset(3));
}

TEST_F(StoreTest, ABatchGetsConsecutiveOffsetsAndLimitsAreRefused) {
  open();
  std::vector<PutMessage> batch(10, PutMessage{.flag = 0, .body = as_bytes("x"), .properties = {}});
  const auto first = store_->put_batch(common_of("t", 0), batch);
  const auto second = store_->put_batch(common_of("t", 0), batch);
  EXPECT_EQ(first.queue_offset, QueueOffset(0));
  EXPECT_EQ(second.queue_offset, QueueOffset(10));
  EXPECT_EQ(second.physical_offset, first.end);
  const std::string large(static_cast<std::size_t>(options_.message_bytes_max) + 1, 'x');
  EXPECT_EQ(put(*store_, "t", 0, large, "a").status, PutStatus::kMessageIllegal);
  EXPECT_EQ(put(*store_, std::string(128, 't'), 0, "b", "a").status, PutStatus::kMessageIllegal);
  const std::string properties(32768, 'p');
  EXPECT_EQ(
      store_->put(common_of("t", 0), {.flag = 0, .body = as_bytes("b"), .properties = properties})
          .status,
      PutStatus::kPropertiesSizeExceeded);
  EXPECT_EQ(put(*store_, "%RETRY%" + std::string(200, 'g'), 0, "long topic", "a").status,
            PutStatus::kOk);
  settle();
  EXPECT_EQ(store_->max_offset("t", 0), QueueOffset(20));
}

// Goal: any mix of puts, restarts and retention leaves what a plain map says, in light queues, too.
// Method: a naive model.
TEST_F(StoreTest, EqualsANaiveModelOverManyRestartsAndRolledFiles) {
  options_.light_queues = true;
  std::mt19937 random(7);
  std::map<std::pair<std::string, int>, std::vector<std::pair<std::string, std::string>>> model;
  open();
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 150; ++i) {
      const std::string topic = "topic" + std::to_string(random() % 3);
      const int queue = static_cast<int>(random() % 2);
      const std::string id = "r" + std::to_string(round) + "i" + std::to_string(i);
      const std::string body(1 + random() % 2000, static_cast<char>('a' + random() % 26));
      const bool is_light = i % 3 == 0;
      ASSERT_EQ(put(*store_, topic, queue, body, id, is_light ? "%LMQ%a,%LMQ%b" : "").status,
                PutStatus::kOk);
      model[{topic, queue}].emplace_back(id, body);
      if (!is_light) continue;
      for (const char* light : {"%LMQ%a", "%LMQ%b"}) model[{light, 0}].emplace_back(id, body);
    }
    if (round % 3 == 0) settle();
    if (round % 2 == 0) {
      reopen();
    } else {  // as after a crash: the mark stays, nothing is flushed on purpose
      store_.reset();
      open();
    }
    settle();
    for (const auto& [where, messages] : model) {
      const auto served = read_all(*store_, where.first, where.second);
      ASSERT_EQ(served.size(), messages.size())
          << where.first << "/" << where.second << " round " << round;
      for (std::size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(served.at(static_cast<std::int64_t>(i)).id, messages[i].first);
        ASSERT_EQ(served.at(static_cast<std::int64_t>(i)).body, messages[i].second);
      }
      if (format::is_light(where.first)) continue;  // no topic of the index
      const auto& probe = messages[random() % messages.size()];
      ASSERT_EQ(store_->query(where.first, probe.first, 64, 0, INT64_MAX)->size(), 1U)
          << probe.first;
    }
  }
  EXPECT_GT(store_->stats().commit_log_files, 10);
  EXPECT_GT(store_->stats().index_files, 2);
}

TEST_F(StoreTest, QueuesThatAreGoneAreRebuiltByteForByte) {
  options_.light_queues = true;
  open();
  for (int i = 0; i < 400; ++i)
    ASSERT_EQ(
        put(*store_, "t" + std::to_string(i % 2), i % 3, "body", "i" + std::to_string(i), "%LMQ%a")
            .status,
        PutStatus::kOk);
  ASSERT_TRUE(store_->close());
  store_.reset();
  std::map<std::string, std::string> before;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(options_.root + "/consumequeue")) {
    if (entry.is_regular_file())
      before[entry.path()] = fs::read_file(fs::posix(), entry.path()).value();
  }
  ASSERT_GE(before.size(), 10U);
  ASSERT_TRUE(fs::remove_tree(fs::posix(), options_.root + "/consumequeue"));
  ASSERT_TRUE(fs::remove_tree(fs::posix(), options_.root + "/index"));
  open();
  EXPECT_EQ(store_->query("t1", "i399", 64, 0, INT64_MAX)->size(), 1U);
  ASSERT_TRUE(store_->close());
  store_.reset();
  for (const auto& [path, content] : before)
    EXPECT_EQ(fs::read_file(fs::posix(), path).value(), content) << path;
}

TEST_F(StoreTest, LightQueuesAreForMessagesThatListThem) {
  using Sizes = std::pair<std::int64_t, std::int64_t>;
  const auto sizes = [this] {
    settle();
    return Sizes(store_->max_offset("%LMQ%a", 0).value(), store_->max_offset("%LMQ%b", 0).value());
  };
  open();
  ASSERT_EQ(put(*store_, "t", 0, "not asked for", "i", "%LMQ%a").status, PutStatus::kOk);
  EXPECT_EQ(sizes(), Sizes(0, 0));
  ASSERT_TRUE(store_->close());
  store_.reset();

  options_.light_queues = true;
  open();
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(put(*store_, "t", i, "b", "i", "%LMQ%a,%LMQ%b").status, PutStatus::kOk);
  ASSERT_EQ(put(*store_, "t", 0, "b", "i", "%LMQ%b").status, PutStatus::kOk);
  EXPECT_EQ(sizes(), Sizes(3, 4));
  // Retries and the broker's own copies carry what their message listed, and half messages what
  // theirs will; so may a sender that makes numbers up.
  std::string properties = properties_of("i");
  format::append_property(properties, format::kLightQueues, "%LMQ%a");
  format::append_property(properties, format::kLightOffsets, "1000000");
  for (const char* topic : {"%RETRY%g", "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC"}) {
    const auto done = store_->put(common_of(topic, 0),
                                  {.flag = 0, .body = as_bytes("b"), .properties = properties});
    ASSERT_EQ(done.status, PutStatus::kOk);
  }
  EXPECT_EQ(sizes(), Sizes(3, 4));
  ASSERT_EQ(
      store_->put(common_of("t", 0), {.flag = 0, .body = as_bytes("b"), .properties = properties})
          .status,
      PutStatus::kOk);
  EXPECT_EQ(sizes(), Sizes(4, 4));
  // The reference stores these, and then its dispatch fails on the record for ever.
  for (const char* queues : {"plain", "%LMQ%a,plain", "%LMQ%a,,%LMQ%b", "%LMQ%a/b", "%LMQ%a\n"}) {
    const auto done = put(*store_, "t", 0, "b", "i", queues);
    EXPECT_EQ(done.status, PutStatus::kMessageIllegal) << queues;
    EXPECT_NE(done.reason.find("INNER_MULTI_DISPATCH"), std::string::npos) << done.reason;
  }
  // A batch numbers its messages one by one.
  std::string first = properties_of("i"), third = properties_of("k");
  format::append_property(first, format::kLightQueues, "%LMQ%a");
  format::append_property(third, format::kLightQueues, "%LMQ%a,%LMQ%b");
  const std::string second = properties_of("j");
  const std::array<PutMessage, 3> batch = {PutMessage{.body = as_bytes("1"), .properties = first},
                                           PutMessage{.body = as_bytes("2"), .properties = second},
                                           PutMessage{.body = as_bytes("3"), .properties = third}};
  ASSERT_EQ(store_->put_batch(common_of("t", 0), batch).status, PutStatus::kOk);
  EXPECT_EQ(sizes(), Sizes(6, 5));
  EXPECT_EQ(read_all(*store_, "%LMQ%a", 0).at(5).body, "3");
  EXPECT_EQ(read_all(*store_, "%LMQ%b", 0).at(4).body, "3");

  options_.light_queues = false;  // the store has them: it goes on with them
  reopen();
  ASSERT_EQ(put(*store_, "t", 0, "last", "i", "%LMQ%a").status, PutStatus::kOk);
  EXPECT_EQ(sizes(), Sizes(7, 5));
  EXPECT_EQ(read_all(*store_, "%LMQ%a", 0).at(6).body, "last");
}

TEST_F(StoreTest, RetentionTakesTheOldestFilesAndQueuesFollow) {
  options_.file_reserved_hours = 0;
  open();
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(put(*store_, "t", 0, std::string(1000, 'x'), "i" + std::to_string(i)).status,
              PutStatus::kOk);
  settle();
  const auto deleted = store_->expire_now();
  ASSERT_TRUE(deleted) << deleted.error();
  EXPECT_GT(*deleted, 2);
  EXPECT_GT(store_->min_offset("t", 0), QueueOffset(0));
  EXPECT_EQ(store_->get({.topic = "t", .queue_id = 0, .offset = QueueOffset(0)}).status,
            GetStatus::kOffsetTooSmall);
  const auto before = read_all(*store_, "t", 0);
  EXPECT_EQ(before.rbegin()->second.id, "i299");
  EXPECT_TRUE(store_->query("t", "i0", 64, 0, INT64_MAX)->empty());
  reopen();
  EXPECT_EQ(read_all(*store_, "t", 0).size(), before.size());
  EXPECT_EQ(put(*store_, "t", 0, "goes on", "next").queue_offset, QueueOffset(300));
}

TEST_F(StoreTest, AReaderKeepsADeletedFilesBytes) {
  options_.file_reserved_hours = 0;
  open();
  ASSERT_EQ(put(*store_, "t", 0, "kept", "first").status, PutStatus::kOk);
  settle();
  const auto view = store_->get_record(PhysicalOffset(0));
  ASSERT_TRUE(view);
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(put(*store_, "t", 0, std::string(1000, 'x'), "i" + std::to_string(i)).status,
              PutStatus::kOk);
  settle();
  ASSERT_TRUE(store_->expire_now());
  EXPECT_FALSE(store_->get_record(PhysicalOffset(0)));
  EXPECT_EQ(as_text(format::decode_record(view->bytes, format::CheckBody::kCrc)->body), "kept");
}

TEST_F(StoreTest, TimesFindOffsetsAlsoWithTiesAndAtTheEdges) {
  open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(put(*store_, "t", 0, "b", "i" + std::to_string(i)).status, PutStatus::kOk);
    if (i % 10 == 9) std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  settle();
  std::vector<std::int64_t> times;
  for (int i = 0; i < 50; ++i) times.push_back(store_->store_time("t", 0, QueueOffset(i)));
  for (std::int64_t t = times.front() - 2; t <= times.back() + 2; ++t) {
    const auto lower = std::lower_bound(times.begin(), times.end(), t) - times.begin();
    const auto upper = std::max<std::ptrdiff_t>(
        0, std::upper_bound(times.begin(), times.end(), t) - times.begin() - 1);
    EXPECT_EQ(store_->offset_by_time("t", 0, t, Boundary::kLower).value(), lower);
    EXPECT_EQ(store_->offset_by_time("t", 0, t, Boundary::kUpper).value(), upper);
  }
}

TEST_F(StoreTest, EightThreadsAppendWithoutLosingOrDoublingAnOffset) {
  open();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(put(*store_, "t", i % 2, "b", std::to_string(t) + "-" + std::to_string(i)).status,
                  PutStatus::kOk);
      }
    });
  }
  threads.clear();
  settle();
  std::set<std::string> ids;
  for (int q = 0; q < 2; ++q) {
    const auto served = read_all(*store_, "t", q);
    EXPECT_EQ(served.size(), 1200U);
    std::map<char, int> last;
    for (const auto& [offset, message] : served) {
      ids.insert(message.id);
      const int number = std::stoi(message.id.substr(2));
      const auto [at, fresh] = last.emplace(message.id[0], number);
      if (!fresh) {
        EXPECT_LT(at->second, number) << "one thread's order";
        at->second = number;
      }
    }
  }
  EXPECT_EQ(ids.size(), 2400U);
}

// However short the time: else a start after a crash would read all that came since.
TEST_F(StoreTest, QueuesAndIndexAreOnDiskAfterSoManyBytesOfTheLog) {
  options_.queue_flush_thorough_interval_ms = 86'400'000;
  options_.queue_flush_thorough_bytes = 20'000;
  options_.flush_thorough_interval_ms = 10;
  open();
  std::int64_t last_ms = 0;
  for (int i = 0; i < 100; ++i)
    last_ms = put(*store_, "t", i % 3, std::string(1000, 'x'), "i").store_timestamp_ms;
  settle();
  const auto vouched_ms = [&]() -> std::int64_t {
    const auto raw = fs::read_file(fs::posix(), options_.root + "/checkpoint");
    const auto checkpoint =
        raw ? format::decode_checkpoint(as_bytes(*raw)) : Error{Errc::kNotFound};
    return checkpoint ? checkpoint->logics_timestamp_ms : -1;
  };
  for (int i = 0; i < 1000 && vouched_ms() < last_ms; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // What came after the last pass waits for as much again.
    if (i % 10 == 9) {
      for (int more = 0; more < 30; ++more) (void)put(*store_, "t", 0, std::string(1000, 'x'), "i");
    }
  }
  EXPECT_GE(vouched_ms(), last_ms);
}

TEST_F(StoreTest, ADeletedTopicStartsAtZeroAgainAlsoAfterARestart) {
  open();
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(put(*store_, "t", 0, "old", "o" + std::to_string(i)).status, PutStatus::kOk);
  settle();
  ASSERT_TRUE(store_->delete_topic("t"));
  EXPECT_EQ(store_->max_offset("t", 0), QueueOffset(0));
  EXPECT_EQ(put(*store_, "t", 0, "new", "n").queue_offset, QueueOffset(0));
  settle();
  EXPECT_EQ(read_all(*store_, "t", 0).at(0).body, "new");
  reopen();
  const auto served = read_all(*store_, "t", 0);
  ASSERT_EQ(served.size(), 1U);
  EXPECT_EQ(served.at(0).body, "new");
}

TEST_F(StoreTest, ASecondOpenerIsToldWhoHasTheStore) {
  open();
  // Record locks are of processes: ask from another one.
  const pid_t child = fork();
  if (child == 0) {
    auto second = MessageStore::open(options_);
    _exit(!second && second.error().code() == Errc::kBusy ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace mq::store
