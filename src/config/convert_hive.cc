// x-hive, of the cluster and of a service: from checked trees to Cluster and ServiceHive.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "config/convert.h"
#include "config/values.h"
#include "decide/autoscale/cron.h"
#include "model/image_reference.h"

namespace hive::config {

namespace {

// Ports that hive and Swarm themselves use on every node.
struct Reserved {
  std::int64_t port;
  std::string_view use;
};
// Of a step of the stop sequence.
constexpr Nanoseconds kLongestDeadline = std::chrono::hours(24);
constexpr Nanoseconds kShortestJoin = std::chrono::seconds(5);
constexpr Nanoseconds kLongestSchedule = std::chrono::hours(7 * 24);
constexpr std::size_t kMostSchedules = 32;
constexpr std::size_t kMostMetrics = 8;

constexpr std::array<Reserved, 6> kReserved{{{2377, "Swarm's managers"},
                                             {4789, "Swarm's overlay networks"},
                                             {7070, "hive's API"},
                                             {7071, "hive's agents"},
                                             {7080, "the edge's health check"},
                                             {7946, "Swarm's gossip"}}};

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

bool is_dns_label(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_host_pattern(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > 253) return false;
  const auto labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(),
                     [](const std::string& label) { return is_dns_label(label, 63); });
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// As files below /usr/share/zoneinfo are named; whether there is one, who runs it finds out.
bool is_zone(std::string_view text) {
  return text.size() <= 64 && text.front() != '/' && text.back() != '/' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '/' || c == '-' || c == '+';
         });
}

bool is_url_path(std::string_view text) {
  return text.starts_with('/') && text.find_first_of(" \t\r\n\"'\\?#") == std::string_view::npos;
}

bool is_ascii_graph(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Of a metric, or with `colons` false of a label, as Prometheus has them.
bool is_prometheus_name(std::string_view text, bool colons) {
  const auto letter = [colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !text.empty() && text.size() <= 200 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// With a query, as exporters want it.
bool is_page(std::string_view text) {
  return text.starts_with('/') && is_ascii_graph(text) &&
         text.find_first_of("\"'\\#") == std::string_view::npos;
}

// "http://host:9090" and a path; no name and password, since what is asked is shown to everybody.
bool is_server(std::string_view text) {
  const auto begin = text.find("://");
  if (begin == std::string_view::npos) return false;
  const auto scheme = text.substr(0, begin);
  const auto host = text.substr(begin + 3);
  return (scheme == "http" || scheme == "https") && !host.empty() && host.front() != '/' &&
         host.front() != ':' && is_ascii_graph(host) &&
         host.find_first_of("\"'\\@?#") == std::string_view::npos;
}

class HiveReader {
 public:
  HiveReader(const LoadOptions& options, Findings& findings)
      : options_(options), findings_(findings) {}
  Cluster cluster(const Node& node);
  ServiceHive service(const Node& node, const std::string& name);

 private:
  void fault(const Node& node, std::string message, std::string hint = "") {
    findings_.fault(node.position, std::move(message), std::move(hint));
  }
  std::optional<std::int64_t> number(const Node& node, std::string_view key,
                                     const std::string& path, std::int64_t least,
                                     std::int64_t most);
  std::string file(const Node& node, std::string_view key) const;
  std::string choice(const Node& node, std::string_view key, const std::string& path,
                     std::vector<std::string> allowed, std::string fallback);
  void workers(const Node& node, Cluster& out);
  void subnet(const Node& node, Cluster& out);
  void listeners(const Node& node, Cluster& out);
  std::optional<ClusterListener> listener(const Node& node, const std::string& path);
  std::optional<ClusterListener> short_listener(const Node& node, const std::string& path);
  void registry(const Node& node, Cluster& out);
  Autoscale autoscale(const Node& node, const std::string& path);
  AutoscaleMetric metric(const Node& node, const std::string& path);
  void portion(const Node& node, const std::string& path, AutoscaleMetric& out);
  void limit(const Node& node, const std::string& path, AutoscaleMetric& out);
  void of_balancer(const Node& node, const std::string& path, AutoscaleMetric& out);
  void scrape(const Node& node, const std::string& path, AutoscaleMetric& out);
  void query(const Node& node, const std::string& path, AutoscaleMetric& out);
  std::vector<AutoscaleMetric> metrics(const Node& list, const std::string& path);
  AutoscaleSchedule schedule(const Node& node, const std::string& path);
  void look_for_zone(const Node& node, const std::string& zone, const std::string& path);
  std::vector<AutoscaleSchedule> schedules(const Node& list, const std::string& path);
  std::optional<std::uint64_t> count(const Node& node, std::string_view key,
                                     const std::string& path);
  std::optional<double> percentage(const Node& node, std::string_view key, const std::string& path);
  std::optional<double> positive(const Node& node, std::string_view key, const std::string& path);
  std::optional<Nanoseconds> time(const Node& node, std::string_view key, const std::string& path);
  std::optional<Nanoseconds> deadline(const Node& node, std::string_view key,
                                      const std::string& path);
  Drain drain(const Node& node, const std::string& path);
  Rollout rollout(const Node& node, const std::string& path);
  model::LogPolicy logs(const Node& node, const std::string& path);
  std::optional<model::FilebeatPlace> filebeat(const Node& node, const std::string& path);
  std::string place_on_node(const Node& node, std::string_view key, const std::string& path);
  std::vector<std::string> command(const Node& node, std::string_view key, const std::string& path);
  std::vector<RouteRule> routes(const Node& list, const std::string& path);

  const LoadOptions& options_;
  Findings& findings_;
};

std::optional<std::int64_t> HiveReader::number(const Node& node, std::string_view key,
                                               const std::string& path, std::int64_t least,
                                               std::int64_t most) {
  const auto value = integer_at(node, key);
  if (!value) return std::nullopt;
  if (*value >= least && *value <= most) return value;
  fault(*node.find(key),
        fmt::format("{}.{} is {}: it must be {} to {}", path, key, *value, least, most));
  return std::nullopt;
}

std::string HiveReader::file(const Node& node, std::string_view key) const {
  const std::string path = text_at(node, key);
  return path.empty() ? "" : absolute_path(options_.working_dir, path);
}

std::string HiveReader::choice(const Node& node, std::string_view key, const std::string& path,
                               std::vector<std::string> allowed, std::string fallback) {
  std::string value = text_at(node, key);
  if (value.empty()) return fallback;
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  fault(
      *node.find(key),
      fmt::format("{}.{} is {}: it must be {}", path, key, in_quotes(value), join(allowed, " or ")),
      suggest(value, allowed));
  return fallback;
}

void HiveReader::workers(const Node& node, Cluster& out) {
  const Node* value = node.find("workers");
  if (value == nullptr) return;
  if (value->is(Node::Kind::kInt)) {
    if (const auto fixed = number(node, "workers", "x-hive", 0, 1000)) {
      out.workers.min = static_cast<std::uint32_t>(*fixed);
      out.workers.max = out.workers.min;
    }
    return;
  }
  if (!value->is_map()) return;
  const auto least = number(*value, "min", "x-hive.workers", 0, 1000);
  const auto most = number(*value, "max", "x-hive.workers", 0, 1000);
  out.workers.min = static_cast<std::uint32_t>(least.value_or(0));
  out.workers.max = static_cast<std::uint32_t>(most.value_or(out.workers.min));
  const std::string path = "x-hive.workers";
  out.workers.scale_in_after =
      deadline(*value, "scale_in_after", path).value_or(out.workers.scale_in_after);
  out.workers.join_timeout =
      deadline(*value, "join_timeout", path).value_or(out.workers.join_timeout);
  if (out.workers.join_timeout < kShortestJoin)
    fault(*value->find("join_timeout"),
          fmt::format("{}.join_timeout is less than {}: nothing boots as fast", path,
                      format_duration(kShortestJoin)));
  if (most && out.workers.min > out.workers.max)
    fault(*value->find("max"),
          fmt::format("x-hive.workers.max is {}, and min is {}", *most, out.workers.min));
}

void HiveReader::subnet(const Node& node, Cluster& out) {
  const std::string text = text_at(node, "subnet");
  if (text.empty()) return;
  int third = -1;
  char end = 0;
  // The scan alone would take 10.77.03.0/24 too.
  if (std::sscanf(text.c_str(), "10.77.%3d.0/24%c", &third, &end) == 1 && third >= 0 &&
      third <= 255 && text == fmt::format("10.77.{}.0/24", third)) {
    out.subnet = text;
    return;
  }
  fault(*node.find("subnet"),
        fmt::format("x-hive.subnet is {}: the local cloud's networks are 10.77.0.0/24 to "
                    "10.77.255.0/24",
                    in_quotes(text)),
        "write for example 10.77.3.0/24, or leave it out");
}

std::optional<ClusterListener> HiveReader::short_listener(const Node& node,
                                                          const std::string& path) {
  const std::string text = scalar_text(node);
  const auto parts = split(text, ':');
  std::array<int, 2> ports{};
  bool good = parts.size() <= 2;
  for (std::size_t i = 0; good && i < parts.size(); ++i) {
    const auto& part = parts[i];
    const auto result = std::from_chars(part.data(), part.data() + part.size(), ports[i]);
    good = !part.empty() && result.ec == std::errc() && result.ptr == part.data() + part.size() &&
           ports[i] >= 1 && ports[i] <= 65535;
  }
  if (!good) {
    fault(node, fmt::format("{} is {}: it is not a listener", path, in_quotes(text)),
          "write \"80:8080\": the port that clients connect to, and the one on the nodes");
    return std::nullopt;
  }
  return ClusterListener{
      .listen = static_cast<std::uint16_t>(ports[0]),
      .instance = static_cast<std::uint16_t>(parts.size() == 2 ? ports[1] : ports[0])};
}

std::optional<ClusterListener> HiveReader::listener(const Node& node, const std::string& path) {
  if (node.is_null()) return std::nullopt;
  if (!node.is_map()) return short_listener(node, path);
  const auto port = number(node, "port", path, 1, 65535);
  if (!port) {
    if (node.find("port") == nullptr) fault(node, fmt::format("{} has no port", path));
    return std::nullopt;
  }
  ClusterListener out;
  out.listen = static_cast<std::uint16_t>(*port);
  out.instance = static_cast<std::uint16_t>(number(node, "target", path, 1, 65535).value_or(*port));
  out.mode = choice(node, "mode", path, {"http", "tcp"}, "http");
  // A certificate of AWS's is no file.
  out.certificate = text_at(node, "certificate").starts_with("arn:") ? text_at(node, "certificate")
                                                                     : file(node, "certificate");
  out.proxy = flag_at(node, "proxy");
  return out;
}

void HiveReader::listeners(const Node& node, Cluster& out) {
  const Node* balancer = map_at(node, "load_balancer");
  if (balancer != nullptr)
    out.balancer_type = choice(*balancer, "type", "x-hive.load_balancer",
                               {"classic", "network", "application"}, "classic");
  const Node* list = balancer == nullptr ? nullptr : balancer->find("listeners");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    const std::string path = fmt::format("x-hive.load_balancer.listeners[{}]", i);
    const auto one = listener(item, path);
    if (!one) continue;
    for (const auto& other : out.listeners)
      if (other.listen == one->listen)
        fault(item, fmt::format("{}: port {} has a listener already", path, one->listen));
    for (const auto& reserved : kReserved)
      if (reserved.port == one->instance)
        fault(item,
              fmt::format("{}: port {} on the nodes is used by {}", path, one->instance,
                          reserved.use),
              "publish the service on another port");
    out.listeners.push_back(*one);
  }
}

void HiveReader::registry(const Node& node, Cluster& out) {
  const Node* part = map_at(node, "registry");
  if (part == nullptr) return;
  out.registry.address = text_at(*part, "address");
  out.registry.username = text_at(*part, "username");
  out.registry.password_file = file(*part, "password_file");
  if (out.registry.address.find_first_of(" /@") != std::string::npos)
    fault(*part->find("address"),
          fmt::format("x-hive.registry.address is {}: it must be a host, or host:port",
                      in_quotes(out.registry.address)),
          "no https:// and no path");
  if (out.registry.username.empty() != out.registry.password_file.empty())
    fault(*part, "x-hive.registry needs both username and password_file, or neither");
  const Node* images = map_at(*part, "images");
  if (images == nullptr) return;
  for (const auto& entry : images->entries) {
    if (const auto reference = model::parse_image_reference("registry/" + entry.key); !reference)
      findings_.fault(entry.position,
                      fmt::format("x-hive.registry.images: {} is not NAME:TAG of an image",
                                  in_quotes(entry.key)),
                      "such as shop/web:1.0");
    else if (entry.value.is_string())
      out.registry.images[entry.key] = absolute_path(options_.working_dir, entry.value.text);
  }
}

Cluster HiveReader::cluster(const Node& node) {
  Cluster out;
  out.json = to_json(node);
  out.name = text_at(node, "name");
  if (const Node* name = node.find("name");
      name != nullptr && name->is_string() && !is_dns_label(out.name, 40)) {
    fault(*name, fmt::format("x-hive.name is {}: it must be 1 to 40 lower-case letters, digits "
                             "and dashes, with no dash at either end",
                             in_quotes(out.name)));
    out.name.clear();
  }
  out.cloud = choice(node, "cloud", "x-hive", {"local", "aws"}, "local");
  if (const auto managers = number(node, "managers", "x-hive", 1, 7)) {
    out.managers = static_cast<std::uint32_t>(*managers);
    if (out.managers % 2 == 0)
      findings_.warn(node.find("managers")->position,
                     fmt::format("{} managers survive no more failures than {}", out.managers,
                                 out.managers - 1),
                     "choose an odd number");
  }
  workers(node, out);
  subnet(node, out);
  listeners(node, out);
  registry(node, out);
  if (const Node* dashboard = map_at(node, "dashboard"))
    if (const auto port = number(*dashboard, "port", "x-hive.dashboard", 0, 65535))
      out.dashboard_port = static_cast<std::uint16_t>(*port);
  return out;
}

std::optional<double> HiveReader::percentage(const Node& node, std::string_view key,
                                             const std::string& path) {
  const Node* value = node.find(key);
  if (value == nullptr) return std::nullopt;
  std::string text = scalar_text(*value);
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.pop_back();
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = !text.empty() && result.ec == std::errc() &&
                    result.ptr == text.data() + text.size() && std::isfinite(number);
  if (percent) number /= 100;
  if (good && number > 0 && number <= 1) return number;
  if (value->is_string() || value->is(Node::Kind::kInt) || value->is(Node::Kind::kFloat))
    fault(*value,
          fmt::format("{}.{} is {}: it must be more than 0% and at most 100%", path, key,
                      in_quotes(scalar_text(*value))),
          good && !percent && number > 1 ? fmt::format("write {}%", scalar_text(*value)) : "");
  return std::nullopt;
}

std::optional<double> HiveReader::positive(const Node& node, std::string_view key,
                                           const std::string& path) {
  const auto value = number_at(node, key);
  if (value && (!(*value > 0) || !std::isfinite(*value))) {
    fault(*node.find(key), fmt::format("{}.{} must be more than 0", path, key));
    return std::nullopt;
  }
  return value;
}

std::optional<Nanoseconds> HiveReader::time(const Node& node, std::string_view key,
                                            const std::string& path) {
  const auto value = duration_at(node, key);
  if (value && *value < Nanoseconds(0)) {
    fault(*node.find(key), fmt::format("{}.{} cannot be negative", path, key));
    return std::nullopt;
  }
  return value;
}

std::optional<Nanoseconds> HiveReader::deadline(const Node& node, std::string_view key,
                                                const std::string& path) {
  const auto value = time(node, key, path);
  if (!value || *value <= kLongestDeadline) return value;
  fault(*node.find(key),
        fmt::format("{}.{} is more than {}", path, key, format_duration(kLongestDeadline)));
  return std::nullopt;
}

std::optional<std::uint64_t> HiveReader::count(const Node& node, std::string_view key,
                                               const std::string& path) {
  const auto value = number(node, key, path, 1, 100'000);
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

void HiveReader::look_for_zone(const Node& node, const std::string& zone, const std::string& path) {
  if (zone == "UTC" || !options_.time_zones) return;
  const auto known = options_.time_zones();
  if (known.empty() || std::find(known.begin(), known.end(), zone) != known.end()) return;
  findings_.warn(node.position,
                 fmt::format("{}.zone is {}, and this machine knows no such time zone: a manager "
                             "that does not either takes UTC",
                             path, in_quotes(zone)),
                 suggest(zone, known));
}

AutoscaleSchedule HiveReader::schedule(const Node& node, const std::string& path) {
  AutoscaleSchedule out;
  out.cron = text_at(node, "cron");
  if (out.cron.empty()) {
    fault(node, fmt::format("{} has no cron", path), "say when it begins: cron: 0 8 * * mon-fri");
  } else if (const auto cron = decide::autoscale::parse_cron(out.cron); !cron) {
    fault(*node.find("cron"), fmt::format("{}.cron: {}", path, cron.error().message));
  }
  if (const std::string zone = text_at(node, "zone"); !zone.empty()) {
    if (!is_zone(zone))
      fault(*node.find("zone"),
            fmt::format("{}.zone is {}: it must be the name of a time zone", path, in_quotes(zone)),
            "such as UTC or Asia/Seoul");
    else
      look_for_zone(*node.find("zone"), zone, path);
    out.zone = zone;
  }
  out.duration = time(node, "duration", path).value_or(Nanoseconds{0});
  if (node.find("duration") == nullptr)
    fault(node, fmt::format("{} has no duration", path), "say how long it holds: duration: 10h");
  else if (out.duration > kLongestSchedule)
    fault(*node.find("duration"), fmt::format("{}.duration is more than a week", path));
  out.min = count(node, "min", path);
  out.max = count(node, "max", path);
  if (!out.min && !out.max && node.find("min") == nullptr && node.find("max") == nullptr)
    fault(node, fmt::format("{} has neither min nor max", path));
  if (out.min && out.max && *out.min > *out.max)
    fault(*node.find("max"), fmt::format("{}.max is {}, and min is {}", path, *out.max, *out.min));
  return out;
}

std::vector<AutoscaleSchedule> HiveReader::schedules(const Node& list, const std::string& path) {
  std::vector<AutoscaleSchedule> out;
  if (list.items.size() > kMostSchedules)
    fault(list, fmt::format("{} has {} entries: at most {} are taken", path, list.items.size(),
                            kMostSchedules));
  for (std::size_t i = 0; i < std::min(list.items.size(), kMostSchedules); ++i)
    if (list.items[i].is_map())
      out.push_back(schedule(list.items[i], fmt::format("{}[{}]", path, i)));
  return out;
}

AutoscaleMetric HiveReader::metric(const Node& node, const std::string& path) {
  AutoscaleMetric out;
  out.name = text_at(node, "name");
  if (const Node* name = node.find("name"); name == nullptr)
    fault(node, fmt::format("{} has no name", path), "say what it is called: name: jobs_waiting");
  else if (!is_token(out.name))
    fault(*name, fmt::format("{}.name is {}: it must be 1 to 64 letters, digits, '_', '-' and '.'",
                             path, in_quotes(scalar_text(*name))));
  if (node.find("cloudwatch") != nullptr) {
    of_balancer(node, path, out);
    return out;
  }
  portion(node, path, out);
  if (node.find("server") != nullptr || node.find("query") != nullptr)
    query(node, path, out);
  else
    scrape(node, path, out);
  return out;
}

// What a replica takes of it.
void HiveReader::portion(const Node& node, const std::string& path, AutoscaleMetric& out) {
  out.per_replica = positive(node, "per_replica", path).value_or(0);
  if (node.find("per_replica") == nullptr)
    fault(node, fmt::format("{} has no per_replica", path), "say how much of it one replica takes");
  if (const Node* limit = node.find("at_most"))
    fault(*limit, fmt::format("{}.at_most is of cloudwatch: Latency alone", path),
          "set per_replica");
}

// In place of a portion, since no replica takes a part of a time.
void HiveReader::limit(const Node& node, const std::string& path, AutoscaleMetric& out) {
  const Node* at_most = node.find("at_most");
  out.at_most = time(node, "at_most", path).value_or(Nanoseconds(0));
  if (at_most == nullptr)
    fault(node, fmt::format("{} has no at_most", path), "say how long answers may take: 400ms");
  else if (duration_at(node, "at_most") == Nanoseconds(0))
    fault(*at_most, fmt::format("{}.at_most must be more than 0", path));
  if (const Node* each = node.find("per_replica"))
    fault(*each, fmt::format("{}.per_replica: no replica takes a part of a time", path),
          "set at_most");
}

void HiveReader::of_balancer(const Node& node, const std::string& path, AutoscaleMetric& out) {
  const std::vector<std::string> known{"RequestCount", "Latency", "SurgeQueueLength",
                                       "SpilloverCount"};
  const Node& named = *node.find("cloudwatch");
  out.cloudwatch = choice(node, "cloudwatch", path, known, "");
  if (named.is_string() && named.text.empty())
    fault(named, fmt::format("{}.cloudwatch is empty: it must be {}", path, join(known, " or ")));
  if (out.cloudwatch == "Latency")
    limit(node, path, out);
  else if (!out.cloudwatch.empty())
    portion(node, path, out);
  for (const char* key : {"server", "query", "metric", "labels", "port", "path"})
    if (const Node* other = node.find(key))
      fault(*other, fmt::format("{}.{} is of Prometheus, and cloudwatch asks none", path, key),
            "leave it out, or cloudwatch");
}

void HiveReader::scrape(const Node& node, const std::string& path, AutoscaleMetric& out) {
  out.metric = text_at(node, "metric");
  const Node* named = node.find(out.metric.empty() ? "name" : "metric");
  const std::string series = out.metric.empty() ? out.name : out.metric;
  if (named != nullptr && (!out.metric.empty() || is_token(out.name)) &&
      !is_prometheus_name(series, true))
    fault(*named, fmt::format("{}: no series can be called {}", path, in_quotes(series)),
          "set metric to the name that the tasks' text has: letters, digits, '_' and ':'");
  if (const Node* labels = map_at(node, "labels"))
    for (const auto& entry : labels->entries) {
      if (!is_prometheus_name(entry.key, false))
        fault(entry.value,
              fmt::format("{}.labels: no label can be called {}", path, in_quotes(entry.key)));
      out.labels[entry.key] = scalar_text(entry.value);
    }
  out.port = static_cast<std::uint16_t>(number(node, "port", path, 1, 65535).value_or(0));
  if (const Node* page = node.find("path"); page != nullptr && page->is_string()) {
    out.path = page->text;
    if (!is_page(out.path))
      fault(*page,
            fmt::format("{}.path is {}: it must begin with / and have no spaces, quotes or #", path,
                        in_quotes(out.path)));
  }
}

void HiveReader::query(const Node& node, const std::string& path, AutoscaleMetric& out) {
  out.server = text_at(node, "server");
  out.query = text_at(node, "query");
  const Node* server = node.find("server");
  if (out.query.empty())
    fault(node, fmt::format("{} has a server and no query", path), "such as query: sum(jobs)");
  if (server == nullptr)
    fault(node, fmt::format("{} has a query and no server", path),
          "such as server: http://10.0.0.5:9090");
  else if (server->is_string() && !is_server(out.server))
    fault(*server,
          fmt::format("{}.server is {}: it must be a URL without name, password and query", path,
                      in_quotes(out.server)),
          "such as http://10.0.0.5:9090");
  for (const char* key : {"metric", "labels", "port", "path"})
    if (const Node* other = node.find(key))
      fault(*other, fmt::format("{}.{} is of tasks, and a query asks none", path, key),
            "leave it out, or server and query");
}

std::vector<AutoscaleMetric> HiveReader::metrics(const Node& list, const std::string& path) {
  std::vector<AutoscaleMetric> out;
  if (list.items.size() > kMostMetrics)
    fault(list, fmt::format("{} has {} entries: at most {} are taken", path, list.items.size(),
                            kMostMetrics));
  for (std::size_t i = 0; i < std::min(list.items.size(), kMostMetrics); ++i) {
    const Node& item = list.items[i];
    if (!item.is_map()) continue;
    out.push_back(metric(item, fmt::format("{}[{}]", path, i)));
    for (std::size_t j = 0; j + 1 < out.size(); ++j)
      if (out[j].name == out.back().name)
        fault(item, fmt::format("{}[{}]: there is a metric {} already", path, i,
                                in_quotes(out.back().name)));
  }
  return out;
}

Autoscale HiveReader::autoscale(const Node& node, const std::string& path) {
  Autoscale out;
  const auto least = number(node, "min", path, 1, 100'000);
  const auto most = number(node, "max", path, 1, 100'000);
  out.min = static_cast<std::uint64_t>(least.value_or(1));
  out.max = static_cast<std::uint64_t>(most.value_or(static_cast<std::int64_t>(out.min)));
  if (node.find("max") == nullptr)
    fault(node, fmt::format("{} has no max", path), "hive adds no replicas without a bound");
  if (most && out.min > out.max)
    fault(*node.find("max"), fmt::format("{}.max is {}, and min is {}", path, out.max, out.min));
  const std::string target_path = path + ".target";
  if (const Node* target = map_at(node, "target")) {
    out.target = AutoscaleTarget{
        .requests_per_replica = positive(*target, "requests_per_replica", target_path),
        .concurrency = positive(*target, "concurrency", target_path),
        .cpu = percentage(*target, "cpu", target_path),
        .memory = percentage(*target, "memory", target_path),
        .latency = time(*target, "latency", target_path),
        .metrics = {}};
    if (const Node* list = target->find("metrics"); list != nullptr && list->is_list())
      out.target.metrics = metrics(*list, target_path + ".metrics");
    if (target->entries.empty()) fault(*target, fmt::format("{} is empty", target_path));
  }
  if (node.find("predict") != nullptr) out.predict = flag_at(node, "predict");
  if (const Node* list = node.find("schedules"); list != nullptr && list->is_list())
    out.schedules = schedules(*list, path + ".schedules");
  if (const Node* limits = map_at(node, "limits")) {
    out.out_per_minute = count(*limits, "out_per_minute", path + ".limits");
    out.in_per_minute = count(*limits, "in_per_minute", path + ".limits");
  }
  if (const Node* windows = map_at(node, "stabilisation")) {
    out.stabilisation_in = deadline(*windows, "in", path + ".stabilisation");
    out.stabilisation_out = deadline(*windows, "out", path + ".stabilisation");
  }
  out.scale_in_cooldown = time(node, "scale_in_cooldown", path);
  out.scale_out_cooldown = time(node, "scale_out_cooldown", path);
  if (node.find("dry_run") != nullptr) out.dry_run = flag_at(node, "dry_run");
  return out;
}

std::vector<std::string> HiveReader::command(const Node& node, std::string_view key,
                                             const std::string& path) {
  const Node* value = node.find(key);
  if (value == nullptr || !value->is_string()) return list_at(node, key);
  const auto words = split_words(value->text);
  if (words) return *words;
  fault(*value,
        fmt::format("{}.{}: {} in {}", path, key, words.error().message, in_quotes(value->text)));
  return {};
}

Drain HiveReader::drain(const Node& node, const std::string& path) {
  Drain out;
  out.timeout = deadline(node, "timeout", path);
  out.pre_stop = command(node, "pre_stop", path);
  out.hooks_timeout = deadline(node, "hooks_timeout", path);
  out.stop_command = command(node, "stop_command", path);
  out.stop_timeout = deadline(node, "stop_timeout", path);
  out.flush_timeout = deadline(node, "flush_timeout", path);
  return out;
}

std::string HiveReader::place_on_node(const Node& node, std::string_view key,
                                      const std::string& path) {
  std::string place = text_at(node, key);
  if (place.empty() || (place.starts_with('/') && place != "/")) return place;
  fault(*node.find(key), fmt::format("{}.{} is {}: it must be an absolute path to a directory",
                                     path, key, in_quotes(place)));
  return "";
}

std::optional<model::FilebeatPlace> HiveReader::filebeat(const Node& node,
                                                         const std::string& path) {
  model::FilebeatPlace out;
  out.registry = place_on_node(node, "registry", path);
  if (node.find("registry") == nullptr)
    fault(node, fmt::format("{} has no registry", path),
          "what Filebeat has had acknowledged stands there");
  out.on_node = choice(node, "where", path, {"container", "node"}, "container") == "node";
  out.stats_url = text_at(node, "stats");
  if (!out.stats_url.empty() && !out.stats_url.starts_with("http://"))
    fault(*node.find("stats"), fmt::format("{}.stats is {}: it must begin with http://", path,
                                           in_quotes(out.stats_url)));
  if (out.registry.empty()) return std::nullopt;
  return out;
}

model::LogPolicy HiveReader::logs(const Node& node, const std::string& path) {
  model::LogPolicy out;
  out.paths = list_at(node, "paths");
  for (const auto& one : out.paths)
    if (!one.starts_with('/'))
      fault(*node.find("paths"),
            fmt::format("{}.paths: {} is not an absolute path", path, in_quotes(one)));
  if (node.find("output") != nullptr) out.output = flag_at(node, "output");
  out.destination = place_on_node(node, "destination", path);
  if (const Node* part = map_at(node, "filebeat")) {
    out.filebeat = filebeat(*part, path + ".filebeat");
    if (out.paths.empty())
      fault(*part, fmt::format("{}.filebeat ships nothing: {}.paths is empty", path, path),
            "name the files that Filebeat reads");
  }
  return out;
}

std::vector<RouteRule> HiveReader::routes(const Node& list, const std::string& path) {
  std::vector<RouteRule> out;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node& item = list.items[i];
    if (!item.is_map()) continue;
    const std::string here = fmt::format("{}[{}]", path, i);
    RouteRule rule{text_at(item, "host"), text_at(item, "path")};
    std::transform(rule.host.begin(), rule.host.end(), rule.host.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (rule.host.empty() && rule.path.empty())
      fault(item, fmt::format("{} has neither host nor path", here));
    if (!rule.host.empty() && !is_host_pattern(rule.host))
      fault(*item.find("host"), fmt::format("{}.host is {}: it must be a host name, or *. and one",
                                            here, in_quotes(rule.host)));
    if (!rule.path.empty() && !is_url_path(rule.path))
      fault(*item.find("path"),
            fmt::format("{}.path is {}: it must begin with / and have no spaces, quotes, ? or #",
                        here, in_quotes(rule.path)),
            rule.path[0] != '/' ? fmt::format("write {}", in_quotes("/" + rule.path)) : "");
    if (std::find(out.begin(), out.end(), rule) != out.end())
      fault(item, fmt::format("{} says what one before it says", here));
    out.push_back(std::move(rule));
  }
  return out;
}

Rollout HiveReader::rollout(const Node& node, const std::string& path) {
  Rollout out;
  out.canary = deadline(node, "canary", path);
  out.canary_weight = static_cast<std::uint32_t>(
      number(node, "canary_weight", path, 1, 100).value_or(out.canary_weight));
  out.canary_replicas =
      static_cast<std::uint64_t>(number(node, "canary_replicas", path, 1, 1'000).value_or(1));
  out.max_error_rate = percentage(node, "max_error_rate", path);
  out.max_latency_factor = positive(node, "max_latency_factor", path);
  out.start_timeout = deadline(node, "start_timeout", path);
  return out;
}

ServiceHive HiveReader::service(const Node& node, const std::string& name) {
  const std::string path = fmt::format("services.{}.x-hive", name);
  ServiceHive out;
  if (const Node* part = map_at(node, "autoscale"))
    out.autoscale = autoscale(*part, path + ".autoscale");
  if (const Node* part = map_at(node, "drain")) out.drain = drain(*part, path + ".drain");
  if (const Node* part = map_at(node, "rollout")) out.rollout = rollout(*part, path + ".rollout");
  if (const Node* part = map_at(node, "logs")) out.logs = logs(*part, path + ".logs");
  if (const Node* list = node.find("routes"); list != nullptr && list->is_list())
    out.routes = routes(*list, path + ".routes");
  if (const Node* part = map_at(node, "sticky")) {
    out.sticky_cookie = text_at(*part, "cookie");
    if (!is_token(out.sticky_cookie))
      fault(*part, fmt::format("{}.sticky.cookie must be a name of letters, digits, '-', '_' and "
                               "'.'",
                               path));
  }
  if (const Node* part = map_at(node, "health")) {
    out.health_path = text_at(*part, "path");
    // A query is allowed here, unlike in a route.
    if (!is_url_path(out.health_path.substr(0, out.health_path.find('?'))) ||
        out.health_path.find_first_of(" \t\r\n\"'\\#") != std::string::npos)
      fault(*part, fmt::format("{}.health.path is {}: it must begin with / and have no spaces or "
                               "quotes",
                               path, in_quotes(out.health_path)));
  }
  out.max_connections =
      static_cast<std::uint32_t>(number(node, "max_connections", path, 0, 1'000'000).value_or(0));
  out.proxy_protocol = flag_at(node, "proxy_protocol");
  out.certificate = file(node, "certificate");
  return out;
}

}  // namespace

std::string to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kBool:
      return node.boolean ? "true" : "false";
    case Node::Kind::kInt:
      return std::to_string(node.integer);
    case Node::Kind::kFloat:
      return std::isfinite(node.number) ? fmt::format("{}", node.number) : "null";
    case Node::Kind::kString:
      return json_text(node.text);
    case Node::Kind::kList: {
      std::vector<std::string> parts;
      for (const auto& item : node.items) parts.push_back(to_json(item));
      return "[" + join(parts, ",") + "]";
    }
    case Node::Kind::kMap: {
      StringMap parts;
      for (const auto& entry : node.entries) parts[entry.key] = to_json(entry.value);
      std::vector<std::string> members;
      for (const auto& [key, value] : parts)
        members.push_back(fmt::format("{}:{}", json_text(key), value));
      return "{" + join(members, ",") + "}";
    }
  }
  return "null";
}

Cluster convert_cluster(const Node& node, const LoadOptions& options, Findings& findings) {
  Cluster out = HiveReader(options, findings).cluster(node);
  out.aws = convert_aws(node, out, findings);
  return out;
}

ServiceHive convert_service_hive(const Node& node, const std::string& service,
                                 const LoadOptions& options, Findings& findings) {
  return HiveReader(options, findings).service(node, service);
}

}  // namespace hive::config
