#include "server/registration.h"

#include <limits>

#include <fmt/format.h>

#include "server/topic_forms.h"

namespace mq::server {
namespace {

constexpr std::int32_t kReadWrite = format::kPermRead | format::kPermWrite;

client::Registrar::Options options_of(const broker::BrokerConfig& config, const route::Self& self,
                                      std::vector<net::Address> servers) {
  return {.servers = std::move(servers),
          .cluster = self.cluster,
          .broker = self.broker,
          .address = self.address,
          .ha_address = ha_address(config, self),
          .id = self.id,
          .period_ms = config.register_period_ms,
          .timeout_ms = config.register_timeout_ms,
          .force = config.force_register,
          .compressed = config.compressed_register,
          .acting_master = config.slave_acting_master,
          .heartbeat_ms = config.broker_heartbeat_ms,
          .silence_ms = config.broker_silence_ms};
}

}  // namespace

std::string ha_address(const broker::BrokerConfig& config, const route::Self& self) {
  const std::size_t colon = self.address.rfind(':');
  const std::string host = config.ha_ip.empty() ? self.address.substr(0, colon) : config.ha_ip;
  return fmt::format("{}:{}", host,
                     config.ha_listen_port == 0 ? config.listen_port + 1 : config.ha_listen_port);
}

Registration::Registration(route::Registry& own, broker::Topics& topics,
                           const broker::BrokerConfig& config, Clock& clock,
                           const route::Self& self, std::vector<net::Address> name_servers)
    : own_(own),
      topics_(topics),
      config_(config),
      clock_(clock),
      self_(self),
      others_(options_of(config, self, std::move(name_servers)), [this] { return all(); }) {}

Registration::~Registration() { stop(); }

void Registration::start() {
  running_ = true;
  topics_.on_change([this](const broker::Topics::Changes& changes) { on_change(changes); });
  refresh();
  others_.start();
}

void Registration::stop() {
  if (!std::exchange(running_, false)) return;
  topics_.on_change({});
  others_.stop();
  own_.unregister_broker(self_.cluster, self_.broker, self_.address);
}

void Registration::refresh() { register_here(all()); }

void Registration::register_again() {
  refresh();
  others_.register_all_soon();
}

std::vector<client::Registrar::Status> Registration::status() const { return others_.status(); }

void Registration::on_change(const broker::Topics::Changes& changes) {
  wire::TopicTable altered{.version = to_wire(changes.version), .topics = {}};
  bool removed = false;
  for (const auto& [name, config] : changes.topics) {
    if (config != nullptr) {
      altered.topics.emplace(std::string(name), registered_form(*config));
    } else {
      own_.delete_topic_of(name, self_.broker);
      removed = true;
    }
  }
  if (!altered.topics.empty()) register_here(altered);
  others_.topics_changed(altered);
  if (removed) others_.register_all_soon();
}

// A broker that may not be read or written says so of all its topics.
wire::TopicConfig Registration::registered_form(const format::TopicConfig& topic) const {
  wire::TopicConfig out = to_wire(topic);
  if ((config_.perm & kReadWrite) != kReadWrite) out.perm &= config_.perm;
  return out;
}

wire::TopicTable Registration::all() const {
  const format::TopicTable table = topics_.all();
  wire::TopicTable out{.version = to_wire(table.version), .topics = {}};
  for (const auto& [name, topic] : table.topics) out.topics.emplace(name, registered_form(topic));
  return out;
}

void Registration::register_here(wire::TopicTable topics) {
  // Never silent, so it never expires. Refused only if a change comes before the first full table,
  // which then follows.
  (void)own_.register_broker({.cluster = self_.cluster,
                              .broker = self_.broker,
                              .address = self_.address,
                              .id = self_.id,
                              .ha_address = ha_address(config_, self_),
                              .timeout_ms = std::numeric_limits<std::int64_t>::max(),
                              .enable_acting_master = config_.slave_acting_master,
                              .body = {.topics = std::move(topics)}},
                             clock_.monotonic_us() / 1000);
}

}  // namespace mq::server
