#include "cli/controller_api.h"

#include "net/http_client.h"

namespace hive::cli {
namespace {

std::string url_of(const std::string& address) { return "http://" + address + ":7070"; }

// Splits a stream of bytes into server-sent events (WHATWG HTML, "Server-sent events").
class EventReader {
 public:
  explicit EventReader(const std::function<bool(std::string_view, const std::string&)>& on_event)
      : on_event_(on_event) {}

  bool feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\r') continue;
      if (c != '\n') {
        if (line_.size() < kMaxLine) line_ += c;
        continue;
      }
      if (!end_line()) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kMaxLine = 16U << 20;

  bool end_line() {
    std::string line;
    line.swap(line_);
    if (line.empty()) {
      const bool go_on = data_.empty() || on_event_(event_, data_);
      event_ = "message";
      data_.clear();
      return go_on;
    }
    const auto colon = line.find(':');
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(" ")) value.erase(0, 1);
    const std::string field = line.substr(0, colon);
    if (field == "event") event_ = value;
    if (field == "data") data_ += (data_.empty() ? "" : "\n") + value;
    return true;
  }

  const std::function<bool(std::string_view, const std::string&)>& on_event_;
  std::string line_;
  std::string event_ = "message";
  std::string data_;
};

}  // namespace

Result<std::vector<std::string>> manager_addresses(engine::Engine& engine) {
  HIVE_ASSIGN(const auto nodes, engine.list_nodes());
  std::vector<std::string> addresses;
  for (const auto& node : nodes) {
    if (node.role != model::Role::kManager || node.state != model::NodeState::kReady) continue;
    const std::string address =
        node.manager_address.empty()
            ? node.address
            : node.manager_address.substr(0, node.manager_address.rfind(':'));
    // The leader first: it is the one that acts, and knows most.
    if (node.leader)
      addresses.insert(addresses.begin(), address);
    else
      addresses.push_back(address);
  }
  return addresses;
}

Result<Json> ask_controller(const std::vector<std::string>& addresses, const std::string& path) {
  std::string why = "no manager is ready";
  for (const auto& address : addresses) {
    net::HttpClient client({.base_url = url_of(address)});
    const auto response = client.send({.path = path, .deadline = Milliseconds(5'000)});
    if (response && response->status == 200) return parse_json(response->body, path);
    why = address + ": " +
          (response ? "HTTP status " + std::to_string(response->status) : response.error().message);
  }
  return fail(Errc::kUnavailable, "no controller answers (" + why + ")");
}

Status follow_controller(
    const std::vector<std::string>& addresses, const std::string& path,
    const std::function<bool(std::string_view event, const std::string& data)>& on_event) {
  bool stopped = false;
  const std::function<bool(std::string_view, const std::string&)> watch =
      [&](std::string_view event, const std::string& data) {
        stopped = !on_event(event, data);
        return !stopped;
      };
  for (;;) {
    bool reached = false;
    for (const auto& address : addresses) {
      net::HttpClient client({.base_url = url_of(address)});
      EventReader reader(watch);
      const auto ended = client.stream(
          {.path = path},
          [&](std::string_view bytes) {
            reached = true;
            return reader.feed(bytes);
          },
          {}, Milliseconds(30'000));
      if (stopped) return {};
      if (ended && ended->status >= 400)
        return fail(Errc::kUnavailable,
                    "the controller at " + address + " answers " + std::to_string(ended->status));
    }
    if (!reached) return fail(Errc::kUnavailable, "no controller answers");
  }
}

}  // namespace hive::cli
