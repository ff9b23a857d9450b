// x-hive.aws: from a checked tree to Aws.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "config/convert.h"

namespace hive::config {
namespace {

constexpr std::int64_t kGib = 1LL << 30;
constexpr std::int64_t kMostWarm = 100;
constexpr std::int64_t kSmallestDiskGib = 8;
constexpr std::int64_t kLargestDiskGib = 16'384;
constexpr Nanoseconds kLongestDraining = std::chrono::hours(1);  // of the Classic Load Balancer
constexpr std::uint32_t kMostPorts = 100;                        // its listeners
constexpr std::uint32_t kMostListeners = 50;                     // of the other types

bool all_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_instance_type(std::string_view text) {
  const auto dot = text.find('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < text.size() && all_of(text, ".-");
}

bool is_network(const std::string& text) {
  unsigned a = 0, b = 0, c = 0, d = 0, bits = 0;
  char end = 0;
  return std::sscanf(text.c_str(), "%3u.%3u.%3u.%3u/%2u%c", &a, &b, &c, &d, &bits, &end) == 5 &&
         a < 256 && b < 256 && c < 256 && d < 256 && bits <= 32 &&
         text == fmt::format("{}.{}.{}.{}/{}", a, b, c, d, bits);
}

// ECR: words of small letters and digits, joined by . _ - and /.
bool is_repository(std::string_view text) {
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return text.size() >= 2 && text.size() <= 256 && all_of(text, "._-/") && edge(text.front()) &&
         edge(text.back()) && text.find("//") == std::string_view::npos;
}

class AwsReader {
 public:
  AwsReader(const Node& node, Findings& findings) : node_(node), findings_(findings) {}

  Aws read() {
    out_.profile = text_at(node_, "profile");
    out_.vpc = text_at(node_, "vpc");
    out_.subnets = list_at(node_, "subnets");
    if (auto image = text_at(node_, "image"); !image.empty()) out_.image = image;
    out_.internal = flag_at(node_, "internal");
    word(
        "region", out_.region, [](auto text) { return all_of(text, "-"); }, "an AWS region",
        "such as eu-central-1");
    word(
        "image_owner", out_.image_owner, [](auto text) { return all_of(text, "-"); },
        "an account number, self or amazon", "");
    word("manager_type", out_.manager_type, is_instance_type, "an instance type",
         "such as t3.medium");
    words("worker_types", out_.worker_types, is_instance_type, "an instance type",
          "such as m5.large");
    words(
        "sources", out_.sources, [](const auto& text) { return is_network(text); },
        "an IPv4 network", "such as 203.0.113.0/24");
    words(
        "repositories", out_.repositories, [](const auto& text) { return is_repository(text); },
        "the name of an ECR repository", "small letters and digits, joined by . _ - and /");
    package();
    spot();
    warm_pool();
    disk();
    draining();
    prices();
    return std::move(out_);
  }

 private:
  void fault(std::string_view key, std::string message, std::string hint = "") {
    const Node* at = node_.find(key);
    findings_.fault(at == nullptr ? node_.position : at->position, std::move(message),
                    std::move(hint));
  }

  template <typename Good>
  void word(std::string_view key, std::string& out, Good good, std::string_view what,
            std::string hint) {
    const std::string text = text_at(node_, key);
    if (text.empty()) return;
    if (good(text))
      out = text;
    else
      fault(key, fmt::format("x-hive.aws.{} is {}: it is not {}", key, in_quotes(text), what),
            std::move(hint));
  }

  template <typename Good>
  void words(std::string_view key, std::vector<std::string>& out, Good good, std::string_view what,
             const std::string& hint) {
    if (node_.find(key) == nullptr) return;
    const auto list = list_at(node_, key);
    if (list.empty()) fault(key, fmt::format("x-hive.aws.{} is empty", key), hint);
    for (const auto& text : list)
      if (!good(text))
        fault(key, fmt::format("x-hive.aws.{}: {} is not {}", key, in_quotes(text), what), hint);
    out = list;
  }

  // "https://example.org/hive.deb#sha256=...": what is fetched is checked.
  void package() {
    const std::string text = text_at(node_, "package");
    if (text.empty()) return;
    constexpr std::string_view kMark = "#sha256=";
    const auto mark = std::min(text.find(kMark), text.size());
    const auto hash = mark == text.size() ? "" : text.substr(mark + kMark.size());
    const bool hex = hash.size() == 64 && std::all_of(hash.begin(), hash.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
    const auto url = text.substr(0, mark);
    const bool plain =
        url.starts_with("https://") &&
        std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127; });
    if (!plain || !hex)
      return fault("package",
                   fmt::format("x-hive.aws.package is {}: it must be an https address of hive's "
                               "Debian package with its SHA-256",
                               in_quotes(text)),
                   "such as https://example.org/hive.deb#sha256=0123...");
    out_.package = url;
    out_.package_sha256 = hash;
  }

  void spot() {
    const Node* value = node_.find("spot");
    if (value == nullptr) return;
    std::string text = scalar_text(*value);
    if (text.ends_with('%')) text.pop_back();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out_.spot_percent);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && out_.spot_percent <= 100)
      return;
    out_.spot_percent = 0;
    fault("spot", fmt::format("x-hive.aws.spot is {}: it must be 0% to 100%, whole",
                              in_quotes(scalar_text(*value))));
  }

  void warm_pool() {
    const Node* pool = map_at(node_, "warm_pool");
    if (pool == nullptr) return;
    const auto size = integer_at(*pool, "size").value_or(1);
    if (size < 1 || size > kMostWarm)
      fault("warm_pool",
            fmt::format("x-hive.aws.warm_pool.size is {}: it must be 1 to {}", size, kMostWarm));
    else
      out_.warm_workers = static_cast<std::uint32_t>(size);
    const std::string state = text_at(*pool, "state");
    if (!state.empty() && state != "stopped" && state != "running")
      fault("warm_pool", fmt::format("x-hive.aws.warm_pool.state is {}: it must be stopped or "
                                     "running",
                                     in_quotes(state)));
    out_.warm_running = state == "running";
    if (out_.spot_percent > 0)
      fault("warm_pool",
            "x-hive.aws.warm_pool and x-hive.aws.spot: no Spot instance waits in a warm pool",
            "leave one of the two out");
  }

  void disk() {
    const std::string text = text_at(node_, "disk");
    const auto bytes =
        text.empty() ? Result<std::int64_t>(out_.disk_gib * kGib) : parse_bytes(text);
    if (!bytes) return;  // reported by the key table
    out_.disk_gib = (*bytes + kGib - 1) / kGib;
    if (out_.disk_gib < kSmallestDiskGib || out_.disk_gib > kLargestDiskGib)
      fault("disk", fmt::format("x-hive.aws.disk is {}: it must be 8G to 16384G", in_quotes(text)));
  }

  void draining() {
    const auto time = duration_at(node_, "draining");
    if (!time) return;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*time);
    if (whole < std::chrono::seconds(1) || *time > kLongestDraining)
      fault("draining", "x-hive.aws.draining must be 1s to 1h");
    else
      out_.draining_s = static_cast<std::uint32_t>(whole.count());
  }

  void prices() {
    const Node* map = map_at(node_, "prices");
    if (map == nullptr) return;
    for (const auto& entry : map->entries) {
      const auto price = number_at(*map, entry.key);
      if (!is_instance_type(entry.key))
        fault("prices",
              fmt::format("x-hive.aws.prices: {} is not an instance type", in_quotes(entry.key)));
      else if (price && (!(*price >= 0) || !std::isfinite(*price)))
        fault("prices", fmt::format("x-hive.aws.prices.{} must be 0 or more", entry.key));
      else if (price)
        out_.prices[entry.key] = *price;
    }
  }

  const Node& node_;
  Findings& findings_;
  Aws out_;
};

// What the rest of the file asks of the balancer, and its cloud or its type cannot do.
class BalancerCheck {
 public:
  BalancerCheck(const Node& hive, const Cluster& cluster, Findings& findings)
      : hive_(hive), cluster_(cluster), findings_(findings) {}

  void run() {
    const Node* at = map_at(hive_, "load_balancer");
    if (at == nullptr) return;
    const Node* list = at->find("listeners");
    number_of(list == nullptr ? at->position : list->position);
    const auto& listeners = cluster_.listeners;
    // Entries that are no listeners are faults of their own, and left out of the cluster's.
    const bool all = list != nullptr && list->items.size() == listeners.size();
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      position_ = all ? list->items[i].position : at->position;
      certificate(listeners[i]);
      if (aws_) type(listeners[i]);
    }
    if (aws_ && cluster_.balancer_type == "application") zones();
    if (const Node* word = at->find("type"); word != nullptr && !aws_)
      findings_.warn(word->position,
                     "x-hive.load_balancer.type is for cloud: aws; the local "
                     "cloud's balancer is of one kind");
  }

 private:
  void fault(std::string message, std::string hint = "") {
    findings_.fault(position_, std::move(message), std::move(hint));
  }
  static std::string name(const ClusterListener& listener) {
    return fmt::format("the listener at port {}", listener.listen);
  }

  void number_of(Position position) {
    const bool classic = cluster_.balancer_type == "classic";
    const auto most = classic ? kMostPorts : kMostListeners;
    if (aws_ && cluster_.listeners.size() > most)
      findings_.fault(position, fmt::format("{} listeners: {} has at most {}",
                                            cluster_.listeners.size(), balancer(), most));
  }

  void certificate(const ClusterListener& listener) {
    const bool arn = listener.certificate.starts_with("arn:");
    if (aws_ && !arn && !listener.certificate.empty())
      fault(fmt::format("{} has a certificate file, and cloud: aws takes certificates from ACM",
                        name(listener)),
            "write its ARN: certificate: arn:aws:acm:...");
    if (!aws_ && arn)
      fault(fmt::format("{} has a certificate of ACM, and cloud: {} takes a PEM file",
                        name(listener), cluster_.cloud));
  }

  void type(const ClusterListener& listener) {
    const bool application = cluster_.balancer_type == "application";
    if (application && listener.mode == "tcp")
      fault(fmt::format("{} has mode: tcp, and {} speaks HTTP and HTTPS alone", name(listener),
                        balancer()),
            "x-hive.load_balancer.type: network passes bytes on");
    if (!listener.proxy) return;
    if (application)
      fault(fmt::format("{} has proxy: true, and {} has no PROXY protocol", name(listener),
                        balancer()),
            "leave proxy out: it tells the client's address in X-Forwarded-For");
    else if (cluster_.balancer_type == "network")
      fault(fmt::format("{} has proxy: true, which hive does not use with {}", name(listener),
                        balancer()),
            "leave proxy out: the nodes see the client's own address");
    else
      fault(
          fmt::format("{} has proxy: true, which cloud: aws does not support yet", name(listener)),
          "x-hive.load_balancer.type: network keeps the client's address without it");
  }

  // Of those that are found by themselves the plan says it.
  void zones() {
    const Node* aws = map_at(hive_, "aws");
    const Node* subnets = aws == nullptr ? nullptr : aws->find("subnets");
    if (subnets != nullptr && list_at(*aws, "subnets").size() == 1)
      findings_.fault(subnets->position,
                      fmt::format("x-hive.aws.subnets has one subnet, and {} needs two of "
                                  "different zones",
                                  balancer()));
  }

  std::string balancer() const {
    if (cluster_.balancer_type == "application") return "an Application Load Balancer";
    return cluster_.balancer_type == "network" ? "a Network Load Balancer"
                                               : "a Classic Load Balancer";
  }

  const Node& hive_;
  const Cluster& cluster_;
  Findings& findings_;
  const bool aws_ = cluster_.cloud == "aws";
  Position position_;
};

}  // namespace

Aws convert_aws(const Node& hive, const Cluster& cluster, Findings& findings) {
  BalancerCheck(hive, cluster, findings).run();
  const Node* node = map_at(hive, "aws");
  if (node == nullptr) return {};
  return AwsReader(*node, findings).read();
}

}  // namespace hive::config
