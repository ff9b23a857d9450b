#include "agent/controller_link.h"

#include <algorithm>

#include "agent/event_stream.h"
#include "base/log.h"
#include "net/http_client.h"

namespace hive::agent {
namespace {

constexpr Milliseconds kSilence{3 * kKeepAliveSeconds * 1'000};
constexpr Milliseconds kFirstLinkPause{200};
constexpr Milliseconds kLongestLinkPause{2'000};

net::Target target_of(const std::string& controller, const std::string& certificates) {
  return {.base_url = "https://" + controller,
          .tls = {.ca_file = certificates + "/swarm-root-ca.crt",
                  .certificate_file = certificates + "/swarm-node.crt",
                  .key_file = certificates + "/swarm-node.key",
                  .required_peer_ou = "swarm-manager"}};
}

}  // namespace

ControllerLink::ControllerLink(LinkOptions options, Mailbox& mailbox)
    : options_(std::move(options)), mailbox_(mailbox) {
  streamer_ = std::jthread([this](const std::stop_token& stop) { stream(stop); });
  reporter_ = std::jthread([this](const std::stop_token& stop) { report(stop); });
}

ControllerLink::~ControllerLink() {
  streamer_.request_stop();
  reporter_.request_stop();
  streamer_.join();
  reporter_.join();
}

void ControllerLink::send(Report report) {
  {
    const std::lock_guard lock(mutex_);
    if (pending_) {
      auto& events = pending_->events;
      events.insert(events.end(), report.events.begin(), report.events.end());
      if (events.size() > kMaxReportEvents)
        events.erase(events.begin(), events.end() - kMaxReportEvents);
      report.events = std::move(events);
      report.notes.insert(report.notes.begin(), pending_->notes.begin(), pending_->notes.end());
      if (report.notes.size() > kMaxReportNotes) report.notes.resize(kMaxReportNotes);
    }
    pending_ = std::move(report);
  }
  wake_.notify_all();
}

void ControllerLink::pause(const std::stop_token& stop, Milliseconds time) {
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable_any never;
  never.wait_for(lock, stop, time, [] { return false; });
}

void ControllerLink::stream(const std::stop_token& stop) {
  Milliseconds wait = kFirstLinkPause;
  while (!stop.stop_requested()) {
    bool served = false;
    for (const std::string& controller : options_.controllers()) {
      if (stop.stop_requested()) return;
      served = stream_from(controller, stop) || served;
    }
    wait = served ? kFirstLinkPause : std::min(wait * 2, kLongestLinkPause);
    pause(stop, wait);
  }
}

// True when the controller took this agent. Within one connection revisions rise; a new connection
// may be to another controller, or to one that was started anew, and begins its own count.
bool ControllerLink::stream_from(const std::string& controller, const std::stop_token& stop) {
  net::HttpClient client(target_of(controller, options_.certificates));
  bool served = false;
  std::uint64_t newest = 0;
  EventStream events([&](const std::string& event, const std::string& data) {
    if (!served) {
      log::info("agent", "follows the controller at {}", controller);
      const std::lock_guard lock(mutex_);
      connected_ = controller;
    }
    served = true;
    wake_.notify_all();
    if (event == kOrdersEvent) {
      auto orders = decode_orders(data);
      if (!orders) return log::warn("agent", "{} sent: {}", controller, orders.error().message);
      return mailbox_.post_orders(std::move(*orders));
    }
    if (event != kRoutingEvent) return;
    auto table = decode_table(data);
    if (!table) return log::warn("agent", "{} sent: {}", controller, table.error().message);
    if (table->revision < newest) return;
    newest = table->revision;
    mailbox_.post_table(std::move(*table));
  });
  net::Request request;
  request.path = std::string(kStreamPath);
  request.headers.emplace("accept", "text/event-stream");
  request.deadline = Milliseconds(5'000);
  const auto ended = client.stream(
      request, [&](std::string_view bytes) { return events.feed(bytes).has_value(); }, stop,
      kSilence);
  if (served) log::warn("agent", "lost the controller at {}", controller);
  if (served) mailbox_.post_controller_lost();
  if (!ended) log::debug("agent", "{}: {}", controller, describe(ended.error()));
  const std::lock_guard lock(mutex_);
  connected_.clear();
  return served;
}

void ControllerLink::report(const std::stop_token& stop) {
  std::string known;
  std::unique_ptr<net::HttpClient> client;
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return pending_ && !connected_.empty(); })) return;
    const std::string controller = connected_;
    Report report = std::move(*pending_);
    pending_.reset();
    lock.unlock();
    if (!client || controller != known)
      client = std::make_unique<net::HttpClient>(target_of(controller, options_.certificates));
    known = controller;
    net::Request request;
    request.method = "POST";
    request.path = std::string(kReportPath);
    request.headers.emplace("content-type", "application/json");
    request.body = encode_report(report);
    request.deadline = Milliseconds(3'000);
    const auto answer = client->send(request);
    if (answer && answer->status / 100 == 2) continue;
    log::debug("agent", "report to {}: {}", controller,
               answer ? std::to_string(answer->status) : describe(answer.error()));
    client.reset();  // perhaps the certificates were rotated
    pause(stop, kFirstLinkPause);
  }
}

}  // namespace hive::agent
